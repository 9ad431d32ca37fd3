import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkLeaks, runProgram, tempDir, waitFor } from '../support/index.js';
import { cleanEnvironment, HOLDFAST, startUp } from '../support/up.js';

checkLeaks();

/** Processes whose parent is `pid`. */
function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] === String(pid);
      } catch {
        return false;
      }
    })
    .map(Number);
}

function isAlive(pid: number): boolean {
  try {
    // A zombie whose parent has not looked yet does nothing any more.
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    return !/^\d+ \(.*\) Z/s.test(stat);
  } catch {
    return false;
  }
}

/** Runs `up` to its end, which is to come by itself. */
function failingUp(args: readonly string[], home = tempDir()) {
  return runProgram(process.execPath, [HOLDFAST, 'up', '--no-open', ...args], {
    env: cleanEnvironment(home),
    cwd: home,
  });
}

test(
  'up - says when it works, serves, and leaves nothing after Ctrl-C',
  { timeout: 180_000 },
  async (t) => {
    const up = await startUp(t);
    const { ready, program, readyFile, stateDir } = up;
    assert.equal(statSync(readyFile).mode & 0o777, 0o600);
    assert.equal(ready.workspace, 'local');
    assert.equal(ready.pid, program.child.pid);
    assert.equal(statSync(stateDir).mode & 0o777, 0o700);

    const link = new URL(ready.url);
    assert.equal(link.origin, ready.brokerUrl);
    const page = await fetch(link);
    assert.equal(page.status, 200);
    const health = await fetch(`${ready.brokerUrl}/healthz`);
    assert.equal(health.status, 200);
    await Promise.all([page.text(), health.text()]);

    const screen = await waitFor(() => {
      const text = program.stdout().toString();
      return text.includes('Ctrl-C') && text;
    });
    assert.ok(screen.includes(ready.url));
    assert.match(screen, /ssh -F \S+ local\.holdfast/);

    const list = await up.holdfast(['workspace', 'list', '--json']);
    assert.equal(list.status, 0, list.stderr);
    const [workspace] = JSON.parse(list.stdout.toString()) as { name: string; online: boolean }[];
    assert.equal(workspace?.name, 'local');
    assert.equal(workspace?.online, true);

    const children = childrenOf(ready.pid);
    assert.equal(children.length, 2);
    const { status, stderr } = await up.stop();
    assert.equal(status, 0, stderr);
    assert.equal(children.some(isAlive), false);
    assert.ok(!existsSync(readyFile));
  },
);

test(
  'up - a second start finds workspace, keys and tokens again',
  { timeout: 180_000 },
  async (t) => {
    const stateDir = join(tempDir(), 'state');
    const first = await startUp(t, { stateDir });
    const token = new URL(first.ready.url).hash;
    await first.holdfast(['ssh', 'local', '--', 'true']);
    const known = join(first.ready.clientConfigDir, 'known-agents.json');
    const { agentKey } = Object.values(
      Object.values(
        JSON.parse(readFileSync(known, 'utf8')) as Record<
          string,
          Record<string, { agentKey: string }>
        >,
      )[0] ?? {},
    )[0] ?? { agentKey: '' };
    await first.stop();

    const second = await startUp(t, { stateDir });
    assert.equal(new URL(second.ready.url).hash, token);
    const list = await second.holdfast(['workspace', 'list', '--json']);
    const workspaces = JSON.parse(list.stdout.toString()) as { name: string; agentKey: string }[];
    assert.deepEqual(
      workspaces.map(({ name, agentKey: key }) => [name, key]),
      [['local', agentKey]],
    );
    await second.stop();
  },
);

test(
  'up - a second instance on the same folder is told who is there',
  { timeout: 180_000 },
  async (t) => {
    const up = await startUp(t);
    const { status, stderr } = await failingUp(['--port', '0', '--state-dir', up.stateDir]);
    assert.equal(status, 6);
    assert.match(
      stderr,
      new RegExp(`^holdfast: ERR_ALREADY_RUNNING: .*${String(up.ready.pid)}.*\nhint: .+\n$`),
    );
    // The one that runs is not harmed.
    assert.ok(existsSync(up.readyFile));
    assert.equal((await up.stop()).status, 0);
  },
);

test('up - a taken port is one line that says what to do', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = String((server.address() as AddressInfo).port);
  const { status, stderr } = await failingUp(['--port', port]);
  server.close();
  assert.equal(status, 6);
  assert.match(
    stderr,
    new RegExp(`^holdfast: ERR_PORT_IN_USE: .*${port}.*\nhint: .*--port 0.*\n$`),
  );
});

test('up - an unusable folder is one line that says what to do', async () => {
  const home = tempDir();
  mkdirSync(join(home, 'real'));
  const cases = [join(home, 'file', 'x'), '/dev/null/x'];
  execFileSync('/bin/sh', ['-c', 'echo x > file && ln -s real link'], { cwd: home });
  cases.push(join(home, 'link'));
  if (process.getuid?.() !== 0) {
    chmodSync(join(home, 'real'), 0o500);
    cases.push(join(home, 'real', 'x'));
  }
  for (const folder of cases) {
    const { status, stderr } = await failingUp(['--port', '0', '--state-dir', folder], home);
    assert.equal(status, 6, stderr);
    assert.match(stderr, /^holdfast: ERR_STATE_DIR: .+\nhint: .*--state-dir.*\n$/);
  }
});

test('up - children end when it is killed', { timeout: 120_000 }, async (t) => {
  const up = await startUp(t);
  const children = childrenOf(up.ready.pid);
  assert.equal(children.length, 2);
  up.program.child.kill('SIGKILL');
  await up.program.ended;
  await waitFor(() => !children.some(isAlive), { what: 'the children to end' });
  // The lock of the dead is no hindrance.
  const again = await startUp(t, { stateDir: up.stateDir });
  assert.equal((await again.stop()).status, 0);
});

test(
  'up - a child that dies is started anew, and people get back in',
  { timeout: 180_000 },
  async (t) => {
    const up = await startUp(t);
    for (const pid of childrenOf(up.ready.pid)) process.kill(pid, 'SIGKILL');
    await waitFor(() => childrenOf(up.ready.pid).length === 2, { what: 'new children' });
    await waitFor(
      async () =>
        (await up.holdfast(['ssh', 'local', '--', 'echo', 'back'])).stdout.toString() === 'back\n',
      { what: 'a shell', timeoutMs: 90_000 },
    );
    assert.match(up.program.stderr(), /holdfast: the broker ended \(SIGKILL\); starting another/);
    assert.match(up.program.stderr(), /holdfast: the agent ended \(SIGKILL\); starting another/);
    assert.equal((await up.stop()).status, 0);
  },
);

test(
  'up - no token in any command line, and npm is not in the shells',
  { timeout: 120_000 },
  async (t) => {
    const up = await startUp(t);
    const token = decodeURIComponent(new URL(up.ready.url).hash.slice('#token='.length));
    assert.ok(token.length > 20);
    for (const pid of [up.ready.pid, ...childrenOf(up.ready.pid)]) {
      for (const file of ['cmdline', 'environ']) {
        const text = readFileSync(`/proc/${String(pid)}/${file}`, 'latin1');
        assert.doesNotMatch(text, /hf_(user|agent|admin)_/, `${file} of ${String(pid)}`);
      }
    }
    const { stdout } = await up.holdfast(['ssh', 'local', '--', 'env; ls -l /proc/self/fd']);
    assert.doesNotMatch(stdout.toString(), /hf_(user|agent)_|NODE_CHANNEL|npm_/);
    assert.doesNotMatch(stdout.toString(), /ptmx|socket:/);
    assert.equal((await up.stop()).status, 0);
  },
);
