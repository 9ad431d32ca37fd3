import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { NOT_RESTORED } from '../fidelity/not-restored.js';
import { SESSIONS } from '../fidelity/recorded.js';
import { runShare } from '../fidelity/share.js';
import { runSuite } from '../fidelity/suite.js';
import { seededRandom } from '../support/index.js';

/** A small share of `npm run test:fidelity`. Of 50, one way was taken by none with one seed of fourteen. */
const STREAMS = 150;

test('fidelity - whoever comes at any byte ends with the screen of a viewer that never left', async () => {
  const { seed } = seededRandom();
  const result = await runSuite({
    streams: STREAMS,
    seed,
    tracker: true,
    threads: 2,
    sessionAttaches: 1,
    described: 1,
  });
  assert.deepEqual(result.described, []);
  assert.equal(result.differences, 0);
  assert.equal(result.streams, STREAMS + SESSIONS.length);
  assert.ok(result.attaches > STREAMS);
  assert.ok(result.ways.emulator > 0 && result.ways.plain > 0, 'both ways were taken');
});

test('fidelity - with the tracker off the suite finds differences', () => {
  const { seed } = seededRandom();
  // Six once found none, with seed 1763946450.
  const streams = 24;
  const result = runShare({ type: 'random', seed, streams, tracker: false, described: 1 });
  assert.ok(result.differences > streams / 4, String(result.differences));
  assert.match(result.described[0] ?? '', /shortest prefix: \d+ bytes/);
});

test('fidelity - what is not restored is documented', () => {
  const root = path.join(import.meta.dirname, '../../..');
  const adr = readFileSync(path.join(root, 'docs/adr/0024-what-a-re-attach-restores.md'), 'utf8');
  const rows = adr
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split('|').map((field) => field.trim()));
  assert.deepEqual(
    rows
      .slice(1)
      .filter(([, what]) => !/^-+$/.test(what ?? ''))
      .map(([, what, why]) => [what, why]),
    NOT_RESTORED,
  );
});
