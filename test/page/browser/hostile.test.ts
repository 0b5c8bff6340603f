import { bury } from '@serin/core/engine/dead-letters';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { adminToken } from '../../api/world.ts';
import { look, openBrowser } from './browser.ts';
import { type Story, tellStory } from './story.ts';

/** Closes whatever it may stand in, then tries to run, in each of the ways that a page could let it. */
const evil = `"'></code></pre></title><script>alert(1)</script><img src=x onerror=alert(2)><svg onload=alert(3)><a href="javascript:alert(4)">x</a>\u202E\u0007`;

let browser: Browser;
let story: Story;

beforeAll(async () => {
  [browser, story] = await Promise.all([openBrowser(), tellStory({ log: `${evil}\n` })]);
  await spoil(story);
});
afterAll(async () => {
  await browser?.close();
  await story?.close();
});

/** Writes it into everything that others may write into. */
async function spoil(world: Story): Promise<void> {
  const reason = evil.slice(0, 400);
  await world.put(`fraud/${evil}.csv`, 'day,amount\n2026-01-01,1\n');
  await world.pass(60_000);
  await world.call('POST', '/v1/models/churn/versions/2/reject', { note: reason });
  const { rollout } = await world.model('ranking');
  await world.call('POST', `/v1/rollouts/${rollout.id}/abort`, { because: reason });
  await world.call('POST', '/v1/models/fraud/rollback', { because: reason });
  const alert = { model: 'fraud', sender: evil, fingerprint: evil, title: evil, startedAt: '2026-01-01T00:00:00Z' };
  await world.call(
    'POST',
    '/v1/events',
    { specversion: '1.0', id: evil, source: evil, type: 'dev.serin.alert.raised.v1', data: alert },
    { headers: { 'content-type': 'application/cloudevents+json' } },
  );
  await bury(
    world.ports.journal,
    { id: evil, stream: 'model/fraud', signal: { type: evil, [evil]: evil }, because: evil, at: world.now() },
    { subject: evil, issuer: evil, role: 'system' },
  );
  await world.pass(10 * 60_000);
  await world.call('POST', '/v1/freeze', { because: reason });
  await world.tell();
}

test('what others wrote stands on each page as a text, and runs nowhere', async () => {
  const { page, go, wrong, context } = await look(browser, { url: story.url, token: adminToken });
  const of = async (list: string) => (await story.call('GET', `/v1/${list}`)).body[list];
  const paths = [
    ...['/', '/models', '/versions', '/runs', '/rollouts', '/datasets', '/labels', '/events', '/dead-letters'],
    ...['/freezes', '/audit?check=yes', '/audit?stream=model/fraud', '/audit?stream=project', '/tokens'],
    `/dead-letters/${encodeURIComponent(evil)}`,
    `/audit?stream=${encodeURIComponent(evil)}`,
    `/runs?model=${encodeURIComponent(evil)}`,
    `/runs?status=${encodeURIComponent(evil)}`,
    `/events?before=${encodeURIComponent(evil)}`,
    `/signin?to=${encodeURIComponent(evil)}`,
    `/${encodeURIComponent(evil)}`,
    ...['fraud', 'churn', 'ranking'].map((model) => `/models/${model}`),
    ...[1, 2, 3].map((number) => `/models/fraud/versions/${number}`),
    '/models/churn/versions/2',
    ...(await of('runs')).slice(0, 3).map(({ id }: { readonly id: string }) => `/runs/${id}`),
    ...(await of('rollouts')).slice(0, 3).map(({ id }: { readonly id: string }) => `/rollouts/${id}`),
  ];

  const shown: string[] = [];
  for (const path of paths) {
    await go(path);
    if ((await page.locator('body').textContent())?.includes('<script>alert(1)</script>')) shown.push(path);
    expect.soft(await page.locator('[onerror], [onload], [href^="javascript:"], body script').count(), path).toBe(0);
  }

  expect(wrong.filter((each) => !/\b(404|400|422)\b/.test(each))).toEqual([]);
  // It was there to be run.
  expect(shown.length).toBeGreaterThanOrEqual(6);
  await context.close();
}, 240_000);

test('the question before a change shows what others wrote as a text', async () => {
  const { page, go, wrong, context } = await look(browser, { url: story.url, token: adminToken });
  await go('/');

  await page.getByRole('button', { name: 'Thaw the project' }).click();

  expect(await page.locator('dialog .seen').textContent()).toContain('<script>alert(1)</script>');
  expect(await page.locator('dialog img, dialog script, dialog svg').count()).toBe(0);
  expect(wrong).toEqual([]);
  await context.close();
});

test('no other page can put this one into a frame, or change something with the cookie', async () => {
  const { page, context } = await look(browser, { url: story.url, token: adminToken });
  const other = await context.newPage();
  await other.route('http://other.test/**', (route) =>
    route.fulfill({ contentType: 'text/html', body: `<iframe src="${story.url}/"></iframe>` }),
  );

  await other.goto('http://other.test/');
  const frame = other.frames()[1];
  const change = await other.evaluate<string>(
    `fetch('${story.url}/v1/freeze', { method: 'DELETE', credentials: 'include' }).then((r) => String(r.status), () => 'refused')`,
  );

  // Chromium's own page about a frame that it refused.
  expect(frame?.url()).toBe('chrome-error://chromewebdata/');
  expect(change).toBe('refused');
  await page.reload();
  await page.getByRole('button', { name: 'Thaw the project' }).waitFor();
  await context.close();
});
