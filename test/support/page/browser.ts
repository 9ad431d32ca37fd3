import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { findProgram } from '../index.js';

/** Debian's Chromium. Absent: not installed. */
export const chromiumPath = findProgram('chromium');

/** Starts it without anything that talks to the outside by itself. */
export async function startBrowser({ webgl = false } = {}): Promise<Browser> {
  return await chromium.launch({
    ...(chromiumPath === undefined ? {} : { executablePath: chromiumPath }),
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      // Then the terminal is drawn as text, which a test can read.
      ...(webgl ? [] : ['--disable-3d-apis']),
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export interface PageOptions {
  readonly scheme?: 'dark' | 'light';
  readonly width?: number;
  readonly height?: number;
  readonly touch?: boolean;
}

/** A tab of a fresh profile, and everything that its console complained about. */
export interface Tab {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly complaints: string[];
}

export async function openTab(browser: Browser, options: PageOptions = {}): Promise<Tab> {
  const { scheme = 'dark', width = 1100, height = 720, touch = false } = options;
  const context = await browser.newContext({
    colorScheme: scheme,
    viewport: { width, height },
    hasTouch: touch,
    isMobile: touch,
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  return { context, page, complaints };
}

/** Keeps a picture in test-output/, for people. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const folder = path.resolve('test-output');
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: path.join(folder, `${name}.png`) });
}

/** What the terminal in `within` (a selector; default: the only one) shows, read from the rows that the DOM renderer draws. */
export async function screenText(page: Page, within = ''): Promise<string> {
  // As text, since this folder compiles without the types of a browser.
  return await page.evaluate<string>(String.raw`
    [...document.querySelectorAll('${within} .xterm-rows > div')]
      .map((row) => row.textContent.replaceAll('\u00a0', ' ').trimEnd())
      .join('\n')
      .trimEnd()
  `);
}

/** What the browser does on its key or menu for pasting, in the first terminal. */
export async function pasteText(page: Page, text: string): Promise<void> {
  await page.evaluate(`
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', ${JSON.stringify(text)});
    document.querySelector('.xterm-helper-textarea').dispatchEvent(
      new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }),
    );
  `);
}

/** Drops files onto what `selector` finds. */
export async function dropFiles(
  page: Page,
  selector: string,
  files: readonly { readonly name: string; readonly text: string }[],
): Promise<void> {
  await page.evaluate(`
    const dataTransfer = new DataTransfer();
    for (const { name, text } of ${JSON.stringify(files)}) {
      dataTransfer.items.add(new File([text], name));
    }
    const target = document.querySelector(${JSON.stringify(selector)});
    for (const type of ['dragenter', 'dragover', 'drop']) {
      target.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
    }
  `);
}

/** Of a finger's moves, in seconds. */
const FRAME_S = 0.016;

/** One finger from one point to another, in `steps` moves. */
export async function drag(
  page: Page,
  from: readonly [x: number, y: number],
  to: readonly [x: number, y: number],
  steps = 8,
): Promise<void> {
  const session = await page.context().newCDPSession(page);
  // What the page measures is the finger's time, not that of a busy machine, on which a swipe took over 600 ms.
  let timestamp = Date.now() / 1_000;
  const touch = async (type: string, at: readonly [number, number] | undefined): Promise<void> => {
    const touchPoints = at === undefined ? [] : [{ x: at[0], y: at[1] }];
    await session.send('Input.dispatchTouchEvent', {
      type: type as 'touchStart' | 'touchMove' | 'touchEnd',
      touchPoints,
      timestamp,
    });
    timestamp += FRAME_S;
  };
  await touch('touchStart', from);
  for (let step = 1; step <= steps; step += 1) {
    const part = step / steps;
    await touch('touchMove', [
      from[0] + (to[0] - from[0]) * part,
      from[1] + (to[1] - from[1]) * part,
    ]);
  }
  await touch('touchEnd', undefined);
  await session.detach();
}
