import { limits } from '../../shared/common/index.js';
import type { TerminalClient } from '../../shared/common/terminal-client/index.js';

/** A paste that waits for the terminal to take it. */
const WAITING_BYTES = 8 * limits.MIB;

/**
 * Feeds input to a terminal client no faster than it is taken, so that a large paste arrives whole
 * instead of being refused.
 */
export class Typing {
  readonly #client: TerminalClient;
  readonly #refused: () => void;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;

  /** @param refused Called when input is dropped because even the waiting room is full. */
  constructor(client: TerminalClient, refused: () => void) {
    this.#client = client;
    this.#refused = refused;
  }

  type(bytes: Uint8Array): void {
    if (this.#waitingBytes + bytes.length > WAITING_BYTES) {
      this.#refused();
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.pump();
  }

  /** To be called when the client has room again. */
  pump(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const room = this.#client.inputRoom;
      if (room === 0) return;
      const part = first.subarray(0, room);
      if (part.length === first.length) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(room);
      this.#waitingBytes -= part.length;
      if (!this.#client.input(part)) {
        this.clear();
        return;
      }
    }
  }

  clear(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
  }
}
