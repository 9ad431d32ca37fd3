/** Runs that prove that the last byte of a terminal arrives, and that its exit comes right after. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LinkKeeper } from '../../src/main/cli/link-keeper.js';
import { findProgram } from './programs.js';
import type { SeededRandom } from './random.js';
import type { RunningUp } from './up.js';
import { ssh, Watcher } from './e2e.js';

export interface ExitRun {
  readonly expected: number;
  readonly received: number;
  readonly status: number | undefined;
  /** From the last byte to the exit as the client saw both, in ms. */
  readonly endToExitMs: number;
  readonly paused: boolean;
}

const MAX_BYTES = 3_000_000;

/** Sizes at which pages, pipes and buffers end, then random ones of every magnitude. */
export function exitSize(random: SeededRandom, run: number): number {
  const edges = [1, 4_095, 4_096, 4_097, 16_384, 65_536, 65_537, MAX_BYTES];
  return edges[run] ?? Math.min(MAX_BYTES, Math.round(10 ** (random.next() * 6.48)));
}

export function printing(bytes: number): string {
  return `head -c ${String(bytes)} /dev/zero | tr "\\0" a`;
}

export interface SshExitOptions {
  /** The reader takes nothing for half a second. */
  readonly paused: boolean;
  /** Socket of a connection that is shared by all runs which name it. Absent: a connection of its own. */
  readonly controlPath: string | undefined;
}

/** `ssh -tt` by OpenSSH. */
export function sshExitRun(
  up: RunningUp,
  expected: number,
  { paused, controlPath }: SshExitOptions,
): Promise<ExitRun> {
  const shared =
    controlPath === undefined
      ? []
      : ['-o', 'ControlMaster=auto', '-o', 'ControlPersist=yes', '-S', controlPath];
  return new Promise((resolve) => {
    const child = spawn(
      findProgram('ssh') ?? 'ssh',
      ['-F', up.sshConfig, '-q', ...shared, '-tt', 'local.holdfast', printing(expected)],
      { stdio: ['pipe', 'pipe', 'ignore'] },
    );
    let received = 0;
    let lastAt = 0;
    const digest = createHash('sha1');
    child.stdout.on('data', (chunk: Buffer) => {
      received += chunk.length;
      digest.update(chunk);
      lastAt = performance.now();
    });
    if (paused) {
      child.stdout.pause();
      void sleep(500).then(() => child.stdout.resume());
    }
    child.on('close', (status) => {
      const whole = createHash('sha1').update(Buffer.alloc(received, 'a')).digest('hex');
      const isTrue = digest.digest('hex') === whole;
      resolve({
        expected,
        received: isTrue ? received : -1,
        status: status ?? undefined,
        endToExitMs: performance.now() - lastAt,
        paused,
      });
    });
  });
}

/** Ends the shared connection of {@link sshExitRun}. */
export async function endShared(up: RunningUp, controlPath: string): Promise<void> {
  await ssh(up, ['-S', controlPath, '-O', 'exit', 'local.holdfast']);
}

/** A `terminal` channel over the connection of `links`. */
export async function terminalExitRun(
  links: LinkKeeper,
  id: string,
  expected: number,
  paused: boolean,
): Promise<ExitRun> {
  let payload = 0;
  const watcher = new Watcher(links, id, {
    settings: { pace: 'slowest' },
    reads: !paused,
    onOutput: (bytes) => {
      for (const byte of bytes) if (byte === 0x02) payload += 1;
    },
  });
  await watcher.attached();
  // Bytes of a value that neither a prompt nor the echo holds, so that they alone are counted.
  watcher.type(`exec sh -c 'head -c ${String(expected)} /dev/zero | tr "\\\\0" "\\\\2"'\n`);
  if (paused) {
    await sleep(500);
    watcher.resume();
  }
  const exit = await watcher.exited;
  await watcher.client.close();
  const isWhole =
    watcher.defects === 0 && watcher.gaps.length === 0 && watcher.totalBytes === watcher.next;
  return {
    expected,
    received: isWhole ? payload : -1,
    status: exit.kind === 'status' ? exit.status : undefined,
    endToExitMs: watcher.exitAt - watcher.lastOutputAt,
    paused,
  };
}

/** Work for one core until it is stopped. */
export function startLoad(): () => void {
  const child = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
  return () => {
    child.kill('SIGKILL');
  };
}

export function isShort(run: ExitRun): boolean {
  return run.received !== run.expected || run.status !== 0;
}

/** The value below which `share` of `values` lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
