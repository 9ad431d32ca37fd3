/**
 * What is printed after the bytes that are counted; none of the producers prints an @. The text before it may end within
 * a sequence of colours, which the letters end; on a line of its own, or a screen might show it in two pieces.
 */
export const DONE = 'mm\r\n@@done@@';
const MARK = Buffer.from(DONE);
/** The part of it that redraws of a screen show as it is. */
const SHOWN = Buffer.from('@@done@@');
const AT = 0x40;
/** Output that stops for so long does not come any more: the server dropped it. */
const SILENCE_MS = 5_000;

export interface FloodEnd {
  /** Without the mark at the end. */
  readonly received: number;
  /** When the last byte came, as `performance.now()`. */
  readonly at: number;
}

export interface FloodOptions {
  /** Bytes that are printed before the mark. */
  readonly expected: number;
  /** What comes is redraws of a screen: the mark is looked for in all of it, and no byte can be missed. */
  readonly redraws: boolean;
}

/** Counts the output of a producer up to the mark behind it. */
export class FloodCounter {
  readonly result: Promise<FloodEnd>;
  readonly #options: FloodOptions;
  #resolve: (end: FloodEnd) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #received = 0;
  #lost = 0;
  #at = performance.now();
  #tail = Buffer.alloc(0);
  readonly #silence: NodeJS.Timeout;

  constructor(options: FloodOptions) {
    this.#options = options;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    let seen = -1;
    this.#silence = setInterval(() => {
      if (this.#received === seen) this.#silent();
      seen = this.#received;
    }, SILENCE_MS);
  }

  data(bytes: Uint8Array): void {
    this.#received += bytes.length;
    this.#at = performance.now();
    if (this.#options.redraws) this.#redraw(bytes);
    else this.#output(bytes);
  }

  lost(bytes: number): void {
    this.#lost += bytes;
  }

  ended(reason: string): void {
    clearInterval(this.#silence);
    this.#reject(new Error(`the session ended after ${String(this.#received)} bytes: ${reason}`));
  }

  #output(bytes: Uint8Array): void {
    if (bytes[bytes.length - 1] !== AT) {
      // It may have been cut within the mark, which no @ ends then.
      this.#keepTail(bytes);
      return;
    }
    this.#keepTail(bytes);
    const mayBeEnd = this.#received + this.#lost >= this.#options.expected + MARK.length;
    if (!mayBeEnd && !this.#tail.equals(MARK)) return;
    this.#finish(this.#received - MARK.length);
  }

  #redraw(bytes: Uint8Array): void {
    const all = Buffer.concat([this.#tail, bytes]);
    if (all.includes(SHOWN)) this.#finish(this.#received);
    else this.#tail = Buffer.from(all.subarray(-(SHOWN.length - 1)));
  }

  /** The mark may be cut in two, and a server that drops output may drop some of it before. */
  #keepTail(bytes: Uint8Array): void {
    this.#tail =
      bytes.length >= MARK.length
        ? Buffer.from(bytes.slice(-MARK.length))
        : Buffer.concat([this.#tail, bytes]).subarray(-MARK.length);
  }

  #silent(): void {
    if (!this.#options.redraws) this.#finish(this.#received);
    else this.ended('the mark at the end was never shown');
  }

  #finish(received: number): void {
    clearInterval(this.#silence);
    this.#resolve({ received, at: this.#at });
  }
}
