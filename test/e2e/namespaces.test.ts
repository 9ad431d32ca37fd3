import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import ssh2 from 'ssh2';
import {
  checkLeaks,
  findProgram,
  requireProgram,
  runProgram,
  startProgram,
  tempDir,
  waitFor,
} from '../support/index.js';
import { ssh } from '../support/e2e.js';
import type { ProgramResult } from '../support/programs.js';
import { cleanEnvironment, HOLDFAST, startUp } from '../support/up.js';

checkLeaks();

/** Namespaces can be made by root, or by whoever the kernel lets. */
function requireRoot(...programs: string[]): { skip: string | false } {
  if (process.getuid?.() !== 0) return { skip: 'only root can make namespaces' };
  return requireProgram(...programs);
}

interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
}

function processes(): ProcessRow[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return [{ pid: Number(name), parent: Number(parent), state }];
      } catch {
        return [];
      }
    });
}

test(
  'lineage 16 - as process 1 of a container it leaves no zombies, and statuses stay true',
  { ...requireRoot('unshare', 'ssh'), timeout: 180_000 },
  async (t) => {
    const unshare = findProgram('unshare') ?? 'unshare';
    const up = await startUp(t, { wrap: [unshare, '--pid', '--fork', '--mount-proc'] });
    assert.equal(up.ready.pid, 1);
    const first = processes().find(({ parent }) => parent === up.program.child.pid);
    assert.ok(first !== undefined);
    const orphans = 'for i in 1 2 3 4 5 6 7 8 9 10; do (sleep 0.3 & exit 0); done; exit 7';
    for (const args of [
      ['local.holdfast', orphans],
      ['-tt', 'local.holdfast', `trap "" HUP; ${orphans}`],
    ]) {
      assert.equal((await ssh(up, args)).status, 7);
    }
    const zombies = (): ProcessRow[] =>
      processes().filter(({ parent, state }) => parent === first.pid && state === 'Z');
    await waitFor(() => zombies().length === 0, { what: 'the orphans to be waited for' });
    assert.equal((await ssh(up, ['local.holdfast', 'exit 9'])).status, 9);
    // `unshare` waits for it and passes no signal on.
    process.kill(first.pid, 'SIGINT');
    assert.equal((await up.program.ended).status, 0);
  },
);

test(
  'lineage 16 - an agent alone as process 1 waits for orphans, keeps statuses, and ends all',
  { ...requireRoot('unshare', 'ssh'), timeout: 120_000 },
  async (t) => {
    const folder = path.join(tempDir(), 'alone');
    mkdirSync(folder, { mode: 0o700 });
    const client = ssh2.utils.generateKeyPairSync('ed25519');
    const file = (name: string, text: string): string => {
      writeFileSync(path.join(folder, name), text, { mode: 0o600 });
      return path.join(folder, name);
    };
    const identity = file('id', client.private);
    const settings = [
      // Nobody is there: the agent goes on dialling, and serves its port.
      ...['--broker', 'http://127.0.0.1:1', '--token-file', file('token', 'none')],
      ...['--state-dir', path.join(folder, 'state'), '--log-format', 'json', '--motd', 'none'],
      ...['--authorized-keys', file('keys', client.public), '--ssh-listen', '127.0.0.1:0'],
    ];
    const program = startProgram(
      findProgram('unshare') ?? 'unshare',
      ['--pid', '--fork', '--mount-proc', process.execPath, HOLDFAST, 'agent', ...settings],
      { env: cleanEnvironment(folder) },
    );
    const listening = /"message":"ssh listener".*?"port":(\d+)|"port":(\d+).*?"ssh listener"/;
    await waitFor(() => listening.test(program.stderr()), { what: 'the port of the agent' });
    const [, one, two] = listening.exec(program.stderr()) ?? [];
    const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'BatchMode=yes'];
    const sshArgs = (...args: string[]): string[] => [
      ...['-F', 'none', '-q', '-i', identity, '-o', 'IdentitiesOnly=yes'],
      ...options.flatMap((option) => ['-o', option]),
      ...['-p', one ?? two ?? '', 'holdfast@127.0.0.1', ...args],
    ];
    const run = (...args: string[]): Promise<ProgramResult> => runProgram('ssh', sshArgs(...args));
    const first = processes().find(({ parent }) => parent === program.child.pid);
    assert.ok(first !== undefined);
    const children = (): ProcessRow[] => processes().filter(({ parent }) => parent === first.pid);
    const orphans = 'i=0; while [ $i -lt 10 ]; do (sleep 0.$i & exit 0); i=$((i+1)); done';
    for (const args of [[`${orphans}; exit 7`], ['-tt', `trap "" HUP; ${orphans}; exit 7`]]) {
      assert.equal((await run(...args)).status, 7);
    }
    // While they die and are waited for, nobody else's end is taken away.
    const statuses = [0, 1, 42, 255].map((status) => run(`sleep 1; exit ${String(status)}`));
    assert.deepEqual(
      (await Promise.all(statuses)).map(({ status }) => status),
      [0, 1, 42, 255],
    );
    await waitFor(() => children().every(({ state }) => state !== 'Z'), {
      what: 'the orphans to be waited for',
    });
    const stubborn = 'trap "" HUP TERM; echo up; sleep 300 & wait; sleep 300';
    const left = [['echo up; sleep 300'], ['-tt', stubborn], [stubborn]].map((args) =>
      startProgram('ssh', sshArgs(...args)),
    );
    await waitFor(() => left.every((each) => each.stdout().includes('up')));
    const inside = children().map(({ pid }) => pid);
    const before = performance.now();
    // `unshare` waits for it and passes no signal on.
    process.kill(first.pid, 'SIGTERM');
    assert.equal((await program.ended).status, 0);
    t.diagnostic(`ended after ${String(Math.round(performance.now() - before))} ms`);
    await Promise.all(left.map(({ ended }) => ended));
    assert.deepEqual(
      processes().filter(({ pid }) => inside.includes(pid)),
      [],
    );
  },
);

test(
  'network e2e - with loopback and nothing else there are shells over WebRTC',
  { ...requireRoot('unshare', 'nsenter', 'ip', 'ssh'), timeout: 180_000 },
  async (t) => {
    const alone = ['sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];
    const up = await startUp(t, {
      wrap: [findProgram('unshare') ?? 'unshare', '--net', ...alone],
    });
    const inside = (...command: string[]) =>
      runProgram(findProgram('nsenter') ?? 'nsenter', [
        ...['--target', String(up.ready.pid), '--net', ...command],
      ]);
    const link = await inside('ip', '-o', 'addr');
    assert.doesNotMatch(link.stdout.toString(), /eth0/);
    const session = await inside(
      'ssh',
      '-F',
      up.sshConfig,
      '-q',
      'local.holdfast',
      'echo in; exit 7',
    );
    assert.equal(session.stdout.toString(), 'in\n', session.stderr);
    assert.equal(session.status, 7);
    const direct = await inside(
      ...[
        process.execPath,
        readFileSync(up.sshConfig, 'utf8').match(/'([^']+holdfast\.js)'/)?.[1] ?? '',
      ],
      ...['ping', 'local', '--engine', 'direct', '--config-dir', up.ready.clientConfigDir],
    );
    assert.match(direct.stdout.toString() + direct.stderr, /werift/);
    assert.equal((await up.stop()).status, 0);
  },
);
