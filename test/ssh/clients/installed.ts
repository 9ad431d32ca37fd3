/** Says what of a client is installed. */
import { findProgram, runProgram } from '../../support/index.js';

/** Debian's own, which is the one that Debian's modules are for, whatever else the path leads to. */
export const PYTHON = '/usr/bin/python3';

/** Those of the programs that are not there. */
export function missingPrograms(...names: readonly string[]): Promise<readonly string[]> {
  return Promise.resolve(names.filter((name) => findProgram(name) === undefined));
}

/** Those of the modules that Debian's Python cannot import. */
export async function missingModules(...names: readonly string[]): Promise<readonly string[]> {
  const results = await Promise.all(
    names.map((name) => runProgram(PYTHON, ['-c', `import ${name}`])),
  );
  return names
    .filter((_, index) => results[index]?.status !== 0)
    .map((name) => `the Python module ${name}`);
}

/** The first line that a program prints about itself. */
export async function firstLine(file: string, args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await runProgram(file, args);
  const text = `${stdout.toString()}\n${stderr}`.trim();
  return (/^[^\n,(]+/.exec(text)?.[0] ?? 'unknown').trim();
}
