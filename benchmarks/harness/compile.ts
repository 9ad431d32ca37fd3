import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { findTool } from './tools.js';

/** The folder of the sources: what is C is not copied into the build. */
const SOURCES = path.resolve(import.meta.dirname, '../../../benchmarks');
const COMPILE_MS = 60_000;

/** A C program of ours, built for this run. */
export interface Compiled {
  readonly file: string;
}

/**
 * Compiles `source`, a path within `benchmarks/`, into the folder `scratch`. A text instead: why it cannot be.
 * @throws {Error} There is a compiler, but it does not take the source.
 */
export function compileC(scratch: string, source: string): Compiled | string {
  const cc = findTool('cc');
  if (cc === undefined) return 'no C compiler (cc)';
  const file = path.join(scratch, path.basename(source, '.c'));
  const args = ['-O2', '-Wall', '-Wextra', '-Werror', '-o', file, path.join(SOURCES, source)];
  const { status, stderr } = spawnSync(cc, [...args, '-lutil'], {
    encoding: 'utf8',
    timeout: COMPILE_MS,
  });
  if (status !== 0) throw new Error(`${source} does not compile:\n${stderr}`);
  return { file };
}
