import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionOf, makePlan, PROFILES } from '../../src/main/load/options/index.js';
import {
  readFrequency,
  readOutput,
  readSize,
  readTerminals,
} from '../../src/main/load/options/parse.js';

const KIB = 1_024;
const wrong = { code: 'ERR_INVALID_ARGUMENT' };

test('load options - sizes in powers of 1024, and of 1000 where that is said', () => {
  const sizes: readonly (readonly [string, number])[] = [
    ['500', 500],
    ['500B', 500],
    ['1KiB', KIB],
    ['1k', KIB],
    ['1.5MiB', 1.5 * KIB * KIB],
    ['2M', 2 * KIB * KIB],
    ['2MB', 2_000_000],
    ['1GiB', KIB ** 3],
    ['10 KiB', 10 * KIB],
  ];
  for (const [text, bytes] of sizes) assert.equal(readSize('--x', text), bytes, text);
  for (const text of ['', 'x', '1X', '-1', '1e3', '0x10', '1KiBs', '1..5M', '9'.repeat(20)])
    assert.throws(() => readSize('--sftp-up', text), { ...wrong, message: /^--sftp-up "/ }, text);
});

test('load options - rates, with and without what they are of', () => {
  assert.deepEqual(readOutput('--rate', '10KiB/s'), {
    kind: 'rate',
    bytesPerSecond: 10 * KIB,
  });
  assert.deepEqual(readOutput('--rate', '10KiB'), { kind: 'rate', bytesPerSecond: 10 * KIB });
  assert.deepEqual(readOutput('--rate', 'max'), { kind: 'max' });
  assert.deepEqual(readOutput('--rate', 'silent'), { kind: 'silent' });
  assert.deepEqual(readOutput('--rate', '0'), { kind: 'silent' });
  for (const text of ['', 'fast', '10KiB/m', '50B/s', '2GiB/s', '/s'])
    assert.throws(() => readOutput('--rate', text), { ...wrong, message: /^--rate "/ }, text);
});

test('load options - terminals of several kinds', () => {
  const usual = { kind: 'max' } as const;
  assert.deepEqual(readTerminals('--terminals', '20', usual), [{ count: 20, output: usual }]);
  assert.deepEqual(readTerminals('--terminals', '3@1KiB/s, 2@silent,1', usual), [
    { count: 3, output: { kind: 'rate', bytesPerSecond: KIB } },
    { count: 2, output: { kind: 'silent' } },
    { count: 1, output: usual },
  ]);
  assert.deepEqual(readTerminals('--terminals', '0', usual), []);
  for (const text of ['', 'ten', '-1', '1.5', '3@', '3@x', '4001', '3000,1001', ',', '3,'])
    assert.throws(() => readTerminals('--terminals', text, usual), wrong, text);
});

test('load options - how often, as a number or a share', () => {
  const read = (text: string) => readFrequency('--detach', text);
  assert.deepEqual(read('5/s'), { kind: 'count', count: 5, everyMs: 1_000 });
  assert.deepEqual(read('2/10s'), { kind: 'count', count: 2, everyMs: 10_000 });
  assert.deepEqual(read('0.5/m'), { kind: 'count', count: 0.5, everyMs: 60_000 });
  assert.deepEqual(read('10%/3s'), { kind: 'share', share: 0.1, everyMs: 3_000 });
  assert.equal(read('0'), undefined);
  assert.equal(read('0/s'), undefined);
  for (const text of ['', '5', '5/', '/s', '5/x', '101%/s', '5%', '-1/s', '5/0s', '101/s', '5/8d'])
    assert.throws(() => read(text), { ...wrong, message: /^--detach "/ }, text);
});

test('load options - what is given counts before the profile, and that before the default', () => {
  const plan = makePlan({ viewers: '3', seed: '7' }, 'flood');
  assert.equal(plan.viewers, 3);
  assert.equal(plan.seed, 7);
  assert.deepEqual(plan.groups, [{ count: 4, output: { kind: 'max' } }]);
  assert.equal(plan.echo, 20);
  assert.equal(plan.keyEveryMs, 100);
  assert.equal(plan.durationMs, 30_000);
  assert.equal(plan.strict, false);
  const soak = makePlan({}, 'soak');
  assert.equal(soak.terminals, 1_100);
  assert.equal(soak.strict, true);
  assert.equal(soak.churn.create?.kind, 'count');
});

test('load options - every profile is a plan, and a wrong name gets a hint', () => {
  for (const name of Object.keys(PROFILES)) assert.ok(makePlan({}, name).connections > 0, name);
  assert.throws(() => makePlan({}, 'floot'), { ...wrong, hint: /Did you mean flood\?/ });
  assert.throws(() => makePlan({}, 'constructor'), { ...wrong, hint: /idle, shared, flood, soak/ });
});

test('load options - seeds differ unless one is given', () => {
  assert.notEqual(makePlan({}).seed, makePlan({}).seed);
  assert.throws(() => makePlan({ seed: '0' }), wrong);
  assert.throws(() => makePlan({ seed: '4294967296' }), wrong);
});

test('load options - one connection for each viewer, and more where they are many terminals', () => {
  assert.equal(makePlan({ terminals: '10', viewers: '20' }).connections, 20);
  assert.equal(makePlan({ terminals: '1000', viewers: '1' }).connections, 10);
  assert.equal(makePlan({ terminals: '101', viewers: '2' }).connections, 4);
  assert.equal(makePlan({ terminals: '0', viewers: '2' }).connections, 2);
  assert.equal(makePlan({ viewers: '0' }).connections, 1);
  assert.equal(makePlan({ connections: '3', viewers: '2' }).connections, 3);
});

test('load options - viewers of one terminal are on different connections, evenly', () => {
  const plan = { connections: 6, viewers: 3 };
  for (let terminal = 0; terminal < 20; terminal += 1) {
    const used = [0, 1, 2].map((viewer) => connectionOf(plan, terminal, viewer));
    assert.equal(new Set(used).size, 3, used.join());
  }
  const load = Array.from({ length: 6 }, () => 0);
  for (let terminal = 0; terminal < 30; terminal += 1)
    for (let viewer = 0; viewer < 3; viewer += 1) load[connectionOf(plan, terminal, viewer)]! += 1;
  assert.deepEqual(load, [15, 15, 15, 15, 15, 15]);
});

test('load options - what does not fit is refused before anything is started', () => {
  const refusals: readonly (readonly [Parameters<typeof makePlan>[0], RegExp])[] = [
    [{ terminals: '1000', viewers: '1', connections: '2' }, /Give --connections 5 or more/],
    [{ terminals: '4000', viewers: '100' }, /fewer terminals or viewers/],
    [{ terminals: '0', ssh: '0' }, /Give --terminals, --ssh/],
    [{ echo: '1', viewers: '0' }, /Give --viewers 1/],
    [{ viewers: '0', detach: '1/s' }, /--detach and --resize need viewers/],
    [{ terminals: '0', createChurn: '1/s' }, /need terminals/],
    [{ pace: 'quick' }, /--help/],
    [{ keys: '10%/s' }, /--help/],
    [{ keys: '0' }, /--help/],
    [{ exec: '10%/s' }, /--help/],
    [{ sftpUp: '2GiB' }, /--help/],
    [{ duration: '8d' }, /--help/],
  ];
  for (const [given, hint] of refusals)
    assert.throws(() => makePlan(given), { ...wrong, hint }, JSON.stringify(given));
});
