import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import type { Presence } from '../../src/shared/common/wire/index.js';
import { checkLeaks, requireProgram, runProgram, tempDir, waitFor } from '../support/index.js';
import { connect, keepConnected, useUp, Watcher } from '../support/e2e.js';
import { cleanEnvironment, HOLDFAST } from '../support/up.js';

checkLeaks();

const WITH_TMUX = { ...requireProgram('tmux', 'stty'), timeout: 120_000 };
const currentUp = useUp();
/** A server of tmux for each test: one that is ending would still take the next one's window. */
let socket = '';
afterEach(async () => {
  await tmux('kill-server');
});

async function tmux(...args: readonly string[]): Promise<string> {
  const { stdout } = await runProgram('tmux', ['-S', socket, '-f', '/dev/null', ...args], {
    env: cleanEnvironment(tempDir()),
  });
  return stdout.toString();
}

/** A shell in a window of tmux, as a person has it. */
class Window {
  static async open(): Promise<Window> {
    socket = join(tempDir(), 'tmux');
    const variables = {
      ...cleanEnvironment(tempDir()),
      HOLDFAST_CONFIG_DIR: currentUp().ready.clientConfigDir,
      PS1: 'here> ',
      TERM: 'screen-256color',
    };
    const env = Object.entries(variables).map(([name, value]) => `${name}=${value ?? ''}`);
    await tmux(
      ...['new-session', '-d', '-x', '100', '-y', '24'],
      ...['env', '-i', ...env, 'bash', '--norc', '--noprofile'],
    );
    const window = new Window();
    await window.shows(/^here> $/m);
    return window;
  }

  async keys(...keys: readonly string[]): Promise<void> {
    await tmux('send-keys', ...keys);
  }

  /** Types a line of `holdfast`; its status is printed after it. */
  async holdfast(args: string): Promise<void> {
    await this.keys(`'${process.execPath}' '${HOLDFAST}' ${args}; echo "status=$?"`, 'Enter');
  }

  async text(): Promise<string> {
    return await tmux('capture-pane', '-p', '-J');
  }

  /** Waits until the screen matches. */
  async shows(pattern: RegExp): Promise<string> {
    let last = '';
    try {
      return await waitFor(
        async () => {
          last = await this.text();
          return pattern.test(last.replace(/ +$/gm, (blanks) => blanks.slice(0, 1))) && last;
        },
        { timeoutMs: 60_000, intervalMs: 100 },
      );
    } catch {
      throw new Error(`never showed ${String(pattern)}:\n${last}`);
    }
  }

  /** The modes of the terminal, as stty has them. */
  async modes(): Promise<string> {
    const mark = randomUUID();
    await this.keys(`clear; stty -g; echo ${mark}`, 'Enter');
    const text = await this.shows(new RegExp(`^${mark}`, 'm'));
    const line = /^[0-9a-f]+(:[0-9a-f]+){10,}/m.exec(text.replaceAll('\n', ' '))?.[0];
    return line ?? /([0-9a-f]+:){10,}[0-9a-f:]+/.exec(text)?.[0] ?? assert.fail(text);
  }
}

test(
  'attach - comes back to the same terminal with its screen, and restores the modes',
  WITH_TMUX,
  async () => {
    const window = await Window.open();
    const modes = await window.modes();
    await window.holdfast('attach local one');
    await window.keys('export MARK=$((40+2)); echo mark-$MARK', 'Enter');
    await window.shows(/^mark-42/m);
    await window.keys('C-\\', 'C-\\');
    await window.shows(/\[detached; come back with `holdfast attach local one`\]\nstatus=0/);
    assert.equal(await window.modes(), modes);

    await window.keys('clear', 'Enter');
    await window.holdfast('attach local one');
    await window.shows(/^mark-42/m);
    await window.keys('echo again-$MARK', 'Enter');
    await window.shows(/^again-42/m);
    await window.keys('exit 9', 'Enter');
    await window.shows(/status=9/);
    assert.equal(await window.modes(), modes);
  },
);

test('attach - ~. leaves at the start of a line only', WITH_TMUX, async () => {
  const window = await Window.open();
  await window.holdfast('attach local two');
  await window.keys('echo a~.b', 'Enter');
  await window.shows(/^a~\.b/m);
  await window.keys('~.');
  await window.shows(/detached/);
});

test('attach - leaving a full-screen program gives the screen back', WITH_TMUX, async () => {
  const window = await Window.open();
  const modes = await window.modes();
  await window.keys('echo my-own-line', 'Enter');
  await window.holdfast('attach local full');
  const draw = "printf '\\033[?1049h\\033[?25l\\033[?1000h\\033[HIN-FULL-%s' SCREEN; cat";
  await window.keys(draw, 'Enter');
  await window.shows(/^IN-FULL-SCREEN/m);
  await window.keys('C-\\', 'C-\\');
  const text = await window.shows(/status=0/);
  assert.match(text, /^my-own-line/m);
  assert.doesNotMatch(text, /^IN-FULL-SCREEN/m);
  const flags = await tmux('display', '-p', '#{alternate_on} #{cursor_flag} #{mouse_any_flag}');
  assert.equal(flags.trim(), '0 1 0');
  assert.equal(await window.modes(), modes);
  await window.holdfast('attach local full');
  await window.shows(/^IN-FULL-SCREEN/m);
  await window.keys('C-\\', 'C-\\');
});

test('attach - old queries in a replay put no answers into the shell', WITH_TMUX, async () => {
  const window = await Window.open();
  await window.holdfast('attach local asks');
  // The program reads the answers itself, so that the shell sees none the first time.
  await window.keys(
    "clear; stty raw -echo; printf '\\033[c\\033[6n'; timeout 2 dd bs=1 count=16 of=/dev/null 2>/dev/null; stty sane; echo as-ked",
    'Enter',
  );
  await window.shows(/^as-ked/m);
  await window.keys('C-\\', 'C-\\');
  await window.shows(/status=0/);
  await window.keys('clear', 'Enter');
  await window.holdfast('attach local asks');
  await window.shows(/^as-ked/m);
  await window.keys('echo clean', 'Enter');
  const text = await window.shows(/^clean/m);
  assert.doesNotMatch(text, /\d+;\d+[cR]|\^\[\[/);
  await window.keys('exit', 'Enter');
  await window.shows(/status=0/);
});

test('attach - a window that changes its size tells the terminal', WITH_TMUX, async () => {
  const window = await Window.open();
  await window.holdfast('attach local size');
  await window.keys('stty size', 'Enter');
  await window.shows(/^24 100/m);
  await tmux('resize-window', '-x', '71', '-y', '19');
  await window.keys('clear; stty size', 'Enter');
  await window.shows(/^19 71/m);
  await window.keys('exit', 'Enter');
  await window.shows(/status=0/);
});

test(
  'attach - says so while the connection is gone, and takes it up again',
  WITH_TMUX,
  async () => {
    const window = await Window.open();
    await window.holdfast('attach local back --engine relay');
    await window.keys('echo first-$((1+1))', 'Enter');
    await window.shows(/^first-2/m);
    // The relay runs through the broker; the terminal does not.
    const broker = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .find((name) => {
        try {
          const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
          const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
          const command = readFileSync(`/proc/${name}/cmdline`, 'utf8');
          return parent === String(currentUp().ready.pid) && command.includes('broker-child');
        } catch {
          return false;
        }
      });
    process.kill(Number(broker), 'SIGKILL');
    await window.shows(/\[holdfast: .*; reconnecting/);
    await window.shows(/\[holdfast: connected again\]/);
    await window.keys('echo second-$((1+1))', 'Enter');
    await window.shows(/^second-2/m);
    await window.keys('exit', 'Enter');
    await window.shows(/status=0/);
  },
);

test('attach - --local needs no broker; --read-only does not type', WITH_TMUX, async () => {
  const window = await Window.open();
  const args = `--state-dir '${currentUp().stateDir}' --broker http://127.0.0.1:9`;
  await window.holdfast(`attach local here --local ${args}`);
  await window.keys('echo local-$((1+1))', 'Enter');
  await window.shows(/^local-2/m);
  await window.keys('C-\\', 'C-\\');
  await window.shows(/attach local here --local`\]/);
  await window.keys('clear', 'Enter');
  await window.holdfast(`attach local here --local --read-only ${args}`);
  await window.shows(/^local-2/m);
  await window.keys('echo typed', 'Enter');
  await window.keys('C-\\', 'C-\\');
  await window.shows(/status=0/);
  assert.doesNotMatch(await window.text(), /typed/);
  assert.ok(existsSync(join(currentUp().stateDir, 'agent', 'agent.sock')));
});

test('terminals - lists what lives; kill ends it, whoever is attached', WITH_TMUX, async () => {
  const window = await Window.open();
  await window.holdfast('attach local doomed');
  await window.keys('echo alive-$((1+1))', 'Enter');
  await window.shows(/^alive-2/m);
  const list = await currentUp().holdfast(['terminals', 'local']);
  assert.match(list.stdout.toString(), /^doomed +running +100x24 +1 /m);
  assert.equal((await currentUp().holdfast(['kill', 'local', 'doomed'])).status, 0);
  await window.shows(/status=(129|255)/);
});

test('attach - somebody with a larger window is seen, listed and kicked', WITH_TMUX, async () => {
  const window = await Window.open();
  await window.holdfast('attach local met');
  await window.keys('echo up-$((1+1))', 'Enter');
  await window.shows(/^up-2/m);
  const links = keepConnected(() => connect(currentUp(), { path: 'relay' }));
  const other = new Watcher(links, 'met');
  await other.attached();
  other.client.resize({ rows: 60, cols: 200 });
  await window.shows(/\[holdfast: the terminal is 200x60.*, this window 100x24, so part/);
  const { stdout } = await currentUp().holdfast(['terminals', 'local', '--json']);
  const listed = JSON.parse(stdout.toString()) as { id: string; presence?: Presence }[];
  const presence = listed.find(({ id }) => id === 'met')?.presence;
  assert.deepEqual(presence?.names.map(({ mode, cols }) => [mode, cols]).sort(), [
    ['type', 100],
    ['type', 200],
  ]);
  const owner = presence?.sizeOwner;
  assert.equal(presence?.names.find(({ id }) => id === owner)?.cols, 200);
  const table = await currentUp().holdfast(['terminals', 'local', '--viewers']);
  assert.match(table.stdout.toString(), /^met: size policy latest[^]* 200x60 \*/m);
  const nobody = await currentUp().holdfast(['kick', 'local', 'met', '999999']);
  assert.match(nobody.stderr, /ERR_VIEWER_NOT_FOUND/);
  assert.equal((await currentUp().holdfast(['kick', 'local', 'met', String(owner)])).status, 0);
  await assert.rejects(other.exited, /ended this viewing/);
  await window.shows(/ended the viewing of/);
  await window.keys('clear; stty size', 'Enter');
  await window.shows(/^24 100/m);
  await window.keys('exit', 'Enter');
  await window.shows(/status=0/);
  await other.client.close();
  await links.close();
});

test(
  'attach - ~c takes the control, gives it to who asks, and asks for it',
  WITH_TMUX,
  async () => {
    const window = await Window.open();
    await window.holdfast('attach local driven');
    await window.keys('echo up-$((1+1))', 'Enter');
    await window.shows(/^up-2/m);
    const links = keepConnected(() => connect(currentUp(), { path: 'relay' }));
    const other = new Watcher(links, 'driven');
    await other.attached();
    await window.keys('~w');
    await window.shows(/\(you, 100x24\), /);
    await window.keys('~c');
    await window.shows(/taken control; only they type now/);
    await waitFor(() => other.client.sharing.otherDriver !== undefined);
    assert.ok(other.client.sharing.control({ type: 'request-control' }));
    await window.shows(/asks for control; ~c at the start of a line gives it/);
    await window.keys('~c');
    await window.shows(/gave control to/);
    await waitFor(() => other.client.sharing.otherDriver === undefined);
    await window.keys('x');
    await window.shows(/ERR_NOT_DRIVER/);
    await window.keys('Enter', '~c');
    await window.shows(/asking .* for the control/);
    await window.keys('~.');
    await window.shows(/status=0/);
    await other.client.close();
    await links.close();
    assert.equal((await currentUp().holdfast(['kill', 'local', 'driven'])).status, 0);
  },
);

test('ssh - a shell on a terminal: raw, the right size, ~. leaves it', WITH_TMUX, async () => {
  const window = await Window.open();
  const modes = await window.modes();
  await window.holdfast('ssh local');
  await window.keys('stty size; echo $TERM', 'Enter');
  await window.shows(/^24 100\nscreen-256color/m);
  await tmux('resize-window', '-x', '71', '-y', '19');
  await window.keys('clear; stty size', 'Enter');
  await window.shows(/^19 71/m);
  // Ctrl-C is for the program there.
  await window.keys('sleep 100', 'Enter');
  await window.keys('C-c');
  await window.keys('echo next-$((1+1))', 'Enter');
  await window.shows(/^next-2/m);
  await window.keys('exit 5', 'Enter');
  await window.shows(/status=5/);
  await window.holdfast('ssh local');
  await window.shows(/[$#] $/m);
  await window.keys('Enter', '~.');
  await window.shows(/status=255/);
  assert.equal(await window.modes(), modes);
});
