import { randomBytes } from 'node:crypto';
import { once, type ByteChannel, type TerminalId } from '../../../shared/common/index.js';
import { createTerminalClient } from '../../../shared/common/terminal-client/index.js';
import type { TerminalSize } from '../../../shared/common/wire/index.js';
import { ReplayFilter } from '../../../shared/node/vt/index.js';
import type { SshChannel } from './channel.js';
import { FAILED_STATUS } from './replies.js';
import type { Running } from './running.js';

export interface RunTerminalOptions {
  readonly id: TerminalId;
  readonly size: TerminalSize;
  readonly mayType: boolean;
  /** Opens a channel of protocol `terminal` with this label, for the client of this session. */
  readonly openChannel: (label: string) => ByteChannel;
  readonly signal: (signal: NodeJS.Signals) => void;
  readonly sendBreak: () => boolean;
}

/** Makes the client's terminal as empty as a fresh emulator, but for what was scrolled away. */
const RESET = '\x1b[?1049l\x1b[!p\x1b[?6l\x1b[r\x1b[m\x1b[H\x1b[2J';

/**
 * Joins a session channel to a named terminal, as one of its viewers: others may be there too, and it lives
 * on when this client leaves. Owns the channel from here on.
 */
export function runTerminal(channel: SshChannel, options: RunTerminalOptions): Running {
  const filter = new ReplayFilter();
  let resolveEnded: (() => void) | undefined;
  const ended = new Promise<void>((resolve) => {
    resolveEnded = resolve;
  });
  const write = (bytes: Uint8Array | string, done?: () => void): void => {
    if (channel.gone) done?.();
    else channel.write(bytes, () => done?.());
  };
  /** What is quiet without its queries: this client's emulator would answer them, and the answers be typed. */
  const show = (bytes: Uint8Array, quiet: boolean): void => {
    const held = quiet ? undefined : filter.finish();
    if (held !== undefined && held.length > 0) write(held);
    write(quiet ? filter.push(bytes) : bytes, () => {
      client.processed(bytes.length);
    });
  };
  const notice = (text: string): void => {
    write(`\r\n\x1b[2m[holdfast: ${text}]\x1b[22m\r\n`);
  };
  const client = createTerminalClient({
    openChannel: options.openChannel,
    id: options.id,
    size: options.size,
    wantsType: options.mayType,
    clientId: randomBytes(16),
    handlers: {
      output: (bytes, { quiet }) => {
        show(bytes, quiet);
      },
      snapshot: (bytes, { continues }) => {
        if (!continues) {
          filter.finish();
          write(RESET);
        }
        show(bytes, true);
      },
      restarted: () => {
        filter.finish();
        write(RESET);
        notice('this terminal was started anew');
      },
      gap: (from, to) => {
        filter.finish();
        notice(`${String(to - from)} bytes skipped`);
      },
      inputRoom: () => {
        keys.flush();
      },
      error: ({ code, message }) => {
        notice(`${code}: ${message}`);
      },
      state: (state) => {
        if (state.type === 'exited') {
          channel.finish(state.exit);
        } else if (state.type === 'failed') {
          const { code, message } = state.error;
          channel.stderr.write(`holdfast: ${message} (${code}).\r\n`);
          channel.finish({ kind: 'status', status: FAILED_STATUS });
        }
        if (state.type === 'exited' || state.type === 'failed' || state.type === 'closed') {
          resolveEnded?.();
        }
      },
    },
  });
  const keys = new Keys(channel, {
    room: () => client.inputRoom,
    type: (bytes) => client.input(bytes),
    mayType: options.mayType,
  });
  const end = once(() => client.close());
  channel.once('remote-close', () => {
    void end();
  });
  client.start();
  return {
    resize: (size) => {
      client.resize(size);
    },
    signal: options.signal,
    sendBreak: options.sendBreak,
    end,
    ended: ended.then(end),
  };
}

interface KeysOptions {
  /** Bytes that `type` would take now. */
  readonly room: () => number;
  readonly type: (bytes: Uint8Array) => void;
  readonly mayType: boolean;
}

/** What the client types, exactly as it comes, and no more of it read than the terminal takes. */
class Keys {
  readonly #from: SshChannel;
  readonly #options: KeysOptions;
  #rest: Buffer | undefined;

  constructor(from: SshChannel, options: KeysOptions) {
    this.#from = from;
    this.#options = options;
    from.on('data', (chunk: Buffer) => {
      if (!options.mayType) return;
      this.#rest = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
      this.flush();
      if (this.#rest !== undefined) from.pause();
    });
  }

  flush(): void {
    if (this.#rest === undefined) return;
    const take = Math.min(this.#rest.length, this.#options.room());
    if (take > 0) this.#options.type(this.#rest.subarray(0, take));
    this.#rest = take === this.#rest.length ? undefined : this.#rest.subarray(take);
    if (this.#rest === undefined && this.#from.isPaused()) this.#from.resume();
  }
}
