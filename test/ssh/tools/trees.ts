/** Trees of files for the tools that copy, and what they look like. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileSha256, writeRandomFile } from '../files.js';

const TIME = new Date('2021-03-04T05:06:07Z');

/** A small tree with what copies get wrong: modes, times, blanks, names that are not ASCII, empty folders. */
export function makeTree(folder: string, { links = false } = {}): void {
  mkdirSync(join(folder, 'sub dir', 'empty'), { recursive: true });
  writeFileSync(join(folder, 'run.sh'), '#!/bin/sh\necho hi\n');
  writeFileSync(join(folder, 'nothing'), '');
  writeFileSync(join(folder, 'sub dir', 'ünï cödé'), 'x');
  writeRandomFile(join(folder, 'sub dir', 'data'), 2_500_001, 4);
  chmodSync(join(folder, 'run.sh'), 0o751);
  chmodSync(join(folder, 'sub dir', 'data'), 0o640);
  if (links) symlinkSync('../run.sh', join(folder, 'sub dir', 'link'));
  for (const name of ['run.sh', 'nothing', 'sub dir/ünï cödé', 'sub dir/data']) {
    utimesSync(join(folder, name), TIME, TIME);
  }
}

/** One line for everything below a folder. */
async function lines(folder: string): Promise<string[]> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const found: string[] = [];
  for (const name of names) {
    const file = join(folder, name);
    const stats = lstatSync(file);
    if (stats.isDirectory()) found.push(`${name}/`);
    else if (stats.isSymbolicLink()) found.push(`${name} -> ${readlinkSync(file)}`);
    else {
      const mode = (stats.mode & 0o7777).toString(8);
      found.push(`${name} ${mode} ${String(stats.mtimeMs)} ${await fileSha256(file)}`);
    }
  }
  return found;
}

/** Contents, modes, times and links are the same. */
export async function assertSameTree(copy: string, original: string): Promise<void> {
  assert.deepEqual(await lines(copy), await lines(original), `${copy} differs`);
}
