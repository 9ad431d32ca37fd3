import type { TerminalSize } from '../../../shared/common/wire/index.js';
import type { TerminalStatus } from '../../../shared/node/ports/index.js';
import type { LogPoint } from './log-point.js';

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
  readonly #firstSize: TerminalSize;

  /** `firstSize`: of the terminal before the first change. */
  constructor(status: TerminalStatus, firstSize: TerminalSize) {
    this.#status = status;
    this.#firstSize = firstSize;
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

  /**
   * Where a viewer goes on that has seen all before log position `offset`. `known` is an earlier place of which
   * the size is known. Absent: not all changes since are kept, and an emulator that missed one has another screen.
   */
  pointAt(offset: number, known?: LogPoint): LogPoint | undefined {
    const sizes = this.after(offset);
    const size = sizes === 0 ? this.#firstSize : this.at(sizes - 1)?.size;
    if (size !== undefined) return { offset, size, sizes };
    if (known === undefined || known.offset > offset || known.sizes !== sizes) return undefined;
    return { offset, size: known.size, sizes };
  }
}
