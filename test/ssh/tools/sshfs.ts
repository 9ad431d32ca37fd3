import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitFor } from '../../support/index.js';
import { fileSha256, writeRandomFile } from '../files.js';
import { programPath, run, start } from '../run-command.js';
import type { Tool } from '../types.js';

const BYTES = 4 * 1_048_576 + 3;

/** A folder of the agent, mounted here. */
export const sshfs: Tool = {
  name: 'sshfs',
  packages: ['sshfs', 'fuse3'],
  needs: ['sshfs', 'fusermount3'],
  run: async ({ place, folder }) => {
    const [there, mount] = [join(folder, 'there'), join(folder, 'mount')];
    mkdirSync(there);
    mkdirSync(mount);
    const expected = writeRandomFile(join(folder, 'source'), BYTES);
    const running = start(place, {
      file: programPath('sshfs'),
      args: ['-f', '-F', place.sshConfig, `${place.alias}:${there}`, mount],
    });
    const isMounted = (): boolean => readFileSync('/proc/mounts', 'utf8').includes(` ${mount} `);
    try {
      await waitFor(() => isMounted() || running.child.exitCode !== null, { timeoutMs: 60_000 });
      assert.ok(isMounted(), running.stderr());
      await copyFile(join(folder, 'source'), join(mount, 'copied'));
      assert.equal(await fileSha256(join(there, 'copied')), expected);
      mkdirSync(join(mount, 'sub'));
      renameSync(join(mount, 'copied'), join(mount, 'sub', 'moved'));
      assert.deepEqual(readdirSync(join(there, 'sub')), ['moved']);
      assert.equal(await fileSha256(join(mount, 'sub', 'moved')), expected);
      truncateSync(join(mount, 'sub', 'moved'), 10);
      assert.equal(readFileSync(join(there, 'sub', 'moved')).length, 10);
      rmSync(join(mount, 'sub'), { recursive: true });
      assert.deepEqual(readdirSync(there), []);
    } finally {
      if (isMounted()) {
        await run(place, { file: programPath('fusermount3'), args: ['-u', mount] });
      }
      await running.stop();
    }
    return 'copy, rename, truncate, remove in a mounted folder';
  },
};
