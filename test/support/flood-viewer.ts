/** A flood whose every byte can be told from its place in the log, and viewers that do. */
import { randomBytes } from 'node:crypto';
import type { LinkKeeper } from '../../src/main/cli/link-keeper.js';
import type { TerminalId } from '../../src/shared/common/index.js';
import type { Pace } from '../../src/shared/common/wire/index.js';
import { Watcher } from './e2e.js';

/** A prime, so that no page, ring or window divides the period: bytes from a wrong place differ. */
const PERIOD = 8_388_593;
/** Before the first byte of the flood; neither a prompt nor the echo of the command holds these bytes. */
const START = Buffer.from([1, 2, 3]);

/** What a flood repeats: text without escapes, other each time. */
export function floodPattern(): Buffer {
  return Buffer.from(randomBytes(PERIOD).toString('base64').slice(0, PERIOD));
}

/** Typed to a shell, makes it print the pattern in `file` without end. */
export function floodCommand(file: string): string {
  return `exec sh -c "stty raw -echo; printf '\\001\\002\\003'; while cat ${file}; do :; done"\n`;
}

/** One viewer that holds every byte of the flood against its place in the log. */
export class FloodViewer {
  readonly watcher: Watcher;
  /** Log position of the flood's first byte. Absent: it was not seen yet. */
  start: number | undefined;
  /** Bytes of the flood that were compared. */
  checked = 0;
  wrong = 0;
  readonly #pattern: Buffer;

  constructor(
    links: LinkKeeper,
    {
      id,
      pattern,
      pace,
    }: { readonly id: TerminalId; readonly pattern: Buffer; readonly pace: Pace },
  ) {
    this.#pattern = pattern;
    this.watcher = new Watcher(links, id, {
      settings: { pace },
      onOutput: (bytes, offset) => {
        this.#check(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), offset);
      },
    });
  }

  #check(bytes: Buffer, offset: number): void {
    let done = 0;
    if (this.start === undefined) {
      const at = bytes.indexOf(START);
      if (at === -1) return;
      done = at + START.length;
      this.start = offset + done;
    }
    while (done < bytes.length) {
      const place = (offset + done - this.start) % PERIOD;
      const length = Math.min(bytes.length - done, PERIOD - place);
      const isSame = bytes.compare(this.#pattern, place, place + length, done, done + length) === 0;
      if (!isSame) this.wrong += 1;
      this.checked += length;
      done += length;
    }
  }

  /** What must not be, for whoever reads to the exit. Gaps that the agent stated are none. */
  get failures(): string[] {
    const { defects, restarts, totalBytes, next } = this.watcher;
    return [
      ...(this.wrong > 0
        ? [`${String(this.wrong)} pieces with other bytes than were printed`]
        : []),
      ...(defects > 0 ? [`${String(defects)} holes that were not stated`] : []),
      ...(restarts > 0 ? ['the terminal was started anew'] : []),
      ...(totalBytes === next ? [] : [`ended at ${String(next)} of ${String(totalBytes)}`]),
    ];
  }
}
