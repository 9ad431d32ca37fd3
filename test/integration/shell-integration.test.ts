import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { limits, type TerminalId } from '../../src/shared/common/index.js';
import type { WaitResult } from '../../src/shared/common/peer-auth/index.js';
import type { TerminalInfo } from '../../src/shared/common/wire/index.js';
import type { TerminalRegistry } from '../../src/main/agent/terminals/index.js';
import { SHELL_SCRIPTS } from '../../src/main/cli/shell-integration/index.js';
import { checkLeaks } from '../support/leaks.js';
import { findProgram } from '../support/programs.js';
import { comeBack, createTerminals, TestViewer, type ViewerOptions } from '../support/terminals.js';
import { waitFor } from '../support/wait-for.js';

checkLeaks();

const home = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-shell-')));
/** Files that a bash of this name reads at its start. */
const RC: Readonly<Record<string, string>> = {
  bare: '',
  plain: 'source integration.bash',
  twice: 'source integration.bash; source integration.bash',
  // As people have it: all of it has to go on working.
  busy: `
HISTCONTROL=ignoreboth
PS0='<ps0>'
before() { seen=$?; }
PROMPT_COMMAND=before
trap 'traps=$((traps+1))' DEBUG
set -u
source integration.bash
set +u
PS1='[$seen]$ '`,
  array: `
PROMPT_COMMAND=('one=$?' 'two=$?')
source integration.bash
PS1='[$one $two]$ '`,
};

let terminals: TerminalRegistry;
before(() => {
  writeFileSync(join(home, 'integration.bash'), SHELL_SCRIPTS.bash);
  for (const [name, text] of Object.entries(RC)) writeFileSync(join(home, name), `${text}\n`);
  terminals = createTerminals(
    (id) => {
      const rc = id.split('.')[0] ?? '';
      const run = rc in RC ? `exec bash --noprofile --rcfile ${rc} -i` : 'exec cat';
      return `cd '${home}'; export HOME='${home}' LC_ALL=C.UTF-8; ${run}`;
    },
    { faults: true },
  );
});
after(async () => {
  await terminals.close();
  rmSync(home, { recursive: true });
});

const wait = (name: string, ms?: number): Promise<WaitResult> =>
  terminals.wait(name as TerminalId, ms, new AbortController().signal);

async function row(name: string): Promise<TerminalInfo | undefined> {
  return (await terminals.list()).find(({ id }) => id === name);
}

/** A viewer of a shell that stands at its prompt. */
async function open(name: string, options?: ViewerOptions): Promise<TestViewer> {
  const viewer = new TestViewer(terminals, name, options);
  await viewer.sees(/\]133;A/);
  return viewer;
}

/** Types `line` and waits for what it comes to. */
async function run(viewer: TestViewer, name: string, line: string): Promise<WaitResult> {
  const result = wait(name, 20_000);
  viewer.type(`${line}\n`);
  return await result;
}

/**
 * Ctrl-C until `condition` holds. bash marks a command before it forks, and what is typed before it reads lines is echoed by
 * the kernel first: on a busy machine one that came in between was echoed and ended nothing.
 */
async function interrupt(viewer: TestViewer, condition: () => boolean): Promise<void> {
  const press = (): void => {
    viewer.type('\x03');
  };
  const again = setInterval(press, 1_000);
  press();
  try {
    await viewer.until(condition);
  } finally {
    clearInterval(again);
  }
}

const ended = (status: number) => ({
  ended: 'command' as const,
  exit: { kind: 'status' as const, status },
});

test('bash - commands are told with text, status and time, to all who watch', async () => {
  const viewer = await open('plain.a');
  const watcher = new TestViewer(terminals, 'plain.a', { scopes: ['terminal:plain.a:view'] });
  await watcher.attached;
  const { durationMs = -1, ...result } = await run(viewer, 'plain.a', "sh -c 'sleep 0.2; exit 3'");
  assert.deepEqual(result, { ...ended(3), command: "sh -c 'sleep 0.2; exit 3'" });
  assert.ok(durationMs >= 150 && durationMs < 20_000, String(durationMs));
  for (const each of [viewer, watcher]) {
    await each.until(() => each.events('command-end').length === 1);
    const [start] = each.events('command-start');
    const [end] = each.events('command-end');
    assert.equal(start?.command, result.command);
    assert.deepEqual([end?.command, end?.status], [result.command, 3]);
    assert.ok((start?.offset ?? 0) < (end?.offset ?? 0));
  }
  // It comes after the output before its position, and says where that is.
  const { offset = 0 } = viewer.events('command-end')[0] ?? {};
  assert.match(viewer.text().slice(0, offset), /\x1b\]133;D;3;aid=[0-9]+\x07$/);
  const listed = await row('plain.a');
  assert.deepEqual([listed?.shellIntegration, listed?.lastStatus], [true, 3]);
  viewer.close();
  watcher.close();
});

test('bash - text of every kind comes through; a line behind a blank stays private', async () => {
  const viewer = await open('busy.b');
  const text = async (line: string): Promise<string | undefined> =>
    (await run(viewer, 'busy.b', line)).command;
  for (const line of [
    'echo \'a;b%20c\' "é漢😀" # x?y',
    'true &&  false; :',
    'printf "\\e]0;t\\a"',
  ]) {
    assert.equal(await text(line), line);
  }
  assert.equal(await text(' echo private'), undefined);
  const long = await text(`: ${'x'.repeat(2_000)}`);
  assert.equal(long, `: ${'x'.repeat(limits.COMMAND_LINE_CHARACTERS - 2)}`);
  // Neither an empty line nor one that is given up is a command.
  const next = wait('busy.b', 20_000);
  const prompts = (): number => viewer.text().split(']133;A').length;
  for (const empty of ['\n', '\n']) {
    const before = prompts();
    viewer.type(empty);
    await viewer.until(() => prompts() > before);
  }
  viewer.type('given up');
  await viewer.sees('given up');
  const before = prompts();
  await interrupt(viewer, () => prompts() > before);
  viewer.type('(exit 9)\n');
  const result = await next;
  assert.deepEqual([result.exit, result.command], [ended(9).exit, '(exit 9)']);
  viewer.close();
});

test('bash - hooks, traps and options that were there go on as they were', async () => {
  const viewer = await open('busy.c');
  assert.deepEqual((await run(viewer, 'busy.c', '(exit 42)')).exit, ended(42).exit);
  await viewer.sees('[42]$');
  assert.ok(viewer.text().includes('<ps0>'));
  await run(viewer, 'busy.c', 'echo traps-$((traps > 2)) status-$?');
  await viewer.sees('traps-1');
  await run(viewer, 'busy.c', 'false; echo pipe-${PIPESTATUS[0]} $_');
  await viewer.sees('pipe-1');
  const array = await open('array.c');
  await run(array, 'array.c', '(exit 5)');
  await array.sees('[5 5]$');
  for (const each of [viewer, array]) each.close();
});

test('bash - reading it twice changes nothing', async () => {
  const viewer = await open('twice.d');
  await run(viewer, 'twice.d', 'eval "$(cat integration.bash)"');
  await run(viewer, 'twice.d', '(exit 6)');
  await viewer.until(() => viewer.events('command-end').length === 2);
  assert.equal(viewer.events('command-start').length, 2);
  assert.equal(viewer.text().split('133;D;6').length, 2);
  viewer.close();
});

test('bash - a shell in a shell is followed, and the directory of both', async () => {
  const viewer = await open('plain.e');
  const odd = join(home, 'a b;c%41 ü?#');
  mkdirSync(odd);
  await run(viewer, 'plain.e', `cd '${odd}'`);
  await waitFor(async () => (await row('plain.e'))?.cwd === odd);
  viewer.type(`bash --noprofile --rcfile '${join(home, 'inner')}'\n`);
  writeFileSync(join(home, 'inner'), `cd '${home}'; source integration.bash; PS1='inner$ '\n`);
  await viewer.sees('inner$ ');
  const inner = await run(viewer, 'plain.e', 'sleep 0.1');
  assert.equal(inner.command, 'sleep 0.1');
  const listed = await row('plain.e');
  assert.match(listed?.command ?? '', /^bash --noprofile/);
  assert.equal(listed?.cwd, home);
  const outer = run(viewer, 'plain.e', 'exit 7');
  assert.deepEqual((await outer).exit, ended(7).exit);
  assert.match((await outer).command ?? '', /^bash --noprofile/);
  viewer.close();
});

test('viewers - whoever comes is told the title, the directory and what runs; who comes back, the rest', async () => {
  const viewer = await open('plain.f');
  const { epoch } = await viewer.attached;
  await run(viewer, 'plain.f', "printf '\\e]0;my\\x01 title\\a'");
  viewer.type('sleep 60\n');
  await viewer.until(() => viewer.events('command-start').length === 2);
  const titles = viewer.frames.filter(({ type }) => type === 'title');
  assert.deepEqual(titles, [{ type: 'title', title: 'my title' }]);
  const newcomer = new TestViewer(terminals, 'plain.f', { wantsType: false });
  await newcomer.until(() => newcomer.events('command-start').length > 0);
  assert.equal(
    newcomer.frames.findIndex(({ type }) => type === 'attached'),
    0,
  );
  assert.ok(newcomer.frames.some((frame) => frame.type === 'title' && frame.title === 'my title'));
  assert.equal(newcomer.events('cwd')[0]?.path, home);
  assert.equal(newcomer.events('command-start')[0]?.command, 'sleep 60');
  assert.equal(newcomer.events('command-end').length, 0, 'what has ended is as old as the replay');
  newcomer.close();
  const offset = viewer.next;
  await interrupt(viewer, () => viewer.events('command-end').length === 2);
  const back = new TestViewer(terminals, 'plain.f', { epoch, offset });
  await back.until(() => back.events('command-end').length > 0);
  assert.deepEqual(
    back.events('command-end').map(({ command, status }) => [command, status]),
    [['sleep 60', 130]],
  );
  viewer.close();
  back.close();
});

test('a worker that dies takes nothing of it along', async () => {
  const viewer = await open('plain.g');
  const { epoch } = await viewer.attached;
  await run(viewer, 'plain.g', "printf '\\e]0;kept\\a'");
  viewer.type('read x; (exit 4)\n');
  await viewer.until(() => viewer.events('command-start').length === 2);
  const result = wait('plain.g', 20_000);
  terminals.injectFault('plain.g' as TerminalId, 'throw');
  await viewer.ended;
  const back = await comeBack(terminals, 'plain.g', { epoch, offset: viewer.next });
  await back.until(() => back.events('command-start').length > 0);
  assert.ok(back.frames.some((frame) => frame.type === 'title' && frame.title === 'kept'));
  back.type('\n');
  assert.deepEqual(await result, { ...ended(4), command: 'read x; (exit 4)' });
  back.close();
});

test('wait - says at once or soon that a shell never will, and that a shell has ended', async () => {
  const bare = new TestViewer(terminals, 'bare.h');
  await bare.attached;
  await assert.rejects(wait('bare.h', 100), { code: 'ERR_WAIT_TIMEOUT' });
  await assert.rejects(wait('bare.h'), { code: 'ERR_SHELL_INTEGRATION' });
  const viewer = await open('plain.h');
  assert.deepEqual(await run(viewer, 'plain.h', 'exit 5'), {
    ended: 'terminal',
    exit: { kind: 'status', status: 5 },
  });
  for (const each of [bare, viewer]) each.close();
});

test('a program that prints marks and titles in a loop costs nobody else a thing', async () => {
  const noisy = await open('plain.i');
  const loop = 'while :; do printf "\\e]0;$((n++))\\a\\e]133;C\\a\\e]133;D;1\\a"; done';
  const other = await open('plain.j');
  noisy.type(`${loop}\n`);
  await noisy.until(() => noisy.events('command-end').length > 100);
  for (let round = 0; round < 3; round += 1) {
    assert.deepEqual((await run(other, 'plain.j', '(exit 8)')).exit, ended(8).exit);
  }
  await interrupt(noisy, () => noisy.events('command-end').some(({ status }) => status === 130));
  for (const each of [noisy, other]) each.close();
});

for (const shell of ['zsh', 'fish'] as const) {
  test(`${shell} - commands are told with text and status`, async (t: TestContext) => {
    const program = findProgram(shell);
    if (program === undefined || !existsSync(program)) {
      t.diagnostic(`${shell} is not installed`);
      return;
    }
    const file = join(home, `integration.${shell}`);
    writeFileSync(file, SHELL_SCRIPTS[shell]);
    const own = createTerminals(() => `export HOME='${home}'; cd; exec ${program} -i`);
    const viewer = new TestViewer(own, 'x');
    await viewer.attached;
    viewer.type(shell === 'zsh' ? `unsetopt global_rcs; . ${file}\n` : `source ${file}\n`);
    await viewer.sees(/\]133;A/);
    const result = own.wait('x' as TerminalId, 20_000, new AbortController().signal);
    viewer.type("sh -c 'exit 3'\n");
    const { exit, command } = await result;
    assert.deepEqual([exit, command], [ended(3).exit, "sh -c 'exit 3'"]);
    viewer.close();
    await own.close();
  });
}
