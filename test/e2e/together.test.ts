import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkLeaks, requireProgram, startProgram, tempDir, waitFor } from '../support/index.js';
import {
  brokerApi,
  connect,
  HANDSHAKE_MS,
  keepConnected,
  ssh,
  startAgentProgram,
  startSsh,
  useUp,
  Watcher,
} from '../support/e2e.js';
import { childOf, cleanEnvironment, HOLDFAST } from '../support/up.js';

checkLeaks({ patienceMs: HANDSHAKE_MS });

const currentUp = useUp();
/** Prints what the shell that runs it has open. */
const LIST_DESCRIPTORS = 'ls -l /proc/$$/fd';

test(
  'together e2e - fifty clients attach one new id at once, by WebRTC and by relay: one PTY',
  { timeout: 180_000 },
  async () => {
    const up = currentUp();
    const links = [
      keepConnected(() => connect(up)),
      keepConnected(() => connect(up)),
      keepConnected(() => connect(up, { path: 'relay' })),
    ];
    await Promise.all(links.map((link) => link.get()));
    const watchers = Array.from(
      { length: 50 },
      (_, index) => new Watcher(links[index % links.length] as (typeof links)[0], 'crowd'),
    );
    await Promise.all(watchers.map((watcher) => watcher.attached()));
    assert.equal(watchers.filter(({ created }) => created === true).length, 1);
    watchers[7]?.type('echo "one"-pid-$$\n');
    await Promise.all(watchers.map((watcher) => watcher.sees(/one-pid-\d+\r\n/)));
    assert.equal(new Set(watchers.map(({ text }) => /one-pid-\d+\r/.exec(text)?.[0])).size, 1);
    assert.equal((await (await links[0]?.get())?.terminals())?.length, 1);
    for (const watcher of watchers) await watcher.client.close();
    for (const link of links) await link.close();
  },
);

test(
  'together e2e - one viewer stops reading: the others and the program go on',
  { timeout: 180_000 },
  async () => {
    const up = currentUp();
    const links = keepConnected(() => connect(up));
    const others = keepConnected(() => connect(up));
    const reader = new Watcher(links, 'stopped');
    await reader.attached();
    const stopped = new Watcher(others, 'stopped', { reads: false });
    await stopped.attached();
    reader.type(`exec sh -c 'head -c 20000000 /dev/zero | tr "\\\\0" a; exit 4'\n`);
    assert.deepEqual(await reader.exited, { kind: 'status', status: 4 });
    assert.equal(reader.defects, 0);
    assert.deepEqual(reader.gaps, []);
    assert.ok(stopped.received < 2_000_000, `${String(stopped.received)} bytes for who takes none`);
    stopped.resume();
    assert.deepEqual(await stopped.exited, { kind: 'status', status: 4 });
    assert.equal(stopped.defects, 0);
    assert.equal(stopped.totalBytes, stopped.next);
    await reader.client.close();
    await stopped.client.close();
    await links.close();
    await others.close();
  },
);

test(
  'together e2e - the only viewer is stopped by SIGSTOP during a build: the build finishes',
  { timeout: 180_000 },
  async (t) => {
    const up = currentUp();
    const home = tempDir();
    const viewer = startProgram(process.execPath, [HOLDFAST, 'attach', 'local', 'build'], {
      env: { ...cleanEnvironment(home), HOLDFAST_CONFIG_DIR: up.ready.clientConfigDir },
      cwd: home,
    });
    t.after(() => {
      viewer.child.kill('SIGCONT');
      return viewer.stop();
    });
    const done = join(home, 'done');
    await waitFor(() => viewer.stdout().length > 0, { what: 'a prompt', timeoutMs: 60_000 });
    viewer.child.stdin?.write(`head -c 20000000 /dev/zero | tr '\\0' b; date > ${done}\n`);
    await waitFor(() => viewer.stdout().includes('bbbbbbbb'), { what: 'the build' });
    viewer.child.kill('SIGSTOP');
    await waitFor(() => read(done) !== '', { what: 'the end of the build', timeoutMs: 60_000 });
    viewer.child.kill('SIGCONT');
    viewer.child.stdin?.write('echo "still"-there; exit 5\n');
    const result = await viewer.ended;
    assert.match(result.stdout.toString(), /still-there/);
    assert.equal(result.status, 5, result.stderr);
  },
);

test(
  'together e2e - the broker dies: SSH sessions and terminals go on, and new ones find the agent again',
  { ...requireProgram('ssh'), timeout: 180_000 },
  async () => {
    const up = currentUp();
    const links = keepConnected(() => connect(up));
    const watcher = new Watcher(links, 'outlives');
    await watcher.attached();
    // By relay it would end with the broker.
    const session = startSsh(up, ['-tt', 'local.holdfast', 'stty raw -echo; echo up; exec cat'], {
      env: { ...process.env, HOLDFAST_ENGINE: 'direct' },
    });
    await waitFor(() => session.stdout().includes('up'), {
      what: 'the session',
      timeoutMs: 60_000,
    });
    const pid = childOf(up.ready.pid, 'broker-child');
    process.kill(pid, 'SIGKILL');
    watcher.type('echo "while"-away\n');
    session.child.stdin?.write('still here\n');
    await watcher.sees('while-away\r\n');
    await waitFor(() => session.stdout().includes('still here'), { what: 'the SSH session' });
    await waitFor(
      async () =>
        (
          await brokerApi(up)
            .listWorkspaces()
            .catch(() => [])
        ).some((w) => w.online),
      { what: 'the agent to dial again', timeoutMs: 60_000 },
    );
    assert.notEqual(childOf(up.ready.pid, 'broker-child'), pid);
    assert.equal((await ssh(up, ['local.holdfast', 'exit 9'])).status, 9);
    assert.deepEqual(
      watcher.states.filter((state) => state === 'reconnecting'),
      [],
      'a direct connection does not need the broker',
    );
    await watcher.client.close();
    await session.stop();
    await links.close();
  },
);

test(
  'together e2e - the agent starts anew: an attached viewer comes back by itself, to a new shell, and is told',
  { timeout: 180_000 },
  async () => {
    const up = currentUp();
    const links = keepConnected(() => connect(up, { path: 'auto' }));
    const watcher = new Watcher(links, 'reborn');
    await watcher.attached();
    watcher.type('echo "before"-$$\n');
    await watcher.sees(/before-\d+\r\n/);
    process.kill(childOf(up.ready.pid, 'agent-child'), 'SIGKILL');
    await watcher.attached(2);
    assert.equal(watcher.restarts, 1);
    watcher.type('echo "after"-$$\n');
    await watcher.sees(/after-\d+\r\n/);
    await watcher.client.close();
    await links.close();
  },
);

test(
  'together e2e - no PTY master and nothing but 0, 1 and 2 is open in a terminal and in the startup script',
  { timeout: 180_000 },
  async (t) => {
    const up = currentUp();
    const agent = await startAgentProgram(t, up, {
      workspace: 'sealed',
      args: ['--shell', '/bin/bash'],
    });
    const links = keepConnected(() => connect(up, { workspace: agent.workspace }));
    const other = new Watcher(links, 'other');
    await other.attached();
    const terminal = new Watcher(links, 'listed');
    await terminal.attached();
    terminal.type(
      `echo "shell"-\n${LIST_DESCRIPTORS}\nexec sh -c 'echo "child"-; ${LIST_DESCRIPTORS}'\n`,
    );
    await terminal.exited;
    const [, ofShell = '', ofChild = ''] = terminal.text.split(/^(?:shell|child)-\r\n/m);
    // 255 is bash's own copy of the terminal, which its children do not get.
    assert.deepEqual(descriptors(ofShell), ['0', '1', '2', '255'], ofShell);
    assert.deepEqual(descriptors(ofChild), ['0', '1', '2'], ofChild);
    assert.doesNotMatch(terminal.text, /ptmx|-> socket:|-> anon_inode:/);
    // The agent learns of the script when it dials again; by now terminals are open that must not leak into it.
    await brokerApi(up).updateWorkspace(agent.workspace, {
      startup_script: `${LIST_DESCRIPTORS}; echo done`,
    });
    process.kill(childOf(up.ready.pid, 'broker-child'), 'SIGKILL');
    const log = join(agent.stateDir, 'startup-script.log');
    await waitFor(() => read(log).includes('done'), { what: 'the script', timeoutMs: 60_000 });
    assert.deepEqual(descriptors(read(log)), ['0', '1', '2'], read(log));
    assert.doesNotMatch(read(log), /ptmx|-> socket:|-> anon_inode:/);
    other.type('echo "still"-there\n');
    await other.sees('still-there\r\n');
    await waitFor(
      async () => (await brokerApi(up).listWorkspaces()).every(({ online }) => online),
      { what: 'the agent of the other tests to dial again', timeoutMs: 60_000 },
    );
    for (const watcher of [terminal, other]) await watcher.client.close();
    await links.close();
  },
);

test(
  'together e2e - by relay alone: commands, a terminal and a transfer',
  { ...requireProgram('ssh'), timeout: 180_000 },
  async (t) => {
    const up = currentUp();
    const relayed = ['--engine', 'relay'];
    assert.equal((await up.holdfast(['ssh', ...relayed, 'local', '--', 'exit 7'])).status, 7);
    const text = 'relayed\n'.repeat(200_000);
    const echoed = await up.holdfast(['ssh', ...relayed, 'local', '--', 'cat'], text);
    assert.equal(echoed.stdout.toString(), text);
    const ping = await up.holdfast(['ping', 'local', ...relayed]);
    assert.match(ping.stdout.toString() + ping.stderr, /framed/);
    const links = keepConnected(() => connect(up, { path: 'relay' }));
    const watcher = new Watcher(links, 'relayed');
    await watcher.attached();
    watcher.type(`exec sh -c 'head -c 2000000 /dev/zero | tr "\\\\0" a'\n`);
    assert.deepEqual(await watcher.exited, { kind: 'status', status: 0 });
    assert.equal(watcher.defects, 0);
    assert.equal(watcher.totalBytes, watcher.next);
    await watcher.client.close();
    await links.close();
    t.diagnostic(`${String(watcher.next)} bytes by relay`);
  },
);

test(
  'together e2e - the original protocol works over WebRTC beside the others',
  { timeout: 120_000 },
  async (t) => {
    const up = currentUp();
    const agent = await startAgentProgram(t, up, { workspace: 'classic' });
    const connection = await connect(up, { workspace: agent.workspace });
    const channel = connection.openChannel({
      label: '6ba7b810-9dad-11d1-80b4-00c04fd430c8:31:97',
      protocol: 'reconnecting-pty',
    });
    let output = '';
    let ended = false;
    channel.start({
      message: (bytes) => {
        output += Buffer.from(bytes).toString('latin1');
        channel.consumed(bytes.byteLength);
      },
      credit: () => undefined,
      end: () => {
        ended = true;
      },
    });
    channel.send(new TextEncoder().encode('{"data":"stty size; exit\\n"}'));
    await waitFor(() => ended, { what: 'the end', timeoutMs: 60_000 });
    assert.match(output, /31 97\r\n/);
    await connection.close();
  },
);

/** Numbers of the descriptors in a listing by {@link LIST_DESCRIPTORS}. */
function descriptors(listing: string): string[] {
  return [...listing.matchAll(/ (\d+) -> /g)].map(([, fd = '']) => fd).sort();
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
