/** Clients of a running `holdfast up` that are killed at a random moment, and what the agent still holds. */
import { spawn, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { limits } from '../../src/shared/common/index.js';
import { findProgram } from './programs.js';
import type { SeededRandom } from './random.js';
import { dial } from './ssh-harness.js';
import { tempDir } from './temp-dir.js';
import { cleanEnvironment, type RunningUp } from './up.js';
import { waitFor } from './wait-for.js';

export const KILLED_AT = ['exec', 'pty', 'put', 'get', 'local forward', 'remote forward'] as const;
export type KilledAt = (typeof KILLED_AT)[number];

/** `client`: ssh alone, so that the end is told; `all`: its ProxyCommand as well, so that nobody tells it. */
export const KILLS = ['client', 'all'] as const;

export interface KillRun {
  readonly at: KilledAt;
  readonly kill: (typeof KILLS)[number];
  /** What it is killed at had begun; else the client was still on its way in. */
  readonly hadBegun: boolean;
  /** Until no process of the session was left, from the kill on. */
  readonly goneMs: number;
}

/** In the environment of everything that a session of a run has started. */
const MARK = 'LC_KILL_RUN';
const HOST = 'local.holdfast';
/** One in so many is killed without regard to how far it has come. */
const EARLY = 4;
/** From the start of the client, or of what it is killed at. */
const LONGEST_MS = 1_500;
const BEGIN_MS = 20_000;
const FILE_BYTES = 64 * limits.MIB;

/** What the runs need beside the agent: a file to copy, and a port where all that comes is sent back. */
export interface KillBench {
  readonly up: RunningUp;
  readonly folder: string;
  readonly echo: Server;
}

export async function openKillBench(up: RunningUp): Promise<KillBench> {
  const folder = tempDir();
  writeFileSync(join(folder, 'file'), Buffer.alloc(FILE_BYTES, 'x'));
  const echo = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  return { up, folder, echo };
}

/** Starts a client, kills it at a random moment, and waits until the agent has ended what it ran. */
export async function killRun(
  bench: KillBench,
  run: number,
  random: SeededRandom,
  {
    at = random.pick(KILLED_AT),
    kill = random.pick(KILLS),
    isEarly = random.int(1, EARLY) === 1,
  }: Partial<Pick<KillRun, 'at' | 'kill'>> & { readonly isEarly?: boolean } = {},
): Promise<KillRun> {
  const hasBegun = (): boolean => marked(mark).length > 0 || existsSync(pathOf(bench, run));
  const mark = `${MARK}=run-${String(process.pid)}-${String(run)}`;
  const over = new AbortController();
  const child = start(bench, at, mark, run);
  if (at.endsWith('forward')) void chatter(pathOf(bench, run), over.signal);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  if (!isEarly)
    await waitFor(hasBegun, {
      what: `the beginning of a ${at}`,
      timeoutMs: BEGIN_MS,
      intervalMs: 20,
    });
  await sleep(random.int(0, LONGEST_MS));
  const hadBegun = hasBegun();
  // A group of its own: ssh and what it started as its ProxyCommand.
  if (child.pid !== undefined) process.kill(kill === 'all' ? -child.pid : child.pid, 'SIGKILL');
  const killedAt = performance.now();
  await exited;
  await waitFor(() => marked(mark).length === 0, {
    what: `what a client killed at ${at} had running to end`,
    timeoutMs: 60_000,
  });
  over.abort();
  rmSync(pathOf(bench, run), { force: true });
  return { at, kill, hadBegun, goneMs: performance.now() - killedAt };
}

/** What a copy or a forward of a run makes: a file or a socket. */
function pathOf({ folder }: KillBench, run: number): string {
  return join(folder, `run-${String(run)}`);
}

function start(bench: KillBench, at: KilledAt, mark: string, run: number): ChildProcess {
  const { up, folder, echo } = bench;
  const { port } = echo.address() as AddressInfo;
  const made = pathOf(bench, run);
  const file = join(folder, 'file');
  const common = ['-F', up.sshConfig, '-o', 'LogLevel=QUIET', '-o', `SetEnv=${mark}`];
  const program = (name: string, args: readonly string[], input: string): ChildProcess => {
    const child = spawn(findProgram(name) ?? name, [...common, ...args], {
      detached: true,
      env: cleanEnvironment(folder),
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    child.stdin.on('error', () => undefined);
    child.stdin.write(input);
    child.stdout.resume();
    return child;
  };
  switch (at) {
    case 'exec':
      return program('ssh', [HOST, 'sleep 300 & yes | cat & wait'], '');
    case 'pty':
      return program('ssh', ['-tt', HOST], 'sleep 300 &\nyes\n');
    case 'put':
      return program('sftp', ['-b', '-', HOST], `put ${file} ${made}\n`);
    case 'get':
      return program('sftp', ['-b', '-', HOST], `get ${file} ${made}\n`);
    case 'local forward':
      return program('ssh', ['-N', '-L', `${made}:127.0.0.1:${String(port)}`, HOST], '');
    case 'remote forward':
      return program('ssh', ['-N', '-R', `${made}:127.0.0.1:${String(port)}`, HOST], '');
  }
}

/** Talks through a forward from when it stands until it is gone, or until `over`. */
async function chatter(path: string, over: AbortSignal): Promise<void> {
  let socket = await dial(path).catch(() => undefined);
  while (socket === undefined && !over.aborted) {
    await sleep(50);
    socket = await dial(path).catch(() => undefined);
  }
  if (socket === undefined) return;
  const talking = socket;
  const timer = setInterval(() => talking.write(Buffer.alloc(limits.KIB)), 2);
  talking
    .on('error', () => undefined)
    .on('close', () => {
      clearInterval(timer);
    });
  talking.resume();
  over.addEventListener('abort', () => talking.destroy());
  if (over.aborted) talking.destroy();
}

/** Processes that carry the mark of a run. */
function marked(mark: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark);
    } catch {
      return false;
    }
  });
}

/** What a process holds. */
export interface Held {
  readonly descriptors: number;
  /** What they lead to, without the numbers that differ from one to the next, sorted. */
  readonly targets: readonly string[];
  readonly listeners: number;
  readonly threads: number;
  readonly children: number;
  readonly pssBytes: number;
}

/** @throws {Error} The process is gone. */
export function heldBy(pid: number): Held {
  const proc = `/proc/${String(pid)}`;
  const listening = new Set(
    ['tcp', 'tcp6', 'unix'].flatMap((name) => listeningInodes(`${proc}/net/${name}`)),
  );
  const targets = readdirSync(`${proc}/fd`).flatMap((fd) => {
    try {
      const target = readlinkSync(`${proc}/fd/${fd}`);
      // A module that one of its threads is importing at this moment, and the descriptor that each loop of
      // libuv holds in reserve from its first stream on.
      return target.endsWith('.js') || target === '/dev/null' ? [] : [target];
    } catch {
      return [];
    }
  });
  const [, kib = '0'] =
    /^Pss:\s+(\d+) kB/m.exec(readFileSync(`${proc}/smaps_rollup`, 'utf8')) ?? [];
  const tasks = readdirSync(`${proc}/task`);
  return {
    descriptors: targets.length,
    targets: targets.map((target) => target.replace(/:\[\d+\]$/, '')).sort(),
    listeners: targets.filter((target) => listening.has(target)).length,
    threads: tasks.length,
    children: tasks.flatMap((id) => read(`${proc}/task/${id}/children`).split(' ')).filter(Boolean)
      .length,
    pssBytes: Number(kib) * limits.KIB,
  };
}

/** As `socket:[inode]`. */
function listeningInodes(file: string): string[] {
  const isUnix = file.endsWith('unix');
  return read(file)
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => (isUnix ? words[3] === '00010000' : words[3] === '0A'))
    .map((words) => `socket:[${(isUnix ? words[6] : words[9]) ?? ''}]`);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}
