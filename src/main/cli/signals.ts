import { constants } from 'node:os';

/** The number of a signal named with or without `SIG`; 0 for one that this system does not know. */
export function signalNumber(name: string): number {
  const full = name.startsWith('SIG') ? name : `SIG${name}`;
  return Object.entries(constants.signals).find(([known]) => known === full)?.[1] ?? 0;
}
