import type { Clock, Logger } from '../../shared/common/index.js';
import type {
  Pace,
  SizePolicy,
  TerminalSettings,
  TerminalSize,
  ViewerControl,
} from '../../shared/common/wire/index.js';
import { ControlDesk } from './control.js';
import { PresenceBoard } from './presence.js';
import { SizeOwner } from './size-owner.js';
import type { Viewer, ViewerSharing } from './viewer.js';
import type { ViewerSet } from './viewer-set.js';

export interface SharingOptions {
  readonly size: TerminalSize;
  readonly sizePolicy: SizePolicy;
  readonly viewers: ViewerSet;
  readonly clock: Clock;
  readonly logger: Logger;
  head(): number;
  /** The terminal has this size from now on. */
  resized(size: TerminalSize): void;
  /** For whoever serves the terminal next. */
  configured(settings: { readonly pace: Pace; readonly sizePolicy: SizePolicy }): void;
  /** Other viewers' input is taken from here on. */
  driverChanged(): void;
}

/** What viewers of one terminal have to do with each other: its size, its control, and who is there. */
export class Sharing implements ViewerSharing {
  readonly sizes: SizeOwner;
  readonly presence: PresenceBoard;
  readonly control: ControlDesk;
  readonly #options: SharingOptions;
  /** The program has ended: the last screen keeps its size, and there is nothing to control. */
  #isOver = false;

  constructor(options: SharingOptions) {
    const { viewers, clock } = options;
    this.#options = options;
    this.sizes = new SizeOwner({
      size: options.size,
      policy: options.sizePolicy,
      clock,
      apply: (size) => {
        options.resized(size);
      },
      ownerChanged: () => {
        this.#configured();
      },
    });
    this.presence = new PresenceBoard({
      clock,
      viewers,
      head: () => options.head(),
      facts: () => ({
        sizeOwner: this.sizes.owner?.id,
        driver: this.control.driver?.id,
        pace: viewers.pace,
        sizePolicy: this.sizes.policy,
      }),
    });
    this.control = new ControlDesk({
      viewers,
      sizes: this.sizes,
      presence: this.presence,
      logger: options.logger,
      now: () => clock.now(),
      head: () => options.head(),
      driverChanged: () => {
        options.driverChanged();
      },
    });
  }

  /** The window of `viewer` has this size. */
  resize(viewer: Viewer, size: TerminalSize): void {
    if (this.#isOver) return;
    // The window of one that only watches is its own affair.
    if (viewer.mayType) this.sizes.request(viewer, size);
    this.presence.figuresChanged();
  }

  configure(viewer: Viewer, { pace, sizePolicy }: TerminalSettings): void {
    if (this.#isOver) return;
    if (pace !== undefined) {
      this.#options.viewers.pace = pace;
      this.#configured();
    }
    if (sizePolicy === undefined) return;
    this.control.attempt(viewer, () => {
      this.sizes.configure(viewer, sizePolicy);
    });
  }

  request(viewer: Viewer, control: ViewerControl): void {
    if (!this.#isOver) this.control.handle(viewer, control);
  }

  /** `viewer` is gone, and out of the set of viewers. */
  left(viewer: Viewer): void {
    this.control.left(viewer);
    if (!this.#isOver) this.sizes.left(viewer);
    this.presence.left(viewer);
  }

  /** The program has ended. Who is there is still told. */
  end(): void {
    this.#isOver = true;
    this.sizes.close();
  }

  close(): void {
    this.sizes.close();
    this.presence.close();
  }

  #configured(): void {
    this.presence.factsChanged();
    const { pace } = this.#options.viewers;
    this.#options.configured({ pace, sizePolicy: this.sizes.policy });
  }
}
