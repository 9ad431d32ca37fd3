import { readFile, readlink } from 'node:fs/promises';
import { cutText, limits, shownText } from '../../../shared/common/index.js';
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
    return {
      command: commandLine(arguments_.replace(/\0+$/, '').split('\0')),
      cwd: cwd && shownText(cwd),
    };
  }
  return { command: undefined, cwd: undefined };
}

/** The words of a command on one line, cleaned of control characters and bounded. */
export function commandLine(words: readonly string[]): string {
  return cutText(shownText(words.join(' ')), limits.COMMAND_LINE_CHARACTERS);
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return undefined;
  }
}
