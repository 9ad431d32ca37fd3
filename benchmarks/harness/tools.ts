import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { findProgram } from '../../test/support/programs.js';

/** Programs that benchmarks compare with or need, and how each is asked for its version. */
const VERSION_ARGS = {
  ssh: ['-V'],
  sshd: ['-V'],
  dropbear: ['-V'],
  tmux: ['-V'],
  screen: ['--version'],
  dtach: ['--version'],
  abduco: ['-v'],
  cc: ['--version'],
} as const;

export type ToolName = keyof typeof VERSION_ARGS;

const PACKAGES = ['werift', 'node-datachannel', 'ssh2', 'node-pty'] as const;
const VERSION_MS = 3_000;

/**
 * The path of a program: as `HOLDFAST_BENCH_<NAME>` says (for what the system does not package), else where it is
 * installed. Absent: it is not here.
 */
export function findTool(name: ToolName): string | undefined {
  const named = process.env[`HOLDFAST_BENCH_${name.toUpperCase()}`];
  if (named === undefined || named === '') return findProgram(name);
  try {
    accessSync(named, constants.X_OK);
    return path.resolve(named);
  } catch {
    return undefined;
  }
}

/** Why a row has no figures. Absent: all of them are here. */
export function missingTools(...names: readonly ToolName[]): string | undefined {
  const missing = names.filter((name) => findTool(name) === undefined);
  return missing.length === 0 ? undefined : `${missing.join(' and ')} not installed`;
}

/** What is here of the programs and packages that figures depend on, with their versions. */
export function toolVersions(): Record<string, string> {
  const versions: Record<string, string> = {};
  for (const [name, args] of Object.entries(VERSION_ARGS)) {
    const file = findTool(name as ToolName);
    if (file !== undefined) versions[name] = versionOf(file, args);
  }
  for (const name of PACKAGES) {
    const version = packageVersion(name);
    if (version !== undefined) versions[name] = version;
  }
  return versions;
}

function versionOf(file: string, args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(file, args, { encoding: 'utf8', timeout: VERSION_MS });
  const line = `${stdout}\n${stderr}`.split('\n').find((each) => /\d\.\d|\d{4}\.\d/.test(each));
  return line?.trim().slice(0, 80) ?? 'unknown';
}

/** Absent: the package is not installed. */
export function packageVersion(name: string): string | undefined {
  const resolve = createRequire(import.meta.url).resolve.paths(name) ?? [];
  for (const folder of resolve) {
    try {
      const text = readFileSync(path.join(folder, name, 'package.json'), 'utf8');
      return (JSON.parse(text) as { version: string }).version;
    } catch {
      // Look on.
    }
  }
  return undefined;
}
