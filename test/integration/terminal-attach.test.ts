import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { limits, type TerminalId } from '../../src/shared/common/index.js';
import { checkLeaks } from '../support/leaks.js';
import { seededRandom } from '../support/random.js';
import { scriptedTerminals } from '../support/scripted-terminals.js';
import { createTerminals, openChannel, TestViewer } from '../support/terminals.js';

checkLeaks();

const { terminals, scripts } = scriptedTerminals('exec cat');

/** Numbered lines of 20 bytes each, so that any piece of output tells where in the log it lies. */
const LINE_BYTES = 20;
function numbered(lines: number): string {
  return `stty raw -echo; awk 'BEGIN { for (i = 0; i < ${String(lines)}; i++) printf "%018d\\r\\n", i }'`;
}

/** Fails unless each byte that `viewer` got is the log's byte at its stated offset. */
function assertTrue(viewer: TestViewer): void {
  let expected = viewer.pieces[0]?.offset ?? 0;
  const gaps = new Map(viewer.gaps.map(({ from, to }) => [from, to]));
  for (const { offset, bytes } of viewer.pieces) {
    while (gaps.has(expected) && expected < offset) expected = gaps.get(expected) ?? expected;
    assert.equal(offset, expected, 'pieces join, but for the stated gaps');
    const first = Math.floor(offset / LINE_BYTES);
    const count = Math.ceil((offset + bytes.length) / LINE_BYTES) - first;
    let text = '';
    for (let line = first; line < first + count; line += 1)
      text += `${String(line).padStart(18, '0')}\r\n`;
    const from = offset - first * LINE_BYTES;
    assert.equal(
      Buffer.from(bytes).toString('latin1'),
      text.slice(from, from + bytes.length),
      "every byte is the log's at its offset",
    );
    expected = offset + bytes.length;
  }
}

test('attach - fifty clients that attach one new id at once get one PTY (#7998)', async () => {
  for (let round = 0; round < 4; round += 1) {
    const id = `same-${String(round)}`;
    scripts.set(id, 'echo pid=$$; exec cat');
    const viewers = Array.from({ length: 50 }, () => new TestViewer(terminals, id));
    const attached = await Promise.all(viewers.map((viewer) => viewer.attached));
    assert.equal(new Set(attached.map(({ epoch }) => epoch)).size, 1);
    assert.equal(attached.filter(({ created }) => created).length, 1);
    await Promise.all(viewers.map((viewer) => viewer.sees(/pid=\d+\r\n/)));
    assert.equal(new Set(viewers.map((viewer) => viewer.text())).size, 1);
    await terminals.kill(id as TerminalId);
    await Promise.all(viewers.map((viewer) => viewer.ended));
  }
});

test('attach - all that wait for a terminal that cannot start are told why', async () => {
  const failing = createTerminals(() => '', {
    prepareShell: async () => {
      await sleep(20);
      throw Object.assign(new Error('no shell'), { code: 'ERR_SHELL_NOT_FOUND' });
    },
  });
  const viewers = [1, 2, 3].map(() => new TestViewer(failing, 'x'));
  for (const viewer of viewers) assert.equal((await viewer.ended).kind, 'error');
  await failing.close();
});

for (const pace of ['fastest', 'slowest', 'free'] as const) {
  test(`attach - during a flood each byte equals the log at its stated offset (pace ${pace})`, async () => {
    const random = seededRandom();
    const id = `flood-${pace}`;
    scripts.set(id, numbered(1e9));
    const keeper = new TestViewer(terminals, id, { settings: { pace } });
    await keeper.attached;
    const viewers: TestViewer[] = [];
    for (let count = 0; count < 340; count += 1) {
      const viewer = new TestViewer(terminals, id, { acks: count % 10 !== 0 });
      viewers.push(viewer);
      await sleep(random.int(0, 4));
      if (count % 3 === 0) viewers[random.int(0, viewers.length - 1)]?.close();
      if (count % 10 === 0) viewer.startAcks();
    }
    await terminals.kill(id as TerminalId);
    assert.deepEqual(await keeper.ended, { kind: 'signal', signal: 'SIGHUP' });
    for (const viewer of viewers) {
      await viewer.ended;
      assertTrue(viewer);
    }
    assertTrue(keeper);
    assert.equal(keeper.totalBytes, keeper.next);
    if (pace === 'slowest') {
      for (const viewer of [keeper, ...viewers]) assert.deepEqual(viewer.gaps, [], 'no gaps');
    }
  });
}

test('attach - a viewer that comes back with an offset gets exactly the rest', async () => {
  const id = 'resume';
  scripts.set(id, `${numbered(1_000)}; sleep 0.2; ${numbered(1_000)}; exec cat`);
  const first = new TestViewer(terminals, id);
  const { epoch } = await first.attached;
  await first.until(() => first.bytes().length >= 500 * LINE_BYTES);
  first.close();
  const have = first.next;
  const second = new TestViewer(terminals, id, { epoch, offset: have });
  const attached = await second.attached;
  assert.equal(attached.offset, have);
  await second.until(() => second.next === 2_000 * LINE_BYTES);
  // What was on its way to the first when it left may still arrive there, so its own count proves nothing.
  assert.equal(have + second.bytes().length, 2_000 * LINE_BYTES);
  const stranger = new TestViewer(terminals, id, { epoch: '0123456789abcdef' as never, offset: 5 });
  assert.notEqual((await stranger.attached).offset, 5, 'an offset of another epoch means nothing');
  second.close();
  stranger.close();
});

test('attach - for whoever starts a terminal nothing is replay; for who comes later, what was before is', async () => {
  const id = 'asking';
  scripts.set(id, "printf '\\033[c'; echo asked; exec cat");
  const starter = new TestViewer(terminals, id);
  await starter.sees('asked');
  assert.ok(
    starter.pieces.every(({ replay }) => !replay),
    'its shell waits for an answer',
  );
  const guest = new TestViewer(terminals, id);
  await guest.sees('asked');
  assert.ok(guest.pieces.every(({ replay }) => replay));
  starter.type('live\r');
  await guest.sees('live');
  assert.equal(guest.pieces.at(-1)?.replay, false);
  starter.close();
  guest.close();
});

test('attach - one viewer that stops reading slows down nobody (seed: Write under the mutex)', async () => {
  const id = 'stopped';
  scripts.set(id, numbered(200_000));
  const stopped = new TestViewer(terminals, id, { acks: false });
  const fast = new TestViewer(terminals, id);
  assert.deepEqual(await fast.ended, { kind: 'status', status: 0 });
  assertTrue(fast);
  assert.deepEqual(fast.gaps, []);
  assert.equal(
    stopped.bytes().length,
    limits.FLIGHT_START_BYTES,
    'it was sent so much and no more',
  );
  stopped.startAcks();
  await stopped.ended;
  assertTrue(stopped);
  assert.equal(stopped.gaps.length, 1);
});

test('attach - a viewer that stops reading gets no more than its window, also when it falls out of the ring', async () => {
  const id = 'behind';
  scripts.set(id, numbered(1_000_000));
  const window = 48 * 1024;
  const stopped = new TestViewer(terminals, id, { acks: false, window, takesEveryMs: 100 });
  const fast = new TestViewer(terminals, id);
  assert.deepEqual(await fast.ended, { kind: 'status', status: 0 });
  await stopped.until(() => stopped.bytes().length >= window);
  await sleep(200);
  assert.equal(stopped.bytes().length, window);
  stopped.startAcks();
  await stopped.ended;
  assert.ok(stopped.gaps.length > 0, `${String(stopped.gaps.length)} gaps`);
  assertTrue(stopped);
});

test('attach - when the only viewer is stopped the program goes on after five seconds', async () => {
  const id = 'only';
  scripts.set(id, `${numbered(100_000)}; echo done > /dev/null; exit 6`);
  const viewer = new TestViewer(terminals, id, { acks: false });
  await viewer.attached;
  await viewer.until(() => viewer.bytes().length === limits.FLIGHT_START_BYTES);
  const isRunning = async (): Promise<boolean> =>
    (await terminals.list()).some((info) => info.id === id && info.state !== 'exited');
  while (await isRunning()) await sleep(100);
  viewer.startAcks();
  assert.deepEqual(await viewer.ended, { kind: 'status', status: 6 });
  assertTrue(viewer);
});

test('attach - a read-only viewer sees and cannot type, resize or start', async () => {
  const id = 'guarded';
  scripts.set(id, 'stty raw -echo; echo ready; exec cat');
  const nobody = new TestViewer(terminals, id, { scopes: [`terminal:${id}:view`] });
  assert.deepEqual(await nobody.ended, { kind: 'error', code: 'ERR_TERMINAL_NOT_FOUND' });
  const owner = new TestViewer(terminals, id);
  await owner.sees('ready');
  const guest = new TestViewer(terminals, id, { scopes: [`terminal:${id}:view`] });
  assert.equal((await guest.attached).mayType, false);
  guest.send({ type: 'resize', size: { rows: 5, cols: 5 } });
  guest.type('rm -rf');
  assert.deepEqual(await guest.ended, { kind: 'error', code: 'ERR_READ_ONLY' });
  const other = new TestViewer(terminals, 'another', { scopes: [`terminal:${id}:type`] });
  assert.deepEqual(await other.ended, { kind: 'error', code: 'ERR_FORBIDDEN' });
  owner.type('x');
  await owner.sees(/ready\r?\nx$/);
  assert.deepEqual(
    (await terminals.list()).filter((info) => info.id === id).map(({ rows, cols }) => [rows, cols]),
    [[24, 80]],
  );
  owner.close();
});

test('attach - bad labels and frames are refused with a code, and nothing else happens', async () => {
  for (const size of [
    '0:80',
    '-1:80',
    '24:1000000000',
    '24:x',
    '24',
    '24:80:',
    ' 24:80',
    '٢٤:80',
  ]) {
    const viewer = new TestViewer(terminals, 'bad', { size });
    assert.deepEqual(await viewer.ended, { kind: 'error', code: 'ERR_CHANNEL_LABEL' }, size);
  }
  const id = 'frames';
  for (const bytes of [[], [0], [0x99, 1], [1, 1], [0x82], [3, 0, 0, 0, 80]]) {
    const viewer = new TestViewer(terminals, id);
    await viewer.attached;
    viewer.channel.send(Uint8Array.from(bytes));
    assert.deepEqual(await viewer.ended, { kind: 'error', code: 'ERR_FRAME' });
  }
  const old = openChannel(terminals, id);
  old.close();
});
