import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fileSha256, writeRandomFile } from '../files.js';
import { quote, runStreamed, runWell } from '../run-command.js';
import type { Check, CheckContext, Client } from '../types.js';

/** Much data each way, with its checksum. */
export const bulk: Check = {
  name: 'bulk',
  title: 'bulk',
  applies: ({ exec, upload }) => exec !== undefined || upload !== undefined,
  run: async (client, context) => {
    const source = join(context.folder, 'bulk');
    const expected = writeRandomFile(source, context.bulkBytes);
    if (client.exec === undefined) await byFile(client, context, source, expected);
    else await byStream(client, context, source, expected);
  },
};

async function byStream(
  client: Client,
  { place, bulkBytes }: CheckContext,
  source: string,
  expected: string,
): Promise<void> {
  assert.ok(client.exec);
  const up = await runStreamed(place, client.exec(place, 'sha256sum; exit 5'), source);
  assert.equal(up.head.slice(0, 64), expected, `up: ${up.stderr}${up.head}`);
  assert.equal(up.status, 5, 'the status after the upload');
  const down = await runStreamed(place, client.exec(place, `cat ${quote(source)}; exit 6`));
  assert.equal(down.bytes, bulkBytes, `down: ${down.stderr}`);
  assert.equal(down.sha256, expected, 'the checksum of what came down');
  assert.equal(down.status, 6, 'the status after the download');
}

async function byFile(
  client: Client,
  { place, folder }: CheckContext,
  source: string,
  expected: string,
): Promise<void> {
  assert.ok(client.upload && client.download);
  const [there, back] = [join(folder, 'there'), join(folder, 'back')];
  await runWell(place, client.upload(place, source, there));
  assert.equal(await fileSha256(there), expected, 'the checksum of what went up');
  await runWell(place, client.download(place, there, back));
  assert.equal(await fileSha256(back), expected, 'the checksum of what came down');
}
