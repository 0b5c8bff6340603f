import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { adminToken } from '../../api/world.ts';
import { look, openBrowser } from './browser.ts';
import { type Story, tellDrift, tellEstimate, tellPerformance, tellStory } from './story.ts';

/** The pictures of docs/page.md. `SERIN_SCREENSHOTS=1` makes them anew; otherwise they must be there, and be linked. */
const docs = join(import.meta.dirname, '..', '..', '..', 'docs');
const isAsked = process.env.SERIN_SCREENSHOTS === '1';
const maxBytes = 150_000;

let browser: Browser;
let story: Story;

beforeAll(async () => {
  [browser, story] = await Promise.all([openBrowser(), tellStory()]);
  mkdirSync(join(docs, 'images'), { recursive: true });
});
afterAll(async () => {
  await browser?.close();
  await story?.close();
});

/** Rollouts that a path stands for: the newest one of `ranking`, and the newest that was taken back. */
const rollouts: Readonly<Record<string, string>> = { ro_: 'model=ranking', back_: 'status=rolledBack' };

async function pathOf(path: string): Promise<string> {
  const [, place = ''] = /\/(\w+_)$/.exec(path) ?? [];
  if (place === '') return path;
  const { body } = await story.call('GET', `/v1/rollouts?${rollouts[place]}`);
  return path.replace(place, body.rollouts[0].id);
}

interface Picture {
  readonly name: string;
  /** Of the page; a last `ro_` or `back_` stands for a rollout. */
  readonly path: string;
  readonly scheme?: 'light' | 'dark';
  readonly width?: number;
  /** A button that is pressed first. */
  readonly press?: string;
}

const pictures: readonly Picture[] = [
  { name: 'page-overview', path: '/' },
  { name: 'page-overview-dark', path: '/', scheme: 'dark' },
  { name: 'page-model', path: '/models/fraud' },
  { name: 'page-rollout', path: '/rollouts/ro_' },
  { name: 'page-taken-back', path: '/rollouts/back_' },
  { name: 'page-approve', path: '/', press: 'Approve v2' },
  { name: 'page-narrow', path: '/', width: 360 },
];

test.each([
  ['page-drift', 'drift', 'the requests of a model against its training data', tellDrift],
  ['page-estimate', 'estimate', 'what is expected of predictions without labels', tellEstimate],
  ['page-performance', 'performance', 'the predictions of a model against their labels', tellPerformance],
] as const)('the picture %s shows the section %s: %s', async (name, section, _, tell) => {
  if (isAsked) {
    const told = await tell();
    const { page, go, context } = await look(browser, { url: told.url, token: adminToken });
    await go('/models/fraud');
    await page.locator('#connection.live').waitFor();
    await page
      .locator('section', { has: page.locator(`#${section}`) })
      .or(page.locator(`section#${section}`))
      .screenshot({ path: fileOf(name) });
    await context.close();
    await told.close();
  }

  expectPicture(name);
});

const fileOf = (name: string): string => join(docs, 'images', `${name}.png`);

function expectPicture(name: string): void {
  const file = fileOf(name);
  expect(existsSync(file), `${file}; make it with SERIN_SCREENSHOTS=1 npm run test:page`).toBe(true);
  expect(statSync(file).size).toBeLessThan(maxBytes);
  expect(readFileSync(join(docs, 'page.md'), 'utf8')).toContain(`images/${name}.png`);
}

test.each(pictures)('the picture $name shows the page as it is', async ({ name, path, press, ...wish }) => {
  const file = fileOf(name);
  if (isAsked) {
    const { page, go, context } = await look(browser, { url: story.url, token: adminToken, ...wish });
    await go(await pathOf(path));
    await page.locator('#connection.live').waitFor();
    if (press !== undefined) await page.getByRole('button', { name: press }).click();
    await page.screenshot({ path: file });
    await context.close();
  }

  expectPicture(name);
});
