import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  createRecordings,
  type Recordings,
  type RecordingsOptions,
} from '../../src/main/agent/recordings/index.js';
import type { TerminalRegistry, TerminalsOptions } from '../../src/main/agent/terminals/index.js';
import {
  limits,
  silentLogger,
  systemClock,
  type TerminalId,
  type HoldfastError,
} from '../../src/shared/common/index.js';
import type { RecordingInfo } from '../../src/shared/common/wire/index.js';
import { checkLeaks, runProgram, tempDir, waitFor } from '../support/index.js';
import { readCast, type ReadCast } from '../support/cast.js';
import { comeBack, consoleLogger, createTerminals, TestViewer } from '../support/terminals.js';

checkLeaks();

class Rig {
  readonly stateDir: string;
  readonly terminals: TerminalRegistry;
  readonly recordings: Recordings;

  constructor(
    script: string | ((id: TerminalId) => string),
    options: Partial<RecordingsOptions & TerminalsOptions> = {},
  ) {
    this.stateDir = options.stateDir ?? tempDir();
    this.terminals = createTerminals(typeof script === 'string' ? () => script : script, {
      faults: true,
      ...options,
      onMoved: (id) => {
        this.recordings.moved(id);
      },
      onEnded: (id, total) => {
        this.recordings.terminalEnded(id, total);
      },
      recordingOf: (id) => this.recordings.nameOf(id),
    });
    this.recordings = createRecordings({
      quotaBytes: limits.RECORDING_QUOTA_BYTES,
      maxBytes: limits.RECORDING_BYTES,
      terminals: this.terminals,
      beatMs: limits.WORKER_BEAT_MS,
      faults: true,
      clock: systemClock,
      logger: process.env['TEST_LOG'] === undefined ? silentLogger : consoleLogger,
      ...options,
      stateDir: this.stateDir,
    });
    after(() => this.close());
  }

  viewer(id: string): TestViewer {
    return new TestViewer(this.terminals, id);
  }

  path(name: string): string {
    return join(this.stateDir, 'recordings', `${name}.cast`);
  }

  /** Of the output that is in the file. */
  lastLine(name: string): string | undefined {
    if (!existsSync(this.path(name))) return undefined;
    const text = readFileSync(this.path(name)).toString();
    return /line [0-9]+(?=\\r\\n"\]\n$)/.exec(text)?.[0];
  }

  read(name: string): ReadCast {
    return readCast(readFileSync(this.path(name)));
  }

  async ended(name: string): Promise<RecordingInfo> {
    return await waitFor(async () => {
      const found = (await this.recordings.list()).find((info) => info.name === name);
      return found?.state === 'ended' ? found : undefined;
    });
  }

  async close(): Promise<void> {
    await this.terminals.close();
    await this.recordings.close();
  }
}

/** What a viewer was told of recordings. */
function toldOf({ frames }: TestViewer): unknown[] {
  return frames.flatMap((frame) => {
    if (frame.type !== 'event') return [];
    const event = JSON.parse(frame.json) as { type: string; on?: boolean };
    return event.type === 'recording' ? [event.on] : [];
  });
}

test('recording - holds every byte, size and the exit of a program', async () => {
  const rig = new Rig(
    'read go; seq 1 20000; printf "\\303\\244\\342\\202"; sleep 0.1; printf "\\254"; read size; stty size; exit 7',
  );
  const viewer = rig.viewer('one');
  await viewer.attached;
  const info = await rig.recordings.record('one' as TerminalId, { input: false, name: 'first' });
  assert.equal(info.state, 'recording');
  assert.equal((await rig.terminals.list())[0]?.recording, 'first');
  await viewer.until(() => toldOf(viewer).includes(true), 5_000, 'being told');
  const late = rig.viewer('one');
  await late.until(() => toldOf(late).includes(true), 5_000, 'being told');
  late.close();
  viewer.type('go\n');
  await viewer.sees(Buffer.from('€').toString('latin1'));
  viewer.send({ type: 'resize', size: { rows: 40, cols: 100 } });
  await waitFor(async () => (await rig.terminals.list())[0]?.rows === 40);
  viewer.type('size\n');
  assert.deepEqual(await viewer.ended, { kind: 'status', status: 7 });
  const done = await rig.ended('first');
  assert.equal(done.reason, 'exit');
  assert.equal(done.missing, 0);
  const cast = rig.read('first');
  assert.deepEqual(cast.output, viewer.bytes());
  assert.equal(cast.header.holdfast.offset, 0);
  assert.deepEqual(cast.header.term, { cols: 80, rows: 24, type: 'xterm-256color' });
  assert.deepEqual(
    cast.events.filter(([, code]) => code === 'r').map(([, , data]) => data),
    ['100x40'],
  );
  assert.deepEqual(cast.events.at(-1)?.slice(1), ['x', '7']);
  assert.equal(cast.input, '');
  assert.equal(statSync(rig.path('first')).mode & 0o777, 0o600);
  assert.ok(Math.abs(cast.durationS * 1_000 - done.durationMs) < 2);
});

test('recording - begins with what the ring has, and ends when it is told to', async () => {
  const rig = new Rig('seq 1 30000; read more; echo $more; read end');
  const viewer = rig.viewer('late');
  await viewer.sees('30000');
  const { name } = await rig.recordings.record('late' as TerminalId, { input: false });
  assert.match(name, /^late-[0-9]{8}-[0-9]{6}$/);
  await assert.rejects(rig.recordings.record('late' as TerminalId, { input: false }), {
    code: 'ERR_RECORDING_EXISTS',
  });
  await assert.rejects(rig.recordings.delete(name), { code: 'ERR_RECORDING_EXISTS' });
  viewer.type('again\n');
  await viewer.sees('again\r\nagain');
  const info = await rig.recordings.stop(name);
  assert.equal(info.state, 'ended');
  assert.equal(info.reason, 'stopped');
  viewer.type('unheard\n');
  await viewer.ended;
  const cast = rig.read(name);
  const all = viewer.bytes();
  assert.ok(cast.header.holdfast.offset > 0);
  const heard = all.subarray(cast.header.holdfast.offset, all.indexOf('unheard'));
  assert.deepEqual(cast.output, heard);
  assert.equal(
    cast.events.some(([, code]) => code === 'x'),
    false,
  );
  const [listed] = await rig.recordings.list();
  assert.equal(listed?.bytes, statSync(rig.path(name)).size);
  assert.equal(listed.terminal, 'late');
  await rig.recordings.delete(name);
  assert.deepEqual(await rig.recordings.list(), []);
  await assert.rejects(rig.recordings.delete(name), { code: 'ERR_RECORDING_NOT_FOUND' });
  for (const bad of ['../x', '.x', 'a/b', 'a..b', '', 'x'.repeat(97)]) {
    await assert.rejects(
      rig.recordings.record('late' as TerminalId, { input: false, name: bad }),
      { code: 'ERR_INVALID_ARGUMENT' },
      bad,
    );
  }
});

test('recording - holds what is typed and shows, and no secret', async () => {
  const rig = new Rig('PS1="ready> " exec bash --norc --noprofile -i', {
    prepareShell: () =>
      Promise.resolve({
        file: '/bin/bash',
        args: ['--norc', '--noprofile', '-i'],
        env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color', PS1: 'ready> ' },
        cwd: '/',
      }),
  });
  const viewer = rig.viewer('keys');
  await viewer.sees('ready> ');
  await rig.recordings.record('keys' as TerminalId, { input: true, name: 'keys' });
  // Readline has the kernel's echo off, and echoes by itself.
  for (const key of 'echo typed-$((40+2))') {
    viewer.type(key);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  viewer.type('\n');
  await viewer.sees('typed-42');
  viewer.type('read -s secret; echo; cat\n');
  await viewer.sees('cat\r\n');
  await new Promise((resolve) => setTimeout(resolve, 300));
  viewer.type('hunter2\n');
  await new Promise((resolve) => setTimeout(resolve, 300));
  viewer.type('plainly seen\n');
  await viewer.sees('plainly seen\r\nplainly seen');
  viewer.type('\x04');
  await viewer.sees(/ready> $/);
  viewer.type('stty -echo; cat; stty echo\n');
  await viewer.sees('stty echo\r\n');
  await new Promise((resolve) => setTimeout(resolve, 300));
  viewer.type('swordfish\n');
  // Shown by `cat` and so in the output, but not typed in sight.
  await viewer.sees('swordfish');
  await rig.recordings.stop('keys');
  const cast = rig.read('keys');
  assert.ok(cast.input.includes('echo typed-$((40+2))'), cast.input);
  assert.ok(cast.input.includes('plainly seen\n'), cast.input);
  assert.ok(!cast.input.includes('hunter2'), cast.input);
  assert.ok(!cast.input.includes('swordfish'), cast.input);
  assert.ok(!readFileSync(rig.path('keys')).includes('hunter2'));
});

test('recording - outlives the worker of its terminal and its own', async () => {
  const rig = new Rig(
    'read go; i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo "line $i"; sleep 0.005; done; read end',
  );
  let viewer = rig.viewer('two');
  await viewer.attached;
  const { epoch } = await viewer.attached;
  await rig.recordings.record('two' as TerminalId, { input: false, name: 'two' });
  viewer.type('go\n');
  await viewer.sees('line 50');
  rig.terminals.injectFault('two' as TerminalId, 'throw');
  await viewer.ended;
  const seen = viewer.next;
  viewer = await comeBack(rig.terminals, 'two', { epoch, offset: seen });
  await viewer.sees('line 150');
  rig.recordings.injectFault('two', 'throw');
  await viewer.sees('line 300');
  await waitFor(() => rig.lastLine('two') === 'line 300', { timeoutMs: 30_000 });
  viewer.type('\n');
  assert.deepEqual(await viewer.ended, { kind: 'status', status: 0 });
  const done = await rig.ended('two');
  assert.equal(done.reason, 'exit');
  assert.equal(done.missing, 0);
  const cast = rig.read('two');
  const lines = Array.from({ length: 300 }, (_, at) => `line ${String(at + 1)}\r\n`).join('');
  assert.equal(cast.output.toString(), `go\r\n${lines}\r\n`);
  assert.deepEqual(cast.markers, []);
});

test('recording - a terminal that ends before it could be written down leaves a stated gap', async () => {
  const rig = new Rig('read go; seq 1 100');
  const viewer = rig.viewer('gone');
  await viewer.attached;
  await rig.recordings.record('gone' as TerminalId, { input: false, name: 'gone' });
  // Before or after the file was begun: both must end well.
  rig.recordings.injectFault('gone', 'throw');
  viewer.type('go\n');
  await viewer.ended;
  const done = await rig.ended('gone');
  assert.equal(done.reason, 'exit');
  const cast = rig.read('gone');
  assert.equal(cast.output.length + done.missing, viewer.totalBytes);
});

test('recording - states what it could not keep up with, and the terminal goes on', async () => {
  const rig = new Rig('read go; head -c 20000000 /dev/zero | tr "\\0" x; read rest; echo $rest', {
    beatMs: 500,
  });
  const viewer = rig.viewer('slow');
  await viewer.attached;
  await rig.recordings.record('slow' as TerminalId, { input: false, name: 'slow' });
  await waitFor(async () => ((await rig.recordings.list())[0]?.bytes ?? 0) > 0);
  // It hangs, so nothing is written until it is replaced.
  rig.recordings.injectFault('slow', 'loop');
  viewer.type('go\n');
  await viewer.until(() => viewer.next > 20_000_000, 30_000, 'the flood');
  await waitFor(async () => ((await rig.recordings.list())[0]?.missing ?? 0) > 0, {
    timeoutMs: 30_000,
  });
  viewer.type('rest\n');
  await viewer.ended;
  const done = await rig.ended('slow');
  const cast = rig.read('slow');
  assert.equal(done.reason, 'exit');
  assert.equal(cast.output.length + done.missing, viewer.totalBytes);
  assert.ok(cast.output.toString().endsWith('rest\r\nrest\r\n'));
  const stated = cast.markers.map((text) => Number(/^gap: ([0-9]+) bytes/.exec(text)?.[1]));
  assert.equal(
    stated.reduce((sum, bytes) => sum + bytes, 0),
    done.missing,
  );
});

test('recording - a limit and the quota end it with a stated reason', async () => {
  const options = { maxBytes: 300 * limits.KIB, quotaBytes: 450 * limits.KIB };
  const rig = new Rig('read go; seq 1 200000; read go; echo alive', options);
  const total = async (): Promise<number> =>
    (await rig.recordings.list()).reduce((sum, { bytes }) => sum + bytes, 0);
  for (const [name, reason] of [
    ['a', 'limit'],
    ['b', 'quota'],
  ] as const) {
    const viewer = rig.viewer(name);
    await viewer.attached;
    await rig.recordings.record(name as TerminalId, { input: false, name });
    viewer.type('go\n');
    await viewer.sees('200000');
    const done = await rig.ended(name);
    assert.equal(done.reason, reason, name);
    const cast = rig.read(name);
    const size = statSync(rig.path(name)).size;
    assert.ok(size <= options.maxBytes && size > 10_000, String(size));
    assert.match(
      cast.markers.at(-1) ?? '',
      /^recording ended: .*; [0-9]+ bytes of output are missing/,
    );
    assert.ok(viewer.bytes().subarray(0, cast.output.length).equals(cast.output));
    viewer.type('go\n');
    await viewer.sees('alive');
  }
  assert.ok((await total()) <= options.quotaBytes);
  // What does not fit any more is left out whole, so there may be space for a short one or two still.
  let refusal: unknown;
  for (const name of ['c', 'd', 'e', 'f']) {
    const viewer = rig.viewer(name);
    await viewer.attached;
    refusal = await rig.recordings.record(name as TerminalId, { input: false, name }).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (refusal !== undefined) break;
    viewer.type('go\n');
    assert.equal((await rig.ended(name)).reason, 'quota', name);
  }
  assert.equal((refusal as HoldfastError | undefined)?.code, 'ERR_RECORDING_QUOTA');
  assert.ok((await total()) <= options.quotaBytes);
  await rig.recordings.delete('a');
  const last = rig.viewer('g');
  await last.attached;
  await rig.recordings.record('g' as TerminalId, { input: false });
});

test('recording - a full disk ends it, and the terminal goes on', async (t) => {
  const folder = tempDir();
  const mounted = await runProgram('mount', [
    '-t',
    'tmpfs',
    '-o',
    'size=256k,mode=700',
    'tmpfs',
    folder,
  ]);
  if (mounted.status !== 0) {
    t.skip('mounting is not allowed here');
    return;
  }
  try {
    const rig = new Rig('read go; seq 1 100000; read go; echo alive', { stateDir: folder });
    const viewer = rig.viewer('full');
    await viewer.attached;
    await rig.recordings.record('full' as TerminalId, { input: false, name: 'full' });
    viewer.type('go\n');
    await viewer.sees('100000');
    const done = await rig.ended('full');
    assert.equal(done.reason, 'disk-full');
    const cast = rig.read('full');
    assert.ok(cast.output.length > 100_000);
    assert.ok(viewer.bytes().subarray(0, cast.output.length).equals(cast.output));
    assert.match(
      cast.markers.at(-1) ?? '',
      /^recording ended: the disk is full; [1-9][0-9]* bytes/,
    );
    viewer.type('go\n');
    await viewer.sees('alive');
    await rig.close();
  } finally {
    await runProgram('umount', ['-l', folder]);
  }
});
