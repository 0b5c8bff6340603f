import { idsBeginning } from '@serin/api/beginnings';
import { derivedId, listedUnder, newestFirst } from '@serin/core/base/ids';
import { bury } from '@serin/core/engine/dead-letters';
import { expect, test } from 'vitest';
import { compiled, openWorld } from './world.ts';

/** Both models have run once. */
async function withRuns() {
  const world = await openWorld();
  await world.release();
  await world.drop('churn/a.csv');
  await world.drop('fraud/a.csv');
  const runOf = async (model: string): Promise<string> =>
    (await world.call('GET', `/v1/runs?model=${model}`)).body.runs[0].id;
  return { world, fraud: await runOf('fraud'), churn: await runOf('churn') };
}

/** What two texts begin with. */
function common(one: string, other: string): string {
  let length = 0;
  while (one[length] === other[length]) length += 1;
  return one.slice(0, length);
}

test('a beginning of an id is one of the key that lists it, however much of it is given', () => {
  const id = derivedId('run', Date.UTC(2026, 10, 29), 'fraud', 7);

  for (let length = 0; length <= 32; length += 1) {
    const digits = id.slice(4, 4 + length);
    expect(newestFirst(id).startsWith(listedUnder('run', digits) ?? '-')).toBe(true);
    expect(listedUnder('run', `run_${digits}`)).toBe(listedUnder('run', digits));
  }
  expect(listedUnder('run', 'ro_01a2')).toBeUndefined();
  expect(listedUnder('run', 'fraud')).toBeUndefined();
});

test('a run and a rollout are named by as much of their id as no other has', async () => {
  const { world, fraud, churn } = await withRuns();
  const unique = fraud.slice(0, common(fraud, churn).length + 1);
  const { rollout } = await world.model();

  const read = async (path: string) => (await world.call('GET', path)).body;

  expect((await read(`/v1/runs/${unique}`)).id).toBe(fraud);
  expect((await read(`/v1/runs/${unique.slice(4)}`)).id).toBe(fraud);
  expect((await read(`/v1/why/${unique}`)).sentence).toContain('of fraud');
  expect((await read(`/v1/rollouts/${rollout.id.slice(0, 18)}`)).id).toBe(rollout.id);
  expect((await read(`/v1/rollouts/${rollout.id.slice(0, 18)}/verification`)).readings).toBeGreaterThan(0);
  expect((await read(`/v1/why/${rollout.id.slice(3, 18)}`)).sentence).toContain('the rollout of v1 of fraud');
});

test('a change that is asked for by a beginning names the whole id', async () => {
  const { world } = await withRuns();
  await world.drop('fraud/b.csv', 'day,amount\n2026-01-02,2\n', 30_000);
  const { rollout } = await world.model();

  const { status, headers } = await world.call('POST', `/v1/rollouts/${rollout.id.slice(0, 20)}/pause`, {});

  expect([status, headers.get('location')]).toEqual([202, `/v1/rollouts/${rollout.id}`]);
});

test('a beginning that several share is refused, and names them', async () => {
  const { world, fraud, churn } = await withRuns();

  const { status, body } = await world.call('GET', `/v1/runs/${common(fraud, churn)}`);

  expect([status, body.code]).toEqual([400, 'ambiguous']);
  expect(body.errors.map(({ detail }: { readonly detail: string }) => detail).sort()).toEqual([fraud, churn].sort());
  expect(body.detail).toContain(fraud);
});

test('a beginning means only what its token may see, and does not show that there is more', async () => {
  const { world, fraud, churn } = await withRuns();
  const token = await world.token('viewer', ['fraud']);

  const shared = await world.call('GET', `/v1/runs/${common(fraud, churn)}`, undefined, { token });
  const hidden = await world.call('GET', `/v1/runs/${churn.slice(0, 20)}`, undefined, { token });
  const unknown = await world.call('GET', '/v1/runs/run_ffffffffffff', undefined, { token });

  expect([shared.status, shared.body.id]).toEqual([200, fraud]);
  expect([hidden.status, unknown.status]).toEqual([404, 404]);
  expect(hidden.body.detail.replace(churn.slice(0, 20), 'X')).toBe(
    unknown.body.detail.replace('run_ffffffffffff', 'X'),
  );
});

test('a run that has begun is found by its beginning before its own record is written', async () => {
  const { world } = await withRuns();
  const { body } = await world.call('POST', '/v1/runs', { model: 'fraud', force: true });

  const found = await world.call('GET', `/v1/runs/${body.run.slice(0, 16)}`);

  expect(found.body.id).toBe(body.run);
});

test('a version is named by its number where there is one model, and by its model among several', async () => {
  const { world } = await withRuns();
  const token = await world.token('viewer', ['fraud']);

  const one = await world.call('GET', '/v1/why/v1', undefined, { token });
  const several = await world.call('GET', '/v1/why/v1');

  expect(one.body.sentence).toContain('v1 of fraud');
  expect([several.status, several.body.code]).toEqual([400, 'ambiguous']);
  expect(several.body.detail).toContain('churn@1, fraud@1');
});

test('a beginning is not unique where more was not looked at', async () => {
  const one = { key: 'run/x', stream: 'run/x', seq: 1, summary: { id: 'run_01a2' } };
  const find = (next: { readonly next?: string }) =>
    idsBeginning({
      journal: { names: async () => ({ items: [] }) },
      sees: () => true,
      names: async () => ({ items: [one], ...next }),
    })('01a2', ['run']);

  expect(await find({})).toEqual({ kind: 'run', id: 'run_01a2' });
  await expect(find({ next: 'c' })).rejects.toThrow("'01a2' could be run_01a2, others; say which, or give more of it");
});

test('a model that is called like a version is meant before one', async () => {
  const world = await openWorld();
  const config = compiled();
  const churn = config.models.churn;
  if (churn !== undefined) await world.release({ ...config, models: { ...config.models, v1: churn } });

  expect((await world.call('GET', '/v1/why/v1')).body.sentence).toMatch(/^v1 has no champion/);
});

test('a dead letter is named by a beginning that no other has', async () => {
  const { world } = await withRuns();
  const actor = { subject: 'serin', issuer: 'engine', role: 'system' } as const;
  const letter = { stream: 'nowhere', signal: { type: 'x' }, because: 'odd', at: 1 };
  for (const id of ['delivery-17', 'delivery-18', 'delivery-18b'])
    await bury(world.ports.journal, { ...letter, id }, actor);
  const discard = async (id: string) => (await world.call('POST', `/v1/dead-letters/${id}/discard`)).body;

  expect((await discard('delivery')).detail).toContain('delivery-17, delivery-18, delivery-18b');
  expect(await discard('delivery-18')).toEqual({ id: 'delivery-18', status: 'discarded' });
  expect(await discard('delivery-17')).toEqual({ id: 'delivery-17', status: 'discarded' });
  expect((await discard('del')).status).toBe(404);
});

test('a dataset version and a token are named by a beginning of theirs', async () => {
  const { world } = await withRuns();
  const { datasets } = (await world.call('GET', '/v1/models/fraud/datasets')).body;
  await world.token('viewer');
  const { tokens } = (await world.call('GET', '/v1/tokens')).body;

  const dataset = await world.call('GET', `/v1/models/fraud/datasets/${datasets[0].digest.slice(0, 12)}`);
  const tooShort = await world.call('DELETE', `/v1/tokens/${tokens[0].id.slice(0, 6)}`);
  const revoked = await world.call('DELETE', `/v1/tokens/${tokens[0].id.slice(4, 12)}`);

  expect(dataset.body.digest).toBe(datasets[0].digest);
  expect([tooShort.status, revoked.status]).toEqual([404, 204]);
});
