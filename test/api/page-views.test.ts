import { bury } from '@serin/core/engine/dead-letters';
import { expect, test } from 'vitest';
import { askedUntil, judgedDaily, trainingRows } from './drifting.ts';
import { compiled, memoryLog, openWorld, start, type World } from './world.ts';

const day = 86_400_000;

/** What a browser gets under a path, with the token of somebody. */
async function pageOf(world: World, path: string, token: string): Promise<{ status: number; html: string }> {
  const headers = { cookie: `serin_session=${token}`, accept: 'text/html' };
  const answer = await world.app.request(path, { headers });
  return { status: answer.status, html: await answer.text() };
}

const sentenceOf = (html: string): string =>
  (/<p class="sentence"[^>]*>(.*?)<\/p>/s.exec(html)?.[1] ?? '').replaceAll('&#39;', "'");

async function withData() {
  const events = memoryLog();
  const world = await openWorld({ events });
  await world.release(compiled({ approval: { required: true, fourEyes: false, expires: '7d' } }));
  await world.drop('fraud/a.csv', 'day,amount\n2026-01-01,1\n', 5 * 60_000);
  for (const event of world.events()) events.add(event);
  return world;
}

test.each([
  ['/', 'fraud waits for approval'],
  ['/models', '2 models.'],
  ['/versions', '1 version.'],
  ['/versions?model=churn', 'There is no version of churn here.'],
  ['/runs', '1 run.'],
  ['/runs?status=failed', 'There is no run in the state failed here.'],
  ['/rollouts', 'There is no rollout here.'],
  ['/datasets', '1 dataset version.'],
  ['/labels', 'No outcome of a request is known yet.'],
  ['/events', 'What Serin announced, the newest first.'],
  ['/dead-letters', 'There is no dead letter here.'],
  ['/freezes', 'Nothing is frozen.'],
  ['/audit', 'Every decision is an entry'],
  ['/audit?check=yes', 'the history is whole.'],
  ['/audit?stream=model/fraud', 'of model/fraud, the oldest first.'],
  ['/audit?stream=model/fraud&by=people', 'What people did to model/fraud, the oldest first.'],
  ['/tokens', '1 token, beside'],
])('the page %s says: %s', async (path, sentence) => {
  const world = await withData();
  const token = await world.token('admin');

  const { status, html } = await pageOf(world, path, token);

  expect(status).toBe(200);
  expect(sentenceOf(html)).toContain(sentence);
});

test('who may not see a page is told what it takes, and finds no link to it', async () => {
  const world = await withData();
  const viewer = await world.token('viewer');

  const overview = await pageOf(world, '/', viewer);
  const tokens = await pageOf(world, '/tokens', viewer);

  expect(overview.html).not.toMatch(/href="[^"]*tokens"/);
  expect(overview.html).toContain('Tokens: needs a token with the role admin; yours has viewer');
  expect(tokens.status).toBe(403);
  expect(sentenceOf(tokens.html)).toContain('has the role viewer; use one with the role admin');
});

test('a predictor is told what its token is for', async () => {
  const world = await withData();

  const { status, html } = await pageOf(world, '/', await world.token('predictor'));

  expect(status).toBe(403);
  expect(sentenceOf(html)).toContain('has the role predictor; use one with the role viewer');
  expect(html).toContain('Sign in with another token');
});

test('a project without a release is told how to begin', async () => {
  const world = await openWorld();

  const { html } = await pageOf(world, '/', 'srn_bootstrap');

  expect(sentenceOf(html)).toBe('Nothing is released yet.');
  expect(html).toContain('<code>serin init</code>');
});

test('a fresh model says where data goes, and by which command', async () => {
  const world = await withData();

  const { html } = await pageOf(world, '/', await world.token('operator'));

  expect(html).toContain('data-drop="/v1/buckets/drops/objects/" data-prefix="churn/"');
  expect(html).toContain('serin drop churn &lt;file&gt;');
});

test('events come newest first as well, page by page, and none twice', async () => {
  const world = await withData();
  const read = async (query: string) => {
    const headers = { accept: 'application/json' };
    return (await world.call('GET', `/v1/events?${query}`, undefined, { headers })).body;
  };
  const oldestFirst = (await read('after=0&limit=200')).events;

  const found = [];
  for (let page = await read('before=now&limit=3'); ; page = await read(`before=${page.next}&limit=3`)) {
    found.push(...page.events);
    if (page.next === undefined) break;
  }

  expect(oldestFirst.length).toBeGreaterThan(3);
  expect(found).toEqual(oldestFirst.reverse());
});

test('a dead letter is shown with all that it says, to those only who may see its model', async () => {
  const world = await withData();
  const letter = {
    id: 'evt_1',
    stream: 'model/fraud',
    signal: { type: 'odd', text: '</pre><script>alert(1)</script>' },
    because: 'it is odd',
    at: world.now(),
  };
  await bury(world.ports.journal, letter, { subject: 'queue', issuer: 'system', role: 'system' });

  const own = await pageOf(world, '/dead-letters/evt_1', await world.token('operator', ['fraud']));
  const other = await pageOf(world, '/dead-letters/evt_1', await world.token('operator', ['churn']));

  expect(own.html).toContain('&lt;/pre&gt;&lt;script&gt;');
  expect(own.html).not.toContain('<script>alert');
  expect(other.status).toBe(404);
});

test('a model says since when its champion serves, and which version asks for an approval', async () => {
  const world = await withData();
  const rowOf = async () => (await world.call('GET', '/v1/status')).body.models.find(isFraud);
  const isFraud = ({ model }: { readonly model: string }) => model === 'fraud';

  const asking = await rowOf();
  await world.call('POST', '/v1/models/fraud/versions/1/approve', {});
  await world.pass(10 * 60_000);
  const serving = await rowOf();

  expect(asking).toMatchObject({ offered: 1, approval: 'pending' });
  expect(asking).not.toHaveProperty('since');
  expect(serving).toMatchObject({ champion: 1, since: expect.stringMatching(/^2026-01-01T/) });
});

test('a page of another answer than its own is not made again and again', async () => {
  const world = await withData();

  const { html } = await pageOf(world, '/audit?check=yes', await world.token('operator'));

  expect(html).toContain('data-live="no"');
  expect(html).toMatch(/id="root">[0-9a-f]{64}</);
});

test('a token of some models reads the events of those only, also the newest first', async () => {
  const world = await withData();
  const token = await world.token('viewer', ['churn']);
  const headers = { accept: 'application/json' };

  const { body } = await world.call('GET', '/v1/events?before=now', undefined, { token, headers });

  expect(
    body.events.filter(({ event }: { event: { data: { model: string } } }) => event.data.model !== 'churn'),
  ).toEqual([]);
});

test.each(['//evil.test/', '/\\evil.test', 'https://evil.test', 'javascript:alert(1)'])(
  'the sign-in sends nobody elsewhere: %s',
  async (to) => {
    const { app } = await openWorld();

    const answer = await app.request(`/signin?to=${encodeURIComponent(to)}`, { headers: { accept: 'text/html' } });

    expect(await answer.text()).toContain('data-to="/"');
  },
);

test.each([
  ['a quiet one', 1.6, 'No drift from the data of v1', 'colour'],
  ['one that drifted', 4, 'column amount and the model&#39;s answers drifted from what they were', 'amount'],
])('the page of a model shows its requests against its training data: %s', async (_, days, sentence, column) => {
  const world = await openWorld({ traffic: { asking: askedUntil(start + 3 * day) } });
  await world.release(compiled(judgedDaily));
  await world.drop('fraud/a.csv', trainingRows, day / 2);
  await world.pass(days * day);

  const { html } = await pageOf(world, '/models/fraud', await world.token('viewer'));

  expect(html).toContain('Requests against the training data');
  expect(html).toContain(sentence);
  expect(html).toContain(`<th scope="row">${column}</th>`);
  expect(html).toContain('serin drift fraud');
});
