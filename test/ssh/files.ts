/** Files with contents that no compression, no line end and no zero byte can be lost in. */
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, writeSync } from 'node:fs';
import { createRandom } from '../support/index.js';

const BLOCK = 1_048_576;

/** Writes a file of that size; the same seed gives the same bytes. @returns its SHA-256. */
export function writeRandomFile(file: string, bytes: number, seed = 1): string {
  const block = Buffer.from(createRandom(seed).bytes(BLOCK));
  const hash = createHash('sha256');
  const fd = openSync(file, 'w');
  for (let at = 0, turn = 0; at < bytes; at += BLOCK, turn += 1) {
    // Each block differs from the one before, so that one that is doubled or swapped is found.
    block.writeUInt32LE(turn, 0);
    const part = block.subarray(0, Math.min(BLOCK, bytes - at));
    hash.update(part);
    writeSync(fd, part);
  }
  closeSync(fd);
  return hash.digest('hex');
}

export async function fileSha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
