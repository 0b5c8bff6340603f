import { type CompiledConfig, compile, parseConfig } from '@serin/core/config/config';
import { describe, expect, test } from 'vitest';
import { codeDigest, memoryLog, modelRules, openWorld } from '../api/world.ts';

function configOf(models: Readonly<Record<string, { prefix: string; tick?: string }>>): CompiledConfig {
  const rules = Object.entries(models).map(([name, { prefix, tick = '1m' }]) => [
    name,
    { ...modelRules, data: { ...modelRules.data, prefix }, on: {}, rollout: { ...modelRules.rollout, tick } },
  ]);
  const read = parseConfig({ project: 'shop', models: Object.fromEntries(rules) });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const digests = new Map(['./src', 'builtin:splitter'].map((folder) => [folder, codeDigest]));
  return compile(read.parsed, digests, 'local');
}

describe('a token that is scoped to a model', () => {
  test('does not write the data of another model through a prefix that both take', async () => {
    const world = await openWorld();
    await world.release(configOf({ fraud: { prefix: '' }, churn: { prefix: 'churn/' } }));
    const token = await world.token('operator', ['fraud']);

    const poisoned = await world.put('churn/a.csv', 'day,amount\n', token);
    const own = await world.put('fraud/a.csv', 'day,amount\n', token);

    expect([poisoned.status, own.status]).toEqual([403, 201]);
    expect((await world.ports.bucket('drops').list('churn/')).items).toEqual([]);
  });

  test('that is revoked gets nothing more from a stream of events that it had opened before', async () => {
    const events = memoryLog();
    const world = await openWorld({ events, heartbeatMs: 60_000 });
    await world.release(configOf({ fraud: { prefix: 'fraud/' } }));
    const { body } = await world.call('POST', '/v1/tokens', { name: 'gone', role: 'viewer', models: ['fraud'] });
    const response = await world.app.request('/v1/events?after=0', {
      headers: { authorization: `Bearer ${body.token}` },
    });
    const reader = response.body?.getReader();
    await reader?.read();

    await world.call('DELETE', `/v1/tokens/${body.id}`);
    events.add({
      specversion: '1.0',
      id: '1',
      source: 's',
      type: 't',
      subject: 'models/fraud',
      time: '2026-01-01T00:00:00Z',
      datacontenttype: 'application/json',
      data: { model: 'fraud' },
    });

    expect(await reader?.read()).toEqual({ done: true, value: undefined });
  });
});

test("a model named 'constructor' leaves the config like any other", async () => {
  const world = await openWorld();
  await world.release(configOf({ constructor: { prefix: 'a/' }, fraud: { prefix: 'fraud/' } }));

  await world.release(configOf({ fraud: { prefix: 'fraud/' } }));

  expect((await world.journal.head('project'))?.state).toMatchObject({ status: 'settled' });
  expect((await world.journal.head('model/constructor'))?.state).toMatchObject({ retired: true });
});

test('an event whose time has a million digits is refused, so that no state holds it', async () => {
  const world = await openWorld();
  await world.release(configOf({ fraud: { prefix: 'fraud/' } }));
  const event = {
    specversion: '1.0',
    id: '1',
    source: 'tool',
    type: 'dev.serin.alert.raised.v1',
    time: `2026-01-01T00:00:00.${'1'.repeat(500_000)}Z`,
    data: { model: 'fraud' },
  };

  const { status } = await world.call('POST', '/v1/events', event, {
    headers: { 'content-type': 'application/cloudevents+json' },
  });

  expect(status).toBe(422);
});

test.each([
  { rollout: { tick: '0s' } },
  { rollout: { tick: '1500ms' } },
  { data: { ...modelRules.data, rescan: '0s' } },
])('a config that would never come to rest is refused: %j', (changes) => {
  const read = parseConfig({ project: 'shop', models: { fraud: { ...modelRules, ...changes } } });

  expect('problems' in read && read.problems.map(({ path }) => path.split('.').at(-1))).toEqual(
    'rollout' in changes ? ['tick'] : ['rescan'],
  );
});
