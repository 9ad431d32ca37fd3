import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { limits, type TerminalId, type ViewerId } from '../../src/shared/common/index.js';
import { encodeClientFrame } from '../../src/shared/common/wire/index.js';
import { checkLeaks } from '../support/leaks.js';
import { seededRandom } from '../support/random.js';
import { scriptedTerminals } from '../support/scripted-terminals.js';
import { openChannel, TestViewer } from '../support/terminals.js';
import { waitFor } from '../support/wait-for.js';

checkLeaks();

const { terminals, scripts } = scriptedTerminals('stty raw -echo; echo ready; exec cat');

const view = (id: string) => [`terminal:${id}:view`];
const type = (id: string) => [`terminal:${id}:type`];

async function sizeOf(id: string): Promise<string> {
  const info = (await terminals.list()).find((terminal) => terminal.id === id);
  return `${String(info?.rows)}x${String(info?.cols)}`;
}

/** Main hears of a size a little after the viewers do. */
async function hasSize(id: string, size: string): Promise<void> {
  await waitFor(async () => (await sizeOf(id)) === size, { what: `size ${size}` });
}

/** Waits until `viewer` has been told of `count` viewers in all. */
function sees(viewer: TestViewer, count: number): Promise<void> {
  return viewer.until(() => viewer.presence?.viewers === count, 10_000, `${count} viewers`);
}

test('sharing - everybody is told who is there, what they do, and who they are themselves', async () => {
  const id = 'who';
  const ann = new TestViewer(terminals, id, { subject: 'ann' });
  const bob = new TestViewer(terminals, id, { subject: 'bob', scopes: type(id), size: '30:90' });
  const eve = new TestViewer(terminals, id, { subject: 'eve', scopes: view(id), size: '5:5' });
  await Promise.all([sees(ann, 3), sees(bob, 3), sees(eve, 3)]);
  const rows = ann.presence?.names.map(({ subject, mode, rows: high, cols }) => [
    subject,
    mode,
    high,
    cols,
  ]);
  assert.deepEqual(rows, [
    ['ann', 'type', 24, 80],
    ['bob', 'type', 30, 90],
    ['eve', 'view', 5, 5],
  ]);
  assert.deepEqual(
    eve.presence?.names.map(({ subject, rows: high }) => [subject, high]),
    [
      ['ann', undefined],
      ['bob', undefined],
    ],
    'a guest sees who types, and nothing more of them',
  );
  assert.equal(new Set([ann.you, bob.you, eve.you]).size, 3);
  await ann.until(() => ann.presence?.sizeOwner === bob.you, 5_000, 'bob attached last');
  eve.control({ type: 'latency', ms: 40 });
  bob.control({ type: 'latency', ms: 10 ** 9 });
  await ann.until(
    () => ann.presence?.names[2]?.latencyMs === 40 && ann.presence.names[1]?.latencyMs === 60_000,
    5_000,
    'latencies, within limits',
  );
  bob.close();
  await sees(ann, 2);
  await ann.until(() => ann.presence?.sizeOwner === ann.you);
  for (const viewer of [ann, eve]) viewer.close();
});

test('sharing - who falls behind is told, and that it came back', async () => {
  const id = 'behind';
  scripts.set(id, `stty raw -echo; read -r x; yes 0123456789 | head -c 400000; exec cat`);
  const ann = new TestViewer(terminals, id);
  const stopped = new TestViewer(terminals, id, { acks: false, window: 1_000 });
  await sees(ann, 2);
  ann.type('\n');
  const row = () => ann.presence?.names.find(({ id: other }) => other === stopped.you);
  await ann.until(() => (row()?.behind ?? 0) > limits.RING_BYTES, 10_000, 'it is behind');
  stopped.startAcks();
  await ann.until(() => row()?.behind === 0, 10_000, 'it has caught up');
  ann.close();
  stopped.close();
});

test('sharing - control is handed over, refused visibly to others, released, and lost with its holder', async () => {
  const id = 'baton';
  const owner = new TestViewer(terminals, id, { subject: 'owner' });
  await owner.sees('ready');
  const bob = new TestViewer(terminals, id, { subject: 'bob', scopes: type(id) });
  const eve = new TestViewer(terminals, id, { subject: 'eve', scopes: view(id) });
  await Promise.all([sees(owner, 3), sees(bob, 3), sees(eve, 3)]);

  eve.control({ type: 'request-control' });
  await owner.until(() => owner.events('control-requested').length === 1);
  assert.equal(owner.events('control-requested')[0]?.subject, 'eve');
  eve.control({ type: 'request-control' });
  await eve.until(() => eve.events('refused')[0]?.code === 'ERR_RATE_LIMITED');
  owner.control({ type: 'hand-over', viewer: eve.you });
  await owner.until(() => owner.events('refused')[0]?.code === 'ERR_READ_ONLY');
  eve.control({ type: 'hand-over', viewer: eve.you });
  await eve.until(() => eve.events('refused').at(-1)?.code === 'ERR_READ_ONLY');

  owner.type('both ');
  bob.type('type ');
  await owner.sees(/both type |type both /);
  bob.control({ type: 'hand-over', viewer: bob.you });
  await owner.until(() => owner.presence?.driver === bob.you);
  assert.equal(owner.events('control-granted')[0]?.subject, 'bob');
  owner.type('lost ');
  bob.type('alone ');
  await owner.until(() => owner.events('refused').at(-1)?.code === 'ERR_NOT_DRIVER');
  assert.equal(owner.events('refused').at(-1)?.bytes, 5);
  await owner.sees('alone ');
  assert.ok(!owner.text().includes('lost'));

  // The owner decides in any case; whoever else does not drive does not.
  owner.control({ type: 'hand-over', viewer: owner.you });
  await bob.until(() => bob.presence?.driver === owner.you);
  assert.equal(bob.events('control-granted').at(-1)?.by, undefined);
  bob.control({ type: 'release-control' });
  await bob.until(() => bob.events('refused').at(-1)?.code === 'ERR_NOT_DRIVER');
  owner.control({ type: 'hand-over', viewer: bob.you });
  await owner.until(() => owner.events('control-granted').at(-1)?.by === 'owner');
  bob.close();
  await owner.until(() => owner.events('control-released').length === 1);
  await owner.until(() => owner.presence?.viewers === 2 && owner.presence.driver === undefined);
  owner.type('again');
  await owner.sees('again');
  owner.close();
  eve.close();
});

test('sharing - only an owner drops viewers, who are told, as are the others', async () => {
  const id = 'drop';
  const owner = new TestViewer(terminals, id, { subject: 'owner' });
  const bob = new TestViewer(terminals, id, { subject: 'bob', scopes: type(id) });
  const eve = new TestViewer(terminals, id, { subject: 'eve', scopes: view(id) });
  await Promise.all([sees(owner, 3), sees(bob, 3), sees(eve, 3)]);
  bob.control({ type: 'drop', viewer: eve.you });
  await bob.until(() => bob.events('refused')[0]?.code === 'ERR_FORBIDDEN');
  owner.control({ type: 'drop', viewer: eve.you });
  assert.deepEqual(await eve.ended, { kind: 'error', code: 'ERR_VIEWER_DROPPED' });
  await bob.until(() => bob.events('viewer-dropped').length === 1);
  assert.deepEqual(
    bob.events('viewer-dropped').map(({ subject, by }) => [subject, by]),
    [['eve', 'owner']],
  );
  await sees(owner, 2);
  owner.control({ type: 'drop', viewer: 999_999 as ViewerId });
  await owner.until(() => owner.events('refused')[0]?.code === 'ERR_VIEWER_NOT_FOUND');
  owner.close();
  bob.close();
});

test('sharing - the terminal has the size of who claimed it, and of the others when that one leaves', async () => {
  const id = 'mine';
  const ann = new TestViewer(terminals, id, { size: '24:80', scopes: type(id) });
  await ann.sees('ready');
  const bob = new TestViewer(terminals, id, {
    size: '40:120',
    scopes: type(id),
    settings: { sizePolicy: 'mine' },
  });
  await bob.until(() => bob.presence?.you !== undefined);
  await ann.until(() => ann.presence?.sizePolicy === 'mine' && ann.presence.sizeOwner === bob.you);
  ann.send({ type: 'resize', size: { rows: 10, cols: 10 } });
  ann.control({ type: 'claim-size' });
  await ann.until(() => ann.events('refused')[0]?.code === 'ERR_FORBIDDEN');
  await hasSize(id, '40x120');
  const eve = new TestViewer(terminals, id, {
    scopes: type(id),
    settings: { sizePolicy: 'mine' },
  });
  await eve.until(
    () => eve.events('refused')[0]?.code === 'ERR_FORBIDDEN',
    5_000,
    'after attached',
  );
  eve.close();
  bob.close();
  await ann.until(
    () => ann.presence?.sizePolicy === 'latest' && ann.presence.sizeOwner === ann.you,
  );
  await ann.until(() => {
    const last = ann.frames.findLast((frame) => frame.type === 'size');
    return last?.type === 'size' && last.size.rows === 10;
  });
  await hasSize(id, '10x10');

  ann.send({ type: 'configure', settings: { sizePolicy: 'smallest' } });
  const small = new TestViewer(terminals, id, { size: '8:200' });
  const ownerOf = () => ann.presence?.sizeOwner;
  await ann.until(() => ann.presence?.viewers === 2 && ownerOf() === undefined);
  await hasSize(id, '8x10');
  small.close();
  await ann.until(() => ownerOf() === ann.you);
  await ann.until(() => {
    const last = ann.frames.findLast((frame) => frame.type === 'size');
    return last?.type === 'size' && last.size.rows === 10;
  });
  ann.close();
});

test('sharing - fifty resizes a second from three viewers are bounded, and the last one holds', async () => {
  const id = 'storm';
  scripts.set(
    id,
    `trap 'printf W' WINCH; stty -echo; printf ready; while :; do sleep 0.02 & wait $!; done`,
  );
  const viewers = [0, 1, 2].map(() => new TestViewer(terminals, id));
  const [first] = viewers as [TestViewer];
  await first.sees('ready');
  await sees(first, 3);
  const presences = first.frames.filter((frame) => frame.type === 'presence').length;
  const start = performance.now();
  for (let step = 0; step < 75; step += 1) {
    for (const [index, viewer] of viewers.entries())
      viewer.send({ type: 'resize', size: { rows: 10 + index, cols: 20 + step } });
    await sleep(20);
  }
  viewers.at(-1)?.send({ type: 'resize', size: { rows: 33, cols: 133 } });
  const seconds = (performance.now() - start) / 1_000;
  await first.until(() => {
    const last = first.frames.findLast((frame) => frame.type === 'size');
    return last?.type === 'size' && last.size.rows === 33 && last.size.cols === 133;
  });
  await hasSize(id, '33x133');
  const sizes = first.frames.filter((frame) => frame.type === 'size').length;
  assert.ok(sizes <= seconds * 63 + 2, `${sizes} sizes in ${seconds} s`);
  const signals = [...first.text().matchAll(/W/g)].length;
  assert.ok(signals >= 1 && signals <= sizes + 2, `${signals} signals for ${sizes} sizes`);
  const told = first.frames.filter((frame) => frame.type === 'presence').length - presences;
  assert.ok(told <= seconds * 2 + 2, `${told} presences in ${seconds} s`);
  for (const viewer of viewers) viewer.close();
});

test('sharing - a hundred thousand hostile frames of read-only viewers reach nothing and harm nobody', async () => {
  const random = seededRandom();
  const id = 'a0000000-0000-4000-8000-00000000000a';
  const chosen = 'chose-to-watch';
  const owners = [id, chosen].map((name) => new TestViewer(terminals, name));
  for (const owner of owners) {
    await owner.sees('ready');
    owner.type('<');
    await owner.sees('<');
  }
  /** Any frame at all: well-formed of each type, such with bytes changed, and noise. */
  const frame = (): Uint8Array<ArrayBuffer> => {
    const size = { rows: random.int(1, 1_000), cols: random.int(1, 1_000) };
    const viewer = random.int(0, 200) as ViewerId;
    const made = random.pick([
      () => encodeClientFrame({ type: 'resize', size }),
      () => encodeClientFrame({ type: 'resize', size }),
      () =>
        encodeClientFrame({ type: 'ack', offset: random.int(0, 9), window: random.int(0, 999) }),
      () => encodeClientFrame({ type: 'control', control: { type: 'claim-size' } }),
      () => encodeClientFrame({ type: 'control', control: { type: 'release-size' } }),
      () => encodeClientFrame({ type: 'control', control: { type: 'release-control' } }),
      () => encodeClientFrame({ type: 'control', control: { type: 'hand-over', viewer } }),
      () => encodeClientFrame({ type: 'control', control: { type: 'drop', viewer } }),
      () => encodeClientFrame({ type: 'control', control: { type: 'request-control' } }),
      () =>
        encodeClientFrame({
          type: 'control',
          control: { type: 'latency', ms: random.int(0, 10 ** 9), probe: random.int(0, 9) },
        }),
    ])();
    const kind = random.next();
    if (kind < 0.96) return made;
    if (kind < 0.975) {
      const at = random.int(0, made.length - 1);
      made[at] = random.int(0, 255);
      return made;
    }
    if (kind < 0.99)
      return encodeClientFrame({ type: 'input', seq: random.int(0, 3), bytes: random.bytes(5) });
    if (kind < 0.995)
      return encodeClientFrame({
        type: 'configure',
        settings: { sizePolicy: 'mine', pace: 'slowest' },
      });
    return random.bytes(random.int(0, 40));
  };
  const FRAMES = 100_000;
  let sent = 0;
  let rounds = 0;
  while (sent < FRAMES) {
    rounds += 1;
    const guests = [
      new TestViewer(terminals, id, { scopes: view(id), subject: 'guest' }),
      new TestViewer(terminals, chosen, { wantsType: false, scopes: type(chosen) }),
    ];
    const original = openChannel(terminals, id, { protocol: 'reconnecting-pty', scopes: view(id) });
    original.start({
      message: (bytes) => {
        original.consumed(bytes.length);
      },
      credit: () => undefined,
      end: () => undefined,
    });
    for (let count = 0; count < 60 && sent < FRAMES; count += 1) {
      for (const guest of guests) {
        guest.channel.send(frame());
        sent += 1;
      }
      original.send(new TextEncoder().encode('{"data":"x","height":9,"width":9}'));
      sent += 1;
    }
    // Whoever broke the rules has been ended; the others end here.
    await Promise.all(
      guests.map(async (guest) => {
        await guest.attached.catch(() => undefined);
        guest.close();
        await guest.ended;
      }),
    );
    original.close();
  }
  console.log(`# ${sent} hostile frames of ${rounds * 3} viewers`);
  for (const [index, owner] of owners.entries()) {
    owner.type('>');
    await owner.sees('>');
    assert.match(owner.text(), /ready\r?\n<>$/, 'not a byte of theirs was typed');
    const name = [id, chosen][index] ?? '';
    assert.equal(await sizeOf(name), '24x80');
    await sees(owner, 1);
    assert.deepEqual(
      owner.presence?.names.map(({ subject }) => subject),
      ['tester'],
    );
    assert.equal(owner.presence?.driver, undefined);
    assert.equal(owner.presence?.pace, 'fastest');
    assert.equal(owner.presence?.sizePolicy, 'latest');
    assert.deepEqual(owner.gaps, []);
    owner.close();
  }
});

test('sharing - a viewer that takes nothing is told who is there when it takes something again', async () => {
  const id = 'deaf';
  const owner = new TestViewer(terminals, id);
  await owner.sees('ready');
  // Its credit is small, and it gives none back until it listens.
  const deaf = new TestViewer(terminals, id, { subject: 'deaf', acks: false });
  await sees(deaf, 2);
  for (let round = 0; round < 30; round += 1) {
    const guest = new TestViewer(terminals, id, { scopes: view(id), subject: 'x'.repeat(150) });
    await sees(owner, 3);
    guest.close();
    await sees(owner, 2);
  }
  await sees(deaf, 2);
  owner.close();
  deaf.close();
});

test('sharing - the agent lists viewers and drops them by request', async () => {
  const id = 'asked';
  const ann = new TestViewer(terminals, id, { subject: 'ann' });
  const eve = new TestViewer(terminals, id, { subject: 'eve', scopes: view(id) });
  await Promise.all([sees(ann, 2), sees(eve, 2)]);
  const named = id as TerminalId;
  const all = await terminals.viewers(named, true);
  assert.deepEqual(
    all.names.map(({ subject, mode }) => [subject, mode]),
    [
      ['ann', 'type'],
      ['eve', 'view'],
    ],
  );
  const some = await terminals.viewers(named, false);
  assert.deepEqual([some.viewers, some.names.map(({ subject }) => subject)], [2, ['ann']]);
  await assert.rejects(terminals.dropViewer(named, 999_999 as ViewerId, 'ann'), {
    code: 'ERR_VIEWER_NOT_FOUND',
  });
  await terminals.dropViewer(named, eve.you, 'ann');
  assert.deepEqual(await eve.ended, { kind: 'error', code: 'ERR_VIEWER_DROPPED' });
  await assert.rejects(terminals.viewers('nowhere' as TerminalId, true), {
    code: 'ERR_TERMINAL_NOT_FOUND',
  });
  ann.close();
});
