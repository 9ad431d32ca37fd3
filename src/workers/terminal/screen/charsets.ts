import type { Charset } from './internals.js';

/** What follows `ESC (` for each set that the emulator knows, but ASCII. */
const DESIGNATORS = '0A4C5RQKYE6ZH7=';
const SLOTS = '()*+';
/** SI, SO, LS2, LS3. */
const SHIFTS = ['\x0f', '\x0e', '\x1bn', '\x1bo'];

/**
 * Names of the emulator's character sets. Its tables have none, but they are the same objects in each
 * emulator, so they are known once they have been designated: `tableOf` says what a designator gives.
 */
export class CharsetNames {
  readonly #names = new Map<object, string>();

  constructor(tableOf: (designator: string) => Charset) {
    for (const designator of DESIGNATORS) {
      const table = tableOf(designator);
      if (table !== undefined) this.#names.set(table, designator);
    }
  }

  /** Makes `charset` the set in `slot` (0 to 3: G0 to G3). */
  designate(slot: number, charset: Charset): string {
    return `\x1b${SLOTS[slot] ?? '('}${this.#nameOf(charset)}`;
  }

  /** Makes the set in `slot` the one that is written with. */
  shift(slot: number): string {
    return SHIFTS[slot] ?? '\x0f';
  }

  #nameOf(charset: Charset): string {
    return (charset === undefined ? undefined : this.#names.get(charset)) ?? 'B';
  }
}
