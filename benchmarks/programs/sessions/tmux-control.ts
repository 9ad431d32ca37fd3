import { spawn } from 'node:child_process';
import type { Session, SessionHandlers } from './types.js';

const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const OUTPUT = Buffer.from('%output %');

/**
 * A client of tmux in control mode, which gets what the programs print as they print it, in lines of
 * `%output %PANE TEXT` with three octal digits for what is no text.
 */
export function openTmuxControl(args: readonly string[], handlers: SessionHandlers): Session {
  const [file = 'tmux', ...rest] = args;
  const child = spawn(file, rest, { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = new ControlLines(handlers.data);
  child.stdout.on('data', (chunk: Buffer) => {
    lines.push(chunk);
  });
  child.stdin.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      handlers.end(error.message);
      resolve();
    });
    child.once('close', () => {
      handlers.end('tmux ended');
      resolve();
    });
  });
  return {
    write: (text) => {
      const codes = [...Buffer.from(text)].map((byte) => byte.toString(16).padStart(2, '0'));
      child.stdin.write(`send-keys -H ${codes.join(' ')}\n`);
    },
    close: async () => {
      child.stdin.end();
      child.kill('SIGTERM');
      await closed;
    },
  };
}

/** Takes the printed bytes out of what tmux says in control mode. */
export class ControlLines {
  readonly #data: (bytes: Uint8Array) => void;
  #rest = Buffer.alloc(0);

  /** @param data Gets the bytes; they are only valid during the call. */
  constructor(data: (bytes: Uint8Array) => void) {
    this.#data = data;
  }

  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (
      let end = bytes.indexOf(NEWLINE, at);
      end !== -1;
      at = end + 1, end = bytes.indexOf(NEWLINE, at)
    ) {
      if (!bytes.subarray(at, at + OUTPUT.length).equals(OUTPUT)) continue;
      const start = bytes.indexOf(0x20, at + OUTPUT.length) + 1;
      if (start > 0 && start <= end) this.#data(unescape(bytes.subarray(start, end)));
    }
    this.#rest = Buffer.from(bytes.subarray(at));
  }
}

/** In place: what comes out is never longer. */
function unescape(bytes: Buffer): Buffer {
  let from = bytes.indexOf(BACKSLASH);
  if (from === -1) return bytes;
  let to = from;
  while (from < bytes.length) {
    const byte = bytes[from]!;
    if (byte === BACKSLASH && from + 3 < bytes.length) {
      bytes[to] =
        ((bytes[from + 1]! & 7) << 6) | ((bytes[from + 2]! & 7) << 3) | (bytes[from + 3]! & 7);
      from += 4;
    } else {
      bytes[to] = byte;
      from += 1;
    }
    to += 1;
  }
  return bytes.subarray(0, to);
}
