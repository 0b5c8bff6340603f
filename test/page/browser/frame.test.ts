import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { adminToken } from '../../api/world.ts';
import { startGate } from '../../emulators/gate.ts';
import { isReady, look, openBrowser, sentence } from './browser.ts';
import { type Story, tellStory } from './story.ts';

let browser: Browser;
let story: Story;

beforeAll(async () => {
  [browser, story] = await Promise.all([openBrowser(), tellStory()]);
});
afterAll(async () => {
  await browser?.close();
  await story?.close();
});

test('the link of the terminal signs in, and its token stays nowhere that a browser remembers', async () => {
  const { page, context } = await look(browser, { url: story.url, token: adminToken });

  await page.goBack().catch(() => null);
  const addresses = await page.evaluate<string>('location.href + document.referrer');
  const cookies = await context.cookies();

  expect(addresses).not.toContain(adminToken);
  expect(await page.evaluate<string>('document.cookie')).toBe('');
  expect(cookies).toMatchObject([{ httpOnly: true, sameSite: 'Strict' }]);
  expect(cookies[0]?.name).toBe(`serin_session_${new URL(story.url).port}`);
  await context.close();
});

test('a wrong token is refused in words, and the right one leads to the page that was asked for', async () => {
  const { page, go, context } = await look(browser, { url: story.url });
  await go('/runs?status=failed');

  await page.getByLabel('Token').fill('srn_wrong');
  await page.keyboard.press('Enter');
  await page.getByText('the token is unknown, revoked or expired; use another one').waitFor();
  await page.getByLabel('Token').fill(adminToken);
  await page.keyboard.press('Enter');
  await page.waitForSelector('nav');

  expect(await page.locator('h1').textContent()).toBe('Runs');
  expect(new URL(page.url()).search).toBe('?status=failed');
  await context.close();
});

test('a predictor is told what its token lacks', async () => {
  const { page, go, context } = await look(browser, { url: story.url });
  await page.goto(`${story.url}/signin#${await story.token('predictor')}`);
  await page.getByText('Sign in with another token').waitFor();

  await go('/');

  expect(await sentence(page)).toContain('has the role predictor; use one with the role viewer');
  await context.close();
});

test('a session ends in every open tab when its token is revoked', async () => {
  const { body } = await story.call('POST', '/v1/tokens', { name: 'leaving', role: 'viewer' });
  const { page, go, context } = await look(browser, { url: story.url, token: body.token });
  await go('/runs');
  await page.locator('#connection.live').waitFor();

  await story.call('DELETE', `/v1/tokens/${body.id}`);

  await page.getByLabel('Token').waitFor();
  expect(await page.content()).not.toContain('fraud');
  await context.close();
});

test('eight tabs of one session are all live, over one event stream', async () => {
  const { page, go, context } = await look(browser, { url: story.url, token: adminToken });
  await go('/events');
  const tabs = [page];
  for (let more = 0; more < 7; more += 1) {
    const tab = await context.newPage();
    await tab.goto(`${story.url}/events`);
    await isReady(tab);
    tabs.push(tab);
  }

  await story.call('POST', '/v1/models/churn/versions/2/approve', {});
  await story.tell();

  for (const tab of tabs) await tab.getByText('approved by admin').nth(1).waitFor();
  expect(story.streams()).toBe(1);
  await context.close();
});

test('a renewal leaves alone what somebody is in the middle of', async () => {
  const { page, go, context } = await look(browser, { url: story.url, token: adminToken });
  await go('/events');
  const details = page.locator('details').nth(2);
  const id = await details.getAttribute('id');
  await details.locator('summary').click();
  await page.evaluate(`getSelection().selectAllChildren(document.querySelector('#${id} pre'))`);
  const selected = await page.evaluate<string>('String(getSelection())');

  await story.train('fraud', 0.86, 60_000);
  await page.locator('#events tbody tr:first-child').getByText('fraud').first().waitFor();

  expect(await page.locator(`#${id}`).getAttribute('open')).toBe('');
  expect(await page.evaluate<string>('String(getSelection())')).toBe(selected);
  expect(await page.locator(`#${id} summary:focus`).count()).toBe(1);
  await context.close();
});

test('a server that is away is said to be, and comes back by itself', async () => {
  const gate = await startGate(story.url);
  const { page, go, context } = await look(browser, { url: gate.url, token: adminToken });
  await go('/');
  await page.locator('#connection.live').waitFor();

  gate.hang();
  await page.getByText('not connected, trying again').waitFor();
  gate.open();

  await page.locator('#connection.live').waitFor();
  await context.close();
  await gate.stop();
});

test('the content is one Tab and one Enter away', async () => {
  const { page, go, context } = await look(browser, { url: story.url, token: adminToken });
  await go('/');

  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');

  await page.locator('#main:focus').waitFor();
  await context.close();
});
