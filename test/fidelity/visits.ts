import { limits } from '../../src/shared/common/index.js';
import { ReplayFilter } from '../../src/shared/node/vt/index.js';
import type { TerminalSize } from '../../src/shared/common/wire/index.js';
import type { SeededRandom } from '../support/index.js';
import type { Replica } from './replica.js';
import type { Stream } from './streams.js';
import { ViewerEmulator } from './viewer-emulator.js';

/**
 * Ways in which a viewer comes: `new` with nothing, `late` with nothing and not from the beginning of the
 * replay on, `filtered` as in a terminal of its own, from which queries are kept, and `back`, after it left.
 */
export const WAYS = ['new', 'late', 'filtered', 'back'] as const;
export type Way = (typeof WAYS)[number];

/** A viewer that comes after event `at` of a stream. */
export interface Visit {
  readonly way: Way;
  readonly at: number;
  /** `back`: after which event it left. */
  readonly left: number;
  /** It sees the rest of the stream as well, and is compared again at the end of it. */
  readonly stays: boolean;
  /** What is left to chance: where a late one begins, and how a replay is cut. */
  readonly chance: number;
}

/** `count` visits of `stream`, and one at the end of it. */
export function planVisits(random: SeededRandom, { events }: Stream, count: number): Visit[] {
  const last = events.length - 1;
  return Array.from({ length: count + 1 }, (_, number) => {
    const at = number === 0 ? last : random.int(0, last);
    return {
      way: number === 0 ? 'new' : random.pick(WAYS),
      at,
      left: random.int(0, at),
      stays: number > 0 && random.int(0, 1) === 0,
      chance: random.next(),
    };
  });
}

/** A viewer that went away, with what it had seen by then. */
export interface Absent {
  readonly emulator: ViewerEmulator;
  readonly offset: number;
}

/** The emulator of a viewer that comes to `replica` now. */
export function arrive(
  replica: Replica,
  { way, chance }: Visit,
  absent: Absent | undefined,
): ViewerEmulator {
  switch (way) {
    case 'new':
      return replica.attach();
    case 'late': {
      const { checkpoint, head } = replica;
      const from = checkpoint.offset + Math.floor((head - checkpoint.offset) * chance);
      return replica.attach({ from });
    }
    case 'filtered':
      return replica.attach({ create: (size) => new FilteredEmulator(size, chance) });
    case 'back':
      return absent === undefined
        ? replica.attach()
        : replica.resume(absent.emulator, absent.offset);
  }
}

/** Like a person's own terminal behind `attach`, which is given a replay without the queries in it. */
class FilteredEmulator extends ViewerEmulator {
  readonly #filter = new ReplayFilter();
  readonly #step: number;

  constructor(size: TerminalSize, chance: number) {
    super(size);
    this.#step = 1 + Math.floor(chance * chance * limits.KIB);
  }

  override replay(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += this.#step) {
      this.write(this.#filter.push(bytes.subarray(at, at + this.#step)));
    }
  }

  override replayed(): void {
    if (this.answers !== '')
      throw new Error(`a replay was answered: ${JSON.stringify(this.answers)}`);
    this.write(this.#filter.finish());
  }
}
