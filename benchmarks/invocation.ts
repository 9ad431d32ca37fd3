import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { cases } from './cases/index.js';
import {
  describeMachine,
  Progress,
  seededRandom,
  stolenTime,
  type BenchCase,
  type CaseReport,
  type CaseResult,
  type Report,
  type Scale,
} from './harness/index.js';

/** What one call of the benchmarks does. */
export interface Invocation {
  readonly chosen: readonly BenchCase[];
  readonly runs: number;
  readonly scale: Scale;
  readonly seed: number;
  readonly agentNodeOptions: readonly string[];
  /** A case that takes longer is given up. */
  readonly limitMinutes: number;
}

export class UsageError extends Error {}

/** @throws {UsageError} no case has this name. */
export function findCase(name: string): BenchCase {
  const found = cases.find((candidate) => candidate.name === name);
  if (found === undefined) {
    throw new UsageError(`no benchmark is called ${name}; --list names them`);
  }
  return found;
}

/**
 * Runs the chosen cases one after the other. `onCase` is called after each with all so far, so that what is done
 * outlives a failure of the next. SIGINT and SIGTERM end it after tidying up, with exit status 130.
 */
export async function runCases(
  invocation: Invocation,
  onStart: (report: Report) => void,
  onCase: (report: Report, last: CaseReport) => void,
): Promise<Report> {
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.exitCode = 130;
        reject(new Error(`interrupted by ${signal}`));
      });
    }
  });
  interrupted.catch(() => undefined);
  takeHome();
  const { chosen, runs, scale, seed } = invocation;
  const finished: CaseReport[] = [];
  const report: Report = {
    format: 2,
    startedAt: new Date().toISOString(),
    machine: describeMachine(),
    seed,
    runs,
    scale,
    cases: finished,
  };
  onStart(report);
  const progress = new Progress();
  for (const benchCase of chosen) {
    const start = performance.now();
    const before = stolenTime();
    const result = await runCase(benchCase, invocation, progress, interrupted);
    const after = stolenTime();
    const last: CaseReport = {
      name: benchCase.name,
      summary: benchCase.summary,
      seconds: Math.round((performance.now() - start) / 100) / 10,
      stolenPercent:
        (100 * (after.stolen - before.stolen)) / Math.max(1, after.total - before.total),
      ...result,
    };
    finished.push(last);
    onCase(report, last);
  }
  return report;
}

/**
 * Gives all that runs an empty home: the shells of whatever server would else run the profile of whoever runs the
 * benchmarks, which can take longer than what is measured.
 */
function takeHome(): void {
  const home = mkdtempSync(path.join(os.tmpdir(), 'hf-bench-home-'));
  process.once('exit', () => {
    rmSync(home, { recursive: true, force: true });
  });
  process.env['HOME'] = home;
  for (const name of ['CONFIG', 'STATE', 'CACHE', 'DATA']) {
    process.env[`XDG_${name}_HOME`] = path.join(home, name.toLowerCase());
  }
}

/** Runs one case in a folder of its own and undoes what it started, however it ends. */
async function runCase(
  benchCase: BenchCase,
  invocation: Invocation,
  progress: Progress,
  interrupted: Promise<never>,
): Promise<CaseResult> {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'hf-bench-'));
  const undo: (() => Promise<void> | void)[] = [];
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new Error(
          `${benchCase.name} took more than ${String(invocation.limitMinutes)} minutes, at: ${progress.text}`,
        ),
      );
    }, invocation.limitMinutes * 60_000);
  });
  try {
    const result = benchCase.run({
      ...invocation,
      random: seededRandom(invocation.seed),
      progress,
      scratch,
      defer: (step) => undo.push(step),
    });
    return await Promise.race([result, interrupted, late]);
  } finally {
    clearTimeout(timer);
    for (const step of undo.reverse()) await step();
    rmSync(scratch, { recursive: true, force: true });
    progress.clear();
  }
}
