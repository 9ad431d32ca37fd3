import type { OutputLog } from './output-log.js';
import { SequenceScanner } from '../../shared/node/vt/index.js';

const STEP_BYTES = 4096;

/**
 * The oldest log offset from `from` on at which a replay can begin: neither inside a character nor inside a control
 * sequence. `fold` is the packed state of the scanner at `log.foldedTo`. The head, when the whole ring is
 * the inside of one sequence (a large image): half of it would be printed as text.
 */
export function findReplayStart(log: OutputLog, fold: number, from = log.oldest): number {
  const { head } = log;
  const oldest = Math.max(from, log.oldest);
  if (oldest === 0) return 0;
  const scanner = SequenceScanner.unpack(fold);
  let at = log.foldedTo;
  const step = new Uint8Array(STEP_BYTES);
  while (at < head) {
    const end = Math.min(head, at + STEP_BYTES);
    log.copy(at, end, step, 0);
    const bytes = step.subarray(0, end - at);
    const silent = Math.max(0, Math.min(bytes.length, oldest - at));
    scanner.skip(bytes.subarray(0, silent));
    for (let index = silent; index < bytes.length; index += 1) {
      const byte = bytes[index] as number;
      // A lone continuation byte is no beginning either, whatever came before it.
      if (scanner.atBoundary && (byte & 0xc0) !== 0x80) return at + index;
      scanner.next(byte);
    }
    at = end;
  }
  return head;
}
