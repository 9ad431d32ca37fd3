/** Runs command lines of clients, with an environment of their own. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { findProgram, runProgram, startProgram } from '../support/index.js';
import type { ProgramResult, RunningProgram } from '../support/index.js';
import { cleanEnvironment } from '../support/up.js';
import type { Command, Place, WindowSize } from './types.js';

/** Twice what the slowest took on a busy machine. */
const TIMEOUT_MS = 180_000;
const HEAD_BYTES = 1_024;

/** The path of a program that is known to be there. */
export function programPath(name: string): string {
  return findProgram(name) ?? name;
}

function optionsOf(place: Place, { env }: Command): { env: NodeJS.ProcessEnv; cwd: string } {
  // Clients show names that are not ASCII only in a locale that has them; that of this process may be C.
  const locale = { LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' };
  return { env: { ...cleanEnvironment(place.home), ...locale, ...env }, cwd: place.home };
}

export function start(place: Place, command: Command): RunningProgram {
  return startProgram(command.file, command.args, optionsOf(place, command));
}

export function run(
  place: Place,
  command: Command,
  options: { readonly input?: string | Uint8Array; readonly timeoutMs?: number } = {},
): Promise<ProgramResult> {
  return runProgram(command.file, command.args, {
    ...optionsOf(place, command),
    input: options.input ?? command.input ?? '',
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
  });
}

/** Runs it and rejects unless it ends with 0. @returns what it printed. */
export async function runWell(
  place: Place,
  command: Command,
  options: Parameters<typeof run>[2] = {},
): Promise<string> {
  const result = await run(place, command, options);
  if (result.status !== 0) throw new Error(describe(command, result));
  return result.stdout.toString();
}

export function describe(command: Command, result: ProgramResult): string {
  const how = result.signal ?? `status ${String(result.status)}`;
  const said = (result.stderr.trim() || result.stdout.toString().trim()).slice(-600);
  return `${command.file.split('/').pop() ?? ''}: ${how}: ${said}`;
}

export interface StreamedResult {
  readonly bytes: number;
  readonly sha256: string;
  /** The beginning of what it printed. */
  readonly head: string;
  readonly status: number | undefined;
  readonly stderr: string;
}

/** Runs it with a file as its input, and keeps of what it prints only the checksum and the beginning. */
export function runStreamed(
  place: Place,
  command: Command,
  inputFile = '/dev/null',
): Promise<StreamedResult> {
  return new Promise((resolve, reject) => {
    const input = openSync(inputFile, 'r');
    const child = spawn(command.file, command.args, {
      ...optionsOf(place, command),
      stdio: [input, 'pipe', 'pipe'],
    });
    closeSync(input);
    const hash = createHash('sha256');
    const limit = setTimeout(() => child.kill('SIGKILL'), 4 * TIMEOUT_MS);
    let bytes = 0;
    let stderr = '';
    let head = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      bytes += chunk.length;
      if (head.length < HEAD_BYTES) head += chunk.subarray(0, HEAD_BYTES).toString('latin1');
    });
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (status) => {
      clearTimeout(limit);
      resolve({ bytes, sha256: hash.digest('hex'), head, status: status ?? undefined, stderr });
    });
  });
}

/** The same command on a terminal of this size, by util-linux's script: for clients that ask their own. */
export function onTerminal(command: Command, { rows, cols }: WindowSize): Command {
  const line = [command.file, ...command.args].map(quote).join(' ');
  const set = `stty rows ${String(rows)} cols ${String(cols)}; exec ${line}`;
  return { ...command, file: programPath('script'), args: ['-qefc', set, '/dev/null'] };
}

/** For a POSIX shell. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
