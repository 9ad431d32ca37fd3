import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { TerminalRegistry } from '../../src/main/agent/terminals/index.js';
import { limits } from '../../src/shared/common/index.js';
import { checkLeaks, requireProgram, tempDir } from '../support/index.js';
import { startLocalAgent } from '../support/local-agent.js';
import { SshHarness } from '../support/ssh-harness.js';
import { createTerminals } from '../support/terminals.js';

checkLeaks();

const WITH_SSH = requireProgram('ssh', 'sftp');
const MOTD = 'Welcome.\n\x1b[1mBe kind\x1b[m to the \xe4 disk.\n';
const AS_SHOWN = MOTD.replaceAll('\n', '\r\n');

let terminals: TerminalRegistry;
let harness: SshHarness;
let home: string;
let banner: string;
let motd: string;

before(async () => {
  home = join(tempDir(), 'home');
  mkdirSync(home);
  banner = join(tempDir(), 'banner');
  motd = join(tempDir(), 'motd');
  writeFileSync(banner, 'Authorized use only.\nAll is logged.\n');
  writeFileSync(motd, Buffer.from(MOTD, 'latin1'));
  terminals = createTerminals(() => 'echo shared; exit 4');
  harness = await new SshHarness({
    server: { terminals, banner, motd },
    prepare: {
      user: () => ({
        platform: process.platform,
        env: { HOME: home, MAIL: '/var/mail/somebody', SSH_TTY: '/dev/of-the-agent' },
        name: 'ada',
        shell: '/bin/sh',
        home,
      }),
    },
  }).start();
});

after(async () => {
  await harness.close();
  await terminals.close();
});

/** A shell with a terminal, which runs `script`: standard output, as bytes. */
async function loginShell(user: string, script: string): Promise<string> {
  const { stdout } = await harness.ssh(['-tt', `${user}@agent`], `${script}\n`);
  return stdout.toString('latin1');
}

test(
  'ssh login - the banner is shown to everybody before the login, cut at its bound',
  WITH_SSH,
  async () => {
    const loud = ['-o', 'LogLevel=INFO', 'agent', 'echo in'];
    const shown = await harness.ssh(loud);
    assert.equal(shown.stderr, 'Authorized use only.\nAll is logged.\n');
    assert.equal(shown.stdout.toString(), 'in\n');
    const client = await harness.client();
    client.end();
    writeFileSync(banner, 'b'.repeat(limits.LOGIN_TEXT_BYTES + 1_000));
    assert.equal((await harness.ssh(loud)).stderr.trimEnd().length, limits.LOGIN_TEXT_BYTES);
    writeFileSync(banner, '');
    assert.equal((await harness.ssh(loud)).stderr, '');
    rmSync(banner);
    const without = await harness.ssh(loud);
    assert.equal(without.stderr, '');
    assert.equal(without.status, 0);
    assert.ok(harness.records.some(({ message }) => message === 'the banner could not be read'));
  },
);

test('ssh login - an agent does not start without the banner that it was told of', async () => {
  for (const sshBanner of [join(tempDir(), 'not-there'), tempDir(), '/dev/zero']) {
    await assert.rejects(startLocalAgent({ sshBanner }), { code: 'ERR_CONFIG' });
  }
});

test(
  'ssh login - a shell with a terminal begins with the message of the day',
  WITH_SSH,
  async () => {
    const text = await loginShell('holdfast', 'PS1=; echo one; exit 3');
    assert.ok(text.startsWith(AS_SHOWN), JSON.stringify(text));
    writeFileSync(join(home, '.hushlogin'), '');
    assert.doesNotMatch(await loginShell('holdfast', 'exit'), /Welcome/);
    rmSync(join(home, '.hushlogin'));
    assert.match(await loginShell('holdfast', 'exit'), /Welcome/);
  },
);

test(
  'ssh login - commands, shells without a terminal, SFTP and shared terminals have no message',
  WITH_SSH,
  async () => {
    const command = await harness.ssh(['agent', 'echo one']);
    assert.equal(command.stdout.toString(), 'one\n');
    const withTerminal = await harness.ssh(['-tt', 'agent', 'echo one']);
    assert.equal(withTerminal.stdout.toString(), 'one\r\n');
    const piped = await harness.ssh(['-T', 'agent'], 'echo one\n');
    assert.equal(piped.stdout.toString(), 'one\n');
    const shared = await loginShell('shared-one', '');
    assert.match(shared, /shared/);
    assert.doesNotMatch(shared, /Welcome/);
  },
);

test(
  'ssh login - the environment is that of a login with sshd, without mail',
  WITH_SSH,
  async () => {
    const { stdout } = await harness.ssh(['-tt', 'agent', 'env; echo "tty $(tty)"']);
    const lines = stdout.toString().split('\r\n');
    const env = new Map(
      lines.map((line) => [line.split('=')[0] ?? '', line.replace(/^[^=]*=/, '')]),
    );
    assert.equal(env.get('USER'), 'ada');
    assert.equal(env.get('LOGNAME'), 'ada');
    assert.equal(env.get('HOME'), home);
    assert.equal(env.get('SHELL'), '/bin/sh');
    assert.match(env.get('PATH') ?? '', /^\/usr\/local\/sbin:.*:\/bin$/);
    assert.match(env.get('SSH_CONNECTION') ?? '', /^\S+ \d+ \S+ \d+$/);
    assert.match(env.get('SSH_CLIENT') ?? '', /^\S+ \d+ \d+$/);
    assert.ok(lines.includes(`tty ${env.get('SSH_TTY') ?? ''}`), stdout.toString());
    assert.ok((env.get('TERM') ?? '') !== '');
    assert.equal(env.get('MAIL'), undefined);
  },
);
