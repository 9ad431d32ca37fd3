import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileSha256, writeRandomFile } from '../files.js';
import { quote, runWell } from '../run-command.js';
import type { Tool } from '../types.js';
import { sshCommandLine } from './rsync.js';
import { assertSameTree, makeTree } from './trees.js';

/** A large archive through a pipe, up and down. */
export const tar: Tool = {
  name: 'tar',
  packages: ['tar'],
  needs: ['tar', 'bash'],
  run: async ({ place, folder, tarBytes }) => {
    const [source, there, back] = ['source', 'there', 'back'].map((name) => join(folder, name));
    assert.ok(source !== undefined && there !== undefined && back !== undefined);
    for (const name of [source, there, back]) mkdirSync(name);
    const expected = writeRandomFile(join(source, 'large'), tarBytes);
    makeTree(join(source, 'tree'), { links: true });
    const ssh = `${sshCommandLine(place)} ${place.alias}`;
    const pipe = async (line: string): Promise<void> => {
      const bash = { file: '/bin/bash', args: ['-c', `set -e -o pipefail; ${line}`] };
      await runWell(place, bash, { timeoutMs: 1_800_000 });
    };
    await pipe(`tar -C ${source} -cf - . | ${ssh} ${quote(`tar -C ${there} -xf -`)}`);
    assert.equal(await fileSha256(join(there, 'large')), expected, 'up');
    await pipe(`${ssh} ${quote(`tar -C ${there} -cf - .`)} | tar -C ${back} -xf -`);
    assert.equal(await fileSha256(join(back, 'large')), expected, 'down');
    await assertSameTree(join(back, 'tree'), join(source, 'tree'));
    return `${String(tarBytes / 1_048_576)} MiB up and down`;
  },
};
