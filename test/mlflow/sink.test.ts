import process from 'node:process';
import type { CloudEvent } from '@serin/core/ports/bus';
import type { SinkPlan } from '@serin/core/ports/notify';
import { notifier } from '@serin/platform/notifier';
import { describe, expect, test } from 'vitest';
import { asked, dropped, endedRun, mlflow, released, started } from './world.ts';

/** `SERIN_MLFLOW_SERVER=http://127.0.0.1:5000` asks a stock server as well. */
const stock = process.env.SERIN_MLFLOW_SERVER;

type Ask = (
  method: string,
  path: string,
  given?: object,
) => Promise<{ readonly status: number; readonly body: unknown }>;

async function serverOf(kind: string): Promise<{ readonly settings: SinkPlan['settings']; readonly ask: Ask }> {
  if (kind === 'stock') {
    const url = stock ?? '';
    const server = { url, token: '' } as Parameters<typeof mlflow>[0]; // all that is read of it
    return { settings: { url }, ask: (...given) => mlflow(server, ...given) };
  }
  const server = await started();
  return { settings: { url: `${server.url}/`, token: server.token }, ask: (...given) => mlflow(server, ...given) };
}

const model = `fraud-${process.pid}`;
const event = (type: string, data: object): CloudEvent => ({
  ...{ specversion: '1.0', id: 'model/fraud/7/0', source: 'serin://local', subject: 's', time: '2026-03-01T10:00:00Z' },
  ...{ type: `dev.serin.${type}.v1`, datacontenttype: 'application/json', data: { model, ...data } },
});
const run = { run: 'run_1', trigger: 'data', dataset: 'abc', params: { rate: '0.1' } };
const happened = [
  event('run.started', { ...run, status: 'validating' }),
  event('run.succeeded', { ...run, status: 'succeeded', version: 4, metrics: { auc: 0.9 }, because: 'auc 0.9' }),
  event('version.registered', { run: 'run_1', version: 4, artifact: { uri: 'file:///x', digest: 'd' } }),
  event('rollout.started', { rollout: 'ro_1', version: 4, champion: undefined }),
];
const promoted = event('rollout.promoted', { rollout: 'ro_1', version: 4, champion: 4 });

describe.each(stock === undefined ? ["Serin's own"] : ["Serin's own", 'stock'])(
  'a sink that is a server of MLflow, %s',
  (kind) => {
    test('has each run, version and alias once, however often an event comes', async () => {
      const { settings, ask } = await serverOf(kind);
      const host = new URL(String(settings.url)).host;
      const sink = { name: 'mlflow', kind: 'mlflow', on: ['*'], allowPrivate: [host], settings };
      const { deliver } = notifier({ secrets: async () => ({}), now: Date.now });

      for (const one of [...happened, ...happened]) await deliver(sink, one);
      const challenger = await ask('GET', 'registered-models/alias', { name: model, alias: 'challenger' });
      for (const one of [promoted, promoted]) await deliver(sink, one);

      const { body } = await ask('GET', 'experiments/get-by-name', { experiment_name: model });
      const { experiment_id } = Object(body).experiment;
      const found = await ask('POST', 'runs/search', { experiment_ids: [experiment_id] });
      expect(Object(found.body).runs).toMatchObject([
        {
          info: { status: 'FINISHED' },
          data: { params: [{ key: 'rate', value: '0.1' }], metrics: [{ key: 'auc', value: 0.9 }] },
        },
      ]);
      const versions = await ask('GET', 'model-versions/search', { filter: `name = '${model}'` });
      expect(Object(versions.body).model_versions).toMatchObject([{ version: '1', source: `serin:/${model}/4` }]);
      expect(challenger.body).toMatchObject({ model_version: { version: '1' } });
      const champion = await ask('GET', 'registered-models/alias', { name: model, alias: 'champion' });
      expect(champion.body).toMatchObject({ model_version: { version: '1' } });
      expect((await ask('GET', 'registered-models/alias', { name: model, alias: 'challenger' })).status).not.toBe(200);
    }, 60_000);
  },
);

test('what a run measured, and which version is the champion, reaches a server of MLflow from the events themselves', async () => {
  const receiver = await started();
  const sender = await started();
  const { host } = new URL(receiver.url);
  const write =
    'const { SM_MODEL_DIR, SM_OUTPUT_DATA_DIR } = process.env; const { writeFileSync } = require("node:fs");';
  const train = `${write} writeFileSync(SM_MODEL_DIR + '/m', 'x'); writeFileSync(SM_OUTPUT_DATA_DIR + '/metrics.json', '{"auc":0.75}')`;
  await released(
    sender,
    {
      train: { command: [process.execPath, '-e', train, '--'], hyperparameters: { depth: 3 } },
      approval: { required: false },
    },
    'm',
    [{ mlflow: { url: receiver.url, token: receiver.token }, allowPrivate: [host] }],
  );

  await dropped(sender, 'a.csv', 'x');
  const { id } = await endedRun(sender);

  const champion = () => mlflow(receiver, 'GET', 'registered-models/alias', { name: 'm', alias: 'champion' });
  await expect.poll(async () => (await champion()).status, { timeout: 30_000 }).toBe(200);
  const { body } = await champion();
  expect(body.model_version.tags).toContainEqual({ key: 'serin.run', value: id });
  const seen = await mlflow(receiver, 'GET', 'runs/get', { run_id: body.model_version.run_id });
  expect(seen.body.run.data).toMatchObject({
    params: [{ key: 'depth', value: '3' }],
    metrics: [{ key: 'auc', value: 0.75 }],
  });
  expect((await asked(sender, 'GET', '/v1/dead-letters?status=waiting')).body.deadLetters).toEqual([]);
}, 60_000);
