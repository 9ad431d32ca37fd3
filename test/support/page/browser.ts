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

/** What the terminal shows, read from the rows that the DOM renderer draws. */
export async function screenText(page: Page): Promise<string> {
  // As text, since this folder compiles without the types of a browser.
  return await page.evaluate<string>(String.raw`
    [...document.querySelectorAll('.xterm-rows > div')]
      .map((row) => row.textContent.replaceAll('\u00a0', ' ').trimEnd())
      .join('\n')
      .trimEnd()
  `);
}
