import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileSha256, writeRandomFile } from '../files.js';
import { programPath, runWell } from '../run-command.js';
import type { Tool } from '../types.js';
import { sshCommandLine } from './rsync.js';
import { makeTree } from './trees.js';

/** Pushes a history and clones it again. */
export const git: Tool = {
  name: 'git',
  packages: ['git'],
  needs: ['git'],
  run: async ({ place, folder }) => {
    const bare = join(folder, 'there.git');
    const work = join(folder, 'work');
    const clone = join(folder, 'clone');
    const env = {
      GIT_SSH_COMMAND: sshCommandLine(place),
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_SYSTEM: '/dev/null',
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@example.org',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@example.org',
    };
    const run = (...args: readonly string[]): Promise<string> =>
      runWell(place, {
        file: programPath('git'),
        args: ['-q', ...args].filter((a) => a !== '-q'),
        env,
      });
    await run('init', '-b', 'main', '--bare', bare);
    await run('init', '-b', 'main', work);
    makeTree(join(work, 'tree'), { links: true });
    const expected = writeRandomFile(join(work, 'large'), 5_000_003, 5);
    const url = `${place.alias}:${bare}`;
    for (let commit = 0; commit < 5; commit += 1) {
      mkdirSync(join(work, `d${String(commit)}`));
      writeRandomFile(join(work, `d${String(commit)}`, 'file'), 10_000, 10 + commit);
      await run('-C', work, 'add', '.');
      await run('-C', work, 'commit', '-m', `commit ${String(commit)}`);
    }
    await run('-C', work, 'push', url, 'main', 'main:other');
    await run('clone', url, clone);
    await run('-C', clone, 'fsck', '--full');
    assert.equal(await fileSha256(join(clone, 'large')), expected);
    const [ours, theirs] = await Promise.all([
      run('-C', work, 'rev-parse', 'main'),
      run('-C', clone, 'rev-parse', 'origin/other'),
    ]);
    assert.equal(theirs, ours);
    await run('-C', clone, 'push', 'origin', ':other');
    assert.doesNotMatch(await run('-C', work, 'ls-remote', url), /other/);
    return 'push, clone, fsck, deleting a branch';
  },
};
