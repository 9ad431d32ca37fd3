import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import {
  checkLeaks,
  requireProgram,
  runProgram,
  startProgram,
  tempDir,
  waitFor,
} from '../support/index.js';
import { readCast } from '../support/cast.js';
import { connect, keepConnected, useUp, Watcher } from '../support/e2e.js';
import {
  chromiumPath,
  openTab,
  screenshot,
  screenText,
  startBrowser,
} from '../support/page/browser.js';
import { cleanEnvironment, HOLDFAST } from '../support/up.js';

checkLeaks();

const up = useUp();
const skip = chromiumPath === undefined ? 'chromium is not installed' : false;
const LINES = 20;
/** Draws a coloured line each tenth of a second, then ends. */
const SCRIPT = `for i in $(seq 1 ${String(LINES)}); do printf "\\033[3%sm line %s\\033[0m\\n" $((i % 7 + 1)) $i; sleep 0.1; done; exit 3\n`;

let browser: Browser | undefined;
let file = '';

/** `holdfast` with the login of `up`, left running. */
function start(...args: readonly string[]): ReturnType<typeof startProgram> {
  const env = { ...cleanEnvironment(tempDir()), HOLDFAST_CONFIG_DIR: up().ready.clientConfigDir };
  return startProgram(process.execPath, [HOLDFAST, ...args], { env });
}

before(async () => {
  if (skip === false) browser = await startBrowser();
  file = join(tempDir(), 'demo.cast');
});
after(async () => {
  await browser?.close();
});

test(
  'record - records until the program ends and fetches the file',
  { timeout: 120_000 },
  async () => {
    const links = keepConnected(() => connect(up(), { path: 'relay' }));
    const watcher = new Watcher(links, 'demo');
    await watcher.attached();
    watcher.type('PS1=\n');
    const record = start(
      'record',
      'local',
      'demo',
      '--name',
      'demo',
      '--out',
      file,
      '--engine',
      'relay',
    );
    await waitFor(() => record.stdout().includes('Recording demo as demo'), {
      what: `the start: ${record.stderr()}`,
      timeoutMs: 60_000,
    });
    const second = await up().holdfast(['record', 'local', 'demo', '--engine', 'relay']);
    assert.match(second.stderr, /ERR_RECORDING_EXISTS/);
    watcher.type(SCRIPT);
    await watcher.exited;
    const { status, stdout, stderr } = await record.ended;
    assert.equal(status, 0, stderr);
    assert.match(stdout.toString(), /demo: the program ended; 0:0[2-9], /);
    const cast = readCast(readFileSync(file));
    assert.deepEqual(cast.events.at(-1)?.slice(1), ['x', '3']);
    assert.ok(cast.output.includes(` line ${String(LINES)}\x1b[0m\r\n`));
    assert.ok(cast.durationS > 1.5, String(cast.durationS));

    const list = await up().holdfast(['recordings', 'local', '--json', '--engine', 'relay']);
    const [row] = JSON.parse(list.stdout.toString()) as { name: string; reason: string }[];
    assert.equal(row?.name, 'demo');
    assert.equal(row.reason, 'exit');
    await watcher.client.close();
    await links.close();
  },
);

test(
  'record - Ctrl-C stops it, and it can be listed, fetched and deleted',
  { timeout: 120_000 },
  async () => {
    const links = keepConnected(() => connect(up(), { path: 'relay' }));
    const watcher = new Watcher(links, 'other');
    await watcher.attached();
    const record = start('record', 'local', 'other', '--name', 'other', '--engine', 'relay');
    await waitFor(() => record.stdout().includes('Ctrl-C'), { timeoutMs: 60_000 });
    watcher.type('echo here-$((40+2))\n');
    await watcher.sees('here-42');
    record.child.kill('SIGINT');
    const ended = await record.ended;
    assert.equal(ended.status, 0, ended.stderr);
    assert.match(ended.stdout.toString(), /other: stopped; /);
    const fetched = join(tempDir(), 'other.cast');
    const get = ['recordings', 'local', 'get', 'other', '--out', fetched, '--engine', 'relay'];
    assert.equal((await up().holdfast(get)).status, 0);
    assert.ok(readCast(readFileSync(fetched)).output.includes('here-42'));
    // What is there is never written over.
    assert.match((await up().holdfast(get)).stderr, /ERR_INVALID_ARGUMENT/);
    const remove = ['recordings', 'local', 'delete', 'other', '--engine', 'relay'];
    assert.equal((await up().holdfast(remove)).status, 0);
    const again = await up().holdfast(remove);
    assert.equal(again.status, 4);
    assert.match(again.stderr, /ERR_RECORDING_NOT_FOUND/);
    await watcher.client.close();
    await links.close();
  },
);

test('play - writes what was recorded, at its pace or faster', { timeout: 60_000 }, async () => {
  const played = await up().holdfast(['play', file, '--speed', '16']);
  assert.equal(played.status, 0, played.stderr);
  assert.ok(played.stdout.equals(readCast(readFileSync(file)).output));
  const remote = await up().holdfast([
    'play',
    'local:demo',
    '--idle-limit',
    '0',
    '--engine',
    'relay',
  ]);
  assert.ok(remote.stdout.includes(`line ${String(LINES)}`), remote.stderr);
  const missing = await up().holdfast(['play', 'local:nothing', '--engine', 'relay']);
  assert.equal(missing.status, 4);
});

test(
  'play - pauses, seeks and leaves by keys, and says that a window is too small',
  { ...requireProgram('tmux'), timeout: 60_000 },
  async () => {
    const socket = join(tempDir(), 'tmux');
    const tmux = async (...args: readonly string[]): Promise<string> => {
      const env = cleanEnvironment(tempDir());
      const run = await runProgram('tmux', ['-S', socket, '-f', '/dev/null', ...args], { env });
      return run.stdout.toString();
    };
    const shows = async (pattern: RegExp): Promise<void> => {
      let text = '';
      await waitFor(
        async () => {
          text = await tmux('capture-pane', '-p');
          return pattern.test(text);
        },
        { what: `${String(pattern)} in ${text}`, timeoutMs: 20_000 },
      );
    };
    const sizes = ['new-session', '-d', '-x', '60', '-y', '12'];
    await tmux(...sizes, 'env', 'TERM=screen-256color', 'bash', '--norc', '--noprofile');
    try {
      const command = `'${process.execPath}' '${HOLDFAST}' play '${file}' --at 0.5; echo status=$?`;
      await tmux('send-keys', command, 'Enter');
      await shows(/this window has 60x12/);
      await shows(/ line 7/);
      await tmux('send-keys', 'Space');
      await shows(/space plays, arrows seek/);
      await tmux('send-keys', 'Left');
      await shows(/0:00 \/ 0:0[0-9]/);
      await tmux('send-keys', 'Space');
      await shows(/ line 3/);
      await tmux('send-keys', 'q');
      await shows(/status=0/);
    } finally {
      await tmux('kill-server');
    }
  },
);

test('page - plays a recording, with a seek bar and keys', { skip, timeout: 120_000 }, async () => {
  assert.ok(browser !== undefined);
  const token = readFileSync(join(up().ready.clientConfigDir, 'token'), 'utf8').trim();
  const { context, page, complaints } = await openTab(browser);
  const state = async (wanted: string): Promise<void> => {
    await page.locator(`[data-player=${wanted}]`).waitFor();
  };
  await page.goto(`${up().ready.brokerUrl}/w/local/r?via=relay#token=${token}`);
  await page.getByRole('link', { name: /demo/ }).waitFor();
  await screenshot(page, 'recordings');
  await page.getByRole('link', { name: /demo/ }).click();
  await state('playing');
  await sees(page, ' line 3');
  await page.keyboard.press('Space');
  await state('paused');
  await screenshot(page, 'player');
  await page.keyboard.press('End');
  await sees(page, ` line ${String(LINES)}`);
  await page.keyboard.press('Home');
  await waitFor(async () => !(await screenText(page)).includes('line 2'));
  await page.getByLabel('Position').fill(String(momentOf(' line 5')));
  await sees(page, ' line 5');
  assert.ok(!(await screenText(page)).includes(`line ${String(LINES)}`));
  await page.getByLabel('Speed').selectOption('8');
  await page.getByRole('button', { name: 'Play' }).click();
  await state('ended');
  await sees(page, ` line ${String(LINES)}`);
  assert.deepEqual(complaints, []);
  await page.setViewportSize({ width: 360, height: 640 });
  await page.keyboard.press('Home');
  await page.getByLabel('Position').fill(String(momentOf(' line 9')));
  await sees(page, ' line 9');
  await screenshot(page, 'player-phone');
  const overflow = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
  assert.equal(overflow, false);
  await context.close();
});

/** When `text` has been shown, as the seek bar counts. */
function momentOf(text: string): number {
  let at = 0;
  for (const [interval, , data] of readCast(readFileSync(file)).events) {
    at += interval * 1_000;
    if (data.includes(text)) break;
  }
  return Math.ceil(at / 10) * 10;
}

async function sees(page: Page, text: string): Promise<void> {
  await waitFor(async () => (await screenText(page)).includes(text), { timeoutMs: 20_000 });
}
