import { HoldfastError, type Clock, type Timer } from '../../shared/common/index.js';
import type { SizePolicy, TerminalSize } from '../../shared/common/wire/index.js';
import type { Viewer } from './viewer.js';

/** At most about 60 changes a second reach the program, however many viewers drag their windows. */
const RESIZE_MS = 16;

export interface SizeOwnerOptions {
  readonly size: TerminalSize;
  readonly policy: SizePolicy;
  readonly clock: Clock;
  /** The terminal has this size from now on. */
  apply(size: TerminalSize): void;
  /** Another viewer, or none, decides now; or it is decided in another way. */
  ownerChanged(): void;
}

/**
 * Decides the size of a terminal from what its viewers ask for, and when the program hears of it. Only
 * viewers that may type are ever told to it, so nobody else can move the size.
 */
export class SizeOwner {
  readonly #options: SizeOwnerOptions;
  /** What each viewer asked for last; the one who asked last is at the end. */
  readonly #asked = new Map<Viewer, TerminalSize>();
  #policy: SizePolicy;
  /** What holds again when a claim has ended. */
  #unclaimed: SizePolicy;
  #owner: Viewer | undefined;
  #size: TerminalSize;
  #wanted: TerminalSize;
  #appliedAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  constructor(options: SizeOwnerOptions) {
    this.#options = options;
    this.#size = options.size;
    this.#wanted = options.size;
    // Who had claimed it is told by nobody to a worker that takes the terminal over.
    this.#policy = options.policy === 'mine' ? 'latest' : options.policy;
    this.#unclaimed = this.#policy;
  }

  /** The size that the program knows. */
  get size(): TerminalSize {
    return this.#size;
  }

  get policy(): SizePolicy {
    return this.#policy;
  }

  /** Whose window the terminal has the size of. Absent: nobody's alone. */
  get owner(): Viewer | undefined {
    return this.#owner;
  }

  /** `viewer` asks for `size`, or attached with it. */
  request(viewer: Viewer, size: TerminalSize): void {
    this.#asked.delete(viewer);
    this.#asked.set(viewer, size);
    this.#decide();
  }

  /** `viewer` is gone. Its claim ends with it, and with `smallest` the others may get more room. */
  left(viewer: Viewer): void {
    if (!this.#asked.delete(viewer) && this.#owner !== viewer) return;
    if (this.#policy === 'mine' && this.#owner === viewer) this.#setPolicy(this.#unclaimed);
    else this.#decide();
  }

  /**
   * `viewer` wants another policy; with `mine` it claims the size.
   * @throws {HoldfastError} ERR_FORBIDDEN while somebody else has claimed it, unless `viewer` is an owner.
   */
  configure(viewer: Viewer, policy: SizePolicy): void {
    this.#requireFree(viewer);
    if (policy === 'mine') this.#owner = viewer;
    this.#setPolicy(policy);
  }

  /** @throws {HoldfastError} ERR_FORBIDDEN as {@link configure}. */
  release(viewer: Viewer): void {
    if (this.#policy !== 'mine') return;
    this.#requireFree(viewer);
    this.#setPolicy(this.#unclaimed);
  }

  /** Sets the size whatever the policy. */
  set(size: TerminalSize): void {
    this.#wanted = size;
    if (this.#timer !== undefined) return;
    const { clock } = this.#options;
    const wait = this.#appliedAt + RESIZE_MS - clock.now();
    if (wait <= 0) this.#applyWanted();
    else this.#timer = clock.after(wait, () => this.#applyWanted());
  }

  close(): void {
    this.#timer?.cancel();
    this.#asked.clear();
  }

  #requireFree(viewer: Viewer): void {
    if (this.#policy !== 'mine' || this.#owner === viewer || viewer.isOwner) return;
    throw new HoldfastError('ERR_FORBIDDEN', 'another viewer has claimed the size');
  }

  #setPolicy(policy: SizePolicy): void {
    const changed = this.#policy !== policy;
    this.#policy = policy;
    if (policy !== 'mine') this.#unclaimed = policy;
    this.#decide(changed || policy === 'mine');
  }

  #decide(tell = false): void {
    const before = this.#owner;
    switch (this.#policy) {
      case 'latest':
        this.#owner = [...this.#asked.keys()].at(-1);
        break;
      case 'smallest':
        this.#owner = this.#takeSmallest();
        break;
      case 'fixed':
        this.#owner = undefined;
        break;
      case 'mine':
        break;
    }
    const size = this.#owner === undefined ? undefined : this.#asked.get(this.#owner);
    if (size !== undefined) this.set(size);
    if (tell || before !== this.#owner) this.#options.ownerChanged();
  }

  /** Sets what fits into all windows; the viewer whose window is just that, if there is one. */
  #takeSmallest(): Viewer | undefined {
    const sizes = [...this.#asked.values()];
    if (sizes.length === 0) return undefined;
    const rows = Math.min(...sizes.map((size) => size.rows));
    const cols = Math.min(...sizes.map((size) => size.cols));
    this.set({ rows, cols });
    return [...this.#asked].find(([, size]) => size.rows === rows && size.cols === cols)?.[0];
  }

  #applyWanted(): void {
    this.#timer = undefined;
    if (this.#wanted.rows === this.#size.rows && this.#wanted.cols === this.#size.cols) return;
    this.#size = this.#wanted;
    this.#appliedAt = this.#options.clock.now();
    this.#options.apply(this.#size);
  }
}
