import { limits, systemClock, type Clock } from '../../../shared/common/index.js';

/** Signals process groups; injected in tests. */
export interface GroupSignaller {
  /** False: there is no such group any more. */
  (leader: number, signal: NodeJS.Signals): boolean;
}

/**
 * Signals the whole group that `leader` leads. Only for groups whose leader has not been reaped yet:
 * afterwards the number may belong to somebody else.
 */
export const signalGroup: GroupSignaller = (leader, signal) => {
  try {
    process.kill(process.platform === 'win32' ? leader : -leader, signal);
    return true;
  } catch {
    return false;
  }
};

/**
 * Ends a group: HUP as a terminal that goes away would send, then TERM, then KILL, each only if the one
 * before did not end the leader in time. Resolves with `exited`.
 */
export async function endGroup(
  leader: number,
  exited: Promise<unknown>,
  signal: GroupSignaller = signalGroup,
  clock: Clock = systemClock,
): Promise<void> {
  const state = { gone: false };
  const isGone = (): boolean => state.gone;
  const ended = exited.then(() => {
    state.gone = true;
  });
  const waitAtMost = async (ms: number): Promise<void> => {
    let cancel = (): void => undefined;
    const timeout = new Promise<void>((resolve) => {
      const timer = clock.after(ms, resolve);
      cancel = () => {
        timer.cancel();
      };
    });
    await Promise.race([ended, timeout]);
    cancel();
  };
  // A leader that exited in this very turn is not known yet; the signal then finds a zombie or nobody.
  await Promise.resolve();
  if (isGone()) return;
  signal(leader, 'SIGHUP');
  // A stopped process takes no other signal than this one.
  signal(leader, 'SIGCONT');
  await waitAtMost(limits.CLOSE_HANGUP_MS);
  if (isGone()) return;
  signal(leader, 'SIGTERM');
  await waitAtMost(limits.CLOSE_TERM_MS);
  if (isGone()) return;
  signal(leader, 'SIGKILL');
  await ended;
}
