/** What is printed after the bytes that are counted; none of the producers prints an @. */
const DONE = Buffer.from('@@done@@');
const AT = 0x40;
/** Output that stops for so long does not come any more: the server dropped it. */
const SILENCE_MS = 5_000;

export interface FloodEnd {
  /** Without the mark at the end. */
  readonly received: number;
  /** When the last byte came, as `performance.now()`. */
  readonly at: number;
}

/** Counts the output of a producer up to the mark behind it. */
export class FloodCounter {
  readonly result: Promise<FloodEnd>;
  readonly #expected: number;
  #resolve: (end: FloodEnd) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #received = 0;
  #lost = 0;
  #at = performance.now();
  #tail = Buffer.alloc(0);
  readonly #silence: NodeJS.Timeout;

  constructor(expected: number) {
    this.#expected = expected;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    let seen = -1;
    this.#silence = setInterval(() => {
      if (this.#received === seen) this.#finish(seen);
      seen = this.#received;
    }, SILENCE_MS);
  }

  data(bytes: Uint8Array): void {
    this.#received += bytes.length;
    this.#at = performance.now();
    const mayBeEnd = this.#received + this.#lost >= this.#expected + DONE.length;
    if (bytes[bytes.length - 1] !== AT) {
      this.#tail = Buffer.alloc(0);
      return;
    }
    // The mark may be cut in two, and a server that drops output may drop some of it before.
    this.#tail = Buffer.concat([this.#tail, bytes.slice(-DONE.length)]).subarray(-DONE.length);
    if (!mayBeEnd && !this.#tail.equals(DONE)) return;
    this.#finish(this.#received - DONE.length);
  }

  lost(bytes: number): void {
    this.#lost += bytes;
  }

  ended(reason: string): void {
    clearInterval(this.#silence);
    this.#reject(new Error(`the session ended after ${String(this.#received)} bytes: ${reason}`));
  }

  #finish(received: number): void {
    clearInterval(this.#silence);
    this.#resolve({ received, at: this.#at });
  }
}
