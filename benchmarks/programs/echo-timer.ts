const FIRST_KEY = 0x61;
const KEYS = 26;
/** An echo that takes longer is lost. */
const ECHO_MS = 20_000;

/**
 * Types one key per interval, whether the last one was echoed or not (open loop, so that a stall costs
 * every key that falls into it), and times each echo from the write of its key.
 */
export class EchoTimer {
  readonly #keys: number;
  readonly #intervalMs: number;
  readonly #type: (text: string) => void;
  readonly #sentAt: number[] = [];
  readonly #latencies: number[] = [];
  #resolve: (latencies: readonly number[]) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  constructor(keys: number, intervalMs: number, type: (text: string) => void) {
    this.#keys = keys;
    this.#intervalMs = intervalMs;
    this.#type = type;
  }

  /**
   * @param options.delayMs before the first interval.
   * @param options.lost where keys are lost: to fail, or to count them as {@link ECHO_MS}. Absent: to fail.
   */
  async run({
    delayMs = 0,
    lost = 'fail',
  }: { readonly delayMs?: number; readonly lost?: 'fail' | 'count' } = {}): Promise<
    readonly number[]
  > {
    const result = new Promise<readonly number[]>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const start = performance.now() + delayMs + this.#intervalMs;
    this.#schedule(start);
    const limit = setTimeout(
      () => {
        const missing = this.#keys - this.#latencies.length;
        if (lost === 'count') {
          this.#resolve([...this.#latencies, ...Array.from({ length: missing }, () => ECHO_MS)]);
        } else {
          this.ended(`only ${String(this.#latencies.length)} of ${String(this.#keys)} keys echoed`);
        }
      },
      delayMs + this.#keys * this.#intervalMs + ECHO_MS,
    );
    try {
      return await result;
    } finally {
      clearTimeout(limit);
    }
  }

  data(bytes: Uint8Array): void {
    const now = performance.now();
    for (const byte of bytes) {
      const index = this.#latencies.length;
      const sentAt = this.#sentAt[index];
      if (sentAt === undefined || byte !== keyOf(index)) {
        this.ended(`byte ${String(byte)} is not the echo of key ${String(index)}`);
        return;
      }
      this.#latencies.push(now - sentAt);
    }
    if (this.#latencies.length === this.#keys) this.#resolve(this.#latencies);
  }

  ended(reason: string): void {
    this.#reject(new Error(reason));
  }

  #schedule(start: number): void {
    const index = this.#sentAt.length;
    if (index === this.#keys) return;
    const at = start + index * this.#intervalMs;
    setTimeout(
      () => {
        this.#sentAt.push(performance.now());
        this.#type(String.fromCharCode(keyOf(index)));
        this.#schedule(start);
      },
      Math.max(0, at - performance.now()),
    );
  }
}

function keyOf(index: number): number {
  return FIRST_KEY + (index % KEYS);
}
