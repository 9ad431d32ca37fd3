import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sealInheritedDescriptors } from '../../src/main/agent/process/index.js';
import { deferred, limits, type TerminalId } from '../../src/shared/common/index.js';
import { checkLeaks } from '../support/leaks.js';
import { scriptedTerminals } from '../support/scripted-terminals.js';
import { openChannel, TestViewer } from '../support/terminals.js';
import { waitFor } from '../support/wait-for.js';

checkLeaks();
sealInheritedDescriptors();

const IDLE_MS = 400;
const ID = '3f2b8c1e-0000-4000-8000-00000000000';

const { terminals, scripts } = scriptedTerminals('stty -echo; exec cat', {
  idleMs: { terminal: 60_000, reconnectingPty: IDLE_MS },
});

/** A client that speaks nothing but the original protocol. */
class OriginalClient {
  readonly ended = deferred<void>();
  text = '';
  isOpen = true;
  readonly #channel;

  constructor(id: string, size = '24:80') {
    this.#channel = openChannel(terminals, id, { protocol: 'reconnecting-pty', size });
    this.#channel.start({
      message: (bytes) => {
        this.text += Buffer.from(bytes).toString('latin1');
        this.#channel.consumed(bytes.byteLength);
      },
      credit: () => undefined,
      end: () => {
        this.isOpen = false;
        this.ended.resolve();
      },
    });
  }

  send(text: string): void {
    this.#channel.send(Uint8Array.from(Buffer.from(text)));
  }

  type(data: string, size: { height?: number; width?: number } = {}): void {
    this.send(JSON.stringify({ data, height: 0, width: 0, ...size }));
  }

  sees(text: string): Promise<true> {
    return waitFor(() => this.text.includes(text), { what: text });
  }

  close(): void {
    this.#channel.close();
  }
}

const size = async (id: string): Promise<string | undefined> => {
  const info = (await terminals.list()).find((row) => row.id === id && row.state !== 'exited');
  return info && `${String(info.rows)}x${String(info.cols)}`;
};

test('reconnecting-pty - two clients share one terminal; both leave, a third sees what was there', async () => {
  const id = `${ID}1`;
  const first = new OriginalClient(id);
  const second = new OriginalClient(id.toUpperCase());
  first.type('héllo\r');
  await Promise.all([first.sees('h\xc3\xa9llo'), second.sees('h\xc3\xa9llo')]);
  first.close();
  second.close();
  await Promise.all([first.ended.promise, second.ended.promise]);
  const third = new OriginalClient(`urn:uuid:${id}`);
  await third.sees('h\xc3\xa9llo');
  third.type('again\r');
  await third.sees('again');
  third.close();
});

test('reconnecting-pty - the size of the label holds before the replay, later sizes only where both are given', async () => {
  const id = `${ID}2`;
  const client = new OriginalClient(id, '30:100');
  await waitFor(async () => (await size(id)) === '30x100');
  client.type('', { height: 40, width: 0 });
  client.type('x\r', { height: 41, width: 120 });
  await waitFor(async () => (await size(id)) === '41x120');
  // Every later key press re-applied the size in the original (#10369).
  const other = new OriginalClient(id, '20:60');
  await waitFor(async () => (await size(id)) === '20x60');
  client.type('y\r');
  await client.sees('y');
  assert.equal(await size(id), '20x60');
  client.close();
  other.close();
});

test('reconnecting-pty - a replay holds no old queries and begins at a character', async () => {
  const id = `${ID}3`;
  scripts.set(
    id,
    `printf 'one\\033[6ntwo\\033]11;?\\007three'; head -c 70000 /dev/zero | tr '\\0' x; printf 'h\\303\\251\\033[cend'; exec cat`,
  );
  const first = new OriginalClient(id);
  await first.sees('end');
  const early = `${ID}4`;
  scripts.set(early, `printf 'one\\033[6ntwo\\033]11;?\\007three'; exec cat`);
  const live = new OriginalClient(early);
  await live.sees('three');
  assert.match(live.text, /one\x1b\[6ntwo\x1b\]11;\?\x07three/, 'live output is untouched');
  const late = new OriginalClient(early);
  await late.sees('three');
  // An ST is left in place of each query.
  assert.equal(late.text, 'one\x1b\\two\x1b\\three');
  const again = new OriginalClient(id);
  await again.sees('end');
  assert.ok(again.text.length <= limits.RING_BYTES);
  assert.match(again.text, /^x+h\xc3\xa9\x1b\\end$/);
  for (const client of [first, live, late, again]) client.close();
});

test('reconnecting-pty - malformed or endless input ends that client only', async () => {
  const id = `${ID}5`;
  const good = new OriginalClient(id);
  good.type('before\r');
  await good.sees('before');
  for (const text of ['not json', '{"data":5}', '{"height":-1,"width":3}', '{"height":1e9}']) {
    const bad = new OriginalClient(id);
    bad.send(text);
    await bad.ended.promise;
  }
  const endless = new OriginalClient(id);
  for (let sent = 0; sent <= limits.RPTY_UNREAD_BYTES && endless.isOpen; sent += 32_768) {
    endless.send((sent === 0 ? '{"data":"' : '') + 'x'.repeat(32_768));
    await sleep(1);
  }
  await endless.ended.promise;
  good.type('after\r');
  await good.sees('after');
  good.close();
});

test('reconnecting-pty - a bad id or size closes the channel and starts nothing', async () => {
  const rows = (await terminals.list()).length;
  for (const [id, label] of [
    ['not-a-uuid', '24:80'],
    [`${ID}6`, '0:80'],
    [`${ID}6`, '24:-1'],
    [`${ID}6`, '24'],
    [`${ID}6`, '24:80:bash'],
  ]) {
    const client = new OriginalClient(id as string, label);
    await client.ended.promise;
    assert.equal(client.text, '');
  }
  assert.equal((await terminals.list()).length, rows);
});

test('reconnecting-pty - exit closes all viewers and frees the id; the next attach starts a new shell', async () => {
  const id = `${ID}7`;
  scripts.set(id, 'echo pid $$; read line; echo bye; exit 3');
  const clients = [new OriginalClient(id), new OriginalClient(id)];
  await clients[0]?.sees('pid');
  clients[1]?.type('go\r');
  await Promise.all(clients.map((client) => client.ended.promise));
  for (const client of clients) assert.match(client.text, /bye\r\n$/);
  const next = new OriginalClient(id);
  await next.sees('pid');
  assert.notEqual(/pid (\d+)/.exec(next.text)?.[1], /pid (\d+)/.exec(clients[0]?.text ?? '')?.[1]);
  next.close();
});

test('reconnecting-pty - lives while somebody is attached, and for its idle time after that', async () => {
  const id = `${ID}8`;
  const client = new OriginalClient(id);
  client.type('alive\r');
  await client.sees('alive');
  await sleep(IDLE_MS * 2);
  assert.notEqual(await size(id), undefined, 'not while attached');
  client.close();
  // In the original it could die half its time after the last viewer had left.
  await sleep(IDLE_MS * 0.7);
  assert.notEqual(await size(id), undefined, 'not before its time');
  await waitFor(async () => (await size(id)) === undefined);
});

test('reconnecting-pty - a terminal that frames and originals share keeps both in step', async () => {
  const id = `${ID}9` as TerminalId;
  const original = new OriginalClient(id);
  original.type('shared\r');
  await original.sees('shared');
  const viewer = new TestViewer(terminals, id);
  await viewer.sees('shared');
  viewer.type('back\r');
  await original.sees('back');
  viewer.close();
  original.close();
  await terminals.kill(id);
});
