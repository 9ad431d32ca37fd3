import type { EmulatorPool } from '../../src/workers/terminal/screen/index.js';
import { createRandom, type SeededRandom } from '../support/index.js';
import { Replica } from './replica.js';
import { ViewerEmulator } from './screen-state.js';
import type { Stream } from './streams.js';

export interface Difference {
  readonly stream: string;
  readonly offset: number;
  readonly checkpoint: string;
  /** Each fact that differs: what the viewer that never left has, and the other. */
  readonly facts: readonly { readonly never: string; readonly again: string }[];
}

export interface Comparison {
  readonly attaches: number;
  readonly differences: readonly Difference[];
  readonly ways: { readonly plain: number; readonly emulator: number };
}

export interface CompareOptions {
  readonly pool: EmulatorPool;
  readonly seed: number;
  readonly ringBytes: number;
  readonly leadInBytes: number;
  readonly blocks: boolean;
  readonly tracker: boolean;
  /** Comparisons in the course of the stream, besides the one at its end. */
  readonly attaches: number;
}

/** Plays `stream` to a viewer that never leaves, and to one that comes anew each time they are compared. */
export function compareStream(stream: Stream, options: CompareOptions): Comparison {
  const random = createRandom(options.seed);
  const never = new ViewerEmulator(stream.size);
  const replica = new Replica({ ...options, size: stream.size });
  const differences: Difference[] = [];
  let attaches = 0;
  const due = attachPoints(random, stream, options.attaches);
  stream.events.forEach((event, index) => {
    if (event.type === 'resize') {
      replica.resize(event.size);
      never.resize(event.size);
    } else {
      replica.append(event.bytes);
      never.write(event.bytes);
    }
    if (random.int(0, 99) === 0) replica.restart();
    if (!due.has(index)) return;
    attaches += 1;
    const again = replica.attach();
    const facts = differencesOf(never.state(), again.state());
    again.dispose();
    if (facts.length > 0) {
      const checkpoint = replica.describe();
      differences.push({ stream: stream.name, offset: replica.head, checkpoint, facts });
    }
  });
  replica.close();
  never.dispose();
  return { attaches, differences, ways: replica.ways };
}

function attachPoints(random: SeededRandom, { events }: Stream, count: number): Set<number> {
  const points = new Set([events.length - 1]);
  for (let number = 0; number < count; number += 1) points.add(random.int(0, events.length - 1));
  return points;
}

function differencesOf(never: readonly string[], again: readonly string[]): Difference['facts'] {
  const facts: { never: string; again: string }[] = [];
  for (let index = 0; index < Math.max(never.length, again.length); index += 1) {
    if (never[index] === again[index]) continue;
    facts.push({ never: never[index] ?? '', again: again[index] ?? '' });
  }
  return facts;
}
