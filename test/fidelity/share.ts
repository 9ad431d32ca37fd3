import { limits } from '../../src/shared/common/index.js';
import { createRandom } from '../support/index.js';
import { compareStream, type CompareOptions, type Comparison, type Difference } from './compare.js';
import { describe } from './describe.js';
import { session } from './recorded.js';
import { createPool } from './replica.js';
import { randomStream, type Stream } from './streams.js';

/** A part of the suite, which one thread does. */
export type Share = {
  readonly tracker: boolean;
  /** How many of the differences are described, which takes a search for the shortest prefix. */
  readonly described: number;
} & (
  | { readonly type: 'random'; readonly seed: number; readonly streams: number }
  | {
      readonly type: 'session';
      readonly seed: number;
      readonly name: string;
      /** Comparisons in the course of it, for each size of the ring. */
      readonly attaches: number;
    }
);

/** What was found. Plain values, since it comes from another thread. */
export interface ShareResult {
  streams: number;
  attaches: number;
  differences: number;
  /** Of the first differences: stream, shortest prefix, facts. */
  readonly described: string[];
  /** Moves of checkpoints over plain text alone, and by an emulator. */
  readonly ways: { plain: number; emulator: number };
  /** How often each class of sequences was there. */
  readonly classes: Record<string, number>;
}

export function emptyResult(): ShareResult {
  return {
    streams: 0,
    attaches: 0,
    differences: 0,
    described: [],
    ways: { plain: 0, emulator: 0 },
    classes: {},
  };
}

export function runShare(share: Share): ShareResult {
  const result = emptyResult();
  const take = (stream: Stream, options: CompareOptions): void => {
    const comparison: Comparison = compareStream(stream, options);
    result.attaches += comparison.attaches;
    result.ways.plain += comparison.ways.plain;
    result.ways.emulator += comparison.ways.emulator;
    result.differences += comparison.differences.length;
    const [first]: readonly Difference[] = comparison.differences;
    if (first === undefined || result.described.length >= share.described) return;
    result.described.push(describe(stream, options, first));
  };
  if (share.type === 'random') runRandom(share, result, take);
  else runSession(share, result, take);
  return result;
}

type Take = (stream: Stream, options: CompareOptions) => void;

function runRandom(
  share: Extract<Share, { type: 'random' }>,
  result: ShareResult,
  take: Take,
): void {
  const pool = createPool();
  for (let seed = share.seed; seed < share.seed + share.streams; seed += 1) {
    const random = createRandom(seed);
    const length = random.int(20, random.pick([60, 400]));
    const stream = randomStream(random, `random stream of seed ${String(seed)}`, length);
    result.streams += 1;
    for (const [name, count] of stream.classes) {
      result.classes[name] = (result.classes[name] ?? 0) + count;
    }
    take(stream, {
      pool,
      seed,
      tracker: share.tracker,
      attaches: 6,
      // No smaller, since a sequence must fit: in the agent the least is 16 KiB.
      ringBytes: random.pick([300, 300, 1_500, 6_000]),
      leadInBytes: random.int(0, 200),
      // Some with the blocks of the real log, most with one that evicts at every byte.
      blocks: random.int(0, 9) === 0,
    });
  }
}

function runSession(
  share: Extract<Share, { type: 'session' }>,
  result: ShareResult,
  take: Take,
): void {
  const stream = session(createRandom(share.seed), share.name);
  result.streams += 1;
  // Checkpoints of all ages: as far back as in the agent, and much nearer.
  for (const ringBytes of [2_000, limits.RING_MIN_BYTES]) {
    take(stream, {
      pool: createPool(),
      seed: share.seed,
      ringBytes,
      leadInBytes: ringBytes / 4,
      blocks: ringBytes === limits.RING_MIN_BYTES,
      tracker: share.tracker,
      attaches: share.attaches,
    });
  }
}
