import {
  limits,
  once,
  type ByteChannel,
  type ChannelEnd,
  type OwnedBytes,
} from '../../../shared/common/index.js';
import type { TerminalSize } from '../../../shared/common/wire/index.js';
import type { PtySession } from '../terminals/types.js';
import type { SshChannel } from './channel.js';
import type { Running } from './running.js';

/** Joins a PTY session to its channel. Owns both from here on. */
export function runPty(channel: SshChannel, session: PtySession): Running {
  const outputEnded = new Promise<ChannelEnd>((resolve) => {
    const input = new PtyInput(channel, session.channel);
    session.channel.start({
      message: (bytes) => {
        const taken = (): void => {
          session.channel.consumed(bytes.byteLength);
          // ssh2 copies into packets of its own.
          session.channel.giveBack(bytes as OwnedBytes);
        };
        if (channel.gone) {
          taken();
        } else {
          channel.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), taken);
        }
      },
      credit: () => {
        input.flush();
      },
      end: resolve,
    });
  });
  let exited = false;
  const end = once(() => session.close());
  channel.once('remote-close', () => {
    if (!exited) void end();
  });
  const resizes = new Resizes(session);
  const ended = (async () => {
    const exit = await session.exited;
    exited = true;
    const how = await outputEnded;
    resizes.stop();
    if (how.type === 'lost' || how.error !== undefined) {
      const code = how.type === 'lost' ? 'ERR_WORKER_LOST' : how.error?.code;
      channel.stderr.write(`holdfast: the end of the output may be missing (${code ?? ''})\r\n`);
    }
    channel.finish(exit);
    await end();
  })();
  return {
    resize: (size) => {
      resizes.push(size);
    },
    signal: (signal) => {
      session.signal(signal);
    },
    sendBreak: () => session.sendBreak(),
    end,
    ended,
  };
}

/** Keystrokes on their way to a PTY, held back by its credit and so by the client's window. */
class PtyInput {
  readonly #from: SshChannel;
  readonly #to: ByteChannel;
  #rest: Buffer | undefined;

  constructor(from: SshChannel, to: ByteChannel) {
    this.#from = from;
    this.#to = to;
    from.on('data', (chunk: Buffer) => {
      this.#rest = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
      if (!this.flush()) from.pause();
    });
  }

  /** Sends what the PTY takes now, and lets the client go on when nothing is left. False: some is. */
  flush(): boolean {
    while (this.#rest !== undefined && this.#to.credit > 0) {
      const size = Math.min(this.#rest.length, this.#to.credit, limits.CHANNEL_MESSAGE_BYTES);
      // A copy, since the bytes lie in a packet of ssh2 and are transferred to another thread.
      this.#to.send(new Uint8Array(this.#rest.subarray(0, size)));
      this.#rest = size === this.#rest.length ? undefined : this.#rest.subarray(size);
    }
    if (this.#rest !== undefined) return false;
    if (this.#from.isPaused()) this.#from.resume();
    return true;
  }
}

/** Passes window changes on, at most one in SSH_RESIZE_MS; the last one always arrives. */
class Resizes {
  readonly #session: PtySession;
  #timer: NodeJS.Timeout | undefined;
  #next: TerminalSize | undefined;
  #stopped = false;

  constructor(session: PtySession) {
    this.#session = session;
  }

  push(size: TerminalSize): void {
    if (this.#stopped) return;
    if (this.#timer !== undefined) {
      this.#next = size;
      return;
    }
    this.#session.resize(size);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const next = this.#next;
      this.#next = undefined;
      if (next !== undefined) this.push(next);
    }, limits.SSH_RESIZE_MS);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}
