import path from 'node:path';
import {
  alternate,
  atScale,
  compare,
  Program,
  treeCpuSeconds,
  treePssBytes,
  type BenchCase,
  type CaseContext,
  type CaseResult,
  type Figure,
  type Goal,
  type Ratio,
  type Row,
} from '../harness/index.js';
import type { ClientMethods } from '../programs/client-child.js';
import type { SessionSpec } from '../programs/sessions/index.js';
import { dtachMissing, startBenchAgent, startDtach, startOpenSsh } from '../servers/index.js';
import { writeColourText, writeUtf8Text } from './colour-text.js';

const MIB = 2 ** 20;
const CLIENT = new URL('../programs/client-child.js', import.meta.url);

/** What is printed: a shell command and how many bytes come of it. */
interface Input {
  readonly name: string;
  readonly producer: string;
  readonly bytes: number;
}

/** A way to a terminal, opened anew for each run. */
interface Way {
  readonly name: string;
  /** Processes that serve it, for CPU and memory. `client` is the process of the client program. */
  open(): Promise<{
    readonly spec: SessionSpec;
    readonly servers: readonly number[];
    close(): Promise<void>;
  }>;
  /** dtach drops what a slow client does not take; for the others a lost byte fails the benchmark. */
  readonly mayLose: boolean;
  /** The client itself is what is measured. */
  readonly isClientOnly: boolean;
}

interface Measured {
  readonly rate: number;
  readonly serverCpu: number;
  readonly clientCpu: number;
  readonly serverPss: number;
  readonly lostShare: number;
}

const BARE = 'bare onread loop';
const TRACKED = 'holdfast terminal';
const UNTRACKED = 'holdfast terminal, no screens';
const OPENSSH = 'openssh ssh -tt';
const DTACH = 'dtach';

/** One terminal that prints as fast as it can, to one viewer on this machine. */
export const throughput: BenchCase = {
  name: 'throughput',
  summary: 'MB/s of one terminal to one local viewer, beside a bare reader, OpenSSH and dtach',
  run: runThroughput,
};

async function runThroughput(context: CaseContext): Promise<CaseResult> {
  const mebibytes = atScale(context, { tiny: 2, small: 16, normal: 64 });
  const inputs = prepareInputs(context, mebibytes);
  const { ways, skipped } = await prepareWays(context);
  const rows: Row[] = [];
  const ratios: Ratio[] = [];
  for (const input of inputs) {
    const subjects = ways.map((way) => {
      const client = new Program<ClientMethods>(CLIENT);
      context.defer(() => client.stop());
      return { name: way.name, measure: () => measure(way, input, client) };
    });
    const results = await alternate(subjects, context, `throughput ${input.name}`);
    for (const way of ways) {
      rows.push(toRow(input.name, way, results.get(way.name) ?? []));
    }
    for (const [subject, reason] of skipped) {
      rows.push({ group: input.name, subject, figures: [], skipped: reason });
    }
    ratios.push(...toRatios(input.name, rows));
  }
  return {
    settings: { 'MiB per run': mebibytes, runs: context.runs },
    rows,
    ratios,
    notes: [
      'server CPU includes the shell and the program that prints; the bare loop is server and client in one',
    ],
  };
}

function prepareInputs({ scratch, random, scale }: CaseContext, mebibytes: number): Input[] {
  const bytes = mebibytes * MIB;
  const text = path.join(scratch, 'text');
  const pieces = scale === 'tiny' ? 2 : 16;
  writeColourText(text, bytes / pieces, random);
  const utf8 = path.join(scratch, 'utf8');
  writeUtf8Text(utf8, bytes / pieces, random);
  const many = (file: string): string =>
    `cat ${Array.from({ length: pieces }, () => file).join(' ')}`;
  return [
    { name: 'zeros', producer: `head -c ${String(bytes)} /dev/zero`, bytes },
    { name: 'colour-heavy text', producer: many(text), bytes },
    { name: 'UTF-8 text', producer: many(utf8), bytes },
  ];
}

async function prepareWays(
  context: CaseContext,
): Promise<{ readonly ways: readonly Way[]; readonly skipped: readonly [string, string][] }> {
  const skipped: [string, string][] = [];
  const nothing = async (): Promise<void> => undefined;
  const agent = await startBenchAgent(context, { terminals: 'workers' });
  const { socket, hostKey } = agent;
  const servers = [agent.program.pid];
  const untracked = await startBenchAgent(context, { terminals: 'untracked' });
  const ways: Way[] = [
    {
      name: BARE,
      open: async () => ({ spec: { kind: 'bare' }, servers: [], close: nothing }),
      mayLose: false,
      isClientOnly: true,
    },
    {
      name: TRACKED,
      open: async () => ({ spec: { kind: 'terminal', socket }, servers, close: nothing }),
      mayLose: false,
      isClientOnly: false,
    },
    {
      name: UNTRACKED,
      open: async () => ({
        spec: { kind: 'terminal', socket: untracked.socket },
        servers: [untracked.program.pid],
        close: nothing,
      }),
      mayLose: false,
      isClientOnly: false,
    },
    {
      name: 'holdfast ssh',
      open: async () => ({ spec: { kind: 'agent-ssh', socket, hostKey }, servers, close: nothing }),
      mayLose: false,
      isClientOnly: false,
    },
  ];
  const openssh = await startOpenSsh(context.scratch);
  if (typeof openssh === 'string') {
    skipped.push([OPENSSH, openssh]);
  } else {
    context.defer(() => openssh.stop());
    ways.push({
      name: OPENSSH,
      open: async () => ({
        spec: { kind: 'ssh-program', args: openssh.clientArgs },
        servers: [openssh.pid],
        close: nothing,
      }),
      mayLose: false,
      isClientOnly: false,
    });
  }
  const missing = dtachMissing();
  if (missing !== undefined) {
    skipped.push([DTACH, missing]);
  } else {
    let count = 0;
    ways.push({
      name: DTACH,
      open: async () => {
        count += 1;
        const master = await startDtach(context.scratch, `dtach-${String(count)}`);
        return {
          spec: { kind: 'dtach', socket: master.socket },
          servers: [master.pid],
          close: () => master.stop(),
        };
      },
      mayLose: true,
      isClientOnly: false,
    });
  }
  return { ways, skipped };
}

async function measure(way: Way, input: Input, client: Program<ClientMethods>): Promise<Measured> {
  const { spec, servers, close } = await way.open();
  try {
    await client.call('open', spec);
    await client.call('prepareFlood', { producer: input.producer });
    // Nothing but the producer ends between the two looks, and the shell has waited for that one.
    const before = [treeCpuSeconds(servers), treeCpuSeconds([client.pid])] as const;
    const { milliseconds, received } = await client.call('flood', { bytes: input.bytes });
    const after = [treeCpuSeconds(servers), treeCpuSeconds([client.pid])] as const;
    if (received !== input.bytes && !way.mayLose) {
      throw new Error(`${way.name}: ${String(received)} of ${String(input.bytes)} bytes arrived`);
    }
    const gigabytes = received / 1e9;
    const serverCpu = (after[0] - before[0]) / gigabytes;
    const clientCpu = (after[1] - before[1]) / gigabytes;
    return {
      rate: received / 1e6 / (milliseconds / 1e3),
      serverCpu: way.isClientOnly ? clientCpu : serverCpu,
      clientCpu: way.isClientOnly ? 0 : clientCpu,
      serverPss: treePssBytes(way.isClientOnly ? [client.pid] : servers) / MIB,
      lostShare: (1 - received / input.bytes) * 100,
    };
  } finally {
    await client.call('close', {});
    await close();
  }
}

function toRow(group: string, way: Way, runs: readonly Measured[]): Row {
  const figure = (name: string, unit: string, read: (run: Measured) => number): Figure => ({
    name,
    unit,
    samples: runs.map(read),
  });
  return {
    group,
    subject: way.name,
    figures: [
      figure('', 'MB/s', ({ rate }) => rate),
      figure('server CPU', 's/GB', ({ serverCpu }) => serverCpu),
      ...(way.isClientOnly ? [] : [figure('client CPU', 's/GB', ({ clientCpu }) => clientCpu)]),
      figure('server PSS', 'MiB', ({ serverPss }) => serverPss),
      ...(way.mayLose ? [figure('lost', '%', ({ lostShare }) => lostShare)] : []),
    ],
  };
}

function toRatios(group: string, rows: readonly Row[]): Ratio[] {
  const ratio = (ours: string, base: string, against: Ratio['against'], goal?: Goal): Ratio[] =>
    compare(rows, { group, ours, base, against, goal });
  return [
    ...ratio(TRACKED, BARE, 'others', { min: 0.9 }),
    ...ratio(TRACKED, UNTRACKED, 'ours'),
    ...ratio(TRACKED, OPENSSH, 'others', { min: 1 }),
    ...ratio(TRACKED, DTACH, 'others', { min: 1 }),
    ...ratio('holdfast ssh', OPENSSH, 'others'),
  ];
}
