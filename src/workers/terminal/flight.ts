import { limits } from '../../shared/common/index.js';

/** One frame on its way. */
interface Segment {
  /** Log position behind it. */
  readonly end: number;
  /** Bytes of it that are not acknowledged. */
  bytes: number;
  readonly sentAt: number;
  /** What had been acknowledged when it was sent, and when the last of that was. */
  readonly delivered: number;
  readonly deliveredAt: number;
  /** More was waiting behind it, so how fast it arrives says what the link takes. */
  readonly saturated: boolean;
  /** Next to nothing was under way before it, so how long it takes is the link's own delay. */
  readonly alone: boolean;
}

interface Sample {
  readonly rate: number;
  readonly at: number;
}

/** How long a measured rate holds: long enough to see past one late acknowledgement. */
const RATE_MS = 1_500;
/** How long a measured delay holds. Then little is sent until one frame has shown what it is now. */
const DELAY_MS = 10_000;
/** Delays longer than this are those of a viewer that was stopped, not of a link. */
const MAX_DELAY_MS = 1_000;
/** Below this rate frames are small, so that what is typed meanwhile does not wait behind a large one. */
const SLOW_BYTES_PER_MS = limits.SLOW_LINK_BYTES_PER_SECOND / 1_000;
const MIN_FRAME_BYTES = 1_024;

/**
 * How much output may be under way to one viewer. What is sent cannot be taken back, so a key that
 * interrupts a flood takes as long to show as all that was sent before it takes to arrive. The bound is what
 * the viewer acknowledged lately per millisecond, times the delay of its link and FLIGHT_MS: enough to keep
 * the link busy, and FLIGHT_MS of queue. The estimate of both is that of BBR (Cardwell et al., 2016): the
 * best rate of the last moments, the shortest delay of the last seconds.
 */
export class Flight {
  readonly #segments: Segment[] = [];
  #bytes = 0;
  #delivered = 0;
  #deliveredAt = 0;
  /** In falling order of rate; the first is the estimate. */
  #rates: Sample[] = [];
  #delay: { readonly ms: number; readonly at: number } | undefined;
  /** The delay must be measured anew. */
  #probing = false;

  /** Bytes sent and not acknowledged. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes per millisecond that the viewer takes. Absent: nothing has been measured. */
  get rate(): number | undefined {
    return this.#rates[0]?.rate;
  }

  /** Bytes that may be under way together. */
  get bound(): number {
    const { rate } = this;
    if (rate === undefined) return limits.FLIGHT_START_BYTES;
    if (this.#probing) return limits.FLIGHT_MIN_BYTES / 2;
    const ms = limits.FLIGHT_MS + (this.#delay?.ms ?? 0);
    return Math.max(limits.FLIGHT_MIN_BYTES, Math.round(rate * ms));
  }

  /** Bytes that may be sent now; 0 or less: none. */
  get room(): number {
    return this.bound - this.#bytes;
  }

  /** The largest frame that should be sent. */
  get frameBytes(): number {
    const { rate } = this;
    if (rate !== undefined && rate >= SLOW_BYTES_PER_MS) return limits.OUTPUT_FRAME_BYTES;
    return Math.max(MIN_FRAME_BYTES, Math.min(limits.SLOW_FRAME_BYTES, Math.floor(this.bound / 2)));
  }

  /** How long `unsent` more bytes would take to arrive, in ms. Absent: nobody knows yet. */
  backlogMs(unsent: number, now: number): number | undefined {
    const { rate } = this;
    if (rate === undefined) return undefined;
    const waited = now - (this.#segments[0]?.sentAt ?? now);
    return Math.max(waited, (this.#bytes + unsent) / rate);
  }

  /** `bytes` up to log position `end` were sent. `saturated`: more is waiting. */
  sent(bytes: number, end: number, now: number, saturated: boolean): void {
    if (this.#bytes === 0) this.#deliveredAt = now;
    this.#segments.push({
      end,
      bytes,
      sentAt: now,
      delivered: this.#delivered,
      deliveredAt: this.#deliveredAt,
      saturated,
      alone: this.#bytes < limits.FLIGHT_MIN_BYTES / 2,
    });
    this.#bytes += bytes;
    const stale = this.#delay !== undefined && now - this.#delay.at > DELAY_MS;
    if (stale && saturated) this.#probing = true;
  }

  /** The viewer has everything before log position `offset`. */
  acked(offset: number, now: number): void {
    let newest: Segment | undefined;
    let count = 0;
    let partly = 0;
    for (const segment of this.#segments) {
      if (segment.end > offset) {
        partly = Math.max(0, segment.bytes - (segment.end - offset));
        segment.bytes -= partly;
        break;
      }
      this.#delivered += segment.bytes;
      this.#bytes -= segment.bytes;
      newest = segment;
      count += 1;
    }
    this.#segments.splice(0, count);
    this.#delivered += partly;
    this.#bytes -= partly;
    if (newest === undefined && partly === 0) return;
    this.#deliveredAt = now;
    if (newest === undefined) return;
    this.#measureDelay(newest, now);
    this.#measureRate(newest, now);
  }

  #measureDelay({ sentAt, alone }: Segment, now: number): void {
    const ms = Math.min(MAX_DELAY_MS, now - sentAt);
    const known = this.#delay;
    const isOld = known !== undefined && now - known.at > DELAY_MS;
    if (known !== undefined && ms > known.ms && !(isOld && alone)) return;
    this.#delay = { ms, at: now };
    this.#probing = false;
  }

  #measureRate({ delivered, deliveredAt, saturated }: Segment, now: number): void {
    const rate = (this.#delivered - delivered) / Math.max(1, now - deliveredAt);
    // A viewer that was sent little shows only that it takes at least that.
    if (!saturated && rate < (this.rate ?? Number.POSITIVE_INFINITY)) return;
    this.#rates = this.#rates.filter((each) => each.rate > rate && now - each.at < RATE_MS);
    this.#rates.push({ rate, at: now });
  }
}
