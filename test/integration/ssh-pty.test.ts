import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Client, ClientChannel } from 'ssh2';
import { PayloadWriter } from '../../src/main/agent/ssh/internals.js';
import type { TerminalRegistry } from '../../src/main/agent/terminals/index.js';
import { checkLeaks, seededRandom, waitFor } from '../support/index.js';
import { requestOn } from '../support/channel-request.js';
import { SshHarness } from '../support/ssh-harness.js';
import { createTerminals } from '../support/terminals.js';

checkLeaks();

let terminals: TerminalRegistry;
let harness: SshHarness;

before(async () => {
  terminals = createTerminals(() => 'exit 0');
  harness = await new SshHarness({ server: { terminals } }).start();
});

after(async () => {
  await harness.close();
  await terminals.close();
});

interface Session {
  readonly channel: ClientChannel;
  text(): string;
  readonly done: Promise<{ status: number | null; signal: string | undefined; text: string }>;
}

/** A command on a PTY through ssh2's client. */
function openPty(client: Client, command: string, pty: object = {}): Promise<Session> {
  return new Promise((resolve, reject) => {
    client.exec(command, { pty: { term: 'xterm-256color', ...pty } }, (error, channel) => {
      if (error !== undefined) {
        reject(error);
        return;
      }
      const parts: Buffer[] = [];
      const text = (): string => Buffer.concat(parts).toString();
      channel.on('data', (chunk: Buffer) => parts.push(chunk));
      channel.stderr.on('data', (chunk: Buffer) => parts.push(chunk));
      let exit: { status: number | null; signal: string | undefined } | undefined;
      channel.on('exit', (status: number | null, signal?: string) => {
        exit = { status, signal };
      });
      const done = new Promise<Awaited<Session['done']>>((resolveDone, rejectDone) => {
        channel.on('close', () => {
          if (exit === undefined) rejectDone(new Error('closed without an exit status'));
          else resolveDone({ ...exit, text: text() });
        });
      });
      done.catch(() => undefined);
      resolve({ channel, text, done });
    });
  });
}

test('ssh pty - lineage 8: exit status is exact, also through OpenSSH with -tt', async () => {
  const { status } = await harness.ssh(['-tt', 'agent', 'exit 7'], null);
  assert.equal(status, 7);
  const client = await harness.client();
  for (const expected of [0, 1, 42, 127, 255]) {
    const session = await openPty(client, `exit ${String(expected)}`);
    assert.equal((await session.done).status, expected);
  }
  const killed = await openPty(client, 'kill -KILL $$');
  assert.equal((await killed.done).signal, 'SIGKILL');
  client.end();
});

test('ssh pty - lineage 9: the last byte of output arrives before the exit status, always', async () => {
  const random = seededRandom();
  const client = await harness.client();
  for (let round = 0; round < 25; round += 1) {
    const size = random.int(1, round % 5 === 0 ? 3_000_000 : 60_000);
    const session = await openPty(client, `head -c ${String(size)} /dev/zero | tr '\\0' a`);
    const { text, status } = await session.done;
    assert.equal(text.length, size);
    assert.equal(status, 0);
  }
  client.end();
});

test('ssh pty - a paused reader loses nothing of the output', async () => {
  const client = await harness.client();
  const session = await openPty(client, "head -c 3000000 /dev/zero | tr '\\0' a; echo end");
  session.channel.pause();
  await new Promise((resolve) => setTimeout(resolve, 300));
  session.channel.resume();
  const { text } = await session.done;
  assert.equal(text.length, 3_000_005);
  client.end();
});

test('ssh pty - a background job that ignores the hang-up does not hold the session', async () => {
  const client = await harness.client();
  const session = await openPty(client, "trap '' HUP; sleep 3 & echo hi");
  const { text, status } = await session.done;
  assert.equal(text, 'hi\r\n');
  assert.equal(status, 0);
  client.end();
});

test('ssh pty - size, TERM, SSH_TTY and SSH_CONNECTION are set', async () => {
  const client = await harness.client();
  const command =
    'stty size; echo $TERM; test "$SSH_TTY" = "$(tty)" && echo same; echo $SSH_CONNECTION';
  const session = await openPty(client, command, { rows: 41, cols: 133, term: 'vt220' });
  const lines = (await session.done).text.trim().split('\r\n');
  assert.deepEqual(lines.slice(0, 3), ['41 133', 'vt220', 'same']);
  assert.match(lines[3] ?? '', /^\S+ \d+ \S+ \d+$/);
  const zero = await openPty(client, 'stty size', { rows: 0, cols: 0 });
  assert.equal((await zero.done).text, '24 80\r\n');
  client.end();
});

test('ssh pty - lineage 11: terminal modes of the client are applied, and nothing is rewritten', async () => {
  const client = await harness.client();
  const modes = { VINTR: 7, ECHO: 0, ONLCR: 0, IXON: 0 };
  const session = await openPty(client, 'stty -a; printf "a\\nb\\n"', { modes });
  const { text } = await session.done;
  assert.match(text, /intr = \^G/);
  assert.match(text, /(^|\s)-echo\s/);
  assert.match(text, /(^|\s)-ixon\s/);
  assert.ok(text.endsWith('a\nb\n'), 'no carriage returns are added');
  client.end();
});

test('ssh pty - window changes arrive, the last of a flood too', async () => {
  const client = await harness.client();
  const session = await openPty(client, 'while :; do stty size; sleep 0.1; done');
  const size = (): string | undefined => session.text().trim().split('\r\n').at(-1);
  await waitFor(() => size() === '24 80');
  for (let rows = 1; rows <= 500; rows += 1) session.channel.setWindow(rows, 99, 0, 0);
  await waitFor(() => size() === '500 99', { what: 'the last size' });
  session.channel.setWindow(0, 0, 0, 0);
  await waitFor(() => size() === '24 80', { what: 'a size of 0 replaced' });
  client.end();
  await session.done.catch(() => undefined);
});

test('ssh pty - keystrokes and signals reach the foreground', async () => {
  const client = await harness.client();
  const session = await openPty(client, 'read line; echo "got $line"; cat; echo ended $?');
  session.channel.write('hello\n');
  await waitFor(() => session.text().includes('got hello'));
  session.channel.write('more\n\x04');
  const { text } = await session.done;
  assert.match(text, /more\r\nmore\r\nended 0/);
  const second = await openPty(
    client,
    'trap "echo got-usr1; exit 4" USR1; echo ready; while :; do sleep 0.1; done',
  );
  await waitFor(() => second.text().includes('ready'));
  second.channel.signal('USR1');
  const result = await second.done;
  assert.match(result.text, /got-usr1/);
  assert.equal(result.status, 4);
  client.end();
});

test('ssh pty - a large paste arrives whole', async () => {
  const client = await harness.client();
  const session = await openPty(
    client,
    'stty raw -echo; echo ready; head -c 1000000 | md5sum; stty sane',
  );
  await waitFor(() => session.text().includes('ready'));
  session.channel.write(Buffer.alloc(1_000_000, 'x'));
  const { text } = await session.done;
  const expected = createHash('md5').update(Buffer.alloc(1_000_000, 'x')).digest('hex');
  assert.ok(text.includes(expected));
  client.end();
});

test('ssh pty - a shell session is a login shell in the directory of the metadata', async () => {
  const client = await harness.client();
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    client.shell((error, opened) => {
      if (error === undefined) resolve(opened);
      else reject(error);
    });
  });
  let text = '';
  channel.on('data', (chunk: Buffer) => (text += chunk.toString()));
  channel.write('shopt -q login_shell && echo log""in; pwd; exit 5\n');
  const status = await new Promise((resolve) => channel.once('exit', resolve));
  assert.equal(status, 5);
  assert.match(text, /login\r\n/);
  assert.ok(text.includes(`\n${harness.dir}\r\n`));
  client.end();
});

test('ssh pty - security 5: neither shells nor commands see a PTY master', async () => {
  const client = await harness.client();
  const first = await openPty(client, 'echo $$; exec sleep 60');
  const second = await openPty(client, 'echo $$; exec sleep 60');
  await waitFor(() => first.text().includes('\n') && second.text().includes('\n'));
  const piped = harness.spawnSsh(['agent', 'echo $$; exec sleep 60']);
  let text = '';
  piped.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await waitFor(() => text.includes('\n'));
  for (const pid of [first.text(), second.text(), text].map(Number)) {
    const folder = `/proc/${String(pid)}/fd`;
    await waitFor(() => readdirSync(folder).join() === '0,1,2', { what: 'only three descriptors' });
    for (const fd of readdirSync(folder)) {
      assert.doesNotMatch(readlinkSync(`${folder}/${fd}`), /ptmx/);
    }
  }
  piped.kill();
  client.end();
  await Promise.allSettled([first.done, second.done]);
});

test('ssh pty - a break is granted on a PTY, a stuck one too, and refused without one', async () => {
  const client = await harness.client();
  const length = new PayloadWriter().uint32(500).finish();
  const session = await openPty(client, 'echo up; read line; echo "got $line"; exit 3');
  await waitFor(() => session.text().includes('up'));
  assert.equal(await requestOn(client, session.channel, 'break', length), true);
  session.channel.write('this\n');
  const { status, text } = await session.done;
  assert.equal(status, 3);
  assert.match(text, /got this/);
  const stuck = await openPty(client, 'yes');
  await waitFor(() => stuck.text().length > 0);
  stuck.channel.pause();
  assert.equal(await requestOn(client, stuck.channel, 'break', length), true);
  stuck.channel.destroy();
  const piped = await new Promise<ClientChannel>((resolve, reject) => {
    client.exec('sleep 60', (error, channel) => {
      if (error === undefined) resolve(channel);
      else reject(error);
    });
  });
  assert.equal(await requestOn(client, piped, 'break', length), false);
  client.end();
});

test('ssh pty - the end of the connection ends what runs on the PTY', async () => {
  const client = await harness.client();
  const session = await openPty(client, 'echo $$; sleep 300');
  await waitFor(() => session.text().includes('\n'));
  const pid = Number(session.text());
  harness.streams.at(-1)?.destroy();
  await waitFor(() => {
    try {
      return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
    } catch {
      return true;
    }
  });
});
