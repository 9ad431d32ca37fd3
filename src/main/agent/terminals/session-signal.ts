import { readdirSync, readFileSync } from 'node:fs';
import type { GroupSignaller } from '../process/index.js';

/** Fields of /proc/PID/stat that matter here (proc(5)), counted after the command's name. */
interface ProcessFacts {
  readonly group: number;
  readonly session: number;
  /** Foreground process group of its terminal; -1 without one. */
  readonly foreground: number;
}

function processFacts(pid: number | string): ProcessFacts | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
    // The name may hold blanks and brackets itself, so from its last bracket on.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {
      group: Number(fields[2]),
      session: Number(fields[3]),
      foreground: Number(fields[5]),
    };
  } catch {
    return undefined;
  }
}

/** All process groups of the session that `leader` leads: jobs of a shell have groups of their own. */
function groupsOfSession(leader: number): Set<number> {
  const groups = new Set([leader]);
  let entries: string[];
  try {
    entries = readdirSync('/proc');
  } catch {
    return groups;
  }
  for (const entry of entries) {
    if (!/^[0-9]+$/.test(entry)) continue;
    const facts = processFacts(entry);
    if (facts?.session === leader) groups.add(facts.group);
  }
  return groups;
}

function signalGroupOf(group: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}

/**
 * Signals every process of a terminal's session, background jobs included. Only while the leader has not
 * been waited for: afterwards its number may be somebody else's.
 */
export const signalSession: GroupSignaller = (leader, signal) => {
  let any = false;
  for (const group of groupsOfSession(leader)) any = signalGroupOf(group, signal) || any;
  return any;
};

/** Signals the foreground job, as the kernel does for ^C; the leader's own group where that is unknown. */
export function signalForeground(leader: number, signal: NodeJS.Signals): void {
  const foreground = processFacts(leader)?.foreground ?? -1;
  signalGroupOf(foreground > 0 ? foreground : leader, signal);
}
