import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const made: string[] = [];

/**
 * A fresh empty folder that only this user can enter (0700), with a path short enough for unix
 * sockets. Removed when the process of the test file exits, so after every hook that may still use it.
 */
export function tempDir(): string {
  if (made.length === 0) process.on('exit', removeAll);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'hf-'));
  made.push(folder);
  return folder;
}

function removeAll(): void {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
}
