import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { ByteChannelHandlers, ChannelEnd } from '../../src/shared/common/index.js';
import { ChannelDuplex, PortChannel } from '../../src/shared/node/ports/index.js';
import { checkLeaks, seededRandom, waitFor } from '../support/index.js';

checkLeaks();

const KIB = 1024;

interface Recorder {
  readonly received: Uint8Array[];
  readonly ends: ChannelEnd[];
  credits: number;
  readonly handlers: ByteChannelHandlers;
}

function recorder(): Recorder {
  const self: Recorder = {
    received: [],
    ends: [],
    credits: 0,
    handlers: {
      message: (bytes) => self.received.push(bytes),
      credit: () => (self.credits += 1),
      end: (end) => self.ends.push(end),
    },
  };
  return self;
}

function pair(credit = 64 * KIB): { near: PortChannel; far: PortChannel } {
  const { port1, port2 } = new MessageChannel();
  return {
    near: new PortChannel({ port: port1, credit }),
    far: new PortChannel({ port: port2, credit }),
  };
}

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

test('port channel - what is sent before the other side starts is not lost', async () => {
  const { near, far } = pair();
  near.start(recorder().handlers);
  near.send(bytesOf('one'));
  near.send(bytesOf('two'));
  near.close();
  await turn();
  const there = recorder();
  far.start(there.handlers);
  await waitFor(() => there.ends.length > 0);
  assert.deepEqual(
    there.received.map((bytes) => Buffer.from(bytes).toString()),
    ['one', 'two'],
  );
  assert.deepEqual(there.ends, [{ type: 'closed', error: undefined }]);
});

test('port channel - credit goes down by what is sent and comes back by what is consumed', async () => {
  const { near, far } = pair(10);
  const here = recorder();
  const there = recorder();
  near.start(here.handlers);
  far.start(there.handlers);
  near.send(bytesOf('0123456789'));
  assert.equal(near.credit, 0);
  near.send(bytesOf('last words'));
  assert.equal(near.credit, -10);
  await waitFor(() => there.received.length === 2);
  far.consumed(10);
  await turn();
  await turn();
  assert.equal(here.credits, 0, 'paying a debt back is not yet credit');
  far.consumed(3);
  await waitFor(() => near.credit === 3);
  assert.equal(here.credits, 1);
  near.close();
  await waitFor(() => here.ends.length + there.ends.length === 2);
});

test('port channel - sent bytes are transferred, not copied', async () => {
  const { near, far } = pair();
  const there = recorder();
  near.start(recorder().handlers);
  far.start(there.handlers);
  const bytes = bytesOf('moved');
  near.send(bytes);
  assert.equal(bytes.length, 0);
  near.close();
  await waitFor(() => there.ends.length === 1);
});

test('port channel - an error crosses with its code, and both sides end once', async () => {
  const { near, far } = pair();
  const here = recorder();
  const there = recorder();
  near.start(here.handlers);
  far.start(there.handlers);
  near.close({ code: 'ERR_READ_ONLY', message: 'no' });
  near.close();
  far.close();
  await waitFor(() => here.ends.length > 0 && there.ends.length > 0);
  await turn();
  assert.deepEqual(there.ends, [
    { type: 'closed', error: { code: 'ERR_READ_ONLY', message: 'no' } },
  ]);
  assert.equal(here.ends.length, 1);
  near.send(bytesOf('too late'));
  near.consumed(1);
});

test('port channel - a worker that dies without closing is reported as lost', async () => {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     parentPort.once('message', (port) => {
       port.postMessage(new Uint8Array(3));
       setImmediate(() => process.exit(1));
     });`,
    { eval: true },
  );
  const { port1, port2 } = new MessageChannel();
  const here = recorder();
  new PortChannel({ port: port1, credit: 1 }).start(here.handlers);
  worker.postMessage(port2, [port2]);
  await once(worker, 'exit');
  await waitFor(() => here.ends.length > 0);
  assert.deepEqual(here.ends, [{ type: 'lost' }]);
  assert.equal(here.received.length, 1);
});

const duplexes = (
  credit?: number,
  maxQueuedBytes = 4 * 1024 * KIB,
): { near: ChannelDuplex; far: ChannelDuplex } => {
  const { near, far } = pair(credit);
  return {
    near: new ChannelDuplex(near, { maxQueuedBytes }),
    far: new ChannelDuplex(far, { maxQueuedBytes }),
  };
};

test('channel duplex - every byte arrives in order, in both directions at once', async () => {
  const random = seededRandom();
  const { near, far } = duplexes(8 * KIB);
  const total = 3 * 1024 * KIB;
  const data = Buffer.from(random.bytes(64 * KIB));
  const at = (offset: number, length: number): Buffer =>
    Buffer.from(Array.from({ length }, (_, i) => data[(offset + i) % data.length]!));

  const write = async (stream: ChannelDuplex): Promise<void> => {
    for (let sent = 0; sent < total;) {
      const length = Math.min(random.int(1, 40_000), total - sent);
      if (!stream.write(at(sent, length))) await once(stream, 'drain');
      sent += length;
    }
  };
  const read = async (stream: ChannelDuplex): Promise<void> => {
    let got = 0;
    for await (const chunk of stream) {
      const bytes = chunk as Buffer;
      assert.ok(bytes.equals(at(got, bytes.length)), `differs after ${got} bytes`);
      got += bytes.length;
      if (random.int(0, 20) === 0) await turn();
      if (got === total) break;
    }
    assert.equal(got, total);
  };
  await Promise.all([write(near), write(far), read(near), read(far)]);
});

test('channel duplex - the sender waits while nobody reads', async () => {
  const { near, far } = duplexes(16 * KIB);
  assert.equal(near.write(Buffer.alloc(256 * KIB)), false);
  let done = false;
  near.once('drain', () => (done = true));
  for (let i = 0; i < 20; i += 1) await turn();
  assert.equal(done, false);
  assert.ok(far.readableLength <= 16 * KIB, `${far.readableLength} buffered`);
  far.resume();
  await waitFor(() => done);
  near.end();
  await once(far, 'close');
});

test('channel duplex - a writer that ignores back-pressure is ended at the cap', async () => {
  const { near, far } = duplexes(KIB, 64 * KIB);
  const failed = once(near, 'error');
  far.on('error', () => undefined);
  for (let i = 0; i < 80 && !near.destroyed; i += 1) near.write(Buffer.alloc(KIB));
  const [error] = (await failed) as [{ code?: string }];
  assert.equal(error.code, 'ERR_MESSAGE_TOO_LARGE');
  await waitFor(() => far.destroyed);
});

test('channel duplex - the end comes after the last byte', async () => {
  const { near, far } = duplexes(4 * KIB);
  near.end(Buffer.alloc(100 * KIB, 'x'));
  let got = 0;
  for await (const chunk of far) got += (chunk as Buffer).length;
  assert.equal(got, 100 * KIB);
});

test('channel duplex - buffered data is still read after the other side has closed', async () => {
  const { near, far } = duplexes(64 * KIB);
  near.end(Buffer.alloc(40 * KIB, 'x'));
  await waitFor(() => far.writableEnded);
  let got = 0;
  for await (const chunk of far) got += (chunk as Buffer).length;
  assert.equal(got, 40 * KIB);
});

test('channel duplex - closes although a write was waiting for credit when the other side left', async () => {
  const { near, far } = duplexes(KIB);
  near.write(Buffer.alloc(100 * KIB));
  near.resume();
  await turn();
  far.end();
  far.resume();
  await waitFor(() => near.destroyed && far.destroyed, { timeoutMs: 5_000 });
});

test('channel duplex - an error of the other side arrives with its code', async () => {
  const { near, far } = pair();
  const stream = new ChannelDuplex(far, { maxQueuedBytes: KIB });
  const failed = once(stream, 'error');
  near.start(recorder().handlers);
  near.close({ code: 'ERR_FORWARD_DENIED', message: 'no' });
  const [error] = (await failed) as [{ code?: string }];
  assert.equal(error.code, 'ERR_FORWARD_DENIED');
});

test('channel duplex - a lost worker is an error, not an end', async () => {
  const { port1, port2 } = new MessageChannel();
  const stream = new ChannelDuplex(new PortChannel({ port: port1, credit: KIB }), {
    maxQueuedBytes: KIB,
  });
  const failed = once(stream, 'error');
  port2.close();
  const [error] = (await failed) as [{ code?: string }];
  assert.equal(error.code, 'ERR_WORKER_LOST');
});

test('channel duplex - destroying it ends the other side', async () => {
  const { near, far } = duplexes();
  near.destroy();
  far.resume();
  await once(far, 'close');
});
