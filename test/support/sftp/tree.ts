import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import type { SeededRandom } from '../random.js';

/** Names that get lost where names are taken for text: not UTF-8, newline, spaces, quotes, a glob. */
export const HARD_NAMES: readonly Buffer[] = [
  Buffer.from([0xff, 0xfe, 0x80]),
  Buffer.from('new\nline'),
  Buffer.from(' lead and trail '),
  Buffer.from('it\'s "quoted" \\ $(x)'),
  Buffer.from('*?[a]'),
  Buffer.from('-dash'),
  Buffer.from('täst-漢字-🙂'),
  Buffer.from('t\xe4st', 'latin1'),
  Buffer.alloc(255, 0x6e),
];

/** `folder` and `name` as one path of bytes. */
export function joinBytes(folder: Buffer | string, name: Buffer | string): Buffer {
  return Buffer.concat([Buffer.from(folder), Buffer.from('/'), Buffer.from(name)]);
}

/** A tree of folders and files with hard names, odd modes and old times. */
export function makeTree(root: Buffer, random: SeededRandom, files: number): void {
  mkdirSync(root);
  const folders = [root];
  for (let i = 0; i < files; i += 1) {
    const parent = random.pick(folders);
    const name = i < HARD_NAMES.length ? HARD_NAMES[i]! : Buffer.from(`file ${i}`);
    const file = joinBytes(parent, name);
    writeFileSync(file, random.bytes(random.pick([0, 1, 100, 4096, 70_000])));
    chmodSync(file, random.pick([0o600, 0o644, 0o755, 0o400, 0o777]));
    utimesSync(file, random.int(0, 2_000_000_000), random.int(0, 2_000_000_000));
    if (i % 5 === 0) {
      const folder = joinBytes(random.pick(folders), Buffer.from([0x64, 0xf0, i + 0x30]));
      mkdirSync(folder);
      folders.push(folder);
    }
  }
}

/** One line for each file of a tree, sorted: path, type, mode, what is in it, and its time if asked. */
export function describeTree(root: Buffer, { times = false } = {}): string[] {
  const lines: string[] = [];
  const walk = (folder: Buffer, shown: string): void => {
    for (const name of readdirSync(folder, { encoding: 'buffer' })) {
      const path = joinBytes(folder, name);
      const label = `${shown}/${name.toString('latin1')}`;
      const stats = lstatSync(path);
      const mode = stats.mode.toString(8);
      const time = times && !stats.isSymbolicLink() ? ` @${Math.floor(stats.mtimeMs / 1000)}` : '';
      if (stats.isDirectory()) {
        lines.push(`${label} ${mode}`);
        walk(path, label);
      } else if (stats.isSymbolicLink()) {
        lines.push(`${label} -> ${readlinkSync(path, { encoding: 'buffer' }).toString('latin1')}`);
      } else {
        // Of sparse giants the size must do.
        const content = stats.size < 2 ** 30 ? readFileSync(path) : '';
        const sum = createHash('sha256').update(content).digest('hex');
        lines.push(`${label} ${mode} ${stats.size} x${stats.nlink} ${sum}${time}`);
      }
    }
  };
  walk(root, '');
  return lines.sort();
}
