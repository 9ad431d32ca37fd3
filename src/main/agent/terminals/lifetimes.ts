import { limits } from '../../../shared/common/index.js';
import type { TerminalHandle } from './terminal-handle.js';

/** Time for viewers of a terminal that is ended to take the last output. */
export const CLOSE_PATIENCE_MS = 1_000;

/**
 * Where the log is kept, or nobody is to be told, there is only the worker to wait for: viewers may take the rest at any
 * time. A worker that is busy for a second must not cost them the end: they would come back and start a new shell.
 */
export function patienceFor({ viewers }: TerminalHandle, keepsLogs: boolean): number {
  return keepsLogs || viewers === 0 ? limits.ADOPT_MS : CLOSE_PATIENCE_MS;
}

/** The longer of two idle times. 0 is for ever, and so the longest of all. */
export function longer(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : Math.max(a, b);
}
