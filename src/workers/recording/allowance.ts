import { limits } from '../../shared/common/index.js';
import type { RecordingRoom, RecordingStatus } from '../../shared/node/ports/index.js';

/** Taken from the room of all at a time. */
const STEP_BYTES = 64 * limits.KIB;
/** Always kept free for the last words: why it ended, and the end of the index. */
const LAST_WORDS_BYTES = 4 * limits.KIB;

/** What one recording may still write: its own limit, and its share of the room of all. */
export class Allowance {
  readonly #maxBytes: number;
  readonly #room: RecordingRoom;
  readonly #status: RecordingStatus;

  constructor(maxBytes: number, room: RecordingRoom, status: RecordingStatus) {
    this.#maxBytes = maxBytes;
    this.#room = room;
    this.#status = status;
  }

  /** Whether its files may be `total` bytes together; if not, what stands against it. */
  allows(total: number): 'yes' | 'limit' | 'quota' {
    const wanted = total + LAST_WORDS_BYTES;
    if (wanted > this.#maxBytes) return 'limit';
    while (this.#status.reserved < wanted) {
      if (!this.#room.take(STEP_BYTES)) return 'quota';
      this.#status.reserved += STEP_BYTES;
    }
    return 'yes';
  }
}
