import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import {
  alternate,
  atScale,
  compare,
  findTool,
  flowFigures,
  Program,
  quantile,
  withCosts,
  type BenchCase,
  type CaseContext,
  type CaseResult,
  type Flow,
  type Goal,
  type Ratio,
  type Row,
} from '../harness/index.js';
import type { ExecMethods } from '../programs/exec-child.js';
import type { ForwardMethods } from '../programs/forward-child.js';
import {
  freePort,
  SFTP_SERVER,
  SSH_HOST,
  startDropbear,
  startOpenSsh,
  startSshAgent,
  startSshMaster,
  type SshMaster,
  type SshTarget,
} from '../servers/index.js';
import { writeBlocks } from './copies.js';

const MIB = 2 ** 20;
const OURS = 'holdfast';
const SSHD = 'openssh sshd';
const DROPBEAR = 'dropbear';
const CONNECT = 'connect, run `true`, end';
/** The agent takes 64 of one connection, sshd 10 unless it is told otherwise. */
const SESSIONS = 60;
const MANY = `${String(SESSIONS)} commands at once on one connection`;
const EXEC_BULK: Goal = { min: 0.8 };

/** SSH by TCP to the agent's own port, beside other servers. */
export const ssh: BenchCase = {
  name: 'ssh',
  summary:
    'W13: by OpenSSH’s client over TCP: connect and exec, bulk of exec, PTY and SFTP, -L and -R, 60 commands at once; sshd, dropbear',
  minutes: 2,
  run: runSsh,
};

/** A server, and a client that is connected to it. */
interface Subject {
  readonly name: string;
  readonly target: SshTarget;
  readonly pid: number;
  readonly master: SshMaster;
  readonly execs: Program<ExecMethods>;
}

/** Something that moves bytes. */
interface Bulk {
  readonly group: string;
  readonly bytes: number;
  readonly goal?: Goal;
  run(subject: Subject): Promise<void>;
}

async function runSsh(context: CaseContext): Promise<CaseResult> {
  const mebibytes = atScale(context, { tiny: 4, normal: 128 });
  const connects = atScale(context, { tiny: 2, normal: 10 });
  const settings = { MiB: mebibytes, 'connects per run': connects, runs: context.runs };
  if (findTool('ssh') === undefined) {
    const row = { group: CONNECT, subject: OURS, figures: [], skipped: 'ssh not installed' };
    return { settings, rows: [row], ratios: [], notes: [] };
  }
  const { subjects, skipped } = await prepareSubjects(context);
  const bulks = await prepareBulks(context, subjects, mebibytes);
  const rows: Row[] = [];
  const measured = async <T>(
    group: string,
    measure: (subject: Subject) => Promise<T>,
    figures: (runs: readonly T[]) => Row['figures'],
  ): Promise<void> => {
    const results = await alternate(
      subjects.map((subject) => ({ name: subject.name, measure: () => measure(subject) })),
      context,
      `ssh, ${group}`,
    );
    for (const [subject, runs] of results) {
      const made = figures(runs);
      if (made.length > 0) rows.push({ group, subject, figures: made });
    }
    for (const [subject, reason] of skipped) {
      rows.push({ group, subject, figures: [], skipped: reason });
    }
  };
  await measured(
    CONNECT,
    ({ target }) => connectTimes(target, connects),
    (runs) =>
      [0.5, 0.95].map((q) => ({
        name: `p${String(q * 100)}`,
        unit: 'ms',
        samples: runs.map((times) => quantile(times, q)),
      })),
  );
  for (const bulk of bulks) {
    await measured(bulk.group, (subject) => flow(subject, bulk), flowFigures);
  }
  const refusals = new Map<string, string>();
  await measured(
    MANY,
    (subject) => manyAtOnce(subject, refusals),
    (times) => {
      const samples = times.filter((time) => time !== undefined);
      return samples.length === 0 ? [] : [{ name: 'all', unit: 'ms', samples }];
    },
  );
  for (const [subject, reason] of refusals) {
    rows.push({ group: MANY, subject, figures: [], skipped: reason });
  }
  return {
    settings,
    rows,
    ratios: [
      ...ratios(rows, CONNECT, undefined),
      ...bulks.flatMap(({ group, goal }) => ratios(rows, group, goal)),
      ...ratios(rows, MANY, undefined),
    ],
    notes: [
      'the same OpenSSH client, with ciphers as each server and it agree on; every server has a port on loopback',
      'bulk goes over a connection that stands; its rate has the start of a client program and of a command in it',
      '-L brings bytes from beside the server, -R takes them there; SFTP of OpenSSH and dropbear is OpenSSH’s sftp-server',
      'server CPU includes the commands that it runs; client CPU is that of the process that holds the connection',
    ],
    plots: ['MB/s', 'p50 ms', 'all ms'],
  };
}

async function prepareSubjects(context: CaseContext): Promise<{
  readonly subjects: Subject[];
  readonly skipped: (readonly [string, string])[];
}> {
  const subjects: Subject[] = [];
  const skipped: [string, string][] = [];
  const add = async (name: string, target: SshTarget, pid: number): Promise<void> => {
    const socket = path.join(context.scratch, `m${String(subjects.length)}`);
    const master = await startSshMaster(target, socket);
    context.defer(() => master.stop());
    const execs = new Program<ExecMethods>(new URL('../programs/exec-child.js', import.meta.url));
    context.defer(() => execs.stop());
    const { port, keyFile, user } = target;
    await execs.call('open', { kind: 'ssh-library', port, keyFile, user });
    subjects.push({ name, target, pid, master, execs });
  };
  const agent = await startSshAgent(context, { terminals: 'workers' });
  await add(OURS, agent.target, agent.program.pid);
  for (const [name, start] of [
    [SSHD, startOpenSsh],
    [DROPBEAR, startDropbear],
  ] as const) {
    const server = await start(context.scratch);
    if (typeof server === 'string') {
      skipped.push([name, server]);
    } else {
      context.defer(() => server.stop());
      await add(name, server, server.pid);
    }
  }
  return { subjects, skipped };
}

async function prepareBulks(
  context: CaseContext,
  subjects: readonly Subject[],
  mebibytes: number,
): Promise<Bulk[]> {
  const folder = mkdtempSync('/dev/shm/hf-bench-');
  context.defer(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const file = path.join(folder, 'file');
  writeBlocks(file, mebibytes);
  const bytes = mebibytes * MIB;
  const fewer = bytes / 4;
  const copy = async (master: SshMaster, line: string, to: string): Promise<void> => {
    await master.sftp(line);
    rmSync(to);
  };
  const up = path.join(folder, 'up');
  const down = path.join(folder, 'down');
  const bulks: Bulk[] = [
    {
      ...{ group: 'exec, down', bytes, goal: EXEC_BULK },
      run: ({ master }) => master.run(`head -c ${String(bytes)} /dev/zero`),
    },
    {
      ...{ group: 'exec, up', bytes, goal: EXEC_BULK },
      run: ({ master }) => master.run(`test $(wc -c) = ${String(bytes)}`, { input: file }),
    },
    {
      ...{ group: 'PTY, down', bytes: fewer },
      run: ({ master }) =>
        master.run(`stty raw -echo; head -c ${String(fewer)} /dev/zero`, { isPty: true }),
    },
  ];
  if (existsSync(SFTP_SERVER)) {
    bulks.push(
      {
        ...{ group: 'SFTP get', bytes },
        run: ({ master }) => copy(master, `get ${file} ${down}`, down),
      },
      {
        ...{ group: 'SFTP put', bytes },
        run: ({ master }) => copy(master, `put ${file} ${up}`, up),
      },
    );
  }
  return [...bulks, ...(await prepareForwards(context, subjects, bytes))];
}

async function prepareForwards(
  { defer }: CaseContext,
  subjects: readonly Subject[],
  bytes: number,
): Promise<Bulk[]> {
  const program = new URL('../programs/forward-child.js', import.meta.url);
  const server = new Program<ForwardMethods>(program);
  const client = new Program<ForwardMethods>(program);
  defer(() => server.stop());
  defer(() => client.stop());
  const served = await server.call('serve', { bytes });
  const bulks: Bulk[] = [];
  for (const [option, group] of [
    ['-L', 'local forward (-L), down'],
    ['-R', 'remote forward (-R), up'],
  ] as const) {
    const ports = new Map<string, number>();
    for (const { name, master } of subjects) {
      const port = await freePort();
      master.forward([option, `${SSH_HOST}:${String(port)}:${SSH_HOST}:${String(served)}`]);
      ports.set(name, port);
    }
    bulks.push({
      ...{ group, bytes },
      run: async ({ name }) => {
        await client.call('fetch', { port: ports.get(name) ?? 0, bytes });
      },
    });
  }
  return bulks;
}

async function flow(subject: Subject, { bytes, run }: Bulk): Promise<Flow> {
  const sides = { server: [subject.pid], client: [subject.master.pid] };
  return { ...(await withCosts(sides, () => run(subject))), bytes };
}

async function connectTimes(target: SshTarget, count: number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let made = 0; made < count; made += 1) {
    const start = performance.now();
    const child = spawn(findTool('ssh') ?? 'ssh', [...target.options, SSH_HOST, 'true'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [status] = (await once(child, 'exit')) as [number | null];
    if (status !== 0) throw new Error(`ssh ended with ${String(status)}`);
    times.push(performance.now() - start);
  }
  return times;
}

/** Absent: it refused, as dropbear does; that ours does not is part of what is measured. */
async function manyAtOnce(
  { name, execs }: Subject,
  refusals: Map<string, string>,
): Promise<number | undefined> {
  try {
    return await execs.call('many', { count: SESSIONS, atOnce: SESSIONS });
  } catch (error) {
    if (name === OURS) throw error;
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    refusals.set(name, `refused some of them: ${reason}`);
    return undefined;
  }
}

function ratios(rows: readonly Row[], group: string, goal: Goal | undefined): Ratio[] {
  return [
    ...compare(rows, { group, ours: OURS, base: SSHD, against: 'others', goal }),
    ...compare(rows, { group, ours: OURS, base: DROPBEAR, against: 'others' }),
    ...compare(rows, {
      ...{ group, ours: OURS, base: SSHD, against: 'others', figure: 'server CPU s/GB' },
    }),
  ];
}
