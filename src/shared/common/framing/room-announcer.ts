import type { FramedChannel } from './framed-channel.js';

/**
 * Tells channels that they may send again: later in the turn, since a sender that was told from inside its
 * own `send` would nest without end.
 */
export class RoomAnnouncer {
  readonly #freed = new Set<FramedChannel>();

  add(channel: FramedChannel): void {
    this.#freed.add(channel);
    if (this.#freed.size > 1) return;
    void Promise.resolve().then(() => {
      const freed = [...this.#freed];
      this.#freed.clear();
      for (const each of freed) each.announceRoom();
    });
  }
}
