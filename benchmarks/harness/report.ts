import type { Machine } from './machine.js';
import type { CaseResult, Scale } from './types.js';

/** What is known of one case that was run. */
export interface CaseReport extends CaseResult {
  readonly name: string;
  readonly summary: string;
  readonly seconds: number;
  /** CPU time that the hypervisor gave to others meanwhile, in percent of all; above 1 the figures suffer. */
  readonly stolenPercent: number;
  /** Why it has no figures, or not all. Absent: it ended well. */
  readonly failed?: string | undefined;
}

/** What the JSON file of one invocation holds. */
export interface Report {
  readonly format: 2;
  readonly startedAt: string;
  readonly machine: Machine;
  readonly seed: number;
  readonly runs: number;
  readonly scale: Scale;
  readonly cases: readonly CaseReport[];
}

/** @throws {Error} it is no report of this format. */
export function parseReport(text: string): Report {
  const report = JSON.parse(text) as Partial<Report>;
  if (report.format !== 2 || !Array.isArray(report.cases)) {
    throw new Error('not a result of this version of the benchmarks');
  }
  return report as Report;
}
