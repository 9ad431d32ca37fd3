import { readFile, readlink } from 'node:fs/promises';
import { limits } from '../../../shared/common/index.js';
import { parseProcessFacts } from './process-facts.js';

/** What runs in the foreground of a terminal. */
export interface Foreground {
  /** Its arguments as one line, cleaned of control characters. Absent: not known. */
  readonly command: string | undefined;
  /** Its working directory. Absent: not known, for instance because it runs as somebody else. */
  readonly cwd: string | undefined;
}

/**
 * The foreground job of the terminal whose session `leader` leads, from /proc; without one, as on other
 * systems than Linux, nothing is known. Never rejects.
 */
export async function readForeground(leader: number): Promise<Foreground> {
  const stat = await textOf(`/proc/${String(leader)}/stat`);
  const group = stat === undefined ? -1 : parseProcessFacts(stat).foreground;
  // A job whose first process has ended is only known by its group; then the shell has to do.
  for (const pid of group > 0 && group !== leader ? [group, leader] : [leader]) {
    const arguments_ = await textOf(`/proc/${String(pid)}/cmdline`);
    if (arguments_ === undefined || arguments_ === '') continue;
    const cwd = await readlink(`/proc/${String(pid)}/cwd`).catch(() => undefined);
    return { command: commandLine(arguments_), cwd: cwd && plainText(cwd) };
  }
  return { command: undefined, cwd: undefined };
}

/** Words of /proc/PID/cmdline on one line. */
export function commandLine(nulSeparated: string): string {
  const line = nulSeparated.replace(/\0+$/, '').replaceAll('\0', ' ');
  return plainText(line).slice(0, limits.COMMAND_LINE_CHARACTERS);
}

/** `text` without what could act on a terminal that shows it: control characters and marks of direction. */
function plainText(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return undefined;
  }
}
