import { z } from 'zod';
import { quantile, type CaseReport, type Ratio } from '../harness/index.js';

/** A ratio of an earlier run and how far the next may be off. */
const baselineSchema = z.object({
  ratio: z.number().positive(),
  /** So many times worse is still taken. */
  tolerance: z.number().gt(1),
});
/** By case, then by group and name of the ratio. */
const baselinesSchema = z.record(z.string(), z.record(z.string(), baselineSchema));

export type Baseline = z.infer<typeof baselineSchema>;
export type Baselines = z.infer<typeof baselinesSchema>;

/**
 * The ratios that are watched: those that a busy machine with few cores changes least, since both of their sides
 * run on it at the same time or in turns. Times by themselves are not.
 */
export const WATCHED: Readonly<Record<string, readonly Watched[]>> = {
  throughput: [
    // How soon the kernel's worker hands over after a read differs by three between quiet machines of one kind.
    { name: /^holdfast terminal \/ bare onread loop$/, tolerance: 4 },
    { name: /^server CPU s\/GB: holdfast terminal \/ bare onread loop$/, tolerance: 4 },
    { name: /^holdfast ssh \/ openssh/, tolerance: 3 },
  ],
  'fan-out': [
    { name: /^holdfast \/ holdfast on main/, tolerance: 3 },
    { name: /^server CPU s\/GB: holdfast \/ holdfast on main/, tolerance: 2.5 },
  ],
  'echo-under-flood': [
    { name: /^delivered MB\/s: /, tolerance: 3 },
    { name: /^p99 ms: echo, holdfast ssh \/ echo, bare PTY/, tolerance: 8 },
  ],
  'webrtc-bulk': [
    { name: /^holdfast, werift engine \/ bare werift$/, tolerance: 2.5 },
    { name: /^holdfast, native engine \/ bare node-datachannel$/, tolerance: 2.5 },
  ],
};

interface Watched {
  readonly name: RegExp;
  /** Where the file does not say another. */
  readonly tolerance: number;
}

/** How one ratio stands to its baseline. */
export interface Check {
  readonly name: string;
  readonly verdict: 'as before' | 'worse' | 'better' | 'new' | 'not measured' | 'failed';
  readonly text: string;
}

/** @throws {Error} it is something else. */
export function parseBaselines(text: string): Baselines {
  return baselinesSchema.parse(JSON.parse(text));
}

/** Holds results to what was before, in the order of the results; then what was not measured. */
export function checkRatios(cases: readonly CaseReport[], baselines: Baselines): Check[] {
  const checks: Check[] = [];
  for (const report of cases) {
    const { name: ofCase, failed } = report;
    if (failed !== undefined) checks.push({ name: ofCase, verdict: 'failed', text: failed });
    const known = new Map(Object.entries(baselines[ofCase] ?? {}));
    for (const { key, ratio } of watchedRatios(report)) {
      checks.push(checkOne(`${ofCase}, ${key}`, ratio, known.get(key)));
      known.delete(key);
    }
    for (const key of known.keys()) {
      checks.push({
        name: `${ofCase}, ${key}`,
        verdict: 'not measured',
        text: 'what it compares with is not here',
      });
    }
  }
  return checks;
}

/** New baselines; tolerances that somebody has set stay, and so does what was not measured. */
export function updateBaselines(cases: readonly CaseReport[], old: Baselines): Baselines {
  const updated: Baselines = { ...old };
  for (const report of cases) {
    const before = old[report.name] ?? {};
    const measured = watchedRatios(report).map(({ key, ratio, tolerance }): [string, Baseline] => [
      key,
      {
        ratio: Number(quantile(ratio.samples, 0.5).toPrecision(3)),
        tolerance: before[key]?.tolerance ?? tolerance,
      },
    ]);
    updated[report.name] = { ...before, ...Object.fromEntries(measured) };
  }
  return updated;
}

function watchedRatios({
  name,
  ratios,
}: CaseReport): { readonly key: string; readonly ratio: Ratio; readonly tolerance: number }[] {
  return ratios.flatMap((ratio) => {
    const watched = WATCHED[name]?.find((each) => each.name.test(ratio.name));
    return watched === undefined
      ? []
      : [{ key: `${ratio.group}: ${ratio.name}`, ratio, tolerance: watched.tolerance }];
  });
}

function checkOne(name: string, { samples, better }: Ratio, baseline: Baseline | undefined): Check {
  const median = quantile(samples, 0.5);
  if (baseline === undefined) {
    return { name, verdict: 'new', text: `${median.toFixed(2)}, no baseline; --update writes it` };
  }
  const { ratio, tolerance } = baseline;
  const worse = better === 'higher' ? ratio / median : median / ratio;
  const bound = better === 'higher' ? ratio / tolerance : ratio * tolerance;
  const verdict = worse > tolerance ? 'worse' : worse < 1 / tolerance ? 'better' : 'as before';
  return {
    name,
    verdict,
    text: `${median.toFixed(2)}, baseline ${ratio.toFixed(2)}, at ${better === 'higher' ? 'least' : 'most'} ${bound.toFixed(2)}`,
  };
}
