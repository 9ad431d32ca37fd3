import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { checkLeaks, waitFor } from '../support/index.js';
import { useUp } from '../support/e2e.js';
import { chromiumPath, openTab, screenText, startBrowser } from '../support/page/browser.js';
import { childOf } from '../support/up.js';

/** `holdfast up` whose agent runs WebRTC in its child process, and all that can come to it. */
checkLeaks({ patienceMs: 15_000 });

const skip = chromiumPath === undefined ? 'chromium is not installed' : false;
const MIB = 1024 * 1024;
const up = useUp({ args: ['--webrtc', 'native'] });

let browser: Browser | undefined;
before(async () => {
  if (skip === false) browser = await startBrowser();
});
after(async () => {
  await browser?.close();
});

for (const engine of ['werift', 'native'] as const) {
  test(`native agent - a client by ${engine} measures, runs commands, and ends by itself`, async () => {
    const options = ['--engine', 'direct', '--webrtc', engine];
    const ping = await up().holdfast(['ping', 'local', '--count', '1', '--json', ...options]);
    assert.equal(ping.status, 0, ping.stderr);
    assert.equal((JSON.parse(ping.stdout.toString()) as { engine: string }).engine, engine);
    const flood = await up().holdfast([
      'ssh',
      ...options,
      'local',
      `head -c ${String(4 * MIB)} /dev/zero`,
    ]);
    assert.equal(flood.status, 0, flood.stderr);
    assert.equal(flood.stdout.length, 4 * MIB);
  });
}

test('native agent - the host has no descriptor of a terminal, and a terminal none of the host', async () => {
  const agent = childOf(up().ready.pid, 'agent-child');
  const host = childOf(agent, 'native/entry');
  const own = targets(host);
  assert.ok(own.some((target) => target.startsWith('socket:')));
  assert.deepEqual(
    own.filter((target) => target.endsWith('ptmx')),
    [],
  );
  const seen = await up().holdfast(['ssh', '--engine', 'direct', 'local', 'ls -l /proc/self/fd']);
  assert.equal(seen.status, 0, seen.stderr);
  assert.doesNotMatch(seen.stdout.toString(), /socket:|anon_inode|ptmx/);
});

test(
  'native agent - Chromium opens a terminal directly, types, and comes back',
  { skip },
  async () => {
    if (browser === undefined) throw new Error('there is no browser');
    const { context, page } = await openTab(browser);
    const url = new URL(up().ready.url);
    url.pathname = '/w/local/t/native';
    await page.goto(url.href);
    await page.locator('[data-state=attached]').waitFor();
    await page.getByText('Direct', { exact: true }).waitFor();
    await page.keyboard.type('echo $((6 * 7))-by-chromium\n');
    await waitFor(async () => (await screenText(page)).includes('42-by-chromium'));
    await page.reload();
    await page.locator('[data-state=attached]').waitFor();
    await waitFor(async () => (await screenText(page)).includes('42-by-chromium'));
    await context.close();
  },
);

test('native agent - when the host is killed, terminals live on and clients come back', async () => {
  const agent = childOf(up().ready.pid, 'agent-child');
  const before = childOf(agent, 'native/entry');
  process.kill(before, 'SIGKILL');
  const ping = await up().holdfast(['ping', 'local', '--count', '1', '--engine', 'direct']);
  assert.equal(ping.status, 0, ping.stderr);
  assert.notEqual(childOf(agent, 'native/entry'), before);
  assert.equal(childOf(up().ready.pid, 'agent-child'), agent);
});

function targets(pid: number): string[] {
  const folder = `/proc/${String(pid)}/fd`;
  return readdirSync(folder).map((fd) => readlinkSync(`${folder}/${fd}`));
}
