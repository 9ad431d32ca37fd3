import { readdirSync, readFileSync } from 'node:fs';

/** Names of the threads of this process; empty that of one that ends just now. A thread has its parent's until it first runs. Linux only. */
export function threadNames(): string[] {
  return readdirSync('/proc/self/task').map((id) => {
    try {
      return readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trimEnd();
    } catch {
      return '';
    }
  });
}
