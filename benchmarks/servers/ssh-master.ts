import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { findTool } from '../harness/index.js';
import { SSH_HOST, type SshTarget } from './ssh-target.js';

/** An OpenSSH client that stays connected, over which others run commands without connecting anew. */
export interface SshMaster {
  readonly pid: number;
  /**
   * Runs a command over it.
   * What it prints goes nowhere.
   * @param input a file; absent: nothing.
   * @throws {Error} it failed.
   */
  run(
    command: string,
    options?: { readonly input?: string; readonly isPty?: boolean },
  ): Promise<void>;
  /** Has `sftp` carry out a line. @throws {Error} it failed. */
  sftp(line: string): Promise<void>;
  /** Adds a forward, such as `['-L', '1:127.0.0.1:2']`. */
  forward(args: readonly string[]): void;
  stop(): Promise<void>;
}

const CONNECT_MS = 10_000;

/** Connects. @param socket its path, which has to be short. @throws {Error} it did not. */
export async function startSshMaster(target: SshTarget, socket: string): Promise<SshMaster> {
  const ssh = findTool('ssh') ?? 'ssh';
  const options = [...target.options, '-o', `ControlPath=${socket}`];
  const master = spawn(ssh, [...options, '-o', 'ControlMaster=yes', '-N', SSH_HOST], {
    // It complains each time that a client asks for a PTY and has none itself.
    stdio: 'ignore',
  });
  const ended = once(master, 'exit');
  const deadline = performance.now() + CONNECT_MS;
  while (!existsSync(socket) && performance.now() < deadline) await sleep(20);
  if (!existsSync(socket)) {
    master.kill('SIGTERM');
    await ended;
    throw new Error(`ssh did not connect to port ${String(target.port)}`);
  }
  const finish = async (
    file: string,
    args: readonly string[],
    {
      input = '/dev/null',
      text,
      isQuiet = false,
    }: { readonly input?: string; readonly text?: string; readonly isQuiet?: boolean },
  ): Promise<void> => {
    const fd = openSync(input, 'r');
    const child = spawn(file, [...args], {
      stdio: [text === undefined ? fd : 'pipe', 'ignore', isQuiet ? 'ignore' : 'inherit'],
    });
    closeSync(fd);
    child.stdin?.end(text);
    const [status] = (await once(child, 'exit')) as [number | null];
    if (status !== 0) throw new Error(`${file} ended with ${String(status)}`);
  };
  return {
    pid: master.pid ?? 0,
    run: (command, { input, isPty = false } = {}) =>
      finish(ssh, [...options, isPty ? '-tt' : '-T', SSH_HOST, command], {
        ...(input === undefined ? {} : { input }),
        // It says that its input is no terminal.
        isQuiet: isPty,
      }),
    sftp: (line) =>
      finish('sftp', [...options, '-q', '-R', '64', '-B', '131072', '-b', '-', SSH_HOST], {
        text: `${line}\n`,
      }),
    forward: (args) => {
      execFileSync(ssh, [...options, '-O', 'forward', ...args, SSH_HOST], { stdio: 'ignore' });
    },
    stop: async () => {
      master.kill('SIGTERM');
      if (master.exitCode === null && master.signalCode === null) await ended;
    },
  };
}
