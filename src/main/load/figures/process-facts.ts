import { readdirSync, readFileSync } from 'node:fs';

/** Kernel clock ticks per second in /proc: USER_HZ, 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** What a process takes at one moment. */
export interface ProcessFacts {
  /** Memory in bytes, shared pages in part (PSS). */
  readonly pssBytes: number;
  readonly fds: number;
  readonly threads: number;
  /** User and system time of the process so far, without its children. */
  readonly cpuSeconds: number;
}

/** What process `pid` takes now. Absent: it has ended, is not ours to look at, or this is no Linux. */
export function readProcess(pid: number): ProcessFacts | undefined {
  const folder = `/proc/${String(pid)}`;
  try {
    const stat = readFileSync(`${folder}/stat`, 'latin1');
    // proc(5): utime, stime and num_threads are fields 14, 15 and 20; these begin at the third.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const pss = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`${folder}/smaps_rollup`, 'latin1'));
    return {
      pssBytes: Number(pss?.[1] ?? 0) * 1_024,
      fds: readdirSync(`${folder}/fd`).length,
      threads: Number(fields[17]),
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    };
  } catch {
    return undefined;
  }
}
