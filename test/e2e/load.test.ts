import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connectLocal } from '../../src/main/client/connection/index.js';
import type { LoadResult } from '../../src/main/load/report/index.js';
import type { TerminalInfo } from '../../src/shared/common/wire/index.js';
import { HANDSHAKE_MS, useUp } from '../support/e2e.js';
import { ROOT } from '../support/documents.js';
import {
  checkLeaks,
  runProgram,
  startProgram,
  tempDir,
  waitFor,
  type ProgramResult,
  type RunningProgram,
} from '../support/index.js';
import { cleanEnvironment } from '../support/up.js';

checkLeaks({ patienceMs: HANDSHAKE_MS });

const LOAD = join(ROOT, 'dist/program/holdfast-load.js');
const SLOW = { timeout: 180_000 };
const currentUp = useUp();

function environment(): NodeJS.ProcessEnv {
  return {
    ...cleanEnvironment(tempDir()),
    HOLDFAST_CONFIG_DIR: currentUp().ready.clientConfigDir,
    HOLDFAST_STATE_DIR: currentUp().stateDir,
  };
}

function runLoad(...args: readonly string[]): Promise<ProgramResult> {
  return runProgram(process.execPath, [LOAD, ...args], { env: environment(), timeoutMs: 120_000 });
}

/** Left running; it is killed after `t` if it has not ended. */
function startLoad(t: TestContext, ...args: readonly string[]): RunningProgram {
  const program = startProgram(process.execPath, [LOAD, ...args], { env: environment() });
  t.after(() => program.stop());
  return program;
}

async function terminals(): Promise<TerminalInfo[]> {
  const path = join(currentUp().stateDir, 'agent', 'agent.sock');
  const agent = await connectLocal({ path });
  const found = await agent.terminals();
  await agent.close();
  return found;
}

/** Until the load of `program` stands, with this many terminals. */
async function untilStanding(program: RunningProgram, count: number): Promise<void> {
  await waitFor(() => /: \d+:\d\d[ ,]/.test(program.stderr()), {
    what: `a line of progress in ${program.stderr()}`,
    timeoutMs: 60_000,
  });
  assert.equal((await terminals()).length, count);
}

function assertFailure(
  { status, stdout, stderr }: ProgramResult,
  expected: { status: number; code: string; says: RegExp },
): void {
  const [message = '', hint = '', end, ...more] = stderr.split('\n').slice(-3);
  assert.match(message, new RegExp(`^holdfast-load: ${expected.code}: `), stderr);
  assert.match(message, expected.says);
  assert.match(hint, /^hint: .+/);
  assert.equal(end, '');
  assert.deepEqual(more, []);
  assert.equal(status, expected.status);
  assert.equal(stdout.length, 0);
}

test('load e2e - the help teaches, and needs nothing', SLOW, async () => {
  const { status, stdout, stderr } = await runLoad('--help');
  assert.equal(status, 0, stderr);
  assert.equal(stderr, '');
  const text = stdout.toString();
  assert.match(text, /^Usage: holdfast-load \[options\] \[workspace\]\n/);
  assert.match(text, /\nExamples:\n {2}\S/);
  assert.match(text, /\nExit status:\n {2}\S/);
  assert.match(text, /\nProfiles:\n {2}idle/);
  for (const line of text.split('\n')) assert.ok(line.length <= 110, line);
});

test('load e2e - over WebRTC, with the process of the agent found, as JSON', SLOW, async () => {
  const { status, stdout, stderr } = await runLoad(
    ...['local', '--terminals', '3@10KiB/s,1@max', '--viewers', '2', '--echo', '1', '--ssh', '1'],
    ...['--exec', '5/s', '--sftp-down', '100KiB', '--reconnect', '1/s', '--create-churn', '1/s'],
    ...['--duration', '3s', '--seed', '7', '--json', '--engine', 'direct'],
  );
  assert.equal(status, 0, `${stdout.toString()}${stderr}`);
  const result = JSON.parse(stdout.toString()) as LoadResult;
  assert.equal(result.verdict, 'ok');
  assert.equal(result.plan.seed, 7);
  assert.equal(result.engine, 'werift');
  assert.ok(result.counts.cuts > 0 && result.counts.checkedBytes > 0);
  assert.ok(result.seconds >= 3);
  assert.ok(result.agent !== undefined && result.agent.before.pssBytes > 20e6);
  assert.ok((result.agent.after?.threads ?? 0) > 0);
  assert.deepEqual(await terminals(), []);
});

test('load e2e - what it tells people: a line now and then, and a summary', SLOW, async () => {
  const { status, stdout, stderr } = await runLoad('--local', '--duration', '1s');
  assert.equal(status, 0, stderr);
  assert.match(stderr, /^the agent on this machine: making 2 connections\n/);
  assert.match(stderr, /\nthe agent on this machine: taking everything back\n$/);
  const text = stdout.toString();
  assert.match(text, /the agent on this machine, 2 connections by framed, 0:0\d, seed \d+/);
  assert.match(text, /\n {2}create a terminal +10 +\d/);
  assert.match(text, /\n {2}agent +process \d+: memory \d/);
  assert.match(text, /\n {2}Nothing was lost, doubled or changed\.\n$/);
  assert.ok(!text.includes('\x1b'), 'no colours into a pipe');
  const quiet = await runLoad('--local', '--duration', '100ms', '--terminals', '1', '--quiet');
  assert.equal(quiet.stderr, '');
});

test('load e2e - Ctrl-C ends it with a summary, and nothing is left', SLOW, async (t) => {
  const args = ['--local', '--terminals', '5', '--create-churn', '2/s', '--duration', '0'];
  const program = startLoad(t, ...args);
  await untilStanding(program, 5);
  program.child.kill('SIGINT');
  const { status, stdout, stderr } = await program.ended;
  assert.equal(status, 0, stderr);
  assert.match(stdout.toString(), /Nothing was lost/);
  assert.deepEqual(await terminals(), []);
});

test('load e2e - Ctrl-C before it stands ends it too, as interrupted', SLOW, async (t) => {
  const program = startLoad(t, '--local', '--terminals', '200@1KiB/s', '--duration', '0');
  await waitFor(async () => (await terminals()).length > 5);
  program.child.kill('SIGINT');
  const { status, stdout } = await program.ended;
  assert.equal(status, 130);
  assert.match(stdout.toString(), /Not carried out to its end/);
  assert.deepEqual(await terminals(), []);
});

test('load e2e - one that is killed leaves terminals that end by themselves', SLOW, async (t) => {
  const program = startLoad(t, '--local', '--terminals', '3@1KiB/s', '--duration', '0');
  await untilStanding(program, 3);
  program.child.kill('SIGKILL');
  await program.ended;
  const left = await terminals();
  assert.equal(left.length, 3);
  const agent = await connectLocal({ path: join(currentUp().stateDir, 'agent', 'agent.sock') });
  for (const { id, idleLimitMs } of left) {
    assert.match(id, /^load-[0-9a-f]{6}-\d{4}$/);
    assert.equal(idleLimitMs, 60_000);
    await agent.setIdle(id, 1);
  }
  await agent.close();
  await waitFor(async () => (await terminals()).every(({ state }) => state === 'exited'));
});

test('load e2e - a reader that goes away ends it, and nothing is left', SLOW, async (t) => {
  const program = startLoad(t, '--local', '--terminals', '2', '--duration', '2s', '--json');
  program.child.stdout?.destroy();
  const { status } = await program.ended;
  assert.equal(status, 141);
  const left = (await terminals()).filter(({ state }) => state !== 'exited');
  assert.deepEqual(left, []);
});

test('load e2e - what is wrong is said in one line, before anything is started', SLOW, async () => {
  assertFailure(await runLoad(), {
    status: 2,
    code: 'ERR_INVALID_ARGUMENT',
    says: /which agent/,
  });
  assertFailure(await runLoad('local', '--local'), {
    status: 2,
    code: 'ERR_INVALID_ARGUMENT',
    says: /exclude each other/,
  });
  assertFailure(await runLoad('local', '--terminal', '5'), {
    status: 2,
    code: 'ERR_INVALID_ARGUMENT',
    says: /unknown option '--terminal'/,
  });
  assertFailure(await runLoad('local', '--rate', 'fast'), {
    status: 2,
    code: 'ERR_INVALID_ARGUMENT',
    says: /--rate "fast": must be a rate such as 10KiB\/s, or max, or silent/,
  });
  assertFailure(await runLoad('local', '--agent-pid', '999999999'), {
    status: 2,
    code: 'ERR_INVALID_ARGUMENT',
    says: /--agent-pid "999999999" must be a process/,
  });
  assertFailure(await runLoad('nosuch'), {
    status: 4,
    code: 'ERR_WORKSPACE_NOT_FOUND',
    says: /nosuch/,
  });
  assertFailure(await runLoad('--local', '--socket', '/nowhere/agent.sock'), {
    status: 5,
    code: 'ERR_AGENT_OFFLINE',
    says: /no agent listens on \/nowhere\/agent\.sock/,
  });
});
