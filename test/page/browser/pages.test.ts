import { gzipSync } from 'node:zlib';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildPage } from '../../../packages/page/build/build.ts';
import { adminToken } from '../../api/world.ts';
import { look, openBrowser, overflow, sentence } from './browser.ts';
import { type Story, tellStory } from './story.ts';

let browser: Browser;
let story: Story;

beforeAll(async () => {
  [browser, story] = await Promise.all([openBrowser(), tellStory()]);
  const newest = async (list: string, model: string) =>
    (await story.call('GET', `/v1/${list}?model=${model}`)).body[list][0].id;
  pages.push(
    [`/runs/${await newest('runs', 'fraud')}`, 'succeeded'],
    [`/rollouts/${await newest('rollouts', 'ranking')}`, 'bakes at 10 %'],
    [`/rollouts/${await newest('rollouts', 'fraud')}`, 'was promoted'],
  );
});
afterAll(async () => {
  await browser?.close();
  await story?.close();
});

/** Every page, and what it says of the story. */
const pages: (readonly [path: string, sentence: string])[] = [
  ['/', 'waits for approval'],
  ['/models', '4 models.'],
  ['/versions', '8 versions.'],
  ['/runs', '8 runs.'],
  ['/rollouts', '7 rollouts.'],
  ['/datasets', '8 dataset versions.'],
  ['/labels', 'No outcome of a request is known yet.'],
  ['/events', 'What Serin announced'],
  ['/dead-letters', '1 dead letter.'],
  ['/dead-letters/evt_01a22603', 'A signal to model/fraud could not be used; it is waiting.'],
  ['/freezes', 'Nothing is frozen.'],
  ['/audit', 'Every decision is an entry'],
  ['/audit?check=yes', 'the history is whole.'],
  ['/audit?stream=model/fraud', 'of model/fraud'],
  ['/tokens', '2 tokens'],
  ['/models/fraud', 'fraud has the champion v4'],
  ['/models/fraud/versions/3', 'is quarantined'],
  ['/models/fraud/compare?versions=4,3', ''],
  ['/rollouts?model=ranking', '2 rollouts of ranking.'],
  ['/nothing', 'there is no page /nothing'],
  ['/signin', 'Sign in with a token'],
];

/** Serious findings of axe: its rules for WCAG 2.1, levels A and AA. One page after the other, none opened beside it. */
async function seriousFindings(page: Page, within = 'body'): Promise<readonly string[]> {
  const axe = new AxeBuilder({ page }).setLegacyMode(true).include(within);
  const { violations } = await axe.withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

test.each(['light', 'dark'] as const)(
  'each page says its sentence, and axe finds nothing serious in it: %s',
  async (scheme) => {
    const { page, go, wrong, context } = await look(browser, { url: story.url, token: adminToken, scheme });

    for (const [path, said] of pages) {
      await go(path);
      expect.soft(await sentence(page), path).toContain(said);
      expect.soft(await seriousFindings(page), path).toEqual([]);
    }

    // The browser itself notes that a page was a 404.
    expect(wrong.filter((each) => !each.includes('404'))).toEqual([]);
    await context.close();
  },
  240_000,
);

test('no page is wider than a window of 360 px', async () => {
  const { page, go, context } = await look(browser, { url: story.url, token: adminToken, width: 360 });

  for (const [path] of pages) {
    await go(path);
    expect.soft(await overflow(page), path).toBe(0);
  }

  await context.close();
}, 120_000);

test('the question before a change is fit for a reader of screens, and for a small window', async () => {
  const { page, go, context } = await look(browser, { url: story.url, token: adminToken, width: 360 });
  await go('/');

  await page.getByRole('button', { name: 'Approve v2' }).click();
  expect(await seriousFindings(page, 'dialog')).toEqual([]);
  expect(await overflow(page)).toBe(0);
  await context.close();
});

test('all scripts of the page are at most 60 KB, compressed', async () => {
  const files = Object.entries(await buildPage()).filter(([path]) => path.endsWith('.js'));

  const bytes = files.reduce((sum, [, { text }]) => sum + gzipSync(text, { level: 9 }).length, 0);

  process.stdout.write(`scripts of the page: ${files.length} files, ${bytes} bytes gzipped\n`);
  expect(bytes).toBeLessThanOrEqual(60_000);
});
