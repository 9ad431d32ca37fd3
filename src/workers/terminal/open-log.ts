import { limits } from '../../shared/common/index.js';
import type { TerminalEvent, TerminalStatus, TerminalTask } from '../../shared/node/ports/index.js';
import { SequenceScanner } from '../../shared/node/vt/index.js';
import { GrowthBudget, OutputLog } from './output-log.js';

export interface OpenLogOptions {
  readonly task: TerminalTask;
  readonly status: TerminalStatus;
  post(event: TerminalEvent): void;
  /** What comes before `end` is about to leave the log. */
  evicting(end: number): void;
}

/**
 * The log of a terminal with what a worker before this one has left of it, and the scanner at its oldest byte, whose
 * state is kept in shared memory as the log moves on.
 */
export function openLog({ task, status, post, evicting }: OpenLogOptions): {
  readonly log: OutputLog;
  readonly scanner: SequenceScanner;
} {
  const scanner = SequenceScanner.unpack(status.fold);
  const log = new OutputLog({
    ringBytes: task.ringBytes,
    leadInBytes: task.replays ? limits.RING_LEAD_IN_BYTES : 0,
    budget: new GrowthBudget(task.growthBudget),
    recovered: task.blocks,
    head: status.head,
    onBlock: (block) => {
      post({ type: 'block', block });
    },
    onBlockFreed: (index) => {
      post({ type: 'blockFreed', index });
    },
    onEvict: (bytes, end) => {
      evicting(end);
      scanner.skip(bytes);
      status.fold = scanner.pack();
    },
  });
  return { log, scanner };
}
