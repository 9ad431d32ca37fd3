import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { checkLeaks, waitFor } from '../support/index.js';
import {
  chromiumPath,
  openTab,
  screenshot,
  screenText,
  startBrowser,
} from '../support/page/browser.js';
import { startStandIn, type StandIn } from '../support/page/stand-in.js';

checkLeaks();

const skip = chromiumPath === undefined ? 'chromium is not installed' : false;
const ID = '11111111-2222-4333-8444-555555555555';
const LISTING = [
  '\x1b]0;kim@local: ~/src/holdfast\x07',
  '\x1b[1;32mkim@local\x1b[0m:\x1b[1;34m~/src/holdfast\x1b[0m$ ls --color\r\n',
  '\x1b[1;34mbenchmarks\x1b[0m  \x1b[1;34mdocs\x1b[0m  LICENSE  package.json  README.md  \x1b[1;34msrc\x1b[0m  \x1b[1;34mtest\x1b[0m\r\n',
  '\x1b[1;32mkim@local\x1b[0m:\x1b[1;34m~/src/holdfast\x1b[0m$ npm test\r\n',
  '\x1b[32m✔\x1b[0m terminal client - attaches, shows output, types \x1b[2m(3.1 ms)\x1b[0m\r\n',
  '\x1b[32m✔\x1b[0m terminal client - comes back where it was after a lost channel \x1b[2m(1.9 ms)\x1b[0m\r\n',
  '\x1b[31m✖\x1b[0m wide 漢字 and emoji 👩‍💻 keep their cells \x1b[33mwarning\x1b[0m \x1b[35mmagenta\x1b[0m \x1b[36mcyan\x1b[0m\r\n',
  'See https://example.org/docs for more.\r\n',
  '\x1b[38;2;255;140;0mtrue colour\x1b[0m \x1b[7minverse\x1b[0m \x1b[4munderlined\x1b[0m \x1b[3mitalic\x1b[0m\r\n',
  '\x1b[1;32mkim@local\x1b[0m:\x1b[1;34m~/src/holdfast\x1b[0m$ ',
].join('');

let standIn: StandIn;
let browser: Browser;
before(async () => {
  if (skip !== false) return;
  standIn = await startStandIn();
  browser = await startBrowser();
});
after(async () => {
  if (skip !== false) return;
  await browser.close();
  await standIn.close();
});

test('page - asks for a token, keeps it, and lists the workspaces', { skip }, async () => {
  const { context, page, complaints } = await openTab(browser);
  await page.goto(`${standIn.url}/`);
  await page.getByLabel('User token').fill('wrong');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByText('does not accept this token').waitFor();
  await screenshot(page, 'sign-in');
  await page.getByLabel('User token').fill(standIn.token);
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: /local/ }).waitFor();
  await screenshot(page, 'workspaces');
  // The refused token is answered with 401, which the browser notes.
  assert.deepEqual(
    complaints.filter((text) => !text.includes('401')),
    [],
  );
  await context.close();
});

test('page - a link signs in, and its token leaves the address', { skip }, async () => {
  const { context, page, complaints } = await openTab(browser);
  standIn.prepare(ID).title = 'kim@local: ~/src/holdfast';
  standIn.prepare('build');
  await page.goto(`${standIn.url}/w/local#token=${standIn.token}`);
  await page.getByRole('link', { name: /src.holdfast/ }).waitFor();
  assert.equal(page.url(), `${standIn.url}/w/local`);
  await screenshot(page, 'terminals');
  assert.deepEqual(complaints, []);
  await context.close();
});

for (const scheme of ['dark', 'light'] as const) {
  test(`page - a terminal shows output and takes input, ${scheme}`, { skip }, async () => {
    const { context, page, complaints } = await openTab(browser, { scheme });
    const id = `look-${scheme}`;
    const terminal = standIn.prepare(id);
    terminal.write(LISTING);
    terminal.onInput = (text) => terminal.write(text);
    await page.goto(`${standIn.url}/w/local/t/${id}?via=relay#token=${standIn.token}`);
    await page.locator('[data-state=attached]').waitFor();
    await screenshot(page, `terminal-${scheme}`);
    await page.keyboard.type('echo typed');
    await waitFor(() => terminal.typed === 'echo typed');
    await waitFor(async () => (await screenText(page)).includes('$ echo typed'));
    assert.equal(await page.title(), '[local] kim@local: ~/src/holdfast');
    await screenshot(page, `terminal-${scheme}`);
    await page.keyboard.press('Control+Shift+F');
    await page.keyboard.type('colour');
    await page.getByText('1 of 1').waitFor();
    await screenshot(page, `search-${scheme}`);
    terminal.exit({ kind: 'status', status: 3 });
    await page.getByText('ended with status 3').waitFor();
    await screenshot(page, `exit-${scheme}`);
    await page.getByRole('button', { name: 'Start a new one' }).click();
    await page.locator('[data-state=attached]').waitFor();
    assert.deepEqual(complaints, []);
    await context.close();
  });
}
