import { constants } from 'node:os';

const SIGNAL_NAMES = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name] as const),
);
// Two names of one number: the table's later entry would otherwise win.
SIGNAL_NAMES.set(constants.signals.SIGABRT, 'SIGABRT');
SIGNAL_NAMES.set(constants.signals.SIGIO, 'SIGIO');

/** The usual name of a signal number; `SIG<n>` for one that has none (real-time signals). */
export function signalName(number: number): string {
  return SIGNAL_NAMES.get(number) ?? `SIG${String(number)}`;
}
