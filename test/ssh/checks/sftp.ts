import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileSha256, writeRandomFile } from '../files.js';
import { runWell } from '../run-command.js';
import type { Check } from '../types.js';

/** Not a multiple of any block. */
const BYTES = 3_000_017;

/** One file up, one down, and a list with a name that is not ASCII. */
export const sftp: Check = {
  name: 'sftp',
  title: 'SFTP',
  applies: (client) => client.sftp !== undefined,
  run: async (client, { place, folder }) => {
    const remote = join(folder, 'remote');
    mkdirSync(remote);
    const job = {
      putFrom: join(folder, 'put'),
      putTo: join(remote, 'put over there'),
      getFrom: join(remote, 'größe'),
      getTo: join(folder, 'got'),
      list: remote,
    };
    const put = writeRandomFile(job.putFrom, BYTES, 2);
    const get = writeRandomFile(job.getFrom, BYTES + 1, 3);
    const command = client.sftp?.(place, job);
    assert.ok(command);
    const listed = await runWell(place, command);
    assert.equal(await fileSha256(job.putTo), put, 'the checksum of what was put');
    assert.equal(await fileSha256(job.getTo), get, 'the checksum of what was got');
    for (const name of ['put over there', 'größe']) {
      assert.ok(listed.includes(name), `${name} is not in the list: ${listed.slice(-300)}`);
    }
  },
};
