import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { HoldfastError } from '../../src/shared/common/index.js';
import type { ShareInfo } from '../../src/shared/common/wire/index.js';
import {
  checkLeaks,
  runProgram,
  startProgram,
  tempDir,
  waitFor,
  type ProgramResult,
  type RunningProgram,
} from '../support/index.js';
import { brokerApi, useUp } from '../support/e2e.js';
import {
  chromiumPath,
  openTab,
  screenshot,
  screenText,
  startBrowser,
  type Tab,
} from '../support/page/browser.js';
import { cleanEnvironment, HOLDFAST } from '../support/up.js';

checkLeaks({ patienceMs: 15_000 });

const skip = chromiumPath === undefined ? 'chromium is not installed' : false;
const currentUp = useUp();
let browser: Browser | undefined;
before(async () => {
  if (skip === false) browser = await startBrowser();
});
after(async () => {
  await browser?.close();
});

interface Made {
  readonly share: ShareInfo;
  readonly link: string;
}

/** `holdfast share local main` with these flags. */
async function share(...flags: readonly string[]): Promise<Made> {
  const result = await currentUp().holdfast(['share', 'local', 'main', ...flags, '--json']);
  assert.equal(result.status, 0, result.stderr);
  return JSON.parse(result.stdout.toString()) as Made;
}

/** `holdfast attach LINK` in a home that knows no broker. */
function attach(link: string, engine: 'direct' | 'relay' = 'relay'): RunningProgram {
  return startProgram(process.execPath, [HOLDFAST, 'attach', link, '--engine', engine], {
    env: { ...cleanEnvironment(tempDir()), TERM: 'xterm-256color' },
  });
}

async function attachOnce(link: string, input: string): Promise<ProgramResult> {
  return await runProgram(process.execPath, [HOLDFAST, 'attach', link, '--engine', 'relay'], {
    env: { ...cleanEnvironment(tempDir()), TERM: 'xterm-256color' },
    input,
  });
}

async function open(t: TestContext, link: string, query = ''): Promise<Tab> {
  if (browser === undefined) throw new Error('no browser');
  const tab = await openTab(browser);
  t.after(() => tab.context.close());
  await tab.page.goto(link.replace('#', `${query}#`));
  return tab;
}

const attached = (page: Page): Promise<void> => page.locator('[data-state=attached]').waitFor();

async function refusedWith(page: Page, code: string): Promise<void> {
  await page.locator('.problem').getByText(code, { exact: true }).waitFor();
}

async function shows(page: Page, text: string): Promise<void> {
  await waitFor(async () => (await screenText(page)).includes(text), { what: `"${text}"` });
}

let word: Promise<void> | undefined;

/** The terminal `main` runs and shows a word; done once for all tests. */
function showWord(): Promise<void> {
  return (word ??= (async () => {
    const { link } = await share('--type');
    const program = attach(link);
    program.child.stdin?.write('echo wo$((1))rd\n');
    await waitFor(() => program.stdout().includes('wo1rd'), { what: 'the word' });
    program.child.kill('SIGINT');
    await program.ended;
  })());
}

test('share - a link opens its terminal in the page and in attach, with no login', async (t) => {
  await showWord();
  const { link, share: made } = await share('--type', '--for', '1h', '--max', '3', '--name', 'Ann');
  assert.match(link, /\/s\/local\/main#hf_share_[\w-]{43}\.[\w-]{43}$/);
  assert.equal(Date.parse(made.expiresAt ?? '') - Date.parse(made.createdAt), 3_600_000);
  const program = attach(link, 'direct');
  await waitFor(() => program.stdout().includes('wo1rd'), { what: 'the word in attach' });
  program.child.stdin?.write('echo ty$((2))ped\n');
  await waitFor(() => program.stdout().includes('ty2ped'), { what: 'what was typed' });
  if (skip === false) {
    const { page, complaints } = await open(t, link);
    await attached(page);
    await shows(page, 'ty2ped');
    assert.ok(!page.url().includes('hf_share'), 'the secret is in the address');
    assert.ok(!(await page.evaluate<string>('JSON.stringify(localStorage)')).includes('hf_share'));
    await page.getByText('You may type').waitFor();
    await page.keyboard.type('echo pa$((3))ge');
    await page.keyboard.press('Enter');
    await shows(page, 'pa3ge');
    assert.equal(await page.locator('a[href^="/w/"]').count(), 0, 'a way to the workspace');
    assert.equal(await page.getByRole('button', { name: /end the program/i }).count(), 0);
    await screenshot(page, 'share-type');
    await page.reload();
    await shows(page, 'pa3ge');
    assert.deepEqual(complaints, []);
  }
  program.child.kill('SIGINT');
  await program.ended;
});

test('share - a view link used to type types nothing and says ERR_READ_ONLY', async (t) => {
  await showWord();
  const { link } = await share('--view');
  const program = attach(link);
  await waitFor(() => program.stdout().includes('wo1rd'), { what: 'the word' });
  program.child.stdin?.write('echo in$((4))truder\n');
  await waitFor(
    () => program.stdout().includes('ERR_READ_ONLY') || program.stderr().includes('ERR_READ_ONLY'),
    {
      what: 'the refusal in attach',
    },
  );
  if (skip === false) {
    const { page } = await open(t, link);
    await attached(page);
    await page.getByText('Read only').waitFor();
    await shows(page, 'wo1rd');
    await page.keyboard.type('echo in$((4))truder');
    await page.keyboard.press('Enter');
    await page.getByText('ERR_READ_ONLY').waitFor();
    await screenshot(page, 'share-view');
    assert.ok(!(await screenText(page)).includes('truder'));
  }
  program.child.kill('SIGINT');
  assert.ok(!(await program.ended).stdout.includes('truder'), 'something was typed');
});

test('share - a revoked, an expired and a foreign link are refused with their codes', async (t) => {
  await showWord();
  const revoked = await share('--view');
  await currentUp().holdfast(['share', 'revoke', revoked.share.id]);
  const expired = await share('--view', '--for', '1s');
  const good = await share('--view');
  await waitFor(() => Date.now() > Date.parse(expired.share.expiresAt ?? ''), { what: 'its end' });
  const cases = [
    [revoked.link, 'ERR_SHARE_REVOKED'],
    [expired.link, 'ERR_SHARE_EXPIRED'],
    [good.link.replace('/s/local/', '/s/other/'), 'ERR_SHARE_MISMATCH'],
    [good.link.replace('/main#', '/another#'), 'ERR_SHARE_MISMATCH'],
    [good.link.replace('/main#', '#'), 'ERR_SHARE_MISMATCH'],
    [good.link.replace(/.{43}$/, 'A'.repeat(43)), 'ERR_PEER_AUTH'],
    [good.link.replace(/hf_share_.{43}/, `hf_share_${'A'.repeat(43)}`), 'ERR_UNAUTHORIZED'],
  ] as const;
  await Promise.all(
    cases.map(async ([link, code]) => {
      const result = await attachOnce(link, '');
      assert.equal(result.status, 255);
      assert.match(result.stderr, new RegExp(`^holdfast: ${code}:`), link.split('#')[0]);
    }),
  );
  const cut = await attachOnce(good.link.slice(0, -1), '');
  assert.match(cut.stderr, /^holdfast: ERR_INVALID_ARGUMENT:/);
  assert.ok(!cut.stderr.includes('hf_share_'), 'the link was repeated');
  if (skip !== false) return;
  // What the broker says of the rest is said in the same place.
  for (const [link, code] of [...cases.slice(0, 4), cases[5]]) {
    const { page, context } = await open(t, link);
    await refusedWith(page, code);
    if (code === 'ERR_SHARE_REVOKED') await screenshot(page, 'share-revoked');
    await context.close();
  }
  const { page } = await open(t, good.link.split('#')[0] ?? '');
  await refusedWith(page, 'ERR_UNAUTHORIZED');
});

test('share - a link that is revoked puts its viewers out within 2 s, direct or relayed, and nobody else', async (t) => {
  await showWord();
  const { link, share: made } = await share('--type');
  const other = await share('--view');
  const bystander = attach(other.link);
  const viewers = [attach(link, 'direct'), attach(link, 'relay')];
  for (const program of [...viewers, bystander])
    await waitFor(() => program.stdout().includes('wo1rd'), { what: 'the word' });
  const tabs: Page[] = [];
  if (skip === false)
    for (const query of ['', '?via=relay']) {
      const { page } = await open(t, link, query);
      await attached(page);
      tabs.push(page);
    }
  await brokerApi(currentUp()).revokeShare(made.id);
  const at = performance.now();
  const gone = await Promise.all([
    ...viewers.map(async (program) => {
      const result = await program.ended;
      assert.match(result.stderr, /ERR_SHARE_REVOKED/);
      return performance.now() - at;
    }),
    ...tabs.map(async (page) => {
      await refusedWith(page, 'ERR_SHARE_REVOKED');
      return performance.now() - at;
    }),
  ]);
  console.log(`out after ms: ${gone.map((ms) => ms.toFixed(0)).join(', ')}`);
  assert.equal(bystander.child.exitCode, null, 'somebody else was put out');
  bystander.child.kill('SIGINT');
  await bystander.ended;
  // Nobody tries for ever.
  for (const page of tabs) assert.equal(await page.getByText('Retry now').count(), 0);
});

test('share - as many as a link allows, and the next one is told', async (t) => {
  await showWord();
  const { link } = await share('--view', '--max', '1');
  const first = attach(link);
  await waitFor(() => first.stdout().includes('wo1rd'), { what: 'the word' });
  const second = await attachOnce(link, '');
  assert.match(second.stderr, /^holdfast: ERR_SHARE_FULL:/);
  if (skip === false) {
    const { page } = await open(t, link);
    await refusedWith(page, 'ERR_SHARE_FULL');
    first.child.kill('SIGINT');
    await first.ended;
    await page.getByText('Retry now').click();
    await attached(page);
  }
  first.child.kill('SIGINT');
  await first.ended;
});

test('share - the command refuses what would be surprising', async () => {
  const up = currentUp();
  const bad: readonly (readonly string[])[] = [
    ['--for', '0s'],
    ['--for', '31d'],
    ['--for', '1h', '--no-expiry'],
    ['--view', '--type'],
    ['--max', '0'],
    ['--all'],
  ];
  await Promise.all(
    bad.map(async (flags) => {
      const result = await up.holdfast(['share', 'local', 'main', ...flags]);
      assert.equal(result.status, 2, flags.join(' '));
      assert.match(result.stderr, /^holdfast: ERR_INVALID_ARGUMENT:/);
    }),
  );
  const forever = await up.holdfast(['share', 'local', '--all', '--no-expiry']);
  assert.match(forever.stdout.toString(), /^http\S+\/s\/local#hf_share_/);
  assert.match(forever.stdout.toString(), /watch: all terminals of local.*\nuntil it is revoked\./);
  const listed = await up.holdfast(['share', 'list', '--workspace', 'local']);
  assert.match(listed.stdout.toString(), / all +view +guest +10 +active +never/);
  const missing = await up.holdfast(['share', 'revoke', 'no-such-id']);
  assert.equal(missing.status, 4);
  assert.match(missing.stderr, /ERR_NOT_FOUND/);
  const api = brokerApi(up);
  await assert.rejects(api.createShare({ workspace: 'nowhere', terminal: 'main' }), (error) => {
    return error instanceof HoldfastError && error.code === 'ERR_WORKSPACE_NOT_FOUND';
  });
});

test('share - a link to all terminals offers those that there are', { skip }, async (t) => {
  await showWord();
  const up = currentUp();
  const result = await up.holdfast(['share', 'local', '--all', '--json']);
  const { link } = JSON.parse(result.stdout.toString()) as Made;
  const { page } = await open(t, link);
  await attached(page);
  await shows(page, 'wo1rd');
  assert.deepEqual(await page.locator('select option').allTextContents(), ['main']);
  assert.ok(page.url().endsWith('/s/local?t=main'));
  await page.reload();
  await shows(page, 'wo1rd');
});
