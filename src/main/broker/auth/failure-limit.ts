import { isIPv6 } from 'node:net';
import { limits, systemClock, type Clock } from '../../../shared/common/index.js';

const WINDOW_MS = 60_000;

interface Failures {
  count: number;
  since: number;
}

/**
 * Counts failed credentials per source. Only failures are counted and only failures are refused: a good
 * credential passes however much its neighbours behind one address guess, and guessing 256 bits needs
 * no other brake than the cost of answering.
 */
export class FailureLimit {
  readonly #clock: Clock;
  readonly #perMinute: number;
  readonly #sources = new Map<string, Failures>();

  constructor(clock: Clock = systemClock, perMinute: number = limits.FAILED_ATTEMPTS_PER_MINUTE) {
    this.#clock = clock;
    this.#perMinute = perMinute;
  }

  /** Counts a failure of `address`. True: it was one too many, so say ERR_RATE_LIMITED. */
  failed(address: string): boolean {
    const source = sourceOf(address);
    const now = this.#clock.now();
    let entry = this.#sources.get(source);
    if (entry === undefined || now - entry.since >= WINDOW_MS) entry = { count: 0, since: now };
    entry.count += 1;
    // Re-inserted, so that the map stays in order of last failure and its oldest is the first.
    this.#sources.delete(source);
    this.#sources.set(source, entry);
    for (const [oldest, { since }] of this.#sources) {
      if (this.#sources.size <= limits.FAILURE_SOURCES && now - since < WINDOW_MS) break;
      if (oldest === source) break;
      this.#sources.delete(oldest);
    }
    return entry.count > this.#perMinute;
  }

  /** Sources remembered now. */
  get size(): number {
    return this.#sources.size;
  }
}

/** What counts as one source: an IPv4 address, or the /64 of an IPv6 one, which one host commands. */
export function sourceOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail = ''] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const zeros = plain.includes('::') ? Math.max(0, 8 - left.length - right.length) : 0;
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
