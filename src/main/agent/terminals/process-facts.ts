/** Fields of /proc/PID/stat that matter here (proc(5)). */
export interface ProcessFacts {
  readonly isZombie: boolean;
  readonly group: number;
  readonly session: number;
  /** Foreground process group of its terminal; -1 without one. */
  readonly foreground: number;
}

/** Reads the text of /proc/PID/stat. */
export function parseProcessFacts(stat: string): ProcessFacts {
  // The name may hold blanks and brackets itself, so from its last bracket on.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    isZombie: fields[0] === 'Z',
    group: Number(fields[2]),
    session: Number(fields[3]),
    foreground: Number(fields[5]),
  };
}
