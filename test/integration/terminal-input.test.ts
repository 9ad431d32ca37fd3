import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { limits } from '../../src/shared/common/index.js';
import { checkLeaks } from '../support/leaks.js';
import { tempDir } from '../support/temp-dir.js';
import { scriptedTerminals } from '../support/scripted-terminals.js';
import { TestViewer } from '../support/terminals.js';
import { waitFor } from '../support/wait-for.js';

checkLeaks();

const { terminals, scripts } = scriptedTerminals('stty raw -echo; echo ready; exec cat');

const newClientId = (): Uint8Array => crypto.getRandomValues(new Uint8Array(16));

/** Input bytes that the kernel has, as `viewer` was told last. */
function acknowledged(viewer: TestViewer): number {
  const acks = viewer.frames.flatMap((frame) => (frame.type === 'inputAck' ? [frame.seq] : []));
  return acks.at(-1) ?? 0;
}

test('input - what was typed is taken once, also when it is sent again after a drop', async () => {
  const id = 'once';
  scripts.set(id, 'stty raw -echo; echo ready; exec cat');
  const clientId = newClientId();
  const first = new TestViewer(terminals, id, { clientId });
  await first.sees('ready');
  first.type('abcdef');
  await first.sees('abcdef');
  first.close();
  const second = new TestViewer(terminals, id, { clientId });
  assert.equal((await second.attached).inputSeq, 6);
  second.send({ type: 'input', seq: 3, bytes: Buffer.from('defghi') });
  await second.sees(/ghi/);
  await sleep(50);
  assert.match(second.text(), /abcdefghi$/);
  second.close();
});

/** Does not divide what the kernel takes, so that a piece is cut. */
const TYPED_BYTES = 1_000;

/**
 * A program that reads nothing until it may, and a client that has typed into it more than the kernel takes: the agent
 * has the rest of it. Pieces of the input differ, so that one typed twice or left out shows.
 */
async function typeTooMuch(id: string): Promise<{
  readonly clientId: Uint8Array;
  readonly first: TestViewer;
  readonly input: Buffer;
  readonly typed: () => Promise<Buffer>;
}> {
  const folder = tempDir();
  const [go, got] = [path.join(folder, 'go'), path.join(folder, 'got')];
  scripts.set(
    id,
    `stty raw -echo; echo ready; while [ ! -e ${go} ]; do sleep 0.05; done; exec cat >${got}`,
  );
  const clientId = newClientId();
  const first = new TestViewer(terminals, id, { clientId });
  await first.sees('ready');
  const lines = Array.from({ length: 40_000 }, (_, line) => `${String(line).padStart(9, '0')}\n`);
  const all = Buffer.from(lines.join(''));
  let sent = 0;
  for (let idle = 0; idle < 20; idle += 1) {
    const end = acknowledged(first) + limits.PTY_INPUT_BYTES;
    if (end > sent) idle = 0;
    for (; sent < end; sent += TYPED_BYTES) {
      first.type(all.toString('latin1', sent, Math.min(end, sent + TYPED_BYTES)));
    }
    sent = end;
    await sleep(20);
  }
  assert.ok(sent < all.length, 'the kernel takes it all: nothing is shown');
  const input = all.subarray(0, sent);
  const typed = async (): Promise<Buffer> => {
    writeFileSync(go, '');
    await waitFor(() => existsSync(got) && statSync(got).size >= input.length, {
      what: 'all input to arrive',
    });
    // Whatever is typed twice comes after it.
    await sleep(300);
    return readFileSync(got);
  };
  return { clientId, first, input, typed };
}

for (const was of ['closed', 'not heard of'] as const) {
  test(`input - what waits for the program is typed once when its client comes again, the old channel ${was} (it was typed twice)`, async () => {
    const id = `waits-${was.replaceAll(' ', '-')}`;
    const { clientId, first, input, typed } = await typeTooMuch(id);
    if (was === 'closed') first.close();
    const second = new TestViewer(terminals, id, { clientId });
    const { inputSeq, inputWindow } = await second.attached;
    assert.ok(inputSeq < input.length && inputSeq >= acknowledged(first));
    // The last words of a channel that the client has given up arrive late.
    if (was === 'not heard of') first.type('late');
    assert.equal(inputWindow, limits.PTY_INPUT_BYTES);
    second.type(input.toString('latin1', inputSeq));
    assert.ok((await typed()).equals(input));
    assert.equal(acknowledged(second), input.length);
    if (was === 'not heard of') await first.ended;
    second.close();
  });
}

test('input - the id of a client is worth nothing to another subject (it ended the viewer and took its input back)', async () => {
  const { clientId, first, input, typed } = await typeTooMuch('stolen');
  const thief = new TestViewer(terminals, 'stolen', {
    clientId,
    subject: 'another',
    wantsType: false,
  });
  assert.equal((await thief.attached).inputSeq, 0);
  thief.close();
  assert.ok((await typed()).equals(input));
  await waitFor(() => acknowledged(first) === input.length, { what: 'the last acknowledgement' });
  first.close();
});

test('input - of one that is only away, what waits is typed all the same', async () => {
  const { first, input, typed } = await typeTooMuch('away');
  first.close();
  assert.ok((await typed()).equals(input));
});

test('input - who types among many keeps the whole window (after 32 others it was ERR_INPUT_OVERRUN)', async () => {
  const id = 'many';
  const clientId = newClientId();
  const first = new TestViewer(terminals, id, { clientId });
  const total = limits.PTY_INPUT_BYTES + limits.KIB;
  await first.sees('ready');
  for (let typed = 0; typed < total; typed += limits.KIB) {
    first.type('x'.repeat(limits.KIB));
    await first.until(() => acknowledged(first) === typed + limits.KIB);
  }
  const others = Array.from({ length: 40 }, () => new TestViewer(terminals, id));
  await Promise.all(others.map((other) => other.attached));
  const looker = new TestViewer(terminals, id, { clientId });
  assert.equal(
    (await looker.attached).inputSeq,
    total,
    'who only looks takes no place in the ledger',
  );
  for (const other of others) {
    other.type('y');
    await other.until(() => acknowledged(other) === 1);
  }
  looker.type('end of it');
  await looker.sees('end of it');
  assert.equal(acknowledged(looker), total + 'end of it'.length);
  for (const viewer of [looker, ...others]) viewer.close();
});
