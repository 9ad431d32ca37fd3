import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkLeaks, findProgram, requireProgram, runProgram, waitFor } from '../support/index.js';
import { ssh } from '../support/e2e.js';
import { startUp } from '../support/up.js';

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
        readFileSync(up.sshConfig, 'utf8').match(/'([^']+main\.js)'/)?.[1] ?? '',
      ],
      ...['ping', 'local', '--engine', 'direct', '--config-dir', up.ready.clientConfigDir],
    );
    assert.match(direct.stdout.toString() + direct.stderr, /werift/);
    assert.equal((await up.stop()).status, 0);
  },
);
