import { Duplex, Writable } from 'node:stream';
import { limits } from '../../../shared/common/index.js';
import type { ExitStatus } from '../../../shared/common/wire/index.js';
import { MESSAGE, PayloadWriter, sendPayload, type Ssh2Protocol } from './internals.js';

type Done = (error?: Error | null) => void;

/** Bytes of one stream that wait for window, and whom to tell when they are sent. */
interface Pending {
  bytes: Buffer;
  readonly done: Done;
}

/** What a channel needs of its connection. */
export interface ChannelLink {
  readonly protocol: Ssh2Protocol;
  /** Whether packets may still be handed to the protocol. */
  readonly alive: boolean;
  /** The channel has something to send and window for it. */
  wantsToSend(channel: SshChannel): void;
  /** This many bytes of data went out; counted towards the next change of keys. */
  sent(bytes: number): void;
  /** Both sides have closed it; its number is free. */
  closed(channel: SshChannel): void;
}

export interface ChannelNumbers {
  readonly localId: number;
  readonly remoteId: number;
  /** What the client lets us send: its window and its largest packet. */
  readonly sendWindow: number;
  readonly sendPacket: number;
  /** What we let the client send. */
  readonly receiveWindow: number;
}

/** Data type of RFC 4254 section 5.2. */
const EXTENDED_DATA_STDERR = 1;
/** RFC 4254 section 5.2: a window never exceeds this. */
const MAX_WINDOW = 2 ** 32 - 1;
/** What RFC 4254 section 6.10 names; any other signal gets a suffix, as it asks. */
const RFC_SIGNALS = new Set(
  'ABRT ALRM FPE HUP ILL INT KILL PIPE QUIT SEGV TERM USR1 USR2'.split(' '),
);

/**
 * One channel of RFC 4254 as a byte stream: reading gives what the client sends, writing goes to its
 * stdout, and `stderr` to its stderr. Window and buffer together never exceed what was granted. Ending the
 * writable side sends EOF (for a session, via {@link finish}, after the exit status); CLOSE follows when
 * both sides have ended, or on `destroy`. 'close' always fires, also when the client vanishes.
 */
export class SshChannel extends Duplex {
  readonly localId: number;
  /** Goes to the client's stderr; waits for the same window as stdout, taking turns with it. */
  readonly stderr: Writable;
  readonly #link: ChannelLink;
  readonly #remoteId: number;
  readonly #sendPacket: number;
  readonly #receiveLimit: number;
  #sendWindow: number;
  #receiveWindow: number;
  #out: Pending | undefined;
  #err: Pending | undefined;
  #errTurn = false;
  #exit: ExitStatus | undefined;
  #eofSent = false;
  #closeSent = false;
  #eofReceived = false;
  #closeReceived = false;

  constructor(link: ChannelLink, numbers: ChannelNumbers) {
    super({
      allowHalfOpen: true,
      // Well below half a window, or a reader that pauses could leave both sides waiting: Node calls
      // `_read` again only for a stream whose buffer had reached this mark.
      readableHighWaterMark: numbers.receiveWindow / 8,
      writableHighWaterMark: 64 * limits.KIB,
    });
    this.#link = link;
    this.localId = numbers.localId;
    this.#remoteId = numbers.remoteId;
    this.#sendWindow = numbers.sendWindow;
    this.#sendPacket = Math.min(numbers.sendPacket, limits.SSH_PACKET_BYTES);
    this.#receiveLimit = numbers.receiveWindow;
    this.#receiveWindow = numbers.receiveWindow;
    this.stderr = new Writable({
      highWaterMark: 64 * limits.KIB,
      write: (chunk: Buffer, _encoding, done) => {
        this.#err = { bytes: chunk, done };
        this.#offer();
      },
    });
    this.stderr.on('error', () => undefined);
  }

  /** Bytes written to either stream that have not been sent yet. */
  get backlog(): number {
    return this.writableLength + this.stderr.writableLength;
  }

  /** Nothing can reach the client any more. */
  get gone(): boolean {
    return this.#closeSent || this.#closeReceived || !this.#link.alive;
  }

  /** The number by which the client knows the channel. */
  get remoteId(): number {
    return this.#remoteId;
  }

  /** What {@link finish} would send, in case that whoever has the stream ends it by itself. */
  exitWith(exit: ExitStatus): void {
    this.#exit = exit;
  }

  /** Sends all that was written, then how the command ended, then EOF and CLOSE. */
  finish(exit: ExitStatus): void {
    this.#exit = exit;
    this.stderr.end(() => {
      this.end();
    });
    // A client that has closed cannot be told, and the command's end is the end of its session.
    if (this.gone) this.destroy();
  }

  /** Data of the client. False: more than it was granted. */
  receive(data: Buffer): boolean {
    if (this.#eofReceived || data.length > this.#receiveWindow) return false;
    this.#receiveWindow -= data.length;
    if (this.destroyed || this.readableEnded) return true;
    this.push(data);
    this.#grant();
    return true;
  }

  /** Window from the client. False: it exceeds what a window may be. */
  adjust(bytes: number): boolean {
    if (this.#sendWindow + bytes > MAX_WINDOW) return false;
    this.#sendWindow += bytes;
    this.#offer();
    return true;
  }

  receiveEof(): void {
    if (this.#eofReceived) return;
    this.#eofReceived = true;
    if (!this.destroyed) this.push(null);
  }

  /** CLOSE of the client: what it sent is still read, but nothing can be sent to it any more. */
  receiveClose(): void {
    if (this.#closeReceived) return;
    this.receiveEof();
    this.#closeReceived = true;
    this.#sendClose();
    this.#releaseWriters();
    this.emit('remote-close');
    this.stderr.end();
    this.end();
    this.#link.closed(this);
  }

  /** The connection is gone: ends both directions without a word to anybody. */
  connectionLost(): void {
    const told = this.#closeReceived;
    this.#closeReceived = true;
    this.#closeSent = true;
    this.#releaseWriters();
    if (!told) this.emit('remote-close');
    this.destroy();
  }

  /** Sends at most one packet. True: there is more that could be sent now. */
  sendSome(): boolean {
    const fromErr = this.#err !== undefined && (this.#errTurn || this.#out === undefined);
    const pending = fromErr ? this.#err : this.#out;
    if (pending === undefined || this.#sendWindow === 0 || this.gone) return false;
    this.#errTurn = !fromErr;
    const size = Math.min(pending.bytes.length, this.#sendWindow, this.#sendPacket);
    const part = pending.bytes.subarray(0, size);
    this.#sendWindow -= size;
    if (fromErr) {
      this.#link.protocol.channelExtData(this.#remoteId, part, EXTENDED_DATA_STDERR);
    } else {
      this.#link.protocol.channelData(this.#remoteId, part);
    }
    this.#link.sent(size);
    pending.bytes = pending.bytes.subarray(size);
    if (pending.bytes.length === 0) {
      if (fromErr) this.#err = undefined;
      else this.#out = undefined;
      pending.done();
    }
    return this.#canSend();
  }

  override _read(): void {
    this.#grant();
  }

  override _write(chunk: Buffer, _encoding: string, done: Done): void {
    this.#out = { bytes: chunk, done };
    this.#offer();
  }

  /** Small writes that piled up leave as few packets. */
  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    this.#out = { bytes: Buffer.concat(chunks.map(({ chunk }) => chunk)), done };
    this.#offer();
  }

  override _final(done: Done): void {
    if (!this.gone) {
      if (this.#exit !== undefined) this.#sendExit(this.#exit);
      this.#sendEof();
    }
    done();
    // The end of its command ends a session, whatever the client may still want to send.
    if (this.#exit !== undefined) this.destroy();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#sendClose();
    this.#releaseWriters();
    this.stderr.destroy();
    done(error);
  }

  #canSend(): boolean {
    return (
      (this.#out !== undefined || this.#err !== undefined) && this.#sendWindow > 0 && !this.gone
    );
  }

  #offer(): void {
    if (this.gone) this.#releaseWriters();
    else if (this.#canSend()) this.#link.wantsToSend(this);
  }

  /** Whoever waits for a write is told that it is over; without it pipes would hang for ever. */
  #releaseWriters(): void {
    const [out, err] = [this.#out, this.#err];
    this.#out = undefined;
    this.#err = undefined;
    out?.done();
    err?.done();
  }

  /** Gives the client window for what was read since, in halves so that it costs few packets. */
  #grant(): void {
    if (this.#eofReceived || this.gone || this.destroyed) return;
    const room = this.#receiveLimit - this.#receiveWindow - this.readableLength;
    if (room < this.#receiveLimit / 2) return;
    this.#receiveWindow += room;
    this.#link.protocol.channelWindowAdjust(this.#remoteId, room);
  }

  #sendEof(): void {
    if (this.#eofSent || this.gone) return;
    this.#eofSent = true;
    this.#link.protocol.channelEOF(this.#remoteId);
  }

  #sendClose(): void {
    if (this.#closeSent) return;
    this.#closeSent = true;
    if (this.#link.alive) this.#link.protocol.channelClose(this.#remoteId);
  }

  #sendExit(exit: ExitStatus): void {
    const { protocol } = this.#link;
    switch (exit.kind) {
      case 'status':
        protocol.exitStatus(this.#remoteId, exit.status);
        return;
      case 'signal':
        sendPayload(protocol, exitSignalPayload(this.#remoteId, exit.signal));
        return;
      case 'unknown':
        // What a shell reports for a command that it lost track of.
        protocol.exitStatus(this.#remoteId, 255);
        return;
    }
  }
}

/** CHANNEL_REQUEST `exit-signal` of RFC 4254 section 6.10; ssh2's own refuses signals such as BUS. */
export function exitSignalPayload(channel: number, signal: string): Buffer {
  const bare = signal.replace(/^SIG/, '');
  return new PayloadWriter()
    .byte(MESSAGE.CHANNEL_REQUEST)
    .uint32(channel)
    .string('exit-signal')
    .boolean(false)
    .string(RFC_SIGNALS.has(bare) ? bare : `${bare}@holdfast`)
    .boolean(false)
    .string('')
    .string('')
    .finish();
}
