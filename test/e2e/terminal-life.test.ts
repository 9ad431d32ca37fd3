import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connectLocal, type AgentConnection } from '../../src/main/client/connection/index.js';
import type { TerminalInfo } from '../../src/shared/common/wire/index.js';
import { checkLeaks, requireProgram, startProgram, tempDir, waitFor } from '../support/index.js';
import type { RunningProgram } from '../support/index.js';
import { keepConnected, startSsh, useUp, Watcher } from '../support/e2e.js';
import { cleanEnvironment, HOLDFAST } from '../support/up.js';

checkLeaks();

const currentUp = useUp();
const SLOW = { timeout: 120_000 };

/** `holdfast` with the login of `up`, left running until `t` ends. */
function start(t: TestContext, ...args: readonly string[]): RunningProgram {
  const env = {
    ...cleanEnvironment(tempDir()),
    HOLDFAST_CONFIG_DIR: currentUp().ready.clientConfigDir,
    TERM: 'xterm-256color',
  };
  const program = startProgram(process.execPath, [HOLDFAST, ...args], { env });
  t.after(() => program.stop());
  return program;
}

async function prints(program: RunningProgram, text: string): Promise<void> {
  await waitFor(() => program.stdout().includes(text), {
    what: `${text} in ${program.stdout().toString()}${program.stderr()}`,
    timeoutMs: 60_000,
  });
}

/** Over the socket of the agent: what is quick there leaves time for what is tested. */
const nearby = (): Promise<AgentConnection> =>
  connectLocal({ path: join(currentUp().stateDir, 'agent', 'agent.sock') });

async function row(name: string): Promise<TerminalInfo | undefined> {
  const agent = await nearby();
  const rows = await agent.terminals();
  await agent.close();
  return rows.find(({ id }) => id === name);
}

/** A shell that somebody else started and watches. */
async function withShell(name: string, use: (shell: Watcher) => Promise<void>): Promise<void> {
  const links = keepConnected(nearby);
  const shell = new Watcher(links, name);
  await shell.attached();
  shell.type('PS1="rea""dy "\n');
  await shell.sees('ready ');
  await use(shell);
  await shell.client.close();
  await links.close();
}

test(
  'life e2e - attach runs a program with its arguments; its status is that of attach and of wait',
  SLOW,
  async (t) => {
    const script = 'echo "got <$1> <$2>"; read x; exit "$x"';
    const attach = start(
      t,
      'attach',
      'local',
      'program',
      '--',
      'sh',
      '-c',
      script,
      'x',
      'a  b',
      '',
    );
    await prints(attach, 'got <a  b> <>');
    assert.match((await row('program'))?.command ?? '', /^sh -c echo "got/);
    const wait = start(t, 'wait', 'local', 'program');
    // Whether it comes before the end or after makes no difference.
    attach.child.stdin?.write('6\n');
    assert.equal((await attach.ended).status, 6);
    assert.equal((await wait.ended).status, 6, wait.stderr());
  },
);

test('life e2e - a terminal of short life ends when nobody is there', SLOW, async (t) => {
  const attach = start(t, 'attach', 'local', 'short', '--idle', '1s', '--', 'cat');
  attach.child.stdin?.write('here\n');
  await prints(attach, 'here');
  assert.equal((await row('short'))?.state, 'running');
  assert.equal((await row('short'))?.idleLimitMs, 1_000);
  await attach.stop();
  await waitFor(async () => (await row('short'))?.state === 'exited', { timeoutMs: 60_000 });
});

test('life e2e - kill with a signal sends only that', SLOW, async (t) => {
  const script = 'trap "echo trapped; exit 7" USR1; echo set; while :; do sleep 0.1; done';
  const attach = start(t, 'attach', 'local', 'signalled', '--', 'sh', '-c', script);
  await prints(attach, 'set');
  const kill = await currentUp().holdfast(['kill', 'local', 'signalled', '--signal', 'usr1']);
  assert.equal(kill.status, 0, kill.stderr);
  assert.equal((await attach.ended).status, 7);
  assert.match(attach.stdout().toString(), /trapped/);
});

test('life e2e - wait ends with the status of the next command', SLOW, async (t) => {
  await withShell('waited', async (shell) => {
    shell.type(`eval "$('${process.execPath}' '${HOLDFAST}' shell-integration bash)"\n`);
    await shell.sees(']133;A');
    const wait = start(t, 'wait', 'local', 'waited', '--json');
    let isOver = false;
    void wait.ended.then(() => {
      isOver = true;
    });
    // Nobody sees from outside when it has begun to wait.
    while (!isOver) {
      shell.type('(exit 3)\n');
      await Promise.race([wait.ended, new Promise((resolve) => setTimeout(resolve, 300))]);
    }
    const { status, stdout, stderr } = await wait.ended;
    assert.equal(status, 3, stderr);
    const told = JSON.parse(stdout.toString()) as Record<string, unknown>;
    assert.deepEqual([told['status'], told['command']], [3, '(exit 3)']);
    assert.ok(Number(told['durationMs']) >= 0);
    shell.type("printf '\\e]2;a title\\a'; cd /usr/lib\nsleep 50\n");
    const table = await waitFor(async () => {
      const text = (await currentUp().holdfast(['terminals', 'local'])).stdout.toString();
      return /sleep 50/.test(text) && text;
    });
    assert.match(table, /^waited .*sleep 50.*\/usr\/lib +a title$/m);
    const local = ['--local', '--state-dir', currentUp().stateDir];
    const late = await currentUp().holdfast([
      ...['wait', 'local', 'waited', '--timeout', '500ms'],
      ...local,
    ]);
    assert.equal(late.status, 124);
    assert.match(late.stderr, /ERR_WAIT_TIMEOUT/);
    // The shell ends before what was typed does.
    shell.type('\x03');
    shell.type('exit 8\n');
    const ended = await currentUp().holdfast(['wait', 'local', 'waited', ...local]);
    // Typed behind ^C it may be the next command, or the interrupted one was.
    assert.ok([255, 130].includes(ended.status ?? -1), ended.stderr);
    await shell.exited;
    const over = await currentUp().holdfast(['wait', 'local', 'waited', ...local]);
    assert.equal(over.status, 255);
    assert.match(over.stderr, /ERR_TERMINAL_ENDED/);
  });
});

test('life e2e - wait says why it cannot', SLOW, async () => {
  const unknown = await currentUp().holdfast(['wait', 'local', 'nobody']);
  assert.equal(unknown.status, 255);
  assert.match(unknown.stderr, /ERR_TERMINAL_NOT_FOUND/);
  await withShell('silent', async () => {
    const { status, stderr } = await currentUp().holdfast(['wait', 'local', 'silent']);
    assert.equal(status, 255);
    assert.match(stderr, /ERR_SHELL_INTEGRATION.*\nhint: .*shell-integration bash/);
  });
});

test(
  'life e2e - ssh to a name lands in that terminal, beside whoever is there',
  { ...requireProgram('ssh'), ...SLOW },
  async (t) => {
    await withShell('met', async (shell) => {
      shell.type('MARK=$((40+2))\n');
      const openssh = startSsh(currentUp(), ['-tt', 'met@local.holdfast']);
      t.after(() => openssh.stop());
      const own = start(t, 'ssh', '-t', 'met@local');
      for (const [name, session] of Object.entries({ openssh, own })) {
        await prints(session, 'ready');
        session.child.stdin?.write(`echo ${name}-$MARK\n`);
        for (const each of [openssh, own]) await prints(each, `${name}-42`);
        await shell.sees(`${name}-42`);
      }
      assert.equal((await row('met'))?.viewers, 3);
      shell.type('exit 5\n');
      assert.equal((await openssh.ended).status, 5);
      assert.equal((await own.ended).status, 5);
    });
  },
);
