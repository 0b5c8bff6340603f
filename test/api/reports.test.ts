import { sha256Hex } from '@serin/core/base/json';
import { profileOf, repeat } from '@serin/core/drift/profile.fixture';
import { validateDataset } from '@serin/core/drift/validate';
import { expect, test } from 'vitest';
import { keepReport, keepSeen } from './reported.ts';
import { compiled, openWorld } from './world.ts';

const before = profileOf({ amount: repeat(100, (index) => index / 7), colour: repeat(100, () => 'red') });
const profile = profileOf({ amount: repeat(100, () => null), colour: repeat(100, () => 'red') });
const found = validateDataset({
  profile,
  against: { profile: before },
  rules: { checks: { duplicates: 'off' } },
  rowsBefore: [],
});

async function withReport() {
  const world = await openWorld();
  await world.release();
  await world.drop();
  await keepReport(world, profile, found);
  const { datasets } = (await world.call('GET', '/v1/models/fraud/datasets')).body;
  const { run } = await world.model();
  return { world, run: run.id, dataset: datasets[0].digest };
}

test('a report is found by its run and by its dataset, or the beginnings of them', async () => {
  const { world, run, dataset } = await withReport();

  const ofRun = await world.call('GET', `/v1/runs/${run}/report`);
  const ofDataset = await world.call('GET', `/v1/models/fraud/datasets/${dataset.slice(0, 12)}/report`);

  expect(ofRun.body).toEqual({ model: 'fraud', run, dataset, ...found });
  expect(ofDataset.body).toEqual({ model: 'fraud', dataset, ...found });
  expect(found.findings).toMatchObject([{ check: 'allMissing', column: 'amount', action: 'refuse' }]);
});

test('a profile is answered whole, or of one column', async () => {
  const { world, dataset } = await withReport();
  const path = `/v1/models/fraud/datasets/${dataset}/profile`;

  expect((await world.call('GET', path)).body).toEqual({ model: 'fraud', dataset, ...profile });
  expect((await world.call('GET', `${path}?column=colour`)).body.columns).toEqual(profile.columns.slice(1));
});

test('the constraints of a model are those that its data suggests', async () => {
  const { world, dataset } = await withReport();

  expect((await world.call('GET', '/v1/models/fraud/constraints')).body).toEqual({
    ...{ model: 'fraud', dataset, rows: 100 },
    columns: {
      amount: { missing: { atMost: 1 } },
      colour: { type: 'text', missing: { atMost: 0.04 }, values: ['red'] },
    },
  });
});

test('whoever may not view the model reads no value of its data', async () => {
  const { world, run, dataset } = await withReport();
  const paths = [
    ...[`/v1/runs/${run}/report`, '/v1/models/fraud/constraints'],
    ...['report', 'profile'].map((what) => `/v1/models/fraud/datasets/${dataset}/${what}`),
  ];

  for (const [token, status] of [
    [await world.token('viewer', ['churn']), 404],
    [await world.token('predictor'), 403],
    [await world.token('viewer', ['fraud']), 200],
  ] as const)
    for (const path of paths)
      expect([path, (await world.call('GET', path, undefined, { token })).status]).toEqual([path, status]);
});

test('a run that validated nothing says how to begin, and a report that was changed is not shown', async () => {
  const { world, run } = await withReport();
  await world.drop('churn/a.csv');
  const bare = (await world.model('churn')).run.id;

  const none = await world.call('GET', `/v1/runs/${bare}/report`);
  expect([none.status, none.body.detail]).toEqual([404, expect.stringContaining('add validate: {} to the config')]);

  await keepSeen(world, { profile: 'a', rows: 1, report: sha256Hex('gone') });
  expect((await world.call('GET', `/v1/runs/${run}/report`)).status).toBe(404);
});

test('a dataset in which a column lacks its values ends its run, which says so, and the champion stays', async () => {
  const world = await openWorld();
  const table = (rows: number, amount: (row: number) => string) =>
    ['day,amount', ...repeat(rows, (row) => `2026-01-0${1 + (row % 9)},${amount(row)}`)].join('\n');
  await world.release(compiled({ validate: { checks: { duplicates: 'off' } } }));
  await world.drop(
    'fraud/a.csv',
    table(100, (row) => String(row / 7)),
    3_600_000,
  );

  await world.drop(
    'fraud/b.csv',
    table(300, () => ''),
    3_600_000,
  );

  const { run, champion } = await world.model();
  const refused = (await world.call('GET', `/v1/runs/${run.id}/report`)).body;
  const because = "'amount' is missing in 75 % of 400 rows; it was 0 % of 100 rows, and the limit is 10 %";
  expect([run.status, champion]).toEqual(['refused', 1]);
  expect(refused.because).toBe(`the dataset has 1 fault: ${because}`);
  expect((await world.call('GET', `/v1/why/${run.id}`)).body.sentence).toContain(because);
  expect(world.events().find(({ type }) => type === 'dev.serin.dataset.refused.v1')?.data).toMatchObject({ rows: 400 });
  const { dataset } = (await world.call('GET', '/v1/models/fraud/constraints')).body;
  expect(dataset).not.toBe(refused.dataset);
});
