import type { TerminalSize } from '../../../shared/common/wire/index.js';
import type { TerminalStatus } from '../../../shared/node/ports/index.js';

/** The terminal has `size` from log position `offset` on. */
export interface SizeChange {
  readonly offset: number;
  readonly size: TerminalSize;
}

/**
 * Changes of a terminal's size as events in its log, numbered from 0. The newest are kept, in the shared
 * status, so that they outlive the worker. Changes at one offset stay apart: to an emulator that is made
 * narrow and wide again the second does not undo the first.
 */
export class SizeLog {
  readonly #status: TerminalStatus;

  constructor(status: TerminalStatus) {
    this.#status = status;
  }

  /** Number of the next change. */
  get next(): number {
    return this.#status.sizeCount;
  }

  /** Number of the oldest change kept. */
  get oldest(): number {
    return Math.max(0, this.#status.sizeCount - this.#status.sizeSlots);
  }

  /** So many of the newest are kept. */
  get slots(): number {
    return this.#status.sizeSlots;
  }

  push(change: SizeChange): void {
    this.#status.pushSize(change.offset, change.size);
  }

  /** Change `number`. Absent: it has not come yet, or is not kept any more. */
  at(number: number): SizeChange | undefined {
    if (number >= this.next || number < this.oldest) return undefined;
    return this.#status.sizeChange(number);
  }

  /** Number of the first change beyond log position `offset`. */
  after(offset: number): number {
    let number = this.next;
    while (number > this.oldest && (this.at(number - 1)?.offset ?? 0) > offset) number -= 1;
    return number;
  }
}
