import { readdirSync, readFileSync } from 'node:fs';
import { limits, sleep, type Clock } from '../../../shared/common/index.js';
import type { GroupSignaller } from '../process/index.js';
import { parseProcessFacts, type ProcessFacts } from './process-facts.js';

function processFacts(pid: number | string): ProcessFacts | undefined {
  try {
    return parseProcessFacts(readFileSync(`/proc/${String(pid)}/stat`, 'latin1'));
  } catch {
    return undefined;
  }
}

/** Process groups by session. One look at /proc serves all terminals that end in the same moment. */
let known: { readonly at: number; readonly groups: ReadonlyMap<number, ReadonlySet<number>> } = {
  at: Number.NEGATIVE_INFINITY,
  groups: new Map(),
};
const KNOWN_MS = 20;

function sessions(): ReadonlyMap<number, ReadonlySet<number>> {
  if (performance.now() - known.at < KNOWN_MS) return known.groups;
  const groups = new Map<number, Set<number>>();
  let entries: string[] = [];
  try {
    entries = readdirSync('/proc');
  } catch {
    // Not Linux: only the leader's own group is known.
  }
  for (const entry of entries) {
    if (!/^[0-9]+$/.test(entry)) continue;
    const facts = processFacts(entry);
    if (facts === undefined || facts.isZombie) continue;
    const found = groups.get(facts.session);
    if (found === undefined) groups.set(facts.session, new Set([facts.group]));
    else found.add(facts.group);
  }
  known = { at: performance.now(), groups };
  return groups;
}

/** All process groups of the session that `leader` leads: jobs of a shell have groups of their own. */
function groupsOfSession(leader: number): Set<number> {
  return new Set([leader, ...(sessions().get(leader) ?? [])]);
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
export function signalSession(leader: number, signal: NodeJS.Signals): boolean {
  known = { ...known, at: Number.NEGATIVE_INFINITY };
  return signalKnown(leader, signal);
}

/**
 * As {@link signalSession}, but a job that began in the last 20 ms may be missed: for ends, of which there may be
 * thousands in a moment. It is hung up by its shell, or found by the next look.
 */
export const signalKnown: GroupSignaller = (leader, signal) => {
  let any = false;
  for (const group of groupsOfSession(leader)) any = signalGroupOf(group, signal) || any;
  return any;
};

/** Signals the foreground job, as the kernel does for ^C; the leader's own group where that is unknown. */
export function signalForeground(leader: number, signal: NodeJS.Signals): void {
  const foreground = processFacts(leader)?.foreground ?? -1;
  signalGroupOf(foreground > 0 ? foreground : leader, signal);
}

/** Longer than {@link KNOWN_MS}. */
const POLL_MS = 50;

/**
 * Ends every process of a session that was begun by `leader`: HUP, then TERM, then KILL, each to what the
 * one before has left within its time. Unlike the end of a group this also reaches jobs that outlive the
 * leader because they ignore its hang-up. The leader's number cannot be somebody else's meanwhile: it is
 * taken as long as any process has it as its session.
 */
export async function endSession(leader: number, clock: Clock): Promise<void> {
  const steps = [
    ['SIGHUP', limits.CLOSE_HANGUP_MS],
    ['SIGTERM', limits.CLOSE_TERM_MS],
    ['SIGKILL', limits.CLOSE_TERM_MS],
  ] as const;
  for (const [signal, patience] of steps) {
    signalKnown(leader, signal);
    // A stopped process takes no signal but KILL before this one.
    signalKnown(leader, 'SIGCONT');
    const deadline = clock.now() + patience;
    while (clock.now() < deadline) {
      // Before the look: what is known may be older than what has just begun.
      await sleep(POLL_MS, undefined, clock);
      if (!hasMembers(leader)) return;
    }
  }
}

function hasMembers(leader: number): boolean {
  return sessions().has(leader);
}
