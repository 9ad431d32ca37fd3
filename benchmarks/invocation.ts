import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { cases } from './cases/index.js';
import { Estimate } from './estimate.js';
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

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** What shells say of a program that SIGINT ended. */
const INTERRUPTED = 130;

export class UsageError extends Error {}

/** @throws {UsageError} no case has this name. */
export function findCase(name: string): BenchCase {
  const found = cases.find((candidate) => candidate.name === name);
  if (found === undefined) {
    throw new UsageError(`no benchmark is called ${name}; --list names them`);
  }
  return found;
}

/** Whoever runs the benchmarks hears of it. */
export interface Listener {
  start(report: Report): void;
  /** Before each case: how many are left with it, and how long they will take, in minutes. */
  before(benchCase: BenchCase, left: number, minutes: number): void;
  /** After each, with all so far, so that what is done outlives whatever comes. */
  after(report: Report, last: CaseReport): void;
}

/**
 * Runs the chosen cases one after the other. One that fails is reported as failed, and the rest go on. SIGINT and
 * SIGTERM end it after tidying up: it throws, with 130 as the exit status.
 */
export async function runCases(invocation: Invocation, listener: Listener): Promise<Report> {
  const { interrupted, ignore } = interruption();
  try {
    return await runAll(invocation, listener, interrupted);
  } finally {
    ignore();
  }
}

/** Rejects at the first SIGINT or SIGTERM, until it is ignored again. */
function interruption(): { readonly interrupted: Promise<never>; ignore(): void } {
  let interrupt: (signal: NodeJS.Signals) => void = () => undefined;
  const interrupted = new Promise<never>((_, reject) => {
    interrupt = (signal) => {
      process.exitCode = INTERRUPTED;
      reject(new Error(`interrupted by ${signal}`));
    };
  });
  interrupted.catch(() => undefined);
  for (const signal of SIGNALS) process.once(signal, interrupt);
  return {
    interrupted,
    ignore: () => {
      for (const signal of SIGNALS) process.off(signal, interrupt);
    },
  };
}

async function runAll(
  invocation: Invocation,
  listener: Listener,
  interrupted: Promise<never>,
): Promise<Report> {
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
  listener.start(report);
  const progress = new Progress();
  const estimate = new Estimate(invocation);
  for (const [index, benchCase] of chosen.entries()) {
    listener.before(benchCase, chosen.length - index, estimate.minutesFor(chosen.slice(index)));
    const start = performance.now();
    const before = stolenTime();
    const result = await runCase(benchCase, invocation, progress, interrupted);
    const after = stolenTime();
    const seconds = (performance.now() - start) / 1e3;
    estimate.took(benchCase, seconds);
    const last: CaseReport = {
      name: benchCase.name,
      summary: benchCase.summary,
      seconds: Math.round(seconds * 10) / 10,
      stolenPercent:
        (100 * (after.stolen - before.stolen)) / Math.max(1, after.total - before.total),
      ...result,
    };
    finished.push(last);
    listener.after(report, last);
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

/** What a case gave, or why it gave nothing. */
type Outcome = CaseResult & Pick<CaseReport, 'failed'>;

/**
 * Runs one case in a folder of its own and undoes what it started, however it ends.
 * @throws {Error} only if the whole was interrupted.
 */
async function runCase(
  benchCase: BenchCase,
  invocation: Invocation,
  progress: Progress,
  interrupted: Promise<never>,
): Promise<Outcome> {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'hf-bench-'));
  const undo = new UndoList();
  let giveUp: (error: Error) => void = () => undefined;
  const stopped = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  stopped.catch(() => undefined);
  // What nobody waits for must not take the other cases with it.
  const onStray = (reason: unknown): void => {
    giveUp(reason instanceof Error ? reason : new Error(String(reason)));
  };
  process.on('unhandledRejection', onStray);
  const { limitMinutes } = invocation;
  const timer = setTimeout(() => {
    giveUp(new Error(`took more than ${String(limitMinutes)} minutes, at: ${progress.text}`));
  }, limitMinutes * 60_000);
  const failures: unknown[] = [];
  let result: CaseResult | undefined;
  try {
    const running = benchCase.run({
      ...invocation,
      random: seededRandom(invocation.seed),
      progress,
      scratch,
      defer: (step) => {
        undo.add(step);
      },
    });
    result = await Promise.race([running, interrupted, stopped]);
  } catch (error) {
    failures.push(error);
  }
  clearTimeout(timer);
  failures.push(...(await undo.run()));
  process.off('unhandledRejection', onStray);
  rmSync(scratch, { recursive: true, force: true });
  progress.clear();
  if (process.exitCode === INTERRUPTED) await interrupted;
  const [failure] = failures;
  if (result !== undefined && failure === undefined) return result;
  const failed = failure instanceof Error ? failure.message : String(failure);
  return { ...(result ?? { settings: {}, rows: [], ratios: [], notes: [] }), failed };
}

/** What a case has to undo, in reverse order. */
class UndoList {
  readonly #steps: (() => Promise<void> | void)[] = [];
  #isOver = false;

  /** After the end of its case, which was given up and goes on: at once. */
  add(step: () => Promise<void> | void): void {
    if (!this.#isOver) this.#steps.push(step);
    else Promise.resolve(step()).catch(() => undefined);
  }

  /** @returns what went wrong; each step is taken, whatever another one does. */
  async run(): Promise<unknown[]> {
    this.#isOver = true;
    const failures: unknown[] = [];
    for (const step of this.#steps.reverse()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    return failures;
  }
}
