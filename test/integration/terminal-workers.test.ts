import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sealInheritedDescriptors } from '../../src/main/agent/process/index.js';
import type { TerminalRegistry } from '../../src/main/agent/terminals/index.js';
import { systemClock, type Epoch, type TerminalId } from '../../src/shared/common/index.js';
import {
  createTerminalClient,
  type TerminalClientState,
} from '../../src/shared/common/terminal-client/index.js';
import { ChannelDuplex, DEATH_KINDS } from '../../src/shared/node/ports/index.js';
import { checkLeaks } from '../support/leaks.js';
import { waitFor } from '../support/wait-for.js';
import { comeBack, createTerminals, openChannel, shell, TestViewer } from '../support/terminals.js';

checkLeaks();
sealInheritedDescriptors();

const LINE_BYTES = 20;
/** For ever, 20 bytes a line, so that each byte tells where in the log it lies. */
const COUNTING = `stty raw -echo; awk 'BEGIN { for (i = 0; ; i++) printf "%018d\\r\\n", i }'`;

let terminals: TerminalRegistry;
const scripts = new Map<string, string>();
// Anew for each test: while a dead worker is being replaced, everything lands on the other one.
beforeEach(() => {
  terminals = createTerminals((id) => scripts.get(id) ?? COUNTING, {
    faults: true,
    // A stalled worker is found within a second instead of thirty.
    beatMs: 500,
  });
});
afterEach(() => terminals.close());

/** The log's own bytes from `offset`. */
function expected(offset: number, length: number): string {
  const first = Math.floor(offset / LINE_BYTES);
  const last = Math.ceil((offset + length) / LINE_BYTES);
  let text = '';
  for (let line = first; line < last; line += 1) text += `${String(line).padStart(18, '0')}\r\n`;
  const from = offset - first * LINE_BYTES;
  return text.slice(from, from + length);
}

for (const kind of DEATH_KINDS) {
  test(`worker death by ${kind} - shells live on, viewers come back by themselves, nothing is lost unsaid`, async () => {
    const id = `flood-${kind}` as TerminalId;
    const gaps: { from: number; to: number }[] = [];
    const states: TerminalClientState['type'][] = [];
    let next = 0;
    const wrong: string[] = [];
    const client = createTerminalClient({
      id,
      openChannel: () => openChannel(terminals, id),
      size: { rows: 24, cols: 80 },
      wantsType: true,
      clientId: crypto.getRandomValues(new Uint8Array(16)),
      clock: systemClock,
      handlers: {
        output: (bytes, { offset }) => {
          const text = Buffer.from(bytes).toString('latin1');
          const wanted = expected(offset, bytes.length);
          if (offset !== next || text !== wanted) {
            wrong.push(
              `at ${String(offset)} instead of ${String(next)}: ${JSON.stringify(text.slice(0, 60))} instead of ${JSON.stringify(wanted.slice(0, 60))}`,
            );
          }
          next = offset + bytes.length;
          client.processed(bytes.length);
        },
        snapshot: (bytes) => {
          client.processed(bytes.length);
        },
        gap: (from, to) => {
          gaps.push({ from, to });
          next = to;
        },
        restarted: () => {
          wrong.push('restarted');
        },
        state: ({ type }) => states.push(type),
      },
    });
    client.start();
    // One terminal on each worker: the other one must notice nothing.
    const quiet = `quiet-${kind}` as TerminalId;
    scripts.set(quiet, 'stty raw -echo; echo ready; exec cat');
    const other = new TestViewer(terminals, quiet);
    await other.sees('ready');
    while (next < 500_000) await sleep(10);
    terminals.injectFault(id, kind);
    while (!states.includes('reconnecting')) await sleep(10);
    while (states.at(-1) !== 'attached') await sleep(10);
    const resumedAt = next;
    while (next < resumedAt + 500_000) await sleep(10);
    assert.deepEqual(
      wrong.slice(0, 2),
      [],
      `every byte is the log's at its offset; ${String(wrong.length)} pieces are not, gaps ${JSON.stringify(gaps)}, resumed at ${String(resumedAt)}`,
    );
    assert.equal(states.filter((state) => state === 'attached').length, 2);
    other.type('still here');
    await other.sees('still here');
    await client.close();
    other.close();
    await Promise.all([terminals.kill(id), terminals.kill(quiet)]);
    console.log(`${kind}: ${String(gaps.length)} gaps`);
  });
}

test('worker death - an SSH session notices only a pause: no byte lost, none twice, both ways', async () => {
  const session = await terminals.openSession({
    ...shell('stty raw -echo; exec cat'),
    size: { rows: 24, cols: 80 },
  });
  const stream = new ChannelDuplex(session.channel, { maxQueuedBytes: 1 << 22 });
  let received = '';
  stream.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  await sleep(300);
  let sent = '';
  const killAll = ['a', 'b', 'c', 'd'].map((name) => `neighbour-${name}` as TerminalId);
  // With least-busy placement some of these share a worker with the session.
  for (const id of killAll) {
    scripts.set(id, 'exec sleep 60');
    await new TestViewer(terminals, id).attached;
  }
  for (let line = 0; line < 400; line += 1) {
    const text = `line ${String(line).padStart(6, '0')}\n`;
    sent += text;
    if (!stream.write(text)) await sleep(5);
    if (line === 100) terminals.injectFault(killAll[0] as TerminalId, 'exit');
    if (line === 250) terminals.injectFault(killAll[1] as TerminalId, 'throw');
    await sleep(2);
  }
  while (received.length < sent.length) await sleep(10);
  await sleep(100);
  assert.equal(received, sent);
  await session.close();
  await Promise.all(killAll.map((id) => terminals.kill(id)));
});

test('worker death - sizes, the epoch and the replay outlive the worker', async () => {
  const id = 'keeps' as TerminalId;
  scripts.set(id, 'echo first; exec cat');
  const viewer = new TestViewer(terminals, id);
  await viewer.sees('first');
  viewer.send({ type: 'resize', size: { rows: 33, cols: 99 } });
  await viewer.until(() => viewer.frames.some((frame) => frame.type === 'size'));
  const { epoch } = await viewer.attached;
  terminals.injectFault(id, 'exit');
  await viewer.ended;
  const again = await comeBack(terminals, id, {
    epoch: '0'.repeat(16) as Epoch,
    wantsType: false,
  });
  const attached = await again.attached;
  assert.equal(attached.epoch, epoch);
  await again.sees('first');
  again.close();
  await terminals.kill(id);
});

test('worker death - who comes between two workers waits for the next one, and may leave meanwhile', async () => {
  const id = 'between' as TerminalId;
  scripts.set(id, 'echo first; exec cat');
  const viewer = new TestViewer(terminals, id);
  await viewer.sees('first');
  const { epoch } = await viewer.attached;
  const states: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    terminals.injectFault(id, 'exit');
    const comers: TestViewer[] = [];
    // Some reach the worker that dies, some the one after it.
    for (let at = 0; at < 30; at += 1) {
      const comer = new TestViewer(terminals, id, { epoch });
      comers.push(comer);
      if (at % 3 === 0) comer.close();
      await sleep(1);
    }
    const stay = comers.filter((_, at) => at % 3 !== 0);
    const seen = stay.map((comer) =>
      comer.attached.then(
        () => 'in',
        () => 'out',
      ),
    );
    states.push(...(await Promise.all(seen)));
    for (const comer of stay) comer.close();
    const last = await comeBack(terminals, id, { epoch });
    await waitFor(async () => (await terminals.viewers(id, true)).viewers === 1);
    last.close();
  }
  assert.ok(states.includes('in'), states.join());
  await terminals.kill(id);
});

test('worker death - after six deaths in a minute nothing new is started, and what lives goes on', async () => {
  const frail = createTerminals(() => 'echo up; exec cat', { faults: true, workers: 2 });
  const survivor = await frail.openSession({ ...shell('exec cat'), size: { rows: 2, cols: 2 } });
  for (let death = 0; death < 6; death += 1) {
    const viewer = new TestViewer(frail, `v${String(death)}`);
    await viewer.attached;
    frail.injectFault(`v${String(death)}` as TerminalId, 'exit');
    await viewer.ended;
    await sleep(300);
  }
  assert.equal(frail.degraded, true);
  assert.deepEqual(await new TestViewer(frail, 'new').ended, {
    kind: 'error',
    code: 'ERR_DEGRADED',
  });
  const back = new TestViewer(frail, 'v5');
  await back.attached;
  back.close();
  await survivor.close();
  await frail.close();
});
