import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { limits, type TerminalId } from '../../src/shared/common/index.js';
import { parseMetadata } from '../../src/shared/common/wire/index.js';
import { createPrepareCommand, currentUser } from '../../src/main/agent/process/index.js';
import type { LaunchRequest, TerminalRegistry } from '../../src/main/agent/terminals/index.js';
import { ExitedTerminals } from '../../src/main/agent/terminals/exited-terminals.js';
import { checkLeaks } from '../support/leaks.js';
import { ManualClock } from '../support/manual-clock.js';
import { createTerminals, TestViewer } from '../support/terminals.js';
import { waitFor } from '../support/wait-for.js';

checkLeaks();

const SIZE = { rows: 24, cols: 80 };
const home = mkdtempSync(join(tmpdir(), 'holdfast-life-'));
const prepare = createPrepareCommand({
  user: () => ({ ...currentUser(), env: { ...process.env, HOME: home } }),
});

/** As the agent has it: the user's real shell, or what the request names. */
function launch({ command, directory }: LaunchRequest): ReturnType<typeof prepare> {
  const kind = command === undefined ? 'shell' : 'program';
  const context = { metadata: parseMetadata({}), agentEnv: {} };
  return prepare({ kind, words: command, directory, term: 'xterm-256color' }, context);
}

let terminals: TerminalRegistry;
before(() => {
  terminals = createTerminals(() => '', {
    maxTerminalsPerSubject: 20,
    faults: true,
    prepareShell: (_id, request) => launch(request),
  });
});
after(async () => {
  await terminals.close();
  rmSync(home, { recursive: true });
});

const id = (name: string): TerminalId => name as TerminalId;
const row = async (name: string) => (await terminals.list()).find((each) => each.id === name);

test('create - a command gets its arguments as they are, whatever is in them', async () => {
  const words = [
    '',
    'a b',
    "it's",
    '"q"',
    '$HOME',
    '`id`',
    'line\nbreak',
    '*',
    '\\',
    '-x',
    'ü',
    '!',
  ];
  const program = [
    'node',
    '-e',
    'console.log(JSON.stringify(process.argv.slice(1)))',
    '--',
    ...words,
  ];
  const { created, epoch } = await terminals.create(
    id('words'),
    { ...SIZE, cols: 500, command: program },
    'me',
  );
  assert.equal(created, true);
  const viewer = new TestViewer(terminals, 'words', { epoch: epoch as never });
  assert.deepEqual(await viewer.ended, { kind: 'status', status: 0 });
  const text = viewer.bytes().toString('utf8').trim();
  assert.deepEqual(JSON.parse(text), words);
});

test('create - runs where it was told to, and refuses what cannot be run', async () => {
  const { epoch } = await terminals.create(
    id('where'),
    { ...SIZE, command: ['pwd'], directory: '/usr/lib' },
    'me',
  );
  const viewer = new TestViewer(terminals, 'where', { epoch: epoch as never });
  await viewer.ended;
  assert.equal(viewer.text(), '/usr/lib\r\n');
  const refused = async (request: LaunchRequest, code: string): Promise<void> => {
    await assert.rejects(terminals.create(id('bad'), { ...SIZE, ...request }, 'me'), { code });
    assert.equal(await row('bad'), undefined);
  };
  await refused({ directory: '/no/such/folder' }, 'ERR_DIRECTORY_NOT_FOUND');
  await refused({ directory: '/usr\0' }, 'ERR_INVALID_ARGUMENT');
  await refused({ command: ['a\0b'] }, 'ERR_INVALID_ARGUMENT');
  await refused({ command: [''] }, 'ERR_INVALID_ARGUMENT');
  await refused({ command: ['-c'] }, 'ERR_INVALID_ARGUMENT');
  await refused({ command: ['x', 'y'.repeat(40_000)] }, 'ERR_INVALID_ARGUMENT');
});

test('create - one of this name that runs is left as it is; of many at once one starts it', async () => {
  const create = (command: string[]) => terminals.create(id('one'), { ...SIZE, command }, 'me');
  const results = await Promise.all(Array.from({ length: 20 }, () => create(['sleep', '60'])));
  assert.equal(results.filter(({ created }) => created).length, 1);
  assert.equal(new Set(results.map(({ epoch }) => epoch)).size, 1);
  assert.deepEqual(await create(['sleep', '1']), { created: false, epoch: results[0]?.epoch });
  await terminals.kill(id('one'));
});

test('list - names the foreground command and its directory, cleaned, and how it lives', async () => {
  await terminals.create(id('shell'), { ...SIZE, idleMs: 0 }, 'her');
  const viewer = new TestViewer(terminals, 'shell');
  await viewer.attached;
  viewer.type("cd /usr/lib && sh -c 'sleep 61; true' \"$(printf 'odd\\033[31m\\007name')\"\n");
  const found = await waitFor(async () => {
    const info = await row('shell');
    return info?.command?.includes('sleep 61') === true ? info : undefined;
  });
  assert.equal(found.command, 'sh -c sleep 61; true odd\ufffd[31m\ufffdname');
  assert.equal(found.cwd, '/usr/lib');
  assert.equal(found.owner, 'her');
  assert.equal(found.idleLimitMs, 0);
  assert.equal(found.viewers, 1);
  viewer.close();
  await terminals.kill(id('shell'));
});

test('exited - whoever was away sees the rest and the end; who only watches, the screen and the end', async () => {
  const run = ['sh', '-c', 'echo before; read x; echo after; exit 3'];
  const { epoch } = await terminals.create(id('end'), { ...SIZE, command: run }, 'me');
  const first = new TestViewer(terminals, 'end');
  await first.sees('before');
  first.close();
  const typist = new TestViewer(terminals, 'end');
  await typist.attached;
  typist.type('\n');
  const exit = { kind: 'status', status: 3 } as const;
  assert.deepEqual(await typist.ended, exit);
  const listed = await row('end');
  assert.equal(listed?.state, 'exited');
  assert.deepEqual(listed?.exit, exit);
  assert.equal(listed?.epoch, epoch);
  assert.ok(Date.parse(listed?.endedAt ?? '') >= Date.parse(listed?.createdAt ?? ''));
  for (let round = 0; round < 3; round += 1) {
    const back = new TestViewer(terminals, 'end', { epoch: epoch as never, offset: first.next });
    assert.deepEqual(await back.ended, exit);
    assert.equal(back.text(), typist.text().slice(first.next));
    const watcher = new TestViewer(terminals, 'end', { wantsType: false });
    assert.deepEqual(await watcher.ended, exit);
    const guest = new TestViewer(terminals, 'end', { scopes: ['terminal:end:view'] });
    assert.deepEqual(await guest.ended, exit);
    for (const viewer of [watcher, guest]) assert.equal(viewer.text(), typist.text());
    // Its size is that of the last screen, whatever comes later.
    const other = new TestViewer(terminals, 'end', { epoch: epoch as never, size: '50:160' });
    assert.deepEqual((await other.attached).size, SIZE);
    assert.deepEqual(await other.ended, exit);
  }
  assert.deepEqual(await terminals.wait(id('end'), 0, new AbortController().signal), {
    ended: 'command',
    exit,
    command: run.join(' '),
  });
});

test('exited - whoever wants a terminal to type in gets a new one, and of many at once the same one', async () => {
  const short = createTerminals(() => 'echo shell-$$; exec cat');
  const old = await short.create(id('n'), SIZE, 'me');
  await short.kill(id('n'));
  const watchers = Array.from(
    { length: 10 },
    () => new TestViewer(short, 'n', { wantsType: false }),
  );
  const viewers = Array.from({ length: 20 }, () => new TestViewer(short, 'n'));
  const attached = await Promise.all(viewers.map((viewer) => viewer.attached));
  assert.equal(new Set(attached.map(({ epoch }) => epoch)).size, 1);
  assert.notEqual(attached[0]?.epoch, old.epoch);
  assert.equal(attached.filter(({ created }) => created).length, 1);
  viewers[7]?.type('typed\n');
  await Promise.all(viewers.map((viewer) => viewer.sees('typed')));
  for (const watcher of watchers) {
    assert.deepEqual(await watcher.ended, { kind: 'signal', signal: 'SIGHUP' });
  }
  for (const viewer of viewers) viewer.close();
  // The same by request.
  await short.kill(id('n'));
  const again = await short.create(id('n'), SIZE, 'me');
  assert.equal(again.created, true);
  assert.equal((await short.list()).length, 1);
  await short.close();
});

test('exited - those kept are few: the oldest go first, by time, by number and on request', async () => {
  const clock = new ManualClock();
  const forgotten: string[] = [];
  const kept = new ExitedTerminals({
    keepMs: 1_000,
    ringBytes: limits.MIB,
    clock,
    onForgotten: (handle) => forgotten.push(handle.id),
  });
  const exited = (name: string, bytes = 0) =>
    kept.add({ handle: { id: id(name), bytes } as never, owner: '', program: undefined });
  exited('a');
  clock.advance(600);
  exited('b');
  exited('a', 1);
  assert.deepEqual(forgotten, ['a'], 'a newer one of the same name takes its place');
  clock.advance(999);
  assert.deepEqual(forgotten, ['a']);
  clock.advance(1);
  assert.deepEqual(forgotten, ['a', 'b', 'a']);
  forgotten.length = 0;
  for (let count = 0; count < limits.EXITED_KEPT + 2; count += 1) exited(`c${String(count)}`);
  assert.deepEqual(forgotten, ['c0', 'c1']);
  kept.forgetAll();
  forgotten.length = 0;
  // Each counts what its ring can hold at most.
  const most = limits.EXITED_KEPT_BYTES / limits.MIB;
  for (let count = 0; count <= most; count += 1) exited(`d${String(count)}`, 1e9);
  assert.deepEqual(forgotten, ['d0']);
  kept.forgetAll();
  const none = new ExitedTerminals({
    keepMs: 0,
    ringBytes: 1,
    clock,
    onForgotten: () => assert.fail('never kept'),
  });
  assert.equal(
    none.add({ handle: { id: id('e'), bytes: 0 } as never, owner: '', program: undefined }),
    false,
  );
});

test('exited - killing it again forgets it, and its descriptors were gone before', async () => {
  const before = readdirSync('/proc/self/fd').length;
  for (let count = 0; count < 5; count += 1) {
    await terminals.create(id(`gone${String(count)}`), { ...SIZE, command: ['true'] }, 'me');
  }
  const states = async () =>
    (await terminals.list()).filter((each) => each.id.startsWith('gone')).map(({ state }) => state);
  await waitFor(async () => (await states()).join() === 'exited,exited,exited,exited,exited');
  await waitFor(() => readdirSync('/proc/self/fd').length <= before);
  for (let count = 0; count < 5; count += 1) await terminals.kill(id(`gone${String(count)}`));
  assert.deepEqual(await states(), []);
  await assert.rejects(terminals.kill(id('gone0')), { code: 'ERR_TERMINAL_NOT_FOUND' });
});

test('exited - a kept log outlives the worker that served it', async () => {
  const faulty = createTerminals(() => 'echo last words; exit 5', { faults: true });
  const first = new TestViewer(faulty, 'x');
  const { epoch } = await first.attached;
  await first.ended;
  for (const kind of ['throw', 'exit'] as const) {
    faulty.injectFault(id('x'), kind);
    await waitFor(async () => {
      const back = new TestViewer(faulty, 'x', { epoch });
      const end = await back.ended;
      if (end.kind !== 'status') return false;
      assert.equal(back.text(), 'last words\r\n');
      return end.status === 5;
    });
  }
  await faulty.close();
});

test('quota - one subject too many is refused with a code; others go on', async () => {
  const few = createTerminals(() => 'exec cat', { maxTerminalsPerSubject: 2 });
  await few.create(id('a'), SIZE, 'greedy');
  const viewer = new TestViewer(few, 'b');
  await viewer.attached;
  await few.create(id('c'), SIZE, 'greedy');
  await assert.rejects(few.create(id('d'), SIZE, 'greedy'), { code: 'ERR_TERMINAL_QUOTA' });
  assert.equal((await few.create(id('a'), SIZE, 'greedy')).created, false);
  assert.equal((await few.create(id('e'), SIZE, 'tester')).created, true);
  const refused = new TestViewer(few, 'f');
  assert.deepEqual(await refused.ended, { kind: 'error', code: 'ERR_TERMINAL_QUOTA' });
  await few.kill(id('c'));
  assert.equal((await few.create(id('d'), SIZE, 'greedy')).created, true);
  viewer.close();
  await few.close();
});

test('idle - a time of its own begins when nobody is attached, also if nobody ever was', async () => {
  await terminals.create(id('alone'), { ...SIZE, idleMs: 300, command: ['sleep', '60'] }, 'me');
  await waitFor(async () => (await row('alone'))?.state !== 'running');
  await terminals.create(id('kept'), { ...SIZE, idleMs: 300, command: ['sleep', '60'] }, 'me');
  const viewer = new TestViewer(terminals, 'kept');
  await viewer.attached;
  await terminals.setIdle(id('kept'), 0);
  viewer.close();
  await new Promise((resolve) => setTimeout(resolve, 700));
  assert.equal((await row('kept'))?.state, 'running');
  await terminals.setIdle(id('kept'), 100);
  await waitFor(async () => (await row('kept'))?.state !== 'running');
  await assert.rejects(terminals.setIdle(id('none'), 1), { code: 'ERR_TERMINAL_NOT_FOUND' });
});

test('kill - with a signal only that is sent, to background jobs too', async () => {
  await terminals.create(id('sig'), SIZE, 'me');
  const viewer = new TestViewer(terminals, 'sig');
  await viewer.attached;
  // The job says itself that it is there: a signal between its fork and its exec would find the trap of the
  // shell in place, and be lost. The trap may end the wait before the job has ended.
  viewer.type(
    'trap "echo trapped-$((40+2))" USR1; sh -c "echo job-\\$((50+5)); sleep 60" & ' +
      'wait $!; echo "st=$?"; while kill -0 $! 2>/dev/null; do sleep 0.05; done; exit 7\n',
  );
  await viewer.sees('job-55');
  await terminals.kill(id('sig'), 'SIGUSR1');
  await viewer.sees('trapped-42');
  await viewer.sees(/st=138/);
  assert.deepEqual(await viewer.ended, { kind: 'status', status: 7 });
  // The login shell that becomes the program ignores SIGQUIT, as every bash does, until it has.
  const command = ['sh', '-c', 'echo up; exec sleep 60'];
  await terminals.create(id('sig2'), { ...SIZE, command }, 'me');
  await assert.rejects(terminals.kill(id('sig2'), 'SIGNONE'), { code: 'ERR_INVALID_ARGUMENT' });
  const second = new TestViewer(terminals, 'sig2');
  await second.sees('up');
  await terminals.kill(id('sig2'), 'SIGQUIT');
  assert.deepEqual(await second.ended, { kind: 'signal', signal: 'SIGQUIT' });
});

test('kill - viewers hear of the end, and its log is kept, though its worker is busy for longer than they would get', async () => {
  const command = ['sh', '-c', 'echo up; exec cat'];
  await terminals.create(id('busy'), { ...SIZE, command }, 'me');
  const viewer = new TestViewer(terminals, 'busy');
  // A shell that is being started may take no hang-up yet.
  await viewer.sees('up');
  terminals.injectFault(id('busy'), 'stall');
  await terminals.kill(id('busy'));
  assert.deepEqual(await viewer.ended, { kind: 'signal', signal: 'SIGHUP' });
  assert.equal((await row('busy'))?.state, 'exited');
});

test('wait - a program that ends answers with its status; waiting is bounded and can be given up', async () => {
  const gone = new AbortController();
  const wait = (name: string, ms?: number) => terminals.wait(id(name), ms, gone.signal);
  await assert.rejects(wait('none'), { code: 'ERR_TERMINAL_NOT_FOUND' });
  const command = ['sh', '-c', 'read x; exit 9'];
  await terminals.create(id('w'), { ...SIZE, command }, 'me');
  await assert.rejects(wait('w', 50), { code: 'ERR_WAIT_TIMEOUT' });
  const given = assert.rejects(wait('w'), { code: 'ERR_CLOSED' });
  gone.abort();
  await given;
  const result = terminals.wait(id('w'), undefined, new AbortController().signal);
  const viewer = new TestViewer(terminals, 'w');
  await viewer.attached;
  viewer.type('\n');
  assert.deepEqual(await result, {
    ended: 'command',
    exit: { kind: 'status', status: 9 },
    command: command.join(' '),
  });
  await viewer.ended;
});
