import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import { after, before, test } from 'node:test';
import type { ChildProcess } from 'node:child_process';
import type { ClientChannel } from 'ssh2';
import type { TerminalId } from '../../src/shared/common/index.js';
import { sealInheritedDescriptors } from '../../src/main/agent/process/index.js';
import { terminalOfUser } from '../../src/main/agent/ssh/terminal-user.js';
import type { TerminalRegistry } from '../../src/main/agent/terminals/index.js';
import { checkLeaks } from '../support/leaks.js';
import { requireProgram } from '../support/index.js';
import { SshHarness } from '../support/ssh-harness.js';
import { createTerminals, TestViewer } from '../support/terminals.js';
import { waitFor } from '../support/wait-for.js';

checkLeaks();
sealInheritedDescriptors();

const WITH_SSH = requireProgram('ssh');
const SHELL = 'PS1="$ " exec bash --norc --noprofile -i';
let terminals: TerminalRegistry;
let harness: SshHarness;
before(async () => {
  terminals = createTerminals(() => SHELL, { faults: true });
  harness = await new SshHarness({ server: { terminals } }).start();
});
after(async () => {
  await harness.close();
  await terminals.close();
});

/** OpenSSH's client with a terminal, and all that it has printed. */
class Ssh {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  #text = '';

  constructor(...args: string[]) {
    this.child = harness.spawnSsh(args);
    this.exited = new Promise((resolve) => this.child.once('exit', resolve));
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.#text += chunk.toString('latin1')));
  }

  type(text: string): void {
    this.child.stdin?.write(text);
  }

  get text(): string {
    return this.#text;
  }

  async sees(pattern: RegExp): Promise<void> {
    await waitFor(() => pattern.test(this.#text), { what: `${String(pattern)} in ${this.#text}` });
  }
}

test(
  'ssh NAME@ - a flood comes through whole, and does not stop on the way',
  WITH_SSH,
  async () => {
    const ssh = new Ssh('-tt', 'flood@agent');
    await ssh.sees(/\$ /);
    const bytes = 8_000_000;
    ssh.type(
      `stty raw -echo; printf be; printf gin; head -c ${String(bytes)} /dev/zero | tr '\\0' x; printf e; printf nd\n`,
    );
    await waitFor(() => ssh.text.slice(-40).includes('end'), { what: 'the end of the flood' });
    const flood = ssh.text.slice(
      ssh.text.indexOf('begin') + 'begin'.length,
      ssh.text.lastIndexOf('end'),
    );
    assert.equal(flood.length, bytes);
    ssh.child.kill();
    await ssh.exited;
  },
);

test(
  'ssh NAME@ - joins the terminal of that name, shared with others, and comes back to it',
  WITH_SSH,
  async () => {
    const first = new Ssh('-tt', 'work@agent');
    await first.sees(/\$ $/);
    const viewer = new TestViewer(terminals, 'work');
    await viewer.attached;
    first.type('MARK=$((40+2)); echo from-ssh-$MARK\n');
    await viewer.sees('from-ssh-42');
    viewer.type('echo from-page-$MARK\n');
    await first.sees(/from-page-42/);
    first.child.kill('SIGKILL');
    await first.exited;
    viewer.type('echo alone-$MARK\n');
    await viewer.sees('alone-42');

    const second = new Ssh('-tt', 'work@agent');
    await second.sees(/from-ssh-42[^]*from-page-42[^]*alone-42/);
    second.type('exit 7\n');
    assert.equal(await second.exited, 7);
    assert.deepEqual(await viewer.ended, { kind: 'status', status: 7 });

    // It had exited, so a new shell.
    const third = new Ssh('-tt', 'work@agent');
    await third.sees(/\$ $/);
    assert.doesNotMatch(third.text, /from-ssh/);
    third.type('echo new-$MARK-; kill -TERM $$; kill -KILL $$\n');
    assert.notEqual(await third.exited, 0);
    assert.match(third.text, /new--/);
  },
);

test(
  'ssh NAME@ - what has no terminal, a command and plain names are sessions of their own',
  WITH_SSH,
  async () => {
    const viewers = async () =>
      (await terminals.list()).filter(({ state }) => state === 'running').length;
    const before = await viewers();
    const command = await harness.ssh(['own@agent', 'echo hi; exit 3']);
    assert.deepEqual([command.status, command.stdout.toString()], [3, 'hi\n']);
    const pipe = await harness.ssh(['-T', 'own@agent'], 'echo piped; exit 4\n');
    assert.equal(pipe.status, 4);
    assert.match(pipe.stdout.toString(), /piped/);
    for (const name of ['holdfast', userInfo().username]) {
      const plain = new Ssh('-tt', `${name}@agent`);
      plain.type('echo plain-$((40+2)); exit 5\n');
      assert.equal(await plain.exited, 5);
      assert.match(plain.text, /plain-42/);
    }
    assert.equal(await viewers(), before);
  },
);

test(
  'ssh NAME@ - a name that is none, and a terminal that the ticket does not allow, are refused',
  WITH_SSH,
  async () => {
    const bad = new Ssh('-tt', '-l', 'no name', 'agent');
    assert.equal(await bad.exited, 229);
    assert.match(bad.text, /ERR_INVALID_ARGUMENT.*holdfast@/);
    const guest = await new SshHarness({
      scopes: ['ssh', 'terminal:mine:view'],
      server: { terminals },
    }).start();
    const client = await guest.client({ username: 'theirs' });
    const stream = await shell(client);
    const said = collect(stream);
    await waitFor(() => said().includes('ERR_FORBIDDEN'));
    client.end();
    await guest.close();
  },
);

test('ssh NAME@ - the size is that of the window, keys arrive as typed, and a worker may die', async () => {
  const client = await harness.client({ username: 'sized' });
  const stream = await shell(client, { rows: 30, cols: 100 });
  const said = collect(stream);
  stream.write('stty size\n');
  await waitFor(() => said().includes('30 100'));
  stream.setWindow(40, 120, 0, 0);
  await waitFor(async () => (await terminals.list()).find(({ id }) => id === 'sized')?.rows === 40);
  stream.write('stty size\n');
  await waitFor(() => said().includes('40 120'));
  const keys = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  stream.write(
    'stty raw -echo; echo ready; head -c 256 | od -An -v -tu1 | tr -s " \\n" " "; stty sane\n',
  );
  await waitFor(() => said().includes('ready\r\n') || said().includes('ready\n'));
  await waitFor(
    async () =>
      (await terminals.list()).find(({ id }) => id === 'sized')?.command?.startsWith('head') ===
      true,
  );
  stream.write(keys);
  await waitFor(() => said().includes([...keys].join(' ')), { what: 'all bytes' });
  terminals.injectFault('sized' as TerminalId, 'throw');
  stream.write('echo still-$((40+2))\n');
  await waitFor(() => said().includes('still-42'));
  const status = new Promise((resolve) => stream.once('exit', resolve));
  stream.write('exit 6\n');
  assert.equal(await status, 6);
  client.end();
});

test('ssh NAME@ - which names are plain', () => {
  const who = { systemUser: 'dev', subject: 'anna' };
  for (const plain of ['', 'holdfast', 'dev', 'anna']) {
    assert.equal(terminalOfUser(plain, who), undefined);
  }
  assert.equal(terminalOfUser('build', who), 'build');
  for (const bad of ['a b', '-x', 'DOMAIN\\user', 'a'.repeat(65)]) {
    assert.throws(() => terminalOfUser(bad, who), { code: 'ERR_INVALID_ARGUMENT' });
  }
});

function shell(
  client: Awaited<ReturnType<SshHarness['client']>>,
  window: { rows: number; cols: number } = { rows: 24, cols: 80 },
): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.shell({ term: 'xterm', ...window }, (error, stream) => {
      if (error === undefined) resolve(stream);
      else reject(error);
    });
  });
}

function collect(stream: ClientChannel): () => string {
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  stream.stderr.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  return () => text;
}
