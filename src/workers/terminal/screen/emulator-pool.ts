import { limits } from '../../../shared/common/index.js';
import type { TerminalSize } from '../../../shared/common/wire/index.js';
import { ScreenEmulator } from './screen-emulator.js';

/**
 * The emulators of one worker: few, whatever the number of terminals. One that is used stays with its owner,
 * which saves it the way back to its state, until another needs it more. A new owner always gets a new one:
 * an emulator's reset leaves some of its state behind, and making one takes less than a millisecond.
 */
export class EmulatorPool {
  /** Least recently used first. */
  readonly #owned = new Map<object, ScreenEmulator>();
  readonly #most: number;

  constructor(most: number = limits.SCREEN_EMULATORS) {
    this.#most = most;
  }

  /** The emulator of `owner`, as it was left. Absent: it never had one, or has lost it. */
  get(owner: object): ScreenEmulator | undefined {
    const emulator = this.#owned.get(owner);
    if (emulator === undefined) return undefined;
    this.#owned.delete(owner);
    this.#owned.set(owner, emulator);
    return emulator;
  }

  /** One for `owner` that shows `screen`; whoever has used its own least recently loses it. */
  create(owner: object, size: TerminalSize, screen: Uint8Array): ScreenEmulator {
    this.release(owner);
    for (const [other] of this.#owned) {
      if (this.#owned.size < this.#most) break;
      this.release(other);
    }
    const emulator = new ScreenEmulator(size);
    emulator.write(screen);
    this.#owned.set(owner, emulator);
    return emulator;
  }

  release(owner: object): void {
    this.#owned.get(owner)?.dispose();
    this.#owned.delete(owner);
  }
}
