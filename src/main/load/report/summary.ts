import { limits } from '../../../shared/common/index.js';
import { formatBytes, formatTable, oneLine, type Style } from '../../cli/output/index.js';
import type { Fault, ProcessSummary, SelfSummary, Timed } from '../figures/index.js';
import { amount, clockTime, counted, milliseconds, percent } from './format.js';
import type { LoadResult } from './result.js';

const TIMED_NAMES: Readonly<Record<Timed, string>> = {
  connect: 'connect',
  create: 'create a terminal',
  attach: 'attach',
  resume: 'resume after a cut',
  echo: 'echo in terminals',
  sshLogin: 'SSH login',
  sshEcho: 'echo over SSH',
  exec: 'SSH exec',
};

const FAULT_NAMES: Readonly<Record<Fault, string>> = {
  lostBytes: 'bytes of output lost',
  doubledBytes: 'bytes of output twice',
  corruptLines: 'lines corrupt',
  lostKeys: 'keys lost',
  doubledKeys: 'keys twice',
  wrongKeys: 'keys wrong',
  unfinished: 'ends not told',
  wrongExits: 'ends wrong',
  wrongFiles: 'files wrong',
};

/** Beyond this the load's own lateness is in all latencies. */
const LATE_MS = 20;

/** What a person reads at the end. Ends with a line break. */
export function formatSummary(result: LoadResult, style: Style): string {
  const { seconds, engine, plan, target, counts, bytesPerSecond } = result;
  const lines: string[] = [''];
  const by = engine === null ? '' : ` by ${engine}`;
  const connections = counted(plan.connections, 'connection');
  lines.push(
    style.bold(
      `${target}, ${connections}${by}, ${clockTime(seconds * 1_000)}, seed ${String(plan.seed)}`,
    ),
  );
  if (counts.created > 0) {
    lines.push(
      `  terminals   ${amount(counts.created)} created, ${amount(counts.ended)} ended${comings(result)}`,
    );
    lines.push(
      `  output      ${formatBytes(Math.round(bytesPerSecond))}/s to all viewers; ${formatBytes(counts.checkedBytes)} checked`,
    );
  }
  lines.push(...transferLines(result));
  if (counts.keys + counts.sshKeys > 0)
    lines.push(
      `  keys        ${amount(counts.keys)} in terminals, ${amount(counts.sshKeys)} over SSH`,
    );
  lines.push(...latencyLines(result), ...agentLines(result.agent), ...selfLines(result.self));
  lines.push(...errorLines(result, style), ...faultLines(result, style));
  return `${lines.join('\n')}\n`;
}

function comings({ counts }: LoadResult): string {
  const parts = [
    counts.visits > 0 ? counted(counts.visits, 'visit') : '',
    counts.detaches > 0 ? counted(counts.detaches, 'detach').replace(/hs$/, 'hes') : '',
    counts.resizes > 0 ? counted(counts.resizes, 'resize') : '',
    counts.cuts > 0 ? `${counted(counts.cuts, 'connection')} cut` : '',
    counts.skipped > 0 ? `${amount(counts.skipped)} left out, since too much was under way` : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? '' : `; ${parts.join(', ')}`;
}

function transferLines({ counts }: LoadResult): string[] {
  const line = (name: string, bytes: number, ms: number): string[] =>
    ms === 0
      ? []
      : [`  ${name}   ${formatBytes(Math.round((bytes / ms) * 1_000))}/s, ${formatBytes(bytes)}`];
  return [
    ...line('sftp up  ', counts.sentFileBytes, counts.sentFileMs),
    ...line('sftp down', counts.receivedFileBytes, counts.receivedFileMs),
  ];
}

function latencyLines({ latenciesMs }: LoadResult): string[] {
  const rows = Object.entries(latenciesMs).map(([name, { count, p50, p90, p99, max }]) => [
    TIMED_NAMES[name as Timed],
    amount(count),
    ...[p50, p90, p99, max].map(milliseconds),
  ]);
  if (rows.length === 0) return [];
  const table = formatTable(['', 'times', 'p50', 'p90', 'p99', 'max'], rows);
  return [
    '',
    ...table
      .trimEnd()
      .split('\n')
      .map((line) => `  ${line}`),
  ];
}

function agentLines(agent: ProcessSummary | undefined): string[] {
  if (agent === undefined)
    return ['', '  agent       not on this machine, or not known: --agent-pid PID'];
  const { before, loaded, after, trend, cpu, pid } = agent;
  const mib = (bytes: number): string => (bytes / limits.MIB).toFixed(1);
  const lines = [''];
  const grows =
    trend === undefined
      ? ''
      : `, ${trend.perMinute < 0 ? '−' : '+'}${mib(Math.abs(trend.perMinute))} ± ${mib(trend.noise)} MiB/min`;
  lines.push(
    `  agent       process ${String(pid)}: memory ${mib(before.pssBytes)} MiB before, ${
      loaded === undefined ? '' : `${mib(loaded.pssBytes)} at the end${grows}, `
    }${after === undefined ? 'gone' : mib(after.pssBytes)} after`,
  );
  const path = (of: 'fds' | 'threads'): string =>
    [before, loaded, after]
      .flatMap((facts) => (facts === undefined ? [] : [String(facts[of])]))
      .join(' → ');
  lines.push(
    `              ${cpu === undefined ? '' : `CPU ${percent(cpu)}, `}descriptors ${path('fds')}, threads ${path('threads')}`,
  );
  return lines;
}

function selfLines(self: SelfSummary | undefined): string[] {
  if (self === undefined) return [];
  const { cpu, rssBytes, lateMs } = self;
  const lines = [
    `  this load   CPU ${percent(cpu)}, ${formatBytes(rssBytes)}, late by p99 ${milliseconds(lateMs.p99)}, max ${milliseconds(lateMs.max)}`,
  ];
  if (lateMs.p99 > LATE_MS)
    lines.push(
      '              It was late by itself, which is in the latencies: put less on, or run it elsewhere.',
    );
  return lines;
}

function errorLines({ errors }: LoadResult, style: Style): string[] {
  return Object.entries(errors).map(
    ([code, { count, example }]) =>
      `  ${style.yellow(code)} ${count === 1 ? 'once' : `${String(count)} times`}: ${oneLine(example).slice(0, 120)}`,
  );
}

function faultLines(
  { verdict, faults, samples, counts, plan }: LoadResult,
  style: Style,
): string[] {
  const lines: string[] = [''];
  if (counts.statedGaps > 0) {
    const gaps = counted(counts.statedGaps, 'gap');
    lines.push(
      `  ${gaps} of ${formatBytes(counts.statedBytes)} in all that viewers were told of, since they were too slow or away`,
    );
  }
  switch (verdict) {
    case 'ok':
      lines.push(style.green('  Nothing was lost, doubled or changed.'));
      break;
    case 'faulty': {
      const found = Object.entries(faults).filter(([, count]) => count > 0);
      const words = found.map(([kind, count]) => `${amount(count)} ${FAULT_NAMES[kind as Fault]}`);
      if (plan.strict && counts.statedGaps > 0)
        words.push(counted(counts.statedGaps, 'stated gap'));
      lines.push(style.red(`  FAULTY: ${words.join(', ')}.`));
      lines.push(...samples.map((sample) => `    ${oneLine(sample)}`));
      break;
    }
    case 'failed':
    case 'interrupted':
      lines.push(style.yellow('  Not carried out to its end.'));
      break;
    default:
      verdict satisfies never;
  }
  return lines;
}
