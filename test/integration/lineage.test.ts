/** Known defects of the agent that this one re-creates, each as a test named after it. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TerminalsOptions } from '../../src/main/agent/terminals/index.js';
import { systemClock, type Clock, type TerminalId } from '../../src/shared/common/index.js';
import { ChannelDuplex } from '../../src/shared/node/ports/index.js';
import { checkLeaks, waitFor } from '../support/index.js';
import { scriptedTerminals } from '../support/scripted-terminals.js';
import { createTerminals, openChannel, shell, TestViewer } from '../support/terminals.js';

checkLeaks();

const IDLE_MS = 60_000;

/** Real time, but the timers of idle terminals fire when a test says so. */
class IdleClock implements Clock {
  readonly idle = new Set<() => void>();
  now(): number {
    return systemClock.now();
  }
  after(ms: number, callback: () => void): { cancel(): void } {
    if (ms !== IDLE_MS) return systemClock.after(ms, callback);
    this.idle.add(callback);
    return { cancel: () => this.idle.delete(callback) };
  }
}

const options: Partial<TerminalsOptions> = {
  idleMs: { terminal: IDLE_MS, reconnectingPty: IDLE_MS },
};
const { terminals, scripts } = scriptedTerminals('exec cat', options);

/** A client of the original protocol. */
class Original {
  readonly #channel;
  #output = '';
  /** Code of the error it was closed with; absent while it is open and after a plain close. */
  code: string | undefined;
  ended = false;

  constructor(id: string, size = '24:80', registry = terminals) {
    this.#channel = openChannel(registry, id, { protocol: 'reconnecting-pty', size });
    this.#channel.start({
      message: (bytes) => {
        this.#output += Buffer.from(bytes).toString('latin1');
        this.#channel.consumed(bytes.byteLength);
      },
      credit: () => undefined,
      end: (end) => {
        this.ended = true;
        if (end.type === 'closed') this.code = end.error?.code;
      },
    });
  }

  get output(): string {
    return this.#output;
  }
  raw(text: string): void {
    this.#channel.send(new TextEncoder().encode(text));
  }
  request(request: { data?: string; height?: number; width?: number }): void {
    this.raw(JSON.stringify(request));
  }
  async sees(text: string | RegExp): Promise<void> {
    await waitFor(
      () => (typeof text === 'string' ? this.#output.includes(text) : text.test(this.#output)),
      { what: `${String(text)} in ${JSON.stringify(this.#output.slice(-200))}` },
    );
  }
  async end(): Promise<void> {
    await waitFor(() => this.ended, { what: 'the end of the channel' });
  }
  close(): void {
    this.#channel.close();
  }
}

function sizeOf(id: string): Promise<string | undefined> {
  return terminals
    .list()
    .then((list) => list.find((info) => info.id === id))
    .then((info) => info && `${String(info.rows)}x${String(info.cols)}`);
}

/** Says its size at the start and whenever it changes; a signal also ends a `read` of some shells. */
const SIZES = `trap 'stty size' WINCH; stty -echo; stty size; while :; do if read -r line; then echo "got $line"; fi; done`;

test('lineage 6 - a keystroke after a resize does not resize again', async () => {
  const id = randomUUID();
  scripts.set(id, SIZES);
  const first = new Original(id);
  await first.sees('24 80');
  first.request({ height: 30, width: 100 });
  await first.sees('30 100');
  const second = new Original(id, '40:120');
  await first.sees('40 120');
  first.request({ data: 'typed\n' });
  await first.sees('got typed');
  assert.equal(await sizeOf(id), '40x120');
  assert.equal(first.output.match(/30 100/g)?.length, 1);
  second.close();
  first.close();
  await terminals.kill(id as TerminalId);
});

test('lineage 17 - the label names the height before the width, and so does the program', async () => {
  const id = randomUUID();
  scripts.set(id, SIZES);
  const client = new Original(id, '31:97');
  await client.sees('31 97');
  client.request({ height: 43, width: 113 });
  await client.sees('43 113');
  client.close();
  await terminals.kill(id as TerminalId);
});

test('lineage 7 - another size than that of the last who attached can be had: smallest, fixed', async () => {
  const id = 'sizes';
  scripts.set(id, SIZES);
  const wide = new TestViewer(terminals, id, { settings: { sizePolicy: 'smallest' } });
  await wide.sees('24 80');
  wide.send({ type: 'resize', size: { rows: 50, cols: 200 } });
  await wide.sees('50 200');
  const narrow = new TestViewer(terminals, id);
  await wide.sees(/50 200\r\n24 80/);
  wide.send({ type: 'resize', size: { rows: 60, cols: 220 } });
  const watcher = new TestViewer(terminals, id, { scopes: [`terminal:${id}:view`] });
  await watcher.attached;
  watcher.send({ type: 'resize', size: { rows: 5, cols: 5 } });
  await sleep(100);
  assert.equal(await sizeOf(id), '24x80', 'the smaller of the two who type');
  narrow.close();
  await waitFor(async () => (await sizeOf(id)) === '60x220', { what: 'room after one has left' });
  wide.send({ type: 'configure', settings: { sizePolicy: 'fixed' } });
  wide.send({ type: 'resize', size: { rows: 10, cols: 40 } });
  wide.type('x\n');
  await wide.sees('got x');
  assert.equal(await sizeOf(id), '60x220');
  await terminals.kill(id as TerminalId);
});

test('lineage 14 - resizes at and after the end of a terminal harm nothing', async () => {
  const id = randomUUID();
  scripts.set(id, 'read -r line; exit 0');
  const client = new Original(id);
  const session = await terminals.openSession({
    ...shell('exit 3'),
    size: { rows: 24, cols: 80 },
  });
  client.request({ data: 'x\n' });
  for (let round = 1; round <= 200; round += 1) {
    client.request({ height: 20 + (round % 5), width: 80 });
    session.resize({ rows: 20 + (round % 5), cols: 80 });
    if (round % 20 === 0) await sleep(5);
  }
  await client.end();
  const stream = new ChannelDuplex(session.channel, { maxQueuedBytes: 1 << 20 });
  stream.resume();
  assert.deepEqual(await session.exited, { kind: 'status', status: 3 });
  session.resize({ rows: 10, cols: 10 });
  session.signal('SIGINT');
  await session.close();
  stream.destroy();
  const next = new Original(id);
  next.request({ data: 'x\n' });
  await next.end();
});

test('lineage 15 - the idle time begins when the last viewer has left, and not before', async () => {
  const idle = new IdleClock();
  const registry = createTerminals(() => 'exec cat', { ...options, clock: idle });
  const id = randomUUID();
  const join = (): Original => new Original(id, '24:80', registry);
  const timers = async (count: number): Promise<void> => {
    await waitFor(() => idle.idle.size === count, { what: `${String(count)} idle timers` });
  };
  const first = join();
  const second = join();
  first.request({ data: 'there\n' });
  await second.sees('there');
  await timers(0);
  first.close();
  await waitFor(async () => (await registry.list())[0]?.viewers === 1, { what: 'one viewer' });
  assert.equal(idle.idle.size, 0, 'no timer while somebody is attached');
  second.close();
  await timers(1);
  const third = join();
  await third.sees('there');
  assert.equal(idle.idle.size, 0, 'an attach takes the timer away');
  third.close();
  await timers(1);
  for (const fire of idle.idle) fire();
  await waitFor(() => registry.count === 0, { what: 'the end of the idle terminal' });
  const anew = join();
  anew.request({ data: 'again\n' });
  await anew.sees('again');
  assert.doesNotMatch(anew.output, /there/, 'the id starts a new shell');
  anew.close();
  await registry.close();
});

test('lineage 4 - after a PTY that could not start nothing goes on with it, and the id is free', async () => {
  let broken = true;
  const frail = createTerminals(() => '', {
    prepareShell: () =>
      broken
        ? Promise.reject(Object.assign(new Error('no shell'), { code: 'ERR_SHELL_NOT_FOUND' }))
        : Promise.resolve(shell('echo works; exec cat')),
  });
  const id = randomUUID();
  const refused = new Original(id, '24:80', frail);
  await refused.end();
  assert.equal(frail.count, 0);
  broken = false;
  const served = new Original(id, '24:80', frail);
  await served.sees('works');
  served.close();
  await frail.close();
});

test('lineage - a request that is no request ends its own client and nobody else', async () => {
  const id = randomUUID();
  scripts.set(id, 'stty raw -echo; exec cat');
  const good = new Original(id);
  for (const [text, code] of [
    ['[]', 'ERR_FRAME'],
    ['{"data":1}', 'ERR_FRAME'],
    ['{"height":-1}', 'ERR_FRAME'],
    ['{"height":1e9,"width":1e9}', 'ERR_FRAME'],
    ['{"height":"24"}', 'ERR_FRAME'],
    ['{"data":"\\ud800', undefined],
    ['nonsense', 'ERR_FRAME'],
    [`{"data":"${'x'.repeat(300_000)}`, 'ERR_INPUT_OVERRUN'],
  ] as const) {
    const bad = new Original(id);
    bad.raw(text);
    if (code === undefined) {
      bad.close();
      continue;
    }
    await bad.end();
    assert.equal(bad.code, code, text.slice(0, 40));
  }
  good.request({ data: 'still here' });
  await good.sees('still here');
  good.close();
  await terminals.kill(id as TerminalId);
});

test('seed - the name of an SSH session leads to a terminal of its own, never into the session', async () => {
  const session = await terminals.openSession({
    ...shell('stty raw -echo; echo secret; exec cat'),
    size: { rows: 24, cols: 80 },
  });
  for (const id of ['ssh-1', 'ssh-2', 'ssh-3']) {
    const viewer = new TestViewer(terminals, id);
    assert.equal((await viewer.attached).created, true);
    viewer.type('hello\n');
    await viewer.sees('hello');
    assert.doesNotMatch(viewer.text(), /secret/);
    viewer.close();
    await terminals.kill(id as TerminalId);
  }
  await session.close();
});

test('seed - terminals are counted, and one too many is refused with a code', async () => {
  const few = createTerminals(() => 'exec cat', { maxTerminals: 3 });
  const viewers = ['a', 'b', 'c'].map((id) => new TestViewer(few, id));
  await Promise.all(viewers.map((viewer) => viewer.attached));
  const refused = { kind: 'error', code: 'ERR_TERMINAL_LIMIT' };
  assert.deepEqual(await new TestViewer(few, 'd').ended, refused);
  await assert.rejects(few.openSession({ ...shell('true'), size: { rows: 1, cols: 1 } }), {
    code: 'ERR_TERMINAL_LIMIT',
  });
  await few.kill('a' as TerminalId);
  const room = new TestViewer(few, 'd');
  await room.attached;
  await few.close();
});
