import type { ViewerId } from '../../../shared/common/index.js';
import type { PortHandle, ViewerSpec } from '../../../shared/node/ports/index.js';

interface WaitingViewer {
  readonly spec: ViewerSpec;
  readonly handle: PortHandle;
}

/** Viewers of a terminal that came between two workers, in their order. Owns their ports until they are taken. */
export class WaitingViewers {
  readonly #waiting = new Map<ViewerId, WaitingViewer>();
  readonly #onLeft: (viewer: ViewerId) => void;

  /** `onLeft` is told of one that has closed its channel meanwhile. */
  constructor(onLeft: (viewer: ViewerId) => void) {
    this.#onLeft = onLeft;
  }

  add(spec: ViewerSpec, handle: PortHandle): void {
    this.#waiting.set(spec.viewer, { spec, handle });
    handle.port.once('close', () => {
      if (this.#waiting.delete(spec.viewer)) this.#onLeft(spec.viewer);
    });
  }

  viewers(): ViewerId[] {
    return [...this.#waiting.keys()];
  }

  /** All of them, which are the caller's now. */
  take(): WaitingViewer[] {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    return all;
  }

  /** A channel that closes without a word tells its viewer to come back. */
  close(): void {
    for (const { handle } of this.take()) handle.port.close();
  }
}
