import { playVisits, type CompareOptions, type Difference } from './compare.js';
import type { Stream, StreamEvent } from './streams.js';
import type { Visit } from './visits.js';

/** The shortest prefix of a stream after which screens differ. */
export interface Shortest {
  readonly difference: Difference;
  /** All of its events; the last one may be a part of the stream's. */
  readonly events: readonly StreamEvent[];
}

/**
 * Looks for the shortest prefix of `stream` that shows `difference`, or another for a viewer that comes in
 * the same way. Absent: none does, so what differs is not a matter of the stream alone.
 */
export function shortestPrefix(
  stream: Stream,
  options: CompareOptions,
  difference: Difference,
): Shortest | undefined {
  const whole = firstEvent(stream, options, difference.visit, difference.event);
  if (whole === undefined) return undefined;
  const { event } = whole;
  const last = stream.events[event];
  if (last?.type === 'output') {
    // The log evicts at each append, so fewer bytes of the last one may show it or not.
    for (let length = 1; length < last.bytes.length; length += 1) {
      const bytes = last.bytes.subarray(0, length);
      const events = [...stream.events.slice(0, event), { type: 'output', bytes } as const];
      const [found] = playVisits({ ...stream, events }, options, [whole.visit]).differences;
      if (found !== undefined) return { difference: found, events };
    }
  }
  return { difference: whole, events: stream.events.slice(0, event + 1) };
}

/** The first event after which a viewer that comes then, or the one of `visit`, has another screen. */
function firstEvent(
  stream: Stream,
  options: CompareOptions,
  visit: Visit,
  most: number,
): Difference | undefined {
  const fresh = Array.from({ length: most + 1 }, (_, at) => ({
    ...visit,
    at,
    left: Math.min(visit.left, at),
    stays: false,
  }));
  const [first] = playVisits(stream, options, fresh, most).differences;
  if (first !== undefined) return first;
  for (let last = visit.at; last <= most; last += 1) {
    const [found] = playVisits(stream, options, [visit], last).differences;
    if (found !== undefined) return { ...found, event: last };
  }
  return undefined;
}
