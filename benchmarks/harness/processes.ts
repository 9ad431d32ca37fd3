import { readdirSync, readFileSync } from 'node:fs';

/** Kernel clock ticks per second in /proc: USER_HZ, 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Programs that produce output in a terminal; they are the load, not what serves it. */
const LOAD_PROGRAMS = new Set(['sh', 'bash', 'dash', 'head', 'cat', 'stty']);

interface ProcessFigures {
  readonly name: string;
  readonly cpuSeconds: number;
}

/** Absent: the process has ended. Children that were waited for count as part of it. */
function figuresOf(pid: number): ProcessFigures | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
    const nameEnd = stat.lastIndexOf(')');
    const fields = stat.slice(nameEnd + 2).split(' ');
    // proc(5): utime, stime, cutime and cstime are fields 14 to 17; `fields` begins at the third.
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return {
      name: stat.slice(stat.indexOf('(') + 1, nameEnd),
      cpuSeconds: ticks / TICKS_PER_SECOND,
    };
  } catch {
    return undefined;
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${String(pid)}/task`).flatMap((task) =>
      readFileSync(`/proc/${String(pid)}/task/${task}/children`, 'latin1')
        .split(' ')
        .filter((text) => text.trim() !== '')
        .map(Number),
    );
  } catch {
    return [];
  }
}

/** `roots` and everything below them. */
export function processTree(roots: readonly number[]): number[] {
  const found = new Set<number>();
  const visit = (pid: number): void => {
    if (found.has(pid)) return;
    found.add(pid);
    childrenOf(pid).forEach(visit);
  };
  roots.forEach(visit);
  return [...found];
}

/**
 * CPU time (user and system) of `roots` and all below them so far, in seconds, with what ended and was
 * waited for. Only differences mean something, and only if nothing but leaves ended in between.
 */
export function treeCpuSeconds(roots: readonly number[]): number {
  return processTree(roots).reduce((sum, pid) => sum + (figuresOf(pid)?.cpuSeconds ?? 0), 0);
}

/** Memory of `roots` and all below them without the load they run, in bytes: the proportional share (PSS). */
export function treePssBytes(roots: readonly number[]): number {
  let sum = 0;
  for (const pid of processTree(roots)) {
    if (LOAD_PROGRAMS.has(figuresOf(pid)?.name ?? '')) continue;
    sum += pssBytes(pid);
  }
  return sum;
}

/** PSS of one process, in bytes; 0 if it has ended. */
export function pssBytes(pid: number): number {
  try {
    const text = readFileSync(`/proc/${String(pid)}/smaps_rollup`, 'latin1');
    return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** CPU time of one process, with children that it has waited for, in seconds; 0 if it has ended. */
export function cpuSeconds(pid: number): number {
  return figuresOf(pid)?.cpuSeconds ?? 0;
}

/** Threads and open descriptors of one process; zeros if it has ended. */
export function holdings(pid: number): { readonly threads: number; readonly fds: number } {
  const count = (folder: string): number => {
    try {
      return readdirSync(`/proc/${String(pid)}/${folder}`).length;
    } catch {
      return 0;
    }
  };
  return { threads: count('task'), fds: count('fd') };
}

/** Processes whose command line has `text`, such as a path of this run. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return [];
    try {
      const line = readFileSync(`/proc/${name}/cmdline`, 'latin1');
      return line.includes(text) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}
