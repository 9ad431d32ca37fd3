import type { Closable } from '../../../shared/common/index.js';
import type { Frequency } from '../options/index.js';
import type { Random } from '../random.js';

export interface RepeaterOptions {
  readonly frequency: Frequency;
  /** Of how many a share is meant. */
  readonly population: () => number;
  readonly random: Random;
  /** Does it once. What it rejects with is its own business; nobody looks. */
  readonly act: () => Promise<void>;
  /** Called instead of `act` when too many are under way already. */
  readonly onSkipped: () => void;
}

/** Acts under way of one kind; an agent that answers slowly must not make this program grow. */
const MAX_UNDER_WAY = 100;

/** Does something again and again, whether the last time is over or not, and waits for all of it at the end. */
export class Repeater implements Closable {
  readonly #options: RepeaterOptions;
  readonly #underWay = new Set<Promise<void>>();
  #dueAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: RepeaterOptions) {
    this.#options = options;
  }

  start(): void {
    this.#dueAt = performance.now();
    this.#schedule();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await Promise.all(this.#underWay);
  }

  #schedule(): void {
    if (this.#closed) return;
    const { frequency, random } = this.#options;
    // Up to half early or late, so that kinds of the same frequency do not always meet.
    const usual = frequency.everyMs / (frequency.kind === 'count' ? frequency.count : 1);
    this.#dueAt = Math.max(this.#dueAt + usual * (0.5 + random()), performance.now());
    this.#timer = setTimeout(() => {
      this.#actAll();
      this.#schedule();
    }, this.#dueAt - performance.now());
  }

  #actAll(): void {
    const { frequency, population, act, onSkipped } = this.#options;
    const times =
      frequency.kind === 'count' ? 1 : Math.max(1, Math.round(frequency.share * population()));
    for (let time = 0; time < times; time += 1) {
      if (this.#underWay.size >= MAX_UNDER_WAY) {
        onSkipped();
        continue;
      }
      const acting = act()
        .catch(() => undefined)
        .finally(() => this.#underWay.delete(acting));
      this.#underWay.add(acting);
    }
  }
}
