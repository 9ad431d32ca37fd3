import type { Clock, Timer } from '../../shared/common/index.js';
import type { SizePolicy, TerminalSize } from '../../shared/common/wire/index.js';
import type { Viewer } from './viewer.js';

/** At most about 60 changes a second reach the program, however many viewers drag their windows. */
const RESIZE_MS = 16;

/** Decides the size of a terminal from what its viewers ask for, and when the program hears of it. */
export class SizeOwner {
  readonly #clock: Clock;
  readonly #apply: (size: TerminalSize) => void;
  #policy: SizePolicy;
  #size: TerminalSize;
  #wanted: TerminalSize;
  #appliedAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  constructor(
    initial: { readonly size: TerminalSize; readonly policy: SizePolicy },
    clock: Clock,
    apply: (size: TerminalSize) => void,
  ) {
    this.#size = initial.size;
    this.#wanted = initial.size;
    this.#policy = initial.policy;
    this.#clock = clock;
    this.#apply = apply;
  }

  /** The size that the program knows. */
  get size(): TerminalSize {
    return this.#size;
  }

  get policy(): SizePolicy {
    return this.#policy;
  }
  set policy(policy: SizePolicy) {
    this.#policy = policy;
  }

  /** A viewer asked for `size`, or attached with it. `viewers` holds all that are there, it included. */
  request(size: TerminalSize, viewers: Iterable<Viewer>): void {
    if (this.#policy === 'latest') this.set(size);
    else if (this.#policy === 'smallest') this.#takeSmallest(viewers, size);
  }

  /** Viewers left: with `smallest` the others may get more room. */
  viewersChanged(viewers: Iterable<Viewer>): void {
    if (this.#policy === 'smallest') this.#takeSmallest(viewers);
  }

  /** Sets the size whatever the policy. */
  set(size: TerminalSize): void {
    this.#wanted = size;
    if (this.#timer !== undefined) return;
    const wait = this.#appliedAt + RESIZE_MS - this.#clock.now();
    if (wait <= 0) this.#applyWanted();
    else this.#timer = this.#clock.after(wait, () => this.#applyWanted());
  }

  close(): void {
    this.#timer?.cancel();
  }

  #takeSmallest(viewers: Iterable<Viewer>, also?: TerminalSize): void {
    let rows = also?.rows ?? Number.POSITIVE_INFINITY;
    let cols = also?.cols ?? Number.POSITIVE_INFINITY;
    for (const { size } of viewers) {
      rows = Math.min(rows, size?.rows ?? rows);
      cols = Math.min(cols, size?.cols ?? cols);
    }
    if (Number.isFinite(rows) && Number.isFinite(cols)) this.set({ rows, cols });
  }

  #applyWanted(): void {
    this.#timer = undefined;
    if (this.#wanted.rows === this.#size.rows && this.#wanted.cols === this.#size.cols) return;
    this.#size = this.#wanted;
    this.#appliedAt = this.#clock.now();
    this.#apply(this.#size);
  }
}
