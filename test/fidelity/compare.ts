import { createRandom } from '../support/index.js';
import { Boundaries } from './boundaries.js';
import { Replica, type ReplicaOptions } from './replica.js';
import type { Stream, StreamEvent } from './streams.js';
import { ViewerEmulator } from './viewer-emulator.js';
import { arrive, planVisits, type Absent, type Visit } from './visits.js';

export interface Difference {
  readonly stream: string;
  readonly visit: Visit;
  /** The event after which the screens differ. */
  readonly event: number;
  readonly offset: number;
  readonly checkpoint: string;
  /** Each fact that differs: what the viewer that never left has, and the other. */
  readonly facts: readonly Fact[];
}

export interface Fact {
  readonly never: string;
  readonly again: string;
}

export interface Comparison {
  readonly attaches: number;
  readonly differences: readonly Difference[];
  readonly ways: { readonly plain: number; readonly emulator: number };
}

export interface CompareOptions extends Omit<ReplicaOptions, 'size'> {
  readonly seed: number;
  /** Visits in the course of the stream, besides the one at its end. */
  readonly attaches: number;
}

/**
 * Plays `stream` to a viewer that never leaves, and to others that come and go, and compares what their
 * emulators hold whenever one comes, and at the end.
 */
export function compareStream(stream: Stream, options: CompareOptions): Comparison {
  const visits = planVisits(createRandom(options.seed), stream, options.attaches);
  return playVisits(stream, options, visits);
}

/** The same with the visits that are given. Stops after event `last`, which is where the stream ends. */
export function playVisits(
  stream: Stream,
  options: CompareOptions,
  visits: readonly Visit[],
  last = stream.events.length - 1,
): Comparison {
  const replica = new Replica({ ...options, size: stream.size });
  const never = new ViewerEmulator(stream.size);
  const boundaries = new Boundaries(stream);
  const differences: Difference[] = [];
  const absent = new Map<Visit, Absent>();
  const present = new Map<Visit, ViewerEmulator>();
  let attaches = 0;
  const compare = (event: number, visit: Visit, again: ViewerEmulator): void => {
    attaches += 1;
    const facts = differencesOf(never.state(), again.state());
    const { offset } = replica.checkpoint;
    if (options.tracker && !boundaries.has(offset)) {
      facts.push({
        never: 'a boundary',
        again: `a replay begins within a sequence: ${String(offset)}`,
      });
    }
    if (facts.length === 0) return;
    const checkpoint = replica.describe();
    differences.push({
      stream: stream.name,
      visit,
      event,
      offset: replica.head,
      checkpoint,
      facts,
    });
  };
  const isRestart = restarts(options.seed);
  for (let index = 0; index <= last; index += 1) {
    const event = stream.events[index] as StreamEvent;
    for (const to of [replica, never, ...present.values()]) give(to, event);
    if (isRestart()) replica.restart();
    for (const visit of visits) {
      if (visit.way === 'back' && visit.left === index) absent.set(visit, leave(replica));
      if (visit.at !== index) continue;
      const again = arrive(replica, visit, absent.get(visit));
      compare(index, visit, again);
      if (visit.stays) present.set(visit, again);
      else again.dispose();
    }
  }
  for (const [visit, emulator] of present) {
    compare(last, visit, emulator);
    emulator.dispose();
  }
  replica.close();
  never.dispose();
  return { attaches, differences, ways: replica.ways };
}

function give(to: Replica | ViewerEmulator, event: StreamEvent): void {
  if (event.type === 'resize') to.resize(event.size);
  else if (to instanceof Replica) to.append(event.bytes);
  else to.write(event.bytes);
}

/** A viewer that has seen all so far. That its screen is the right one is compared by another visit. */
function leave(replica: Replica): Absent {
  return { emulator: replica.attach(), offset: replica.head };
}

/** Whether the worker dies after the next event. */
function restarts(seed: number): () => boolean {
  const random = createRandom(seed + 1);
  return () => random.int(0, 99) === 0;
}

function differencesOf(never: readonly string[], again: readonly string[]): Fact[] {
  const facts: Fact[] = [];
  for (let index = 0; index < Math.max(never.length, again.length); index += 1) {
    if (never[index] === again[index]) continue;
    facts.push({ never: never[index] ?? '', again: again[index] ?? '' });
  }
  return facts;
}
