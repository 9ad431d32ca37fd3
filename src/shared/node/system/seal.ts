import { readdirSync } from 'node:fs';
import { setCloseOnExec } from './fds.js';

let sealed = false;

/**
 * Marks every descriptor beyond the standard three close-on-exec, once per process. What Node and
 * Holdfast open is so already; this is for what the agent itself inherited from whoever started it, which
 * would otherwise reach every shell. Main thread, before the first child. Linux only.
 */
export function sealInheritedDescriptors(): void {
  if (sealed || process.platform !== 'linux') return;
  sealed = true;
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    if (fd <= 2) continue;
    try {
      setCloseOnExec(fd);
    } catch {
      // The descriptor of the listing itself is closed again by now.
    }
  }
}
