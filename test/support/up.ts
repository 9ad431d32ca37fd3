import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ROOT } from './documents.js';
import { runProgram, startProgram, type ProgramResult, type RunningProgram } from './programs.js';
import { tempDir } from './temp-dir.js';
import { waitFor } from './wait-for.js';

/** The built command line. */
export const HOLDFAST = join(ROOT, 'dist/program/holdfast.js');

/** What `up` writes into its ready file. */
export interface Ready {
  readonly url: string;
  readonly brokerUrl: string;
  readonly workspace: string;
  readonly clientConfigDir: string;
  readonly pid: number;
}

export interface RunningUp {
  readonly program: RunningProgram;
  readonly ready: Ready;
  readonly stateDir: string;
  readonly readyFile: string;
  /** For `ssh -F`. */
  readonly sshConfig: string;
  /** Runs a command of the client against it. */
  holdfast(args: readonly string[], input?: string | Uint8Array): Promise<ProgramResult>;
  stop(): Promise<ProgramResult>;
}

/** An environment with a home folder of its own and none of our variables. */
export function cleanEnvironment(home: string): NodeJS.ProcessEnv {
  const { PATH, LANG, HOLDFAST_TEST_FILE } = process.env;
  return {
    PATH,
    LANG,
    HOME: home,
    SHELL: '/bin/bash',
    // The mark by which the leak check finds what a test left.
    ...(HOLDFAST_TEST_FILE === undefined ? {} : { HOLDFAST_TEST_FILE }),
  };
}

/**
 * Starts `holdfast up` on a free port and waits until it says that it is ready. Stopped after `t`, if the
 * test has not done so.
 */
export async function startUp(
  t: Pick<TestContext, 'after'>,
  options: {
    readonly stateDir?: string;
    readonly args?: readonly string[];
    /** Program and arguments that run it, for instance in a namespace. */
    readonly wrap?: readonly [string, ...string[]];
  } = {},
): Promise<RunningUp> {
  const home = tempDir();
  const stateDir = options.stateDir ?? join(home, 'state');
  const readyFile = join(home, 'ready.json');
  const env = cleanEnvironment(home);
  const [file, ...words] = [...(options.wrap ?? []), process.execPath] as [string, ...string[]];
  const program = startProgram(
    file,
    [
      ...words,
      HOLDFAST,
      'up',
      ...['--port', '0', '--state-dir', stateDir, '--ready-file', readyFile, '--no-open'],
      ...(options.args ?? []),
    ],
    { env, cwd: home },
  );
  const stop = async (): Promise<ProgramResult> => {
    // A second signal would only hurry an end that is under way.
    if (!stopping) program.child.kill('SIGINT');
    stopping = true;
    return await program.ended;
  };
  let stopping = false;
  t.after(stop);
  await waitFor(() => existsSync(readyFile) || program.child.exitCode !== null, {
    what: 'up to be ready',
    timeoutMs: 60_000,
  });
  if (!existsSync(readyFile)) throw new Error(`up ended: ${program.stderr()}`);
  const ready = JSON.parse(readFileSync(readyFile, 'utf8')) as Ready;
  return {
    program,
    ready,
    stateDir,
    readyFile,
    sshConfig: join(ready.clientConfigDir, 'ssh_config'),
    holdfast: (args, input) =>
      runProgram(process.execPath, [HOLDFAST, ...args], {
        env: { ...env, HOLDFAST_CONFIG_DIR: ready.clientConfigDir },
        cwd: home,
        ...(input === undefined ? {} : { input }),
      }),
    stop,
  };
}

/**
 * The child of `parent` that runs the entry of this name: of `up`, `broker-child` or `agent-child`.
 * @throws {Error} There is none at the moment.
 */
export function childOf(parent: number, entry: string): number {
  const children = readFileSync(`/proc/${String(parent)}/task/${String(parent)}/children`, 'utf8');
  const found = children
    .trim()
    .split(' ')
    .find((pid) => commandLine(pid).includes(entry));
  if (found === undefined) throw new Error(`no ${entry} below ${String(parent)}`);
  return Number(found);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
