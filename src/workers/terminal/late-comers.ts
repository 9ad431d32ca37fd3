import { limits, type Clock, type ViewerId } from '../../shared/common/index.js';
import type { PortHandle, ViewerSpec } from '../../shared/node/ports/index.js';
import { awaitFirstFrame, wantsAnyTerminal } from './first-frame.js';

export interface LateComersOptions {
  readonly clock: Clock;
  /** It wants to see how this terminal ended. */
  serve(spec: ViewerSpec, handle: PortHandle): void;
  /** It wants a terminal to type in, so a new one; the port is as it came. */
  giveBack(spec: ViewerSpec, handle: PortHandle): void;
  /** It left without a word; its port is closed. */
  left(viewer: ViewerId): void;
}

/**
 * Those who come to an exited terminal and might start a new one. Their first frame says what they want: a
 * log that they know, or only to watch, is served here; a terminal to type in, whichever it is, is main's.
 */
export class LateComers {
  readonly #options: LateComersOptions;
  readonly #undecided = new Map<ViewerId, () => void>();

  constructor(options: LateComersOptions) {
    this.#options = options;
  }

  ask(spec: ViewerSpec, handle: PortHandle): void {
    const { viewer } = spec;
    const done = (): void => {
      this.#undecided.delete(viewer);
      timer.cancel();
    };
    const timer = this.#options.clock.after(limits.ATTACH_MS, () => {
      done();
      stop();
      handle.port.close();
      this.#options.left(viewer);
    });
    const stop = awaitFirstFrame(handle.port, {
      first: (first) => {
        done();
        if (wantsAnyTerminal(first)) this.#options.giveBack({ ...spec, first }, handle);
        else this.#options.serve({ ...spec, first }, handle);
      },
      end: () => {
        done();
        this.#options.left(viewer);
      },
    });
    this.#undecided.set(viewer, () => {
      done();
      stop();
    });
  }

  /** Asks nobody any more; the ports stay as they are. */
  close(): void {
    for (const stop of this.#undecided.values()) stop();
  }
}
