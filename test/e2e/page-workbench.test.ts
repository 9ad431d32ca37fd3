import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { ViewerControl } from '../../src/shared/common/wire/index.js';
import { checkLeaks, waitFor } from '../support/index.js';
import {
  chromiumPath,
  drag,
  openTab,
  screenshot,
  screenText,
  startBrowser,
  type PageOptions,
  type Tab,
} from '../support/page/browser.js';
import { startStandIn, type StandIn } from '../support/page/stand-in.js';
import type { ScriptedTerminal } from '../support/scripted-terminal.js';

checkLeaks();

const skip = chromiumPath === undefined ? 'chromium is not installed' : false;
const PHONE = { width: 360, height: 640, touch: true } as const;

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

/** Opens a view in a new tab of the browser and waits until the terminal in front is attached. */
async function openView(id: string, tabs = '', options: PageOptions = {}): Promise<Tab> {
  const tab = await openTab(browser, options);
  const query = tabs === '' ? '' : `&tabs=${tabs}`;
  await tab.page.goto(`${standIn.url}/w/local/t/${id}?via=relay${query}#token=${standIn.token}`);
  await attached(tab.page, id);
  return tab;
}

async function attached(page: Page, id: string): Promise<void> {
  await page.locator(pane(id, '[data-state=attached]')).waitFor();
}

function pane(id: string, more = ''): string {
  return `[data-id="${id}"]${more}`;
}

async function shows(page: Page, id: string, text: string): Promise<void> {
  await waitFor(async () => (await screenText(page, pane(id))).includes(text), {
    what: `"${text}" in ${id}`,
  });
}

async function evaluate<T>(page: Page, script: string): Promise<T> {
  return await page.evaluate<T>(script);
}

/** The tabs of the address, and which terminal is in front. */
function address(page: Page): { readonly id: string; readonly tabs: string | null } {
  const url = new URL(page.url());
  return { id: url.pathname.split('/').at(-1) ?? '', tabs: url.searchParams.get('tabs') };
}

/** A dialog gives the keyboard back a moment after it has closed. */
async function inTerminal(page: Page): Promise<void> {
  await waitFor(() => evaluate(page, `document.activeElement.matches('.xterm-helper-textarea')`));
}

/** What the viewers asked of each other. */
function controls(terminal: ScriptedTerminal): ViewerControl[] {
  return terminal.frames.flatMap((frame) =>
    frame.type === 'control' && frame.control?.type !== 'latency' && frame.control !== undefined
      ? [frame.control]
      : [],
  );
}

function presence(terminal: ScriptedTerminal, more: Record<string, unknown>): void {
  terminal.tell({
    type: 'presence',
    json: JSON.stringify({
      viewers: 3,
      sizeOwner: null,
      driver: null,
      pace: 'fastest',
      sizePolicy: 'latest',
      you: 1,
      names: [
        { id: 1, subject: 'tester', mode: 'type', rows: 35, cols: 127, latencyMs: 8, behind: 0 },
        { id: 2, subject: 'ann', mode: 'type', rows: 50, cols: 200, latencyMs: 120, behind: 0 },
        { id: 3, subject: 'guest (link)\u202e<b>', mode: 'view', behind: 300_000 },
      ],
      ...more,
    }),
  });
}

const PROMPT = '\x1b[1;32mkim@local\x1b[0m:\x1b[1;34m~/src\x1b[0m$ ';

for (const scheme of ['dark', 'light'] as const) {
  test(
    `workbench - tabs and splits, typed into where the keyboard is, ${scheme}`,
    { skip },
    async () => {
      const one = standIn.prepare(`one-${scheme}`);
      one.write(`\x1b]0;kim@local: ~/src\x07${PROMPT}git log --oneline\r\n`);
      const { context, page, complaints } = await openView(`one-${scheme}`, '', { scheme });
      assert.equal(address(page).tabs, null);
      await page.keyboard.press('Control+Shift+E');
      const right = await waitFor(() =>
        address(page).tabs === null ? undefined : address(page).id,
      );
      await attached(page, right);
      standIn.prepare(right).write(`\x1b]0;vim README.md\x07${PROMPT}vim README.md\r\n`);
      await page.keyboard.press('Control+Shift+O');
      const below = await waitFor(() =>
        address(page).id === right ? undefined : address(page).id,
      );
      await attached(page, below);
      standIn.prepare(below).write(`\x1b]0;npm test\x07${PROMPT}npm test\r\n`);
      await page.keyboard.type('below');
      await waitFor(() => standIn.prepare(below).typed === 'below');
      await page.locator(pane(right)).locator('.xterm-screen').click();
      await page.keyboard.type('right');
      await waitFor(() => standIn.prepare(right).typed === 'right');
      await page.keyboard.press('Control+Shift+Enter');
      const second = await waitFor(() =>
        address(page).id === right ? undefined : address(page).id,
      );
      await attached(page, second);
      standIn.prepare(second).write('\x1b]0;htop\x07in the second tab');
      await page.getByRole('tab', { name: 'htop' }).waitFor();
      assert.equal(one.typed, '');
      await page.keyboard.press('Control+Shift+BracketLeft');
      await page.getByRole('tab', { name: /vim README.md/, selected: true }).waitFor();
      assert.equal(address(page).id, right);
      await shows(page, below, 'npm test');
      await screenshot(page, `splits-${scheme}`);
      const { tabs } = address(page);
      assert.equal(tabs, `!r50~one-${scheme}~!d50~${right}~${below},${second}`);
      await page.reload();
      for (const id of [`one-${scheme}`, right, below]) await attached(page, id);
      assert.equal(address(page).tabs, tabs);
      // Nobody has looked at the other tab yet, so nothing was asked of its terminal.
      assert.equal(await page.locator(pane(second)).getAttribute('data-state'), null);
      await page.getByRole('tab', { name: 'htop' }).waitFor({ state: 'detached' });
      await page.keyboard.press('Control+Shift+BracketRight');
      await shows(page, second, 'in the second tab');
      assert.deepEqual(complaints, []);
      await context.close();
    },
  );
}

test(
  'workbench - what is between two terminals moves by keyboard and by pointer',
  { skip },
  async () => {
    for (const id of ['left', 'right']) standIn.prepare(id);
    const { context, page } = await openView('left', '!r50~left~right');
    await attached(page, 'right');
    const divider = page.getByRole('separator');
    await divider.focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    assert.equal(address(page).tabs, '!r60~left~right');
    const cols = (id: string): number => {
      const frame = standIn.prepare(id).frames.findLast(({ type }) => type === 'resize');
      return frame?.type === 'resize' ? frame.size.cols : 0;
    };
    await waitFor(() => cols('left') > cols('right') && cols('right') > 0);
    const box = await divider.boundingBox();
    assert.ok(box !== null);
    await page.mouse.move(box.x, 300);
    await page.mouse.down();
    await page.mouse.move(330, 300, { steps: 5 });
    await page.mouse.up();
    assert.equal(address(page).tabs, '!r30~left~right');
    await waitFor(() => cols('left') < cols('right'));
    await page.keyboard.press('Enter');
    assert.equal(address(page).tabs, '!r50~left~right');
    await context.close();
  },
);

test('workbench - detaching leaves the program alone, ending asks first', { skip }, async () => {
  for (const id of ['stay', 'go', 'end']) standIn.prepare(id);
  const { context, page } = await openView('go', 'stay,go,end');
  await page.keyboard.press('Control+Shift+D');
  await page.getByText('“go” goes on without you').waitFor();
  assert.equal(address(page).tabs, 'stay,end');
  assert.ok(standIn.terminals.has('go'));
  await waitFor(() => standIn.prepare('go').viewerCount === 0);
  await page.getByRole('tab', { name: 'end' }).click();
  await attached(page, 'end');
  await page.getByRole('button', { name: 'More' }).click();
  await screenshot(page, 'menu');
  await page.getByRole('menuitem', { name: 'End the program' }).click();
  await screenshot(page, 'end-dialog');
  await page.getByRole('button', { name: 'End it' }).click();
  await page.getByText('was ended by the signal SIGHUP').waitFor();
  await page.locator(pane('end')).getByRole('button', { name: 'Close' }).click();
  assert.deepEqual(address(page), { id: 'stay', tabs: null });
  await page.keyboard.press('Control+Shift+D');
  await page.getByRole('heading', { name: 'local' }).waitFor();
  assert.ok(standIn.terminals.has('stay'));
  await context.close();
});

test(
  'workbench - tabs are put in another order by dragging and by keyboard',
  { skip },
  async () => {
    for (const id of ['a1', 'a2', 'a3']) standIn.prepare(id);
    const { context, page } = await openView('a1', 'a1,a2,a3');
    await page.keyboard.press('Control+Shift+Period');
    assert.deepEqual(address(page), { id: 'a1', tabs: 'a2,a1,a3' });
    await page.getByRole('tab', { name: 'a3' }).dragTo(page.getByRole('tab', { name: 'a2' }));
    assert.equal(address(page).tabs, 'a3,a2,a1');
    await page.getByRole('tab', { name: 'a1' }).focus();
    await page.keyboard.press('ArrowLeft');
    assert.equal(address(page).id, 'a2');
    await page.keyboard.press('Control+Shift+ArrowLeft');
    assert.equal(address(page).tabs, 'a2,a3,a1');
    await page.keyboard.press('End');
    assert.equal(address(page).id, 'a1');
    await context.close();
  },
);

test('workbench - an address from anywhere opens what it can', { skip }, async () => {
  standIn.prepare('safe');
  const { context, page, complaints } = await openView(
    'safe',
    '!r50~..~%3Cimg%20src=x%3E,!d,,safe',
  );
  assert.equal(await page.getByRole('tab').count(), 1);
  assert.equal(address(page).tabs, null);
  assert.deepEqual(complaints, []);
  await context.close();
});

test(
  'workbench - the keys are explained, and dialogs work by keyboard alone',
  { skip },
  async () => {
    const terminal = standIn.prepare('keys');
    const { context, page } = await openView('keys');
    // What the shell can tell from other keys reaches it.
    for (const key of ['Control+Shift+Digit2', 'Control+Shift+Minus', 'Control+e', 'Escape']) {
      await page.keyboard.press(key);
    }
    await waitFor(() => terminal.typed === '\0\x1f\x05\x1b');
    await page.keyboard.press('Control+Shift+Slash');
    await page.getByRole('heading', { name: 'Keys' }).waitFor();
    await screenshot(page, 'help');
    await page.keyboard.press('Escape');
    await inTerminal(page);
    await page.keyboard.type('x');
    await waitFor(() => terminal.typed.endsWith('x'));
    await page.keyboard.press('Control+Shift+L');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
    assert.match(await evaluate(page, 'document.activeElement.textContent'), /^Settings/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Settings' }).waitFor();
    await page.keyboard.press('Escape');
    await inTerminal(page);
    await page.keyboard.type('y');
    await waitFor(() => terminal.typed.endsWith('xy'));
    await context.close();
  },
);

test(
  'workbench - settings hold at once, in every terminal, and after a reload',
  { skip },
  async () => {
    standIn.prepare('set-a').write(PROMPT);
    standIn.prepare('set-b').write(PROMPT);
    const { context, page, complaints } = await openView('set-a', '!r50~set-a~set-b');
    await attached(page, 'set-b');
    const wide = (): Promise<number> =>
      evaluate(
        page,
        `document.querySelector('${pane('set-b')} .xterm-rows > div').getBoundingClientRect().height`,
      );
    const before = await wide();
    const cols = (): number => {
      const frame = standIn.prepare('set-b').frames.findLast(({ type }) => type === 'resize');
      return frame?.type === 'resize' ? frame.size.cols : 1_000;
    };
    const colsBefore = cols();
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Settings' }).click();
    await page.getByLabel('Font size').fill('20');
    await page.getByLabel('Theme').selectOption('paper');
    await page.getByLabel('Font', { exact: true }).fill('DejaVu Sans Mono"};*{display:none');
    await page.getByLabel('Cursor', { exact: true }).selectOption('bar');
    await page.getByLabel('Lines kept').fill('9999999');
    await page.keyboard.press('Tab');
    await page.getByLabel('Bell').selectOption('none');
    await screenshot(page, 'settings');
    await waitFor(async () => (await wide()) > before);
    await waitFor(() => cols() < colsBefore);
    const look = `[document.documentElement.dataset.scheme, getComputedStyle(document.querySelector('.stage')).backgroundColor, localStorage['holdfast.settings']].join(' ')`;
    const now = await evaluate<string>(page, look);
    assert.match(now, /^light rgb\(250, 244, 232\)/);
    assert.match(now, /"scrollback":100000/);
    assert.ok(!now.includes('{display'), now);
    await page.keyboard.press('Escape');
    await page.reload();
    await attached(page, 'set-b');
    assert.equal(await evaluate<string>(page, look), now);
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Settings' }).click();
    await page.getByRole('button', { name: 'As by default' }).click();
    assert.equal(await evaluate(page, `localStorage['holdfast.settings']`), undefined);
    assert.equal(await page.getByLabel('Font size').inputValue(), '14');
    assert.deepEqual(complaints, []);
    await context.close();
  },
);

test('workbench - a bell of a program out of sight marks its tab', { skip }, async () => {
  standIn.prepare('bell-b').write('x');
  const { context, page } = await openView('bell-b', 'bell-a,bell-b');
  await page.getByRole('tab', { name: 'bell-a' }).click();
  await attached(page, 'bell-a');
  standIn.prepare('bell-b').write('\x07');
  await page.locator('.tab', { hasText: 'bell-b' }).locator('.dot.busy').waitFor();
  assert.match(await page.title(), /^● /);
  await page.getByRole('tab', { name: 'bell-b' }).click();
  await page.locator('.tab .dot').waitFor({ state: 'detached' });
  await context.close();
});

test(
  'workbench - the size of another viewer is kept, told, and can be taken',
  { skip },
  async () => {
    const terminal = standIn.prepare('sizes');
    const wide = Array.from(
      { length: 60 },
      (_, row) => `row ${String(row + 1)} ${'.'.repeat(180)}|`,
    );
    terminal.write(wide.join('\r\n'));
    terminal.fixSize({ rows: 60, cols: 200 });
    const { context, page, complaints } = await openView('sizes');
    presence(terminal, { sizeOwner: 2 });
    await page.getByText('200×60: the size of ann').waitFor();
    const host = `document.querySelector('.terminal-host')`;
    const [width, inner, top] = await evaluate<number[]>(
      page,
      `[${host}.clientWidth, ${host}.scrollWidth, ${host}.scrollTop]`,
    );
    assert.ok(inner! > width! && top! > 0, `${String(width)} ${String(inner)} ${String(top)}`);
    assert.equal((await screenText(page)).split('\n')[0], wide[0]);
    await screenshot(page, 'size-larger');
    terminal.fixSize({ rows: 12, cols: 60 });
    await page.getByText('60×12: the size of ann').waitFor();
    await screenshot(page, 'size-smaller');
    terminal.fixedSize = undefined;
    await page.getByRole('button', { name: 'Fit to my window' }).click();
    await page.getByText('the size of ann').waitFor({ state: 'detached' });
    presence(terminal, { sizeOwner: 2, sizePolicy: 'mine' });
    terminal.fixSize({ rows: 12, cols: 60 });
    await page.getByText('60×12: the size of ann').waitFor();
    await page.getByRole('button', { name: 'Fit to my window' }).click();
    await waitFor(() => controls(terminal).some(({ type }) => type === 'claim-size'));
    assert.deepEqual(complaints, []);
    await context.close();
  },
);

test('workbench - shows who is there, and gives and takes what they share', { skip }, async () => {
  const terminal = standIn.prepare('people');
  const { context, page, complaints } = await openView('people');
  presence(terminal, {});
  await page.getByRole('button', { name: 'Who is here: 3 viewers' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('ann').waitFor();
  assert.match(
    (await dialog.getByRole('list').textContent()) ?? '',
    /tester \(you\).*ann.*200×50 · 120 ms.*guest \(link\).?<b>.*watches · behind by 293 KiB/,
  );
  await screenshot(page, 'people');
  await dialog.getByRole('button', { name: 'Hand the control to ann' }).click();
  await waitFor(() => controls(terminal).length === 1);
  presence(terminal, { driver: 2, sizeOwner: 1, sizePolicy: 'mine' });
  await dialog.getByText('control', { exact: true }).waitFor();
  await dialog.getByRole('button', { name: 'Only I type' }).click();
  await dialog.getByRole('button', { name: 'Release the size' }).click();
  await dialog.getByRole('button', { name: /Remove guest/ }).click();
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await waitFor(() => controls(terminal).length === 4);
  assert.deepEqual(controls(terminal), [
    { type: 'hand-over', viewer: 2 },
    { type: 'hand-over', viewer: 1 },
    { type: 'release-size' },
    { type: 'drop', viewer: 3 },
  ]);
  await page.keyboard.press('Escape');
  await inTerminal(page);
  await page.getByText('ann has the control').waitFor();
  await page.keyboard.type('x');
  await page.getByText('ERR_NOT_DRIVER').waitFor();
  assert.equal(terminal.typed, '');
  presence(terminal, { driver: 1 });
  await page.getByText('Only you type here').waitFor();
  terminal.tell({
    type: 'event',
    json: '{"offset":0,"type":"control-requested","viewer":2,"subject":"ann"}',
  });
  await screenshot(page, 'control-requested');
  await page.getByRole('button', { name: 'Hand over' }).click();
  await waitFor(() => controls(terminal).length === 5);
  assert.deepEqual(complaints, []);
  await context.close();
});

test(
  'workbench - tells what was skipped, and begins anew with the screen it is given',
  { skip },
  async () => {
    const terminal = standIn.prepare('gap');
    terminal.write('\x1b[31mlost\r\n\x1b[?25l\x1b[3;5r');
    const { context, page } = await openView('gap');
    await shows(page, 'gap', 'lost');
    standIn.cutConnections();
    terminal.write('y'.repeat(3 * 1_048_576));
    terminal.write('END');
    terminal.evict(3);
    terminal.snapshot = { text: 'the screen\r\nas it is: ', size: { rows: 20, cols: 80 } };
    await page.getByText(/3\.0 MiB skipped/).waitFor();
    await waitFor(async () => (await screenText(page)) === 'the screen\nas it is: END');
    await screenshot(page, 'gap');
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await context.close();
  },
);

test(
  'workbench - a program may fill the clipboard once it was allowed, and never read it',
  { skip },
  async () => {
    const terminal = standIn.prepare('clipboard');
    const write = (text: string): void => {
      terminal.write(`\x1b]52;c;${Buffer.from(text).toString('base64')}\x1b\\`);
    };
    write('from the replay');
    const { context, page } = await openView('clipboard');
    const clipboard = (): Promise<string> => evaluate(page, 'navigator.clipboard.readText()');
    await page.evaluate('navigator.clipboard.writeText("mine")');
    terminal.write('\x1b]52;c;?\x07ready');
    await shows(page, 'clipboard', 'ready');
    assert.equal(await page.getByText('wants to put text').count(), 0);
    write('first');
    await page.getByText('The program wants to put text on your clipboard: “first”').waitFor();
    await screenshot(page, 'clipboard');
    assert.equal(await clipboard(), 'mine');
    await page.getByRole('button', { name: 'Allow for this terminal' }).click();
    await waitFor(async () => (await clipboard()) === 'first');
    write('second \u00e4');
    await waitFor(async () => (await clipboard()) === 'second \u00e4');
    write('x'.repeat(200_000));
    terminal.write('\x1b]52;c;?\x07\x1b]52;c;!!\x07done');
    await shows(page, 'clipboard', 'done');
    assert.equal(await clipboard(), 'second \u00e4');
    assert.equal(terminal.typed, '');
    await context.close();
  },
);

test('workbench - a link tells where it leads before it is followed', { skip }, async () => {
  const terminal = standIn.prepare('links');
  terminal.write('\x1b]8;;https://bank.example@evil.example/pay?x\x07my bank\x1b]8;;\x07\r\n');
  terminal.write('\x1b]8;;javascript:alert(1)\x07script\x1b]8;;\x07\r\n');
  terminal.write('\x1b]8;;file:///etc/passwd\x07file\x1b]8;;\x07\r\n');
  const { context, page, complaints } = await openView('links');
  await shows(page, 'links', 'file');
  const at = async (row: number): Promise<{ x: number; y: number }> => {
    const box = await page.locator('.xterm-rows > div').nth(row).boundingBox();
    return { x: (box?.x ?? 0) + 12, y: (box?.y ?? 0) + 8 };
  };
  for (const row of [1, 2]) {
    const { x, y } = await at(row);
    await page.mouse.move(x, y);
    await page.mouse.click(x, y);
  }
  assert.equal(await page.getByRole('dialog').count(), 0);
  const { x, y } = await at(0);
  await page.mouse.move(x + 2, y);
  await page
    .locator('.status-notice', { hasText: 'https://bank.example@evil.example/pay?x' })
    .waitFor();
  await page.mouse.click(x + 2, y);
  await page.getByText('Open this address?').waitFor();
  assert.equal(await page.locator('.link-target strong').textContent(), 'evil.example');
  await screenshot(page, 'link');
  const opened = context.waitForEvent('page');
  await page.getByRole('button', { name: 'Open' }).click();
  assert.equal(await (await opened).evaluate('window.opener'), null);
  assert.equal(context.pages().length, 2);
  assert.deepEqual(complaints, []);
  await context.close();
});

test(
  'workbench - on a phone one terminal at a time, and a swipe to the next',
  { skip },
  async () => {
    for (const id of ['p1', 'p2', 'p3']) standIn.prepare(id).write(`this is ${id}\r\n${PROMPT}`);
    const { context, page, complaints } = await openView('p1', '!r50~p1~p2,p3', PHONE);
    await shows(page, 'p1', 'this is p1');
    assert.ok(await page.locator(pane('p1')).isVisible());
    assert.ok(!(await page.locator(pane('p2')).isVisible()));
    await screenshot(page, 'phone-pane');
    await drag(page, [300, 300], [60, 310]);
    await waitFor(() => address(page).id === 'p2');
    await attached(page, 'p2');
    assert.ok(await page.locator(pane('p2')).isVisible());
    await drag(page, [300, 300], [60, 310]);
    await waitFor(() => address(page).id === 'p3');
    await drag(page, [60, 300], [300, 310]);
    await waitFor(() => address(page).id === 'p2');
    assert.equal(await evaluate(page, 'document.documentElement.scrollWidth'), 360);
    await page.getByRole('button', { name: 'More' }).tap();
    await screenshot(page, 'phone-menu');
    await page.getByRole('menuitem', { name: 'Settings' }).tap();
    await screenshot(page, 'phone-settings');
    assert.deepEqual(complaints, []);
    await context.close();
  },
);

test('workbench - a finger scrolls: the history, or what the program shows', { skip }, async () => {
  const terminal = standIn.prepare('finger');
  terminal.write(Array.from({ length: 200 }, (_, line) => `line ${String(line)}\r\n`).join(''));
  const { context, page } = await openView('finger', '', PHONE);
  await shows(page, 'finger', 'line 199');
  await drag(page, [180, 200], [180, 500]);
  await waitFor(async () => !(await screenText(page)).includes('line 199'));
  await drag(page, [180, 500], [180, 100]);
  await drag(page, [180, 500], [180, 100]);
  await shows(page, 'finger', 'line 199');
  terminal.write('\x1b[?1049hfull screen');
  await shows(page, 'finger', 'full screen');
  terminal.typed = '';
  await drag(page, [180, 200], [180, 400]);
  await waitFor(() => terminal.typed.startsWith('\x1b[A') || terminal.typed.startsWith('\x1bOA'));
  await context.close();
});

test('workbench - what a held key is for, and what is behind, can be seen', { skip }, async () => {
  const terminal = standIn.prepare('held');
  const { context, page } = await openView('held', '', PHONE);
  presence(terminal, {
    names: [{ id: 1, subject: 'tester', mode: 'type', behind: 2_097_152 }],
    viewers: 1,
  });
  await page.getByText('behind by 2.0 MiB').waitFor();
  const ctrl = page.getByRole('button', { name: 'Ctrl, held for the next key' });
  await ctrl.tap();
  assert.equal(await ctrl.getAttribute('aria-pressed'), 'true');
  await page.getByRole('button', { name: 'Alt, held for the next key' }).tap();
  await page.keyboard.type('b');
  await waitFor(() => terminal.typed === '\x1b\x02');
  assert.equal(await ctrl.getAttribute('aria-pressed'), 'false');
  await context.close();
});
