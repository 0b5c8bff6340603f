import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { adminToken } from '../../api/world.ts';
import { isReady, look, openBrowser, overflow, sentence } from './browser.ts';
import { type Story, tellStory } from './story.ts';

/** The pages of one thing: a model, a version, a comparison, a run, a rollout. */

let browser: Browser;
let story: Story;
/** Path, and what its sentence says. */
let pages: readonly (readonly [path: string, said: string])[];
let taken: string;
let baking: string;
let trained: string;

beforeAll(async () => {
  [browser, story] = await Promise.all([openBrowser(), tellStory()]);
  const { rollouts } = (await story.call('GET', '/v1/rollouts?limit=50')).body;
  const { runs } = (await story.call('GET', '/v1/runs?limit=50&model=fraud')).body;
  const withStatus = (status: string) => rollouts.find((rollout: { status: string }) => rollout.status === status).id;
  [taken, baking, trained] = [withStatus('rolledBack'), withStatus('baking'), runs[0].id];
  pages = [
    ['/models/fraud', 'fraud has the champion v4'],
    ['/models/churn', 'waits for approval'],
    ['/models/prices', 'prices has no champion'],
    ['/models/fraud/versions/3', 'v3 of fraud is quarantined'],
    ['/models/fraud/compare?a=4&b=2', 'v4 is'],
    [`/runs/${trained}`, 'of fraud'],
    [`/rollouts/${taken}`, 'was rolled back'],
    [`/rollouts/${baking}`, 'bakes at'],
  ];
});
afterAll(async () => {
  await browser?.close();
  await story?.close();
});

const signedIn = (more: Partial<Parameters<typeof look>[1]> = {}) =>
  look(browser, { url: story.url, token: adminToken, ...more });

async function seriousFindings(page: Page): Promise<readonly string[]> {
  const axe = new AxeBuilder({ page }).setLegacyMode(true);
  const { violations } = await axe.withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

test.each(['light', 'dark'] as const)(
  'each page of a thing says its sentence, and axe finds nothing serious in it: %s',
  async (scheme) => {
    const { page, go, wrong, context } = await signedIn({ scheme });

    for (const [path, said] of pages) {
      await go(path);
      expect.soft(await sentence(page), path).toContain(said);
      expect.soft(await seriousFindings(page), path).toEqual([]);
    }

    expect(wrong).toEqual([]);
    await context.close();
  },
  240_000,
);

test('no page of a thing is wider than a window of 360 px, and its plots are read there', async () => {
  const { page, go, context } = await signedIn({ width: 360 });

  for (const [path] of pages) {
    await go(path);
    expect.soft(await overflow(page), path).toBe(0);
    const sizes = await page.evaluate<readonly string[]>(
      "[...document.querySelectorAll('.plot svg[role] text')].map((text) => getComputedStyle(text).fontSize)",
    );
    expect
      .soft(
        [...new Set(sizes)].filter((size) => size !== '12px'),
        path,
      )
      .toEqual([]);
  }
  await context.close();
});

const waiting = { timeout: 30_000 };

/** That a figure has a plot as wide as its place, to be asked in the browser. */
const isFitting = (id: string): string =>
  `Number(document.querySelector('#${id} svg')?.getAttribute('width')) === document.querySelector('#${id} .plot-box')?.clientWidth`;

test('a plot is drawn at the width of its place, also when that changes', async () => {
  const { page, go, context } = await signedIn();
  await go(`/rollouts/${taken}`);
  const fits = () => expect.poll(() => page.evaluate<boolean>(isFitting('evidence')), waiting).toBe(true);

  await fits();
  await page.setViewportSize({ width: 500, height: 800 });
  await fits();

  await page.locator('#evidence svg').hover({ position: { x: 200, y: 60 } });
  expect(await page.textContent('#evidence .readout')).toMatch(/UTC · harm [\d,.]+ to [\d,.]+/);
  await context.close();
});

test('the browser judges a rollout again, from the journal, and finds what was changed', async () => {
  const { page, go, context } = await signedIn();
  await go(`/rollouts/${taken}`);
  const said = page.locator('[data-verify-said]');

  await page.getByRole('button', { name: 'Verify in this browser' }).press('Enter');
  await said.filter({ hasText: 'Verified by this browser' }).waitFor();
  await page.route('**/v1/audit/entries*', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: (await answer.text()).replace(/"errors":(\d+)/, '"errors":1$1') });
  });
  await page.getByRole('button', { name: 'Verify in this browser' }).click();
  await said.filter({ hasText: /Not verified .* was changed after it was written/ }).waitFor();
  await page.getByRole('button', { name: 'Let the server verify' }).click();
  await said.filter({ hasText: 'Verified by the server' }).waitFor();

  await context.close();
});

test('a log is followed, as text, and scrolls only while its end is looked at', async () => {
  const { page, go, context } = await signedIn();
  const lines = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => `line ${from + index} <img src=x onerror=alert(1)>\n`).join('');
  let asked = 0;
  await page.route('**/v1/runs/*/logs*', async (route) => {
    asked += 1;
    const text = asked > 3 ? '' : lines(asked * 100, 100);
    await route.fulfill({
      json: { job: 'train', attempt: 1, text, next: asked, ...(asked > 3 ? { ended: true } : {}) },
    });
  });
  await page.route(`**/runs/${trained}`, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: (await answer.text()).replace(' data-ended', '') });
  });
  await go(`/runs/${trained}`);
  const log = page.locator('#log');
  const place = () => log.evaluate((box) => box.scrollHeight - box.clientHeight - box.scrollTop);

  await log.filter({ hasText: 'line 199 <img' }).waitFor();
  const atEnd = await place();
  await log.evaluate((box) => box.scrollTo(0, 0));
  await log.filter({ hasText: 'line 399 <img' }).waitFor();

  expect(atEnd).toBeLessThan(5);
  expect(await log.evaluate((box) => box.scrollTop)).toBe(0);
  expect(await log.locator('img').count()).toBe(0);
  await context.close();
});

test('a page that is renewed keeps its plots and what was opened, and shows what is new', async () => {
  const { page, go, context } = await signedIn();
  await go(`/rollouts/${baking}`);
  await page.locator('#evidence summary').click();
  const before = await page.getAttribute('#counts', 'data-plot');

  await story.pass(60_000);
  await expect.poll(() => page.getAttribute('#counts', 'data-plot'), waiting).not.toBe(before);

  expect(await page.locator('#evidence details').getAttribute('open')).toBe('');
  await expect.poll(() => page.evaluate<boolean>(isFitting('counts')), waiting).toBe(true);
  await isReady(page);
  await context.close();
});
