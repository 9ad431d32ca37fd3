import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import {
  checkLeaks,
  startProgram,
  tempDir,
  waitFor,
  type RunningProgram,
} from '../support/index.js';
import {
  chromiumPath,
  dropFiles,
  openTab,
  screenshot,
  screenText,
  startBrowser,
  type PageOptions,
  type Tab,
} from '../support/page/browser.js';

checkLeaks({ patienceMs: 15_000 });

const skip = chromiumPath === undefined ? 'chromium is not installed' : false;
const CLI = path.resolve('dist/program/holdfast.js');
const START_MS = 60_000;

let up: RunningProgram;
let browser: Browser;
let stateDir: string;
/** The printed link, its token included. */
let link: string;

/** @param port 0 takes a free one. */
async function startUp(port: string): Promise<void> {
  const readyFile = path.join(stateDir, `ready-${String(Date.now())}.json`);
  const state = path.join(stateDir, 'state');
  up = startProgram(
    process.execPath,
    [CLI, 'up', '--port', port, '--state-dir', state, '--ready-file', readyFile, '--no-open'],
    { env: { ...process.env, SHELL: '/bin/sh', PS1: '$ ' } },
  );
  const ready = await waitFor(() => readJson(readyFile), { what: 'up', timeoutMs: START_MS });
  link = ready.url;
}

function readJson(file: string): { readonly url: string } | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as { url: string };
  } catch {
    return undefined;
  }
}

before(async () => {
  if (skip !== false) return;
  stateDir = tempDir();
  await startUp('0');
  browser = await startBrowser();
});
after(async () => {
  if (skip !== false) return;
  await browser.close();
  up.child.kill('SIGINT');
  await up.ended;
});

/** Opens terminal `id` of the running installation. `query`: of the address. */
async function openShell(id: string, options: PageOptions = {}, query = ''): Promise<Tab> {
  const tab = await openTab(browser, options);
  const url = new URL(link);
  url.pathname = `/w/local/t/${id}`;
  url.search = query;
  await tab.page.goto(url.href);
  await tab.page.locator('[data-state=attached]').waitFor();
  return tab;
}

/** Types a command whose output differs from its own text. */
async function run(page: Page, command: string): Promise<void> {
  await page.keyboard.type(command);
  await page.keyboard.press('Enter');
}

async function shows(page: Page, text: string): Promise<void> {
  await waitFor(async () => (await screenText(page)).includes(text), { what: `"${text}"` });
}

test('up page - the printed link opens a shell', { skip }, async () => {
  const { context, page, complaints } = await openTab(browser);
  await page.goto(link);
  await page.locator('[data-state=attached]').waitFor();
  await run(page, 'echo $((40 + 2)) and');
  await shows(page, '42 and');
  assert.ok(!page.url().includes('token'));
  await screenshot(page, 'up-terminal');
  assert.deepEqual(complaints, []);
  await context.close();
});

test('up page - a reload keeps the screen, a second tab shares it', { skip }, async () => {
  const { context, page } = await openShell('shared');
  await run(page, 'echo sh$((1 + 1))red');
  await shows(page, 'sh2red');
  await page.reload();
  await shows(page, 'sh2red');
  const second = await openShell('shared', { scheme: 'light' });
  await shows(second.page, 'sh2red');
  await run(second.page, 'echo from-$((2 * 3))');
  await shows(page, 'from-6');
  await second.context.close();
  await context.close();
});

test('up page - the relay carries a terminal as well', { skip }, async () => {
  const { context, page } = await openShell('relayed', {}, 'via=relay');
  await page.getByText('Relay', { exact: true }).waitFor();
  await run(page, 'seq 1 20000; echo en$((0))d');
  await shows(page, 'en0d');
  await context.close();
});

test(
  'up page - the exit status is shown, and another shell is one click away',
  { skip },
  async () => {
    const { context, page } = await openShell('exits');
    await run(page, 'exit 7');
    await page.getByText('ended with status 7').waitFor();
    await page.getByRole('button', { name: 'Start a new one' }).click();
    await page.locator('[data-state=attached]').waitFor();
    await run(page, 'echo again-$((3 + 3))');
    await shows(page, 'again-6');
    await context.close();
  },
);

test('up page - the list shows terminals and ends one', { skip }, async () => {
  const { context, page } = await openShell('doomed');
  await page.getByRole('link', { name: 'local' }).click();
  const row = page
    .getByRole('listitem')
    .filter({ has: page.locator('a[href^="/w/local/t/doomed"]') });
  await row.waitFor();
  await screenshot(page, 'up-list');
  page.on('dialog', (dialog) => void dialog.accept());
  await row.getByRole('button', { name: /^End / }).click();
  await row.getByText('was ended by the signal SIGHUP').waitFor();
  await screenshot(page, 'up-list-ended');
  // A click on it shows how it ended, instead of a new shell.
  await row.getByRole('link').click();
  await page.getByText('The program was ended by the signal SIGHUP').waitFor();
  await page.getByRole('link', { name: 'local' }).click();
  await row.getByRole('button', { name: /^Remove / }).click();
  await row.waitFor({ state: 'detached' });
  await context.close();
});

test('up page - a full-screen program and the size of the page', { skip }, async () => {
  const { context, page } = await openShell('size', { width: 360, height: 640, touch: true });
  await run(page, 'stty size');
  await waitFor(async () => /^\d+ \d+$/m.test(await screenText(page)));
  const size = (await page.locator('.status').textContent()) ?? '';
  const [, cols = '', rows = ''] = /(\d+)×(\d+)/.exec(size) ?? [];
  await shows(page, `${rows} ${cols}`);
  await screenshot(page, 'up-phone');
  await context.close();
});

test(
  'up page - dropped files are uploaded, and nothing is replaced unasked',
  { skip },
  async () => {
    const folder = path.join(tempDir(), 'the target');
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'kept.txt'), 'mine');
    const { context, page, complaints } = await openShell('uploads');
    const files = ['new.txt', 'kept.txt', 'other.txt'].map((name) => ({
      name,
      text: `this is ${name}`,
    }));
    const drop = (): Promise<void> => dropFiles(page, '.pane-body', files);
    await drop();
    const input = page.getByLabel('Into the folder');
    assert.ok(path.isAbsolute(await input.inputValue()));
    await screenshot(page, 'upload-folder');
    await input.fill('/no/such/folder');
    await page.keyboard.press('Enter');
    await page.getByText('There is no folder /no/such/folder').waitFor();
    await input.fill(folder);
    await page.keyboard.press('Enter');
    await page.getByText('There is such a file already').waitFor();
    await screenshot(page, 'upload-conflict');
    await page.getByRole('button', { name: 'Keep both' }).click();
    await page.getByText(path.join(folder, 'other.txt')).waitFor();
    await screenshot(page, 'uploads');
    const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8');
    assert.equal(read('kept.txt'), 'mine');
    assert.equal(read('kept (2).txt'), 'this is kept.txt');
    await page.getByRole('button', { name: 'Cancel what is left and close' }).click();
    await drop();
    await input.fill(folder);
    await page.getByRole('button', { name: 'Upload', exact: true }).click();
    await page.getByLabel('Do the same').check();
    await page.getByRole('button', { name: 'Replace it' }).click();
    await page.getByText(path.join(folder, 'other.txt')).waitFor();
    assert.equal(read('kept.txt'), 'this is kept.txt');
    assert.deepEqual(readdirSync(folder).sort(), [
      'kept (2).txt',
      'kept.txt',
      'new.txt',
      'other.txt',
    ]);
    assert.deepEqual(complaints, []);
    await context.close();
  },
);

test(
  'up page - a link made in the page lets somebody watch, until it is revoked',
  { skip },
  async () => {
    const { context, page, complaints } = await openShell('to-share');
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Share' }).click();
    await page.getByLabel('For whom').fill('ann');
    await page.getByRole('button', { name: 'Make a link' }).click();
    const shareLink = await page.getByLabel('The link', { exact: true }).inputValue();
    await page.getByRole('button', { name: 'Revoke the link for ann' }).waitFor();
    await screenshot(page, 'share');
    const guest = await openTab(browser, { scheme: 'light' });
    await guest.page.goto(shareLink);
    await guest.page.locator('[data-state=attached]').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Who is here: 2 viewers' }).click();
    await page.getByRole('dialog').getByText('ann (link)').waitFor();
    await screenshot(page, 'up-people');
    await page.keyboard.press('Escape');
    // A dialog gives the keyboard back a moment after it has closed.
    await page.locator('.xterm.focus').waitFor();
    await run(page, 'echo se$((0))en');
    await shows(guest.page, 'se0en');
    await screenshot(guest.page, 'guest');
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Share' }).click();
    await page.getByRole('button', { name: 'Revoke the link for ann' }).click();
    await guest.page.locator('[data-state=attached]').waitFor({ state: 'detached' });
    await page.getByText('Links that hold').waitFor({ state: 'hidden' });
    assert.deepEqual(complaints, []);
    await guest.context.close();
    await context.close();
  },
);

test('up page - two windows of different sizes share one terminal', { skip }, async () => {
  const large = await openShell('two-sizes', { width: 1300, height: 800 });
  await run(large.page, 'echo re$((0))ady');
  await shows(large.page, 're0ady');
  const small = await openShell('two-sizes', { width: 700, height: 400 });
  await large.page.getByText(/: the size of /).waitFor();
  await shows(large.page, 're0ady');
  await screenshot(large.page, 'up-letterbox');
  await large.page.getByRole('button', { name: 'Fit to my window' }).click();
  await small.page.getByText(/: the size of /).waitFor();
  await screenshot(small.page, 'up-scroll');
  await small.context.close();
  await large.context.close();
});

test('up page - when everything was restarted it comes back by itself', { skip }, async () => {
  const { context, page } = await openShell('lasting');
  await run(page, 'echo be$((0))fore');
  await shows(page, 'be0fore');
  up.child.kill('SIGINT');
  const { status } = await up.ended;
  assert.equal(status, 0);
  await page.getByRole('button', { name: 'Retry now' }).waitFor();
  await screenshot(page, 'up-away');
  await startUp(new URL(link).port);
  await page.getByRole('button', { name: 'Retry now' }).waitFor({ state: 'detached' });
  // The agent ended the shell when it was closed, and said so.
  await page.getByText(/ended (with|by)/).waitFor();
  await page.getByRole('button', { name: 'Start a new one' }).click();
  await page.locator('[data-state=attached]').waitFor();
  await run(page, 'echo af$((0))ter');
  await shows(page, 'af0ter');
  assert.ok(!(await screenText(page)).includes('be0fore'));
  await context.close();
});
