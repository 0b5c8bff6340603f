import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { adminToken } from '../../api/world.ts';
import { type Looking, look, openBrowser, sentence } from './browser.ts';
import { type Story, tellStory } from './story.ts';

let browser: Browser;
let story: Story;
let looking: Looking;

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  story = await tellStory();
  looking = await look(browser, { url: story.url, token: adminToken });
});
afterEach(async () => {
  await looking?.context.close();
  await story?.close();
});

const said = (page: Page) => page.locator('#said').filter({ hasText: /./ }).textContent();
const versionOf = async (number: number) => (await story.call('GET', `/v1/models/churn/versions/${number}`)).body;
const seqOf = async (model: string): Promise<number> => (await story.model(model)).seq;
const approvals = () =>
  story.journal.entries('model/churn').filter(({ signal }) => Object(signal).type === 'approvalGiven').length;

/** Goes on by Tab until something has the focus. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 100; presses += 1) {
    await page.keyboard.press('Tab');
    if ((await page.locator(`${selector}:focus`).count()) > 0) return;
  }
  throw new Error(`Tab does not come to ${selector}`);
}

test('an approval is given by keyboard only, with a note, and is said aloud', async () => {
  const { page, go } = looking;
  await go('/');

  await tabTo(page, 'button.main[data-action*="approve"]');
  await page.keyboard.press('Enter');
  await page.keyboard.type('looks good');
  const command = await page.locator('dialog code').textContent();
  await tabTo(page, 'dialog button[type=submit]');
  await page.keyboard.press('Enter');

  expect(await said(page)).toBe('Approve v2: done.');
  expect((await versionOf(2)).approval).toMatchObject({ status: 'approved', by: 'admin' });
  expect(command).toBe("serin versions approve churn 2 --note 'looks good'");
  // The button is gone, and the keyboard goes on from the content.
  await page.locator('#main:focus').waitFor();
});

test('a rollout is aborted by keyboard only, after Escape has left everything as it was', async () => {
  const { page, go } = looking;
  const rollout = (await story.model('ranking')).rollout.id;
  await story.call('POST', `/v1/rollouts/${rollout}/pause`, {});
  await go('/');
  const abort = 'button.danger[data-action*="/abort"]';

  await tabTo(page, abort);
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await page.locator(`${abort}:focus`).waitFor();
  const before = (await story.call('GET', `/v1/rollouts/${rollout}`)).body.status;
  await page.keyboard.press('Enter');
  await page.keyboard.type('too slow');
  await tabTo(page, 'dialog button[type=submit]');
  await page.keyboard.press('Enter');

  expect(before).toBe('paused');
  expect(await said(page)).toBe('Abort: done.');
  expect((await story.call('GET', `/v1/rollouts/${rollout}`)).body.status).toBe('reverting');
});

test('a change whose answer was lost is made once, however often it is pressed', async () => {
  const { page, go } = looking;
  await go('/');
  let isLost = true;
  await page.route('**/approve', async (route) => {
    if (!isLost) return route.continue();
    isLost = false;
    await route.fetch();
    await route.abort();
  });

  await page.getByRole('button', { name: 'Approve v2' }).click();
  const confirm = page.locator('dialog button[type=submit]');
  await confirm.click();
  await page.getByText('The server did not answer. Press again').waitFor();
  await confirm.dblclick();

  expect(await said(page)).toBe('Approve v2: done.');
  // One of the story's own, for v1.
  expect(approvals()).toBe(2);
});

test('a model that only moved on in what is not shown is decided on all the same', async () => {
  const { page, go } = looking;
  await go('/');

  await page.getByRole('button', { name: 'Reject v2' }).click();
  const before = await seqOf('churn');
  await story.put('churn/more.csv', 'day,amount\n2026-01-05,1\n');
  const moved = await seqOf('churn');
  await page.locator('dialog button[type=submit]').click();

  expect(moved).toBeGreaterThan(before);
  expect(await said(page)).toBe('Reject v2: done.');
});

test('somebody else decided meanwhile: nothing is sent twice, and the dialog says so', async () => {
  const { page, go } = looking;
  await go('/');

  await page.getByRole('button', { name: 'Reject v2' }).click();
  await story.call('POST', '/v1/models/churn/versions/2/approve', {});
  await page.locator('dialog button[type=submit]').click();
  await page.getByText('It changed meanwhile').waitFor();

  expect((await versionOf(2)).approval.status).toBe('approved');
  expect(await page.locator('dialog button[type=submit]').getAttribute('aria-disabled')).toBe('true');
});

test('a freeze wants its reason, and the thaw ends it', async () => {
  const { page, go } = looking;
  await go('/freezes');

  await page.getByRole('button', { name: 'Freeze the project' }).click();
  const dialog = page.locator('dialog');
  await dialog.locator('button[type=submit]').click();
  const isMissing = await dialog.locator('textarea').evaluate((field) => field.matches(':invalid'));
  await dialog.locator('textarea').fill('holidays');
  await dialog.locator('button[type=submit]').click();
  await page.getByRole('button', { name: 'Thaw the project' }).click();
  await page.locator('dialog button[type=submit]').click();
  await page.getByRole('button', { name: 'Freeze the project' }).waitFor();

  expect(isMissing).toBe(true);
  expect(await sentence(page)).toBe('Nothing is frozen.');
  expect(await page.locator('#frozen-before').textContent()).toContain('holidays');
});

test('the text of a new token is shown once, works, and is nowhere on the page afterwards', async () => {
  const { page, go } = looking;
  await go('/tokens');

  await page.getByRole('button', { name: 'Create a token' }).click();
  await page.getByLabel('Name').fill('vera');
  await page.getByLabel('Role').selectOption('viewer');
  await page.locator('dialog button[type=submit]').click();
  await page.getByText('Copy it now').waitFor();
  const token = (await page.locator('dialog code').textContent()) ?? '';
  await page.getByRole('button', { name: 'I have copied it' }).click();
  await page.getByRole('button', { name: 'Revoke vera' }).waitFor();

  expect((await story.call('GET', '/v1/caller', undefined, { token })).body).toMatchObject({ name: 'vera' });
  expect(await page.content()).not.toContain(token);
});

test('a dead letter is discarded, and its record stays', async () => {
  const { page, go } = looking;
  await go('/dead-letters');

  await page.getByRole('button', { name: 'Discard' }).click();
  await page.locator('dialog button[type=submit]').click();

  expect(await said(page)).toBe('Discard: done.');
  await page.getByText('discarded', { exact: true }).nth(1).waitFor();
});

test('a file that is dropped becomes an object where its model takes data from', async () => {
  const { page, go } = looking;
  await go('/');

  const file = { name: 'a <b>.csv', mimeType: 'text/csv', buffer: Buffer.from('day,amount\n2026-01-01,1\n') };
  await page.getByLabel('Drop data of prices here').setInputFiles(file);
  await page.getByText('Dropped a <b>.csv.').first().waitFor();

  const { objects } = (await story.call('GET', '/v1/buckets/drops/objects?prefix=prices/')).body;
  expect(objects.map(({ key }: { readonly key: string }) => key)).toEqual(['prices/a <b>.csv']);
});

test('whoever may not change anything reads why at each button', async () => {
  const viewer = await look(browser, { url: story.url, token: await story.token('viewer') });
  await viewer.go('/');

  const button = viewer.page.getByRole('button', { name: 'Approve v2' });
  await button.focus();
  await viewer.page.keyboard.press('Enter');

  expect(await button.getAttribute('aria-disabled')).toBe('true');
  expect(await viewer.page.locator('.refused').first().textContent()).toContain('needs a token with the role approver');
  expect(await viewer.page.locator('dialog').count()).toBe(0);
  await viewer.context.close();
});
