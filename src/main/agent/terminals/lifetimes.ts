import { limits } from '../../../shared/common/index.js';
import type { TerminalHandle } from './terminal-handle.js';

/** Time for viewers of a terminal that is ended to take the last output. */
export const CLOSE_PATIENCE_MS = 1_000;

/** With nobody to be told there is only the worker to wait for, so that the log can be kept. */
export function patienceFor({ viewers }: TerminalHandle): number {
  return viewers === 0 ? limits.ADOPT_MS : CLOSE_PATIENCE_MS;
}

/** The longer of two idle times. 0 is for ever, and so the longest of all. */
export function longer(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : Math.max(a, b);
}
