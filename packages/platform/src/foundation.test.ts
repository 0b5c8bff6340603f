import type { Bucket } from '@serin/core/ports/bucket';
import type { Bus } from '@serin/core/ports/bus';
import type { Journal } from '@serin/core/ports/journal';
import { expect, test } from 'vitest';
import { memoryBucket } from '../../../test/simulation/fakes/bucket.ts';
import { memoryBus } from '../../../test/simulation/fakes/bus.ts';
import { memoryJournal } from '../../../test/simulation/fakes/journal.ts';
import { atOnce } from '../../../test/simulation/fakes/sync.ts';
import { apiOn, type Foundation, installedAs, workerOn } from './foundation.ts';
import { idlePorts, notHere } from './runtime.ts';
import { noSecrets } from './secrets.ts';

const variables = { SERIN_PROJECT: 'shop', SERIN_ENVIRONMENT: 'prod', SERIN_VERSION: '1.2.3' };

function opened() {
  const clockwork = {
    now: () => Date.UTC(2026, 0, 1),
    log: { say: () => {}, fault: () => {}, count: () => {} },
    queue: { tick: async () => {}, ticks: async () => {}, send: async () => {} },
    journal: atOnce<Journal>(memoryJournal()),
    withoutSecrets: (body: string) => body,
  };
  const foundation: Foundation = {
    ...{ platform: 'gcp', title: 'A cloud', installation: installedAs(variables), clockwork },
    ...{ bucket: () => atOnce<Bucket>(memoryBucket()), bus: atOnce<Bus>(memoryBus()) },
  };
  const { jobs, registry, serving, telemetry } = idlePorts(notHere);
  const { worker } = workerOn(foundation, {
    ...{ jobs, registry, serving: serving(), telemetry: telemetry(), read: () => [] },
    captureTimes: { lagMs: 0, keptMs: 1 },
    secrets: async () => ({}),
    endpointName: ({ project, environment }, model) => `${environment}-${project}--${model}`,
    modelOfJob: async (job) => (job === 'ours' ? 'fraud' : undefined),
  });
  return { foundation, worker };
}

test('a worker finds the models of its jobs, and approvals only where the registry knows them', async () => {
  const { owners } = opened().worker;

  expect(owners.installation).toEqual({ project: 'shop', environment: 'prod' });
  expect([await owners.modelOfJob('ours'), await owners.modelOfJob('theirs')]).toEqual(['fraud', undefined]);
  expect(await owners.versionOf('fraud/1', 'approved')).toBeUndefined();
});

test('the API of a cloud answers without anything that starts jobs', async () => {
  const { foundation } = opened();
  const api = apiOn(foundation, {
    ...{ variables, secrets: async () => noSecrets },
    options: () => ({ problemsOf: () => [] }),
  });

  const answer = await (await api.api()).request('/livez');

  expect(answer.status).toBe(200);
});

test('an API whose version nobody set is not opened, and says which variable is missing', async () => {
  const { foundation } = opened();
  const { SERIN_VERSION: _, ...less } = variables;
  const api = apiOn(foundation, {
    ...{ variables: less, secrets: async () => noSecrets },
    options: () => ({ problemsOf: () => [] }),
  });

  await expect(api.api()).rejects.toThrow('SERIN_VERSION is not set');
});
