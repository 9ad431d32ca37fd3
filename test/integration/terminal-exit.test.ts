import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sealInheritedDescriptors } from '../../src/main/agent/process/index.js';
import { ChannelDuplex } from '../../src/shared/node/ports/index.js';
import { checkLeaks } from '../support/leaks.js';
import { seededRandom } from '../support/random.js';
import { scriptedTerminals } from '../support/scripted-terminals.js';
import { shell, TestViewer } from '../support/terminals.js';

checkLeaks();
sealInheritedDescriptors();

const { terminals, scripts } = scriptedTerminals('exit 99');

let last = 0;
function run(script: string): string {
  last += 1;
  const id = `t${String(last)}`;
  scripts.set(id, script);
  return id;
}

const printing = (bytes: number): string => `head -c ${String(bytes)} /dev/zero | tr "\\0" a`;

test('exit - a terminal that prints N bytes and ends loses none of them (node-pty #72, #85, #726)', async () => {
  const random = seededRandom();
  for (let round = 0; round < 60; round += 1) {
    const bytes =
      round < 5
        ? [1, 4095, 4096, 4097, 20_480][round]!
        : random.int(1, round % 10 === 0 ? 3_000_000 : 200_000);
    const viewer = new TestViewer(terminals, run(printing(bytes)), {
      settings: { pace: 'slowest' },
    });
    assert.deepEqual(await viewer.ended, { kind: 'status', status: 0 });
    assert.deepEqual(viewer.gaps, []);
    assert.equal(viewer.totalBytes, bytes, `round ${String(round)}`);
    assert.equal(viewer.bytes().length, bytes, `round ${String(round)}`);
  }
});

test('exit - a reader that was paused when the process ended still gets everything', async () => {
  const viewer = new TestViewer(terminals, run(`${printing(300_000)}; exit 3`), {
    acks: false,
    window: 10_000,
    settings: { pace: 'slowest' },
  });
  await viewer.until(() => viewer.bytes().length === 10_000);
  await sleep(500);
  assert.equal(viewer.bytes().length, 10_000);
  viewer.startAcks();
  assert.deepEqual(await viewer.ended, { kind: 'status', status: 3 });
  assert.equal(viewer.bytes().length, 300_000);
});

test('exit - an SSH session gets all bytes before it ends, also through a stream that pauses', async () => {
  const random = seededRandom();
  for (let round = 0; round < 20; round += 1) {
    const bytes = random.int(1, 500_000);
    const session = await terminals.openSession({
      ...shell(`${printing(bytes)}; exit 5`),
      size: { rows: 24, cols: 80 },
    });
    const stream = new ChannelDuplex(session.channel, { maxQueuedBytes: 1 << 20 });
    if (round % 2 === 1) await sleep(300);
    let received = 0;
    for await (const chunk of stream) received += (chunk as Buffer).length;
    assert.equal(received, bytes);
    assert.deepEqual(await session.exited, { kind: 'status', status: 5 });
    await session.close();
  }
});

test('exit - a background job that holds the terminal open does not hold the end back', async () => {
  for (const prefix of ['', 'trap "" HUP; ']) {
    const begun = performance.now();
    const viewer = new TestViewer(terminals, run(`${prefix}sleep 5 & echo hi`));
    assert.deepEqual(await viewer.ended, { kind: 'status', status: 0 });
    assert.equal(viewer.text(), 'hi\r\n');
    assert.ok(performance.now() - begun < 4_000, 'ended before the job did');
  }
});

test('exit - statuses and signals are exact', async () => {
  for (const status of [0, 1, 44, 127, 128, 255]) {
    assert.deepEqual(await new TestViewer(terminals, run(`exit ${String(status)}`)).ended, {
      kind: 'status',
      status,
    });
  }
  for (const signal of ['TERM', 'KILL', 'ABRT', 'USR1']) {
    const viewer = new TestViewer(terminals, run(`kill -${signal} $$`));
    assert.deepEqual(await viewer.ended, { kind: 'signal', signal: `SIG${signal}` });
  }
});

test('exit - a program that closes its terminal and goes on is still waited for', async () => {
  const viewer = new TestViewer(
    terminals,
    run('echo before; exec <&- >&- 2>&-; sleep 0.5; echo after > /dev/tty; exit 4'),
  );
  assert.deepEqual(await viewer.ended, { kind: 'status', status: 4 });
  assert.match(viewer.text(), /^before\r\n(after\r\n)?$/);
});

test('exit - a child sees no other terminal: no ptmx, only 0, 1 and 2', async () => {
  const other = new TestViewer(terminals, run('sleep 30'));
  await other.attached;
  const viewer = new TestViewer(terminals, run('ls -l /proc/$$/fd; true'));
  await viewer.ended;
  assert.doesNotMatch(viewer.text(), /ptmx/);
  const fds = [...viewer.text().matchAll(/ (\d+) -> /g)].map(([, fd]) => Number(fd));
  assert.deepEqual(fds.sort(), [0, 1, 2]);
  other.close();
});
