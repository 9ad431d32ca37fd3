/**
 * `npm run proof:flood -- [--keys N] [--every MS] [--path direct|relay]`: a real page on a real workspace
 * while `yes` floods it. Presses keys and prints how long the page took from each key to the next frame it
 * drew, and how long its main thread was busy at a time. Status 1 if with `yes` the 95th percentile of the
 * keys is above 100 ms. The colours are the worst case for a browser without a GPU and only reported.
 */
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../support/index.js';
import { openTab, screenText, startBrowser } from '../support/page/browser.js';
import { startUp } from '../support/up.js';

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '200' },
    every: { type: 'string', default: '50' },
    path: { type: 'string', default: 'direct' },
  },
});
const GOAL_MS = 100;

/** In the page: from the moment the browser had the key to the end of the frame that follows it. */
const MEASURE = `
  window.figures = { keys: [], busy: [] };
  addEventListener('keydown', (event) => {
    const pressed = event.timeStamp;
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => window.figures.keys.push(performance.now() - pressed);
      port2.postMessage(undefined);
    });
  }, true);
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.figures.busy.push(duration);
  }).observe({ entryTypes: ['longtask'] });
`;

interface Figures {
  readonly keys: readonly number[];
  readonly busy: readonly number[];
}

const hooks: (() => unknown)[] = [];
const up = await startUp({ after: (hook: unknown) => hooks.push(hook as () => unknown) });
const browser = await startBrowser();
try {
  const { page } = await openTab(browser);
  const link = new URL(up.ready.url);
  link.pathname = '/w/local/t/flood';
  if (values.path === 'relay') link.search = 'via=relay';
  await page.goto(link.href);
  await page.locator('[data-state=attached]').waitFor();
  await page.evaluate(MEASURE);
  for (const flood of ['quiet', 'yes', 'colours']) {
    if (flood === 'yes') await page.keyboard.type('yes\n');
    if (flood === 'colours') {
      await page.keyboard.press('Control+c');
      await page.keyboard.type(
        `while :; do printf '\\033[3%dm%s\\033[0m %s ' $((i=(i+1)%8)) wort $i; done\n`,
      );
    }
    const sign = { quiet: '', yes: 'y\ny\ny\ny', colours: 'wort' }[flood] ?? '';
    await waitFor(async () => (await screenText(page)).includes(sign));
    await sleep(1_000);
    await page.evaluate('window.figures.keys.length = window.figures.busy.length = 0');
    const presses = Number(values.keys);
    for (let key = 0; key < presses; key += 1) {
      await page.keyboard.press('Shift');
      await sleep(Number(values.every));
    }
    await sleep(500);
    const { keys, busy } = await page.evaluate<Figures>('window.figures');
    const at = (share: number): number =>
      keys.toSorted((one, other) => one - other)[Math.floor((keys.length - 1) * share)] ?? NaN;
    const p95 = at(0.95);
    console.log(
      `${flood.padEnd(8)} keys ${String(keys.length)}  p50 ${at(0.5).toFixed(0)} ms  p95 ${p95.toFixed(0)} ms  max ${at(1).toFixed(0)} ms  longest task ${Math.max(0, ...busy).toFixed(0)} ms`,
    );
    if ((flood !== 'colours' && p95 > GOAL_MS) || keys.length < presses) process.exitCode = 1;
  }
} finally {
  await browser.close();
  for (const hook of hooks) await hook();
}
