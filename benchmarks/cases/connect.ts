import { mkdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  alternate,
  atScale,
  compare,
  ENGINES,
  findTool,
  missingEngine,
  missingTools,
  Program,
  quantile,
  treeCpuSeconds,
  type BenchCase,
  type CaseContext,
  type CaseResult,
  type Goal,
  type Row,
  type Subject,
} from '../harness/index.js';
import type { ConnectMethods, ConnectParams } from '../programs/connect-child.js';
import { SSH_HOST, startOpenSsh, startSshAgent, startWorkspace } from '../servers/index.js';

const PROGRAM = new URL('../programs/connect-child.js', import.meta.url);
const CLI = new URL('../../program/holdfast.js', import.meta.url).pathname;
const GROUP = 'to the first prompt';
const SSHD = 'ssh to sshd';
const PROXIED = 'ssh through holdfast proxy';
/** Of DESIGN, in ms: over the local socket or by the native engine, and by werift. */
const QUICK: Goal = { max: 200 };
const BY_WERIFT: Goal = { max: 450 };

/** How long a person waits for a shell, from the start of the program. */
export const connect: BenchCase = {
  name: 'connect',
  summary:
    'from the start of `holdfast ssh`, `holdfast attach` or `ssh` to the first prompt, by engine; beside OpenSSH to sshd',
  minutes: 3,
  run: runConnect,
};

/** One way to a prompt. */
interface Way {
  readonly name: string;
  readonly goal?: Goal | undefined;
  /** Anew for each connect. */
  command(): ConnectParams;
}

interface Measured {
  readonly times: readonly number[];
  /** Of the client's processes, in ms each. */
  readonly cpu: number;
}

async function runConnect(context: CaseContext): Promise<CaseResult> {
  const connects = atScale(context, { tiny: 2, small: 3, normal: 5 });
  const { ways, skipped } = await prepareWays(context);
  const program = new Program<ConnectMethods>(PROGRAM);
  context.defer(() => program.stop());
  const subjects = ways.map(({ name, command }): Subject<Measured> => ({
    name,
    measure: async (isWarmUp) => {
      const times: number[] = [];
      const before = treeCpuSeconds([program.pid]);
      for (let made = 0; made < (isWarmUp ? 1 : connects); made += 1) {
        times.push(await program.call('connect', command()));
      }
      const cpu = ((treeCpuSeconds([program.pid]) - before) * 1e3) / times.length;
      return { times, cpu };
    },
  }));
  const results = await alternate(subjects, context, 'connect');
  const rows: Row[] = ways.map(({ name, goal }) => {
    const runs = results.get(name) ?? [];
    return {
      group: GROUP,
      subject: name,
      figures: [
        { name: 'p50', unit: 'ms', samples: runs.map(({ times }) => quantile(times, 0.5)), goal },
        { name: 'max', unit: 'ms', samples: runs.map(({ times }) => quantile(times, 1)) },
        // ssh leaves its proxy behind, whose CPU nobody counts then.
        ...(name.startsWith(PROXIED)
          ? []
          : [{ name: 'client CPU', unit: 'ms each', samples: runs.map(({ cpu }) => cpu) }]),
      ],
    };
  });
  rows.push(
    ...skipped.map(([subject, reason]) => ({
      ...{ group: GROUP, subject },
      figures: [],
      skipped: reason,
    })),
  );
  return {
    settings: { 'connects per run': connects, runs: context.runs },
    rows,
    ratios: ways.flatMap(({ name }) =>
      name === SSHD
        ? []
        : compare(rows, { ...{ group: GROUP, ours: name, base: SSHD }, against: 'others' }),
    ),
    notes: [
      `the login shell of this user (${os.userInfo().shell ?? '/bin/sh'}) in an empty home, on a PTY; clients and servers on this machine`,
      'to sshd and to the port of an agent it is one TCP connection; by WebRTC and the relay a ticket and the signalling of the broker come before',
    ],
  };
}

async function prepareWays(
  context: CaseContext,
): Promise<{ readonly ways: Way[]; readonly skipped: (readonly [string, string])[] }> {
  const skipped: [string, string][] = [];
  const ways: Way[] = [];
  const noSsh = missingTools('ssh');
  const ssh = findTool('ssh') ?? 'ssh';
  let terminals = 0;
  for (const engine of ENGINES) {
    const missing = await missingEngine(engine);
    if (missing !== undefined) {
      skipped.push([`holdfast, ${engine}`, missing]);
      continue;
    }
    const workspace = await startWorkspace(context, {
      terminals: 'workers',
      webrtc: engine,
      options: { shell: os.userInfo().shell ?? '/bin/sh', motd: false },
    });
    const configDir = path.join(context.scratch, `config-${engine}`);
    mkdirSync(configDir, { mode: 0o700 });
    const env = {
      ...{ HOME: os.homedir(), HOLDFAST_CONFIG_DIR: configDir },
      ...{ HOLDFAST_BROKER_URL: workspace.brokerUrl, HOLDFAST_TOKEN: workspace.token },
      ...{ HOLDFAST_SOCKET: workspace.socket, HOLDFAST_WEBRTC: engine },
    };
    const name = workspace.workspace;
    const direct = { ...env, HOLDFAST_ENGINE: 'direct' };
    const relayed = { ...env, HOLDFAST_ENGINE: 'relay' };
    const goal = engine === 'werift' ? BY_WERIFT : QUICK;
    const holdfast = (...words: string[]): string[] => [process.execPath, CLI, ...words];
    const attach = (...words: string[]): string[] => {
      terminals += 1;
      return holdfast('attach', name, `t-${String(terminals)}`, ...words);
    };
    const proxied = [
      ...[ssh, '-F', 'none', '-tt', '-l', 'holdfast', '-o', 'LogLevel=ERROR'],
      ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'],
      ...['-o', `ProxyCommand=${holdfast('proxy', name).join(' ')}`, 'workspace'],
    ];
    ways.push(
      {
        name: `holdfast ssh, ${engine}`,
        goal,
        command: () => ({ args: holdfast('ssh', name), env: direct }),
      },
      {
        name: `holdfast attach, ${engine}`,
        goal,
        command: () => ({ args: attach(), env: direct }),
      },
    );
    if (noSsh === undefined) {
      ways.push({
        name: `${PROXIED}, ${engine}`,
        goal,
        command: () => ({ args: proxied, env: direct }),
      });
    }
    if (engine !== 'werift') continue;
    ways.push(
      {
        name: 'holdfast ssh, relay',
        command: () => ({ args: holdfast('ssh', name), env: relayed }),
      },
      { name: 'holdfast attach, relay', command: () => ({ args: attach(), env: relayed }) },
      {
        name: 'holdfast attach --local',
        goal: QUICK,
        command: () => ({ args: attach('--local'), env }),
      },
    );
  }
  if (noSsh !== undefined) {
    return { ways, skipped: [...skipped, ['ssh', noSsh]] };
  }
  const agent = await startSshAgent(context, { terminals: 'workers' });
  const env = { HOME: os.homedir() };
  ways.push({
    name: 'ssh to the port of an agent',
    command: () => ({ args: [ssh, ...agent.target.options, '-tt', SSH_HOST], env }),
  });
  const sshd = await startOpenSsh(context.scratch);
  if (typeof sshd === 'string') return { ways, skipped: [...skipped, [SSHD, sshd]] };
  context.defer(() => sshd.stop());
  ways.push({
    name: SSHD,
    command: () => ({ args: [ssh, ...sshd.options, '-tt', SSH_HOST], env }),
  });
  return { ways, skipped };
}
