/** Records that may overtake each other; SCTP keeps at most its window of about 900 packets in flight. */
const WINDOW = 4_096;

/** Which record numbers have been seen, up to so many before the highest (RFC 6347 4.1.2.6). */
export class ReplayWindow {
  /** One byte per number: what it costs in memory it saves in code. */
  readonly #seen = new Uint8Array(WINDOW);
  #highest = -1;

  isFresh(number: number): boolean {
    if (number > this.#highest) return true;
    return number > this.#highest - WINDOW && this.#seen[number % WINDOW] === 0;
  }

  /** The record with this number was authentic. */
  mark(number: number): void {
    if (number > this.#highest) {
      const skipped = Math.min(number - this.#highest, WINDOW);
      for (let at = 1; at < skipped; at += 1) this.#seen[(number - at) % WINDOW] = 0;
      this.#highest = number;
    }
    this.#seen[number % WINDOW] = 1;
  }
}
