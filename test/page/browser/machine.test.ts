import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dev, starter } from '../../cli/starter.ts';
import { look, openBrowser, sentence } from './browser.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser?.close());

test('on a real machine data that is dropped on the page becomes a champion before the eyes of whoever looks', async () => {
  const cwd = await starter((config) => config.replace("quiet: '2s'", "quiet: '1s'"));
  await dev(cwd);
  const { url, token } = JSON.parse(readFileSync(join(cwd, '.serin', 'server.json'), 'utf8'));
  const { page, go, wrong, context } = await look(browser, { url, token });
  await go('/');
  const before = await sentence(page);

  await page.getByLabel('Drop data of line here').setInputFiles(join(cwd, 'sample', 'first.csv'));
  await page.locator('#model-line .serves .badge.good').waitFor({ timeout: 90_000 });

  expect(before).toBe('line does not serve yet.');
  expect(await page.locator('#model-line .serves').textContent()).toMatch(/v1 champion since/);
  for (const [path, said] of [
    ['/versions', '1 version.'],
    ['/runs', '1 run.'],
    ['/rollouts', '1 rollout.'],
    ['/datasets', '1 dataset version.'],
    ['/models/line', 'line has the champion v1'],
    ['/models/line/versions/1', 'is the champion'],
    ['/audit?check=yes', 'the history is whole.'],
  ] as const) {
    await go(path);
    expect.soft(await sentence(page), path).toContain(said);
  }
  expect(wrong).toEqual([]);
  await context.close();
}, 180_000);
