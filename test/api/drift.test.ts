import { expect, test } from 'vitest';
import { askedUntil, judgedDaily, trainingRows } from './drifting.ts';
import { compiled, openWorld, start } from './world.ts';

const day = 86_400_000;

/** A model that serves, and whose requests turn on the fourth day. */
async function judged() {
  const world = await openWorld({ traffic: { asking: askedUntil(start + 3 * day) } });
  await world.release(compiled(judgedDaily));
  await world.drop('fraud/a.csv', trainingRows, day / 2);
  const drift = async (token?: string) =>
    world.call('GET', '/v1/models/fraud/drift', undefined, token === undefined ? {} : { token });
  return { world, drift };
}

test('drift is off until the config asks for it and a version has a reference, and the sentence says what lacks', async () => {
  const bare = await openWorld();
  await bare.release();
  await bare.drop();

  const { status, body } = await bare.call('GET', '/v1/models/fraud/drift');

  expect([status, body]).toEqual([
    200,
    {
      ...{ model: 'fraud', status: 'off', columns: [], windows: [] },
      sentence: 'drift is not judged: give monitor.drift and monitor.capture in the config',
    },
  ]);
});

test('a quiet window is told with its columns side by side with the training data', async () => {
  const { world, drift } = await judged();
  const before = (await drift()).body;
  await world.pass(1.6 * day);

  const { body } = await drift();

  expect(before).toMatchObject({ status: 'collecting', version: 1, columns: [], windows: [] });
  expect(body.sentence).toMatch(/^no drift from the data of v1: in the last window \(\d+ rows\)/);
  expect(body).not.toHaveProperty('incident');
  expect(body.windows.at(-1)).toMatchObject({ rows: expect.any(Number), threshold: 365, alarms: [] });
  expect(body.columns.map(({ name, kind }: { name: string; kind: string }) => [name, kind]).sort()).toEqual([
    ['amount', 'number'],
    ['colour', 'category'],
  ]);
  expect(before.answers).toMatchObject({ compared: false, rows: 0 });
  expect(before.answers.sentence).toMatch(/^the model's answers are not compared yet: 0 of 1,000 answers/);
  expect(body.answers).toMatchObject({ compared: true, from: before.window.from });
  expect(body.answers.sentence).toMatch(
    / what was wrong from the first day is not seen in them; that is less than a week, so if they alone drift it is only told$/,
  );
  const { histogram } = body.columns.find(({ name }: { name: string }) => name === 'colour');
  expect(histogram.values).toHaveLength(histogram.reference.length);
  expect(histogram.live).toHaveLength(histogram.reference.length);
});

test('drift is told with what drifted, by how much and since when', async () => {
  const { world, drift } = await judged();
  await world.pass(4 * day);

  const { body } = await drift();

  expect(body.sentence).toMatch(
    /^column amount and the model's answers drifted from what they were, by 0\.\d\d, since 2026-01-04 00:00:00 UTC; /,
  );
  expect(body.incident).toMatchObject({
    level: 'major',
    columns: ['(answers)', 'amount'],
    since: '2026-01-04T00:00:00.000Z',
  });
  expect(body.incident.newsAt).toBe(body.incident.at);
  expect(body.windows.at(-1).alarms).toEqual(['(answers)', 'amount']);
  expect(body.columns.map(({ name }: { name: string }) => name)).toEqual(['(answers)', 'amount', 'colour']);
  const answers = body.columns.find(({ name }: { name: string }) => name === '(answers)');
  expect(answers.kind).toBe('category');
  const place = answers.histogram.values.indexOf('high');
  expect(answers.histogram.live[place]).toBeGreaterThan(answers.histogram.reference[place] + 0.3);
});

test('drift is shown to whoever may view the model, and to nobody else', async () => {
  const { world, drift } = await judged();

  for (const [token, status] of [
    [await world.token('viewer', ['churn']), 404],
    [await world.token('predictor'), 403],
    [await world.token('viewer', ['fraud']), 200],
  ] as const)
    expect((await drift(token)).status).toBe(status);
});
