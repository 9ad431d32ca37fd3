import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from './wait-for.js';

interface Heap {
  readonly totalMemory: number;
  readonly usedMemory: number;
}
/** What is used of a diagnostic report of Node. */
interface Report {
  readonly javascriptHeap: Heap;
  readonly workers?: readonly { readonly javascriptHeap: Heap }[];
}

/** Has Node write a report into `folder` at the signal of {@link heapRoom}. For NODE_OPTIONS. */
export function reportOptions(folder: string): string {
  return `--report-on-signal --report-signal=SIGUSR2 --report-compact --report-directory=${folder}`;
}

/**
 * Bytes that the collectors of all threads of `pid`, which runs with {@link reportOptions}, have taken from the system
 * and do not use now. They keep tens of MiB so and take more as they like, which says nothing of what is held.
 */
export async function heapRoom(pid: number, folder: string): Promise<number> {
  const before = new Set(readdirSync(folder));
  process.kill(pid, 'SIGUSR2');
  const report = await waitFor(() => newReport(folder, before), { what: 'a report of Node' });
  return [report, ...(report.workers ?? [])]
    .map(({ javascriptHeap }) => javascriptHeap.totalMemory - javascriptHeap.usedMemory)
    .reduce((sum, bytes) => sum + bytes, 0);
}

function newReport(folder: string, before: ReadonlySet<string>): Report | undefined {
  const name = readdirSync(folder).find((each) => each.endsWith('.json') && !before.has(each));
  if (name === undefined) return undefined;
  try {
    return JSON.parse(readFileSync(join(folder, name), 'utf8')) as Report;
  } catch {
    // Half of it is there.
    return undefined;
  }
}
