import type { CaseContext } from './types.js';
import { shuffled } from './random.js';

/** Something measured once per round. */
export interface Subject<T> {
  readonly name: string;
  /** @param isWarmUp The result is dropped, so a shorter run will do. */
  measure(isWarmUp: boolean): Promise<T>;
}

/**
 * Measures all subjects once per round, in a new random order each time, so that none of them always
 * runs first or after the same other one; the first round is the warm-up and is dropped.
 */
export async function alternate<T>(
  subjects: readonly Subject<T>[],
  { runs, random, progress }: Pick<CaseContext, 'runs' | 'random' | 'progress'>,
  label: string,
): Promise<Map<string, T[]>> {
  const results = new Map<string, T[]>(subjects.map(({ name }) => [name, []]));
  for (let round = 0; round <= runs; round += 1) {
    for (const subject of shuffled(subjects, random)) {
      const stage = round === 0 ? 'warm-up' : `run ${String(round)}/${String(runs)}`;
      progress.show(`${label} · ${subject.name} · ${stage}`);
      const result = await subject.measure(round === 0).catch((error: unknown) => {
        throw new Error(`${label}, ${subject.name}, ${stage}: ${messageOf(error)}`, {
          cause: error,
        });
      });
      if (round > 0) results.get(subject.name)?.push(result);
    }
  }
  return results;
}

/** With the trace, which may be that of another process. */
function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
