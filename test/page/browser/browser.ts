import { existsSync } from 'node:fs';
import process from 'node:process';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

/** Debian's Chromium, or the one that `CHROMIUM` names. */
const executable = process.env.CHROMIUM ?? '/usr/bin/chromium';

export const whyNoBrowser = (): string | undefined =>
  existsSync(executable)
    ? undefined
    : `there is no browser at ${executable}; install one (apt-get install chromium fonts-dejavu-core), or name it in CHROMIUM`;

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: executable, args: ['--no-sandbox', '--disable-dev-shm-usage'] });

export interface Looking {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What must not happen, as far as it did: errors, questions of scripts, requests to other hosts. */
  readonly wrong: readonly string[];
  /** Opens a page of the server and waits until its scripts have run. */
  go(path: string): Promise<void>;
}

interface Wish {
  readonly url: string;
  /** Signs in with it. */
  readonly token?: string;
  readonly width?: number;
  readonly scheme?: 'light' | 'dark';
}

/** A window of its own, without anybody's cookies. */
export async function look(browser: Browser, { url, token, width = 1280, scheme = 'light' }: Wish): Promise<Looking> {
  const context = await browser.newContext({
    viewport: { width, height: 800 },
    colorScheme: scheme,
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(30_000);
  const wrong: string[] = [];
  const page = await context.newPage();
  watch(page, url, wrong);
  const go = async (path: string) => {
    await page.goto(url + path);
    await isReady(page);
  };
  if (token !== undefined) {
    await page.goto(`${url}/signin#${token}`);
    await page.waitForSelector('nav');
  }
  return { context, page, wrong, go };
}

export const isReady = async (page: Page): Promise<void> => {
  await page.waitForSelector('html[data-ready]');
};

export function watch(page: Page, url: string, wrong: string[]): void {
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') wrong.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) wrong.push(`request: ${request.url()}`);
  });
}

/** How much wider than the window the page is. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');

/** What the page says of itself. */
export const sentence = async (page: Page): Promise<string> => (await page.locator('#sentence').textContent()) ?? '';
