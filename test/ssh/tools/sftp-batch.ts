import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { opensshCommand } from '../clients/openssh.js';
import { fileSha256, writeRandomFile } from '../files.js';
import { runWell } from '../run-command.js';
import type { Tool } from '../types.js';

const BYTES = 16 * 1_048_576 + 5;

/** With 262144 the client itself fails: its messages, heads included, are at most that long. */
const BLOCK = '261120';

/** Many large requests at once, and the commands of a batch. */
export const sftpBatch: Tool = {
  name: 'sftp',
  packages: ['openssh-client'],
  needs: ['sftp'],
  run: async ({ place, folder }) => {
    const [source, there, back] = ['source', 'there', 'back'].map((name) => join(folder, name));
    assert.ok(source !== undefined && there !== undefined && back !== undefined);
    mkdirSync(there);
    const expected = writeRandomFile(source, BYTES);
    const batch = [
      `cd ${there}`,
      `put ${source} first`,
      'mkdir sub',
      'rename first sub/second',
      'symlink sub/second link',
      'ln sub/second hard',
      'chmod 640 hard',
      `get link ${back}`,
      'df -h',
      'ls -la sub',
      '-rm none-of-that-name',
      'rm link',
      'pwd\n',
    ];
    const printed = await runWell(
      place,
      opensshCommand(place, 'sftp', '-q', '-R', '64', '-B', BLOCK, '-b', '-', place.alias),
      { input: batch.join('\n') },
    );
    assert.equal(await fileSha256(back), expected);
    assert.deepEqual(readdirSync(there).sort(), ['hard', 'sub']);
    assert.equal(statSync(join(there, 'sub', 'second')).mode & 0o777, 0o640);
    assert.match(printed, new RegExp(`Remote working directory: ${there}\\n`));
    return `-R 64 -B ${BLOCK} -b: 16 MiB each way, and a batch of 13 commands`;
  },
};
