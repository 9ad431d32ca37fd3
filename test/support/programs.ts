import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Where else than on the path programs are: Debian keeps sshd and ip out of a user's path. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/sbin', '/usr/bin', '/bin', '/usr/lib/openssh'];

/** The absolute path of a program. Absent: it is not installed. */
export function findProgram(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((dir) => dir !== '');
  for (const folder of [...folders, ...SYSTEM_FOLDERS]) {
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Look on.
    }
  }
  return undefined;
}

/**
 * Options for a test that needs programs: `test('ssh - …', requireProgram('ssh'), …)`. Where one is
 * missing the test is skipped with its name as the reason; in CI, which installs them, that fails.
 */
export function requireProgram(...names: readonly string[]): { skip: string | false } {
  const missing = names.filter((name) => findProgram(name) === undefined);
  if (missing.length === 0) return { skip: false };
  const reason = `${missing.join(', ')} not installed`;
  if (process.env['CI'] === 'true') throw new Error(`${reason}, but CI must run this test`);
  return { skip: reason };
}

export interface ProgramOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Written to standard input, which then ends. Absent: `runProgram` gives it an empty one. */
  readonly input?: string | Uint8Array;
  /** After this long the program is killed. */
  readonly timeoutMs?: number;
}

export interface ProgramResult {
  /** Absent: a signal ended it. */
  readonly status: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A program that runs beside the test. */
export interface RunningProgram {
  readonly child: ChildProcess;
  /** Everything it printed so far. */
  stdout(): Buffer;
  stderr(): string;
  /** Resolves when it has ended and its output is complete. Never rejects. */
  readonly ended: Promise<ProgramResult>;
  /** Ends it, by force if it takes more than two seconds. */
  stop(): Promise<ProgramResult>;
}

const STOP_PATIENCE_MS = 2_000;
const DEFAULT_TIMEOUT_MS = 60_000;

/** Starts a program with pipes. The caller stops it; the leak check tells if it forgot. */
export function startProgram(
  file: string,
  args: readonly string[],
  { env, cwd }: ProgramOptions = {},
): RunningProgram {
  const child = spawn(file, args, { env: env ?? process.env, cwd, stdio: 'pipe' });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  // A program that ends before it has read its input is no failure of the test.
  child.stdin.on('error', () => undefined);
  const stdout = (): Buffer => Buffer.concat(out);
  const stderr = (): string => Buffer.concat(err).toString();
  const ended = new Promise<ProgramResult>((resolve) => {
    child.on('error', (error) => {
      err.push(Buffer.from(error.message));
      resolve({ status: 127, signal: undefined, stdout: stdout(), stderr: stderr() });
    });
    child.on('close', (status, signal) => {
      resolve({
        status: status ?? undefined,
        signal: signal ?? undefined,
        stdout: stdout(),
        stderr: stderr(),
      });
    });
  });
  const stop = async (): Promise<ProgramResult> => {
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS);
    const result = await ended;
    clearTimeout(force);
    return result;
  };
  return { child, stdout, stderr, ended, stop };
}

/** Runs a program to its end. */
export async function runProgram(
  file: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  const program = startProgram(file, args, options);
  program.child.stdin?.end(options.input ?? '');
  const limit = setTimeout(
    () => program.child.kill('SIGKILL'),
    options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  );
  const result = await program.ended;
  clearTimeout(limit);
  return result;
}
