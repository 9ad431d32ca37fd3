import path from 'node:path';
import { Piscina } from 'piscina';
import { SESSIONS } from './recorded.js';
import { emptyResult, type Share, type ShareResult } from './share.js';

export interface SuiteOptions {
  /** Random streams, besides the recorded sessions and the torture files. */
  readonly streams: number;
  readonly seed: number;
  /** Off: replays begin with the oldest byte that is kept, which must be found to be wrong. */
  readonly tracker: boolean;
  readonly threads: number;
  /** Comparisons in the course of each session, for each of two sizes of the ring. */
  readonly sessionAttaches: number;
  /** How many differences are described. */
  readonly described: number;
  /** Random streams that have been compared. */
  progress?(done: number): void;
}

export interface SuiteResult extends ShareResult {
  readonly sessions: readonly { readonly name: string; readonly attaches: number }[];
}

/** Large enough to be worth a message, small enough for all threads to end together. */
const STREAMS_AT_ONCE = 25;

/**
 * Plays random streams, recorded sessions and torture files, each to a viewer that never leaves and to
 * viewers that come at random moments, and compares all that the emulators hold.
 */
export async function runSuite(options: SuiteOptions): Promise<SuiteResult> {
  const pool = new Piscina<Share, ShareResult>({
    filename: path.join(import.meta.dirname, 'share-worker.js'),
    minThreads: options.threads,
    maxThreads: options.threads,
  });
  const total = { ...emptyResult(), sessions: [] as { name: string; attaches: number }[] };
  const run = async (share: Share): Promise<void> => {
    const result = await pool.run(share);
    add(total, result, options.described);
    if (share.type === 'session') {
      total.sessions.push({ name: share.name, attaches: result.attaches });
    } else {
      options.progress?.(total.streams - total.sessions.length);
    }
  };
  try {
    await Promise.all(sharesOf(options).map(run));
  } finally {
    await pool.destroy();
  }
  total.sessions.sort((a, b) => SESSIONS.indexOf(a.name) - SESSIONS.indexOf(b.name));
  return total;
}

function sharesOf(options: SuiteOptions): Share[] {
  const { tracker, described, seed } = options;
  const shares: Share[] = SESSIONS.map((name) => ({
    type: 'session',
    name,
    seed,
    attaches: options.sessionAttaches,
    tracker,
    described,
  }));
  for (let first = 0; first < options.streams; first += STREAMS_AT_ONCE) {
    const streams = Math.min(STREAMS_AT_ONCE, options.streams - first);
    shares.push({ type: 'random', seed: seed + first, streams, tracker, described });
  }
  return shares;
}

function add(total: ShareResult, result: ShareResult, described: number): void {
  total.streams += result.streams;
  total.attaches += result.attaches;
  total.differences += result.differences;
  total.ways.plain += result.ways.plain;
  total.ways.emulator += result.ways.emulator;
  total.described.push(...result.described.slice(0, described - total.described.length));
  for (const [name, count] of Object.entries(result.classes)) {
    total.classes[name] = (total.classes[name] ?? 0) + count;
  }
}
