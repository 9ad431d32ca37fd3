import type { OwnedBytes } from '../byte-channel.js';
import type { ErrorRecord } from '../errors.js';
import type { FramedChannel } from '../framing/index.js';
import type { LinkFeatures, LinkMessage } from './link.js';
import { announceParts, PartJoiner } from './parts.js';

/** What a stream needs of its connection. */
export interface StreamHost {
  /** What the other end can do. Absent: it has not answered the link of this end yet. */
  readonly peer: () => LinkFeatures | undefined;
  /** Stream of the link. Absent: there is none. */
  readonly link: () => number | undefined;
  sendLink(message: LinkMessage): void;
  /** Whether `send` is done with the bytes when it returns. */
  readonly copies: () => boolean;
  /** Hands a message to the stack. */
  send(id: number, bytes: OwnedBytes): void;
  sendText(id: number, text: string): void;
  /** As `StreamStack.partBytes`. */
  readonly partBytes: () => number | undefined;
  /** Tells the stack to end the stream, and `after` as in `StreamStack.end`. */
  endStream(id: number, after: number | undefined): void;
  /** What could not be sent on the channel may be sent now. */
  resume(channel: FramedChannel): void;
}

/** What one end of a channel has said of it on the link. */
type LinkWord = Extract<LinkMessage, { readonly channel: number }>;

/**
 * One data channel of a connection: when it may be sent what, and how it ends. It ends when both ends have said
 * how many messages they sent (`end`), and each has confirmed that it has them all (`done`); only then does the end that
 * opened it reset the stream under it, so that no stack can lose anything by that. With a peer that knows no such words the
 * stack resets it once everything has been acknowledged.
 */
export class Stream {
  readonly channel: FramedChannel;
  readonly #host: StreamHost;
  readonly #isOurs: boolean;
  /** The other end has taken the channel up: it may be sent everything. */
  #taken: boolean;
  /** There is something to send that waits for that. */
  #waiting = false;
  #sent = 0;
  #received = 0;
  /** Our end of it has been told. */
  #told = false;
  /** The other end has everything that was sent. */
  #confirmed = false;
  #remoteEnd: Extract<LinkWord, { readonly type: 'end' }> | undefined;
  /** Why a peer without handshake is about to reset it. */
  #remoteError: ErrorRecord | undefined;
  /** Everything has arrived, and whoever reads has been told. */
  #complete = false;
  /** The stack was told to end it. */
  #ending = false;
  /** Absent: nothing has come in parts yet. */
  #joiner: PartJoiner | undefined;

  constructor(host: StreamHost, channel: FramedChannel, isOurs: boolean) {
    this.#host = host;
    this.channel = channel;
    this.#isOurs = isOurs;
    // Who opened it knows of it.
    this.#taken = !isOurs;
  }

  /** Whether nothing of it is under way any more, as far as this end is told. */
  get isIdle(): boolean {
    if (this.channel.hasMore) return false;
    const handshake = this.#host.peer()?.handshake === true;
    return !handshake || this.#ending || (this.#complete && this.#confirmed);
  }

  /**
   * Sends the next thing of the channel; returns whether another can follow. Where it has to wait, `resume` is
   * called in time.
   */
  sendNext(): boolean {
    if (!this.#mayFollow()) {
      this.#waiting = true;
      return false;
    }
    const item = this.channel.take();
    if (item === undefined) return false;
    if ('message' in item) {
      this.#sent += 1;
      this.#sendMessage(item.message);
      if (this.#host.copies()) item.sent?.(item.message);
    } else {
      this.#tellEnd(item.close);
    }
    return this.channel.hasMore;
  }

  /** What may be sent has changed, since it is known now what the other end can do. */
  peerKnown(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#host.resume(this.channel);
  }

  receive(bytes: OwnedBytes): void {
    this.#take();
    const whole = this.#joiner === undefined ? bytes : this.#joiner.add(bytes);
    if (whole === undefined) return;
    this.#received += 1;
    this.channel.receive(whole, false);
    this.#completeIfAllArrived();
  }

  /** From an end that joins parts itself, or has not said yet what it can do, it announces some; else it is a message. */
  receiveText(bytes: OwnedBytes): void {
    if (this.#host.peer()?.joins === false) {
      this.receive(bytes);
      return;
    }
    this.#joiner ??= new PartJoiner();
    this.#joiner.announce(bytes);
  }

  receiveWord(word: LinkWord): void {
    switch (word.type) {
      case 'credit':
        this.#take();
        this.channel.grant(word.bytes);
        return;
      case 'close':
        this.#remoteError = word.error;
        return;
      case 'end':
        this.#take();
        this.#remoteEnd ??= word;
        this.#completeIfAllArrived();
        return;
      case 'done':
        this.#confirmed = this.#told;
        this.#endIfDone();
        return;
    }
  }

  /** The other end has reset it: at the end of the handshake, or because it knows none. */
  receiveEnded(): void {
    if (!this.#complete) this.#becomeComplete(this.#remoteEnd?.error ?? this.#remoteError);
    this.#end(undefined);
  }

  /** Whether the next thing may be sent before the other end has said that it took the channel up. */
  #mayFollow(): boolean {
    if (this.#taken) return true;
    const peer = this.#host.peer();
    const isMessage = this.channel.queuedBytes > 0;
    if (peer === undefined) return isMessage && this.#sent === 0;
    if (!isMessage) return !peer.handshake;
    return !peer.waits || this.#sent === 0;
  }

  #sendMessage(message: OwnedBytes): void {
    const { id } = this.channel;
    const peer = this.#host.peer();
    // One that waits may swap what comes before it has taken the channel up.
    const mayBeCut = peer?.joins === true && (this.#taken || !peer.waits);
    const most = mayBeCut ? (this.#host.partBytes() ?? message.length) : message.length;
    if (message.length <= most) {
      this.#host.send(id, message);
      return;
    }
    this.#host.sendText(id, announceParts(Math.ceil(message.length / most)));
    for (let at = 0; at < message.length; at += most)
      this.#host.send(id, message.subarray(at, at + most));
  }

  #take(): void {
    if (this.#taken) return;
    this.#taken = true;
    this.peerKnown();
  }

  /** All that this end had to say on the channel has been said. */
  #tellEnd(error: ErrorRecord | undefined): void {
    const channel = this.channel.id;
    const link = this.#host.link();
    if (this.#told || this.#ending) return;
    this.#told = true;
    if (this.#host.peer()?.handshake === true) {
      this.#host.sendLink({ type: 'end', channel, messages: this.#sent, error });
    } else if (error !== undefined && link !== undefined) {
      this.#host.sendLink({ type: 'close', channel, error });
      this.#end(link);
    } else {
      this.#end(undefined);
    }
  }

  #completeIfAllArrived(): void {
    const end = this.#remoteEnd;
    if (this.#complete || end === undefined || this.#received < end.messages) return;
    this.#host.sendLink({ type: 'done', channel: this.channel.id });
    this.#becomeComplete(end.error);
    this.#endIfDone();
  }

  #becomeComplete(error: ErrorRecord | undefined): void {
    this.#complete = true;
    this.channel.receiveClose(error);
  }

  /** One end alone resets it: libdatachannel may forget to tell the end of a stream that both reset at once. */
  #endIfDone(): void {
    if (this.#isOurs && this.#complete && this.#confirmed) this.#end(undefined);
  }

  #end(after: number | undefined): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#host.endStream(this.channel.id, after);
  }
}
