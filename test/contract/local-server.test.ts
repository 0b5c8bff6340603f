import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type CompiledConfig, type Config, compile, parseConfig } from '@serin/core/config';
import { type Server, startServer } from '@serin/local/compose';
import { expect, onTestFinished, test } from 'vitest';
import { type Answer, deploymentOf, invoke, newDirectory, openMachine } from './serving-machine.ts';

/** The whole server over a data directory. */
async function start(directory: string): Promise<Server> {
  const server = await startServer({ directory: join(directory, 'data'), port: 0, version: 'test' });
  onTestFinished(() => server.close());
  return server;
}

/** Releases a config of one model, and resolves when the gateway goes by it. */
async function release({ url, token, port }: Server, name: string, rollout: Config['models'][string]['rollout']) {
  const model = {
    data: { bucket: 'drops', prefix: '' },
    train: { command: ['node', 'train.mjs'] },
    approval: { required: true },
    serve: { command: ['node', 'serve.mjs'] },
    ...(rollout === undefined ? {} : { rollout }),
  };
  const read = parseConfig({ project: 'test', models: { [name]: model, silent: { ...model, serve: 'none' } } });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const config = withSticky(compile(read.parsed, new Map(), 'local'), name);
  const answer = await fetch(`${url}/v1/releases`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': name },
    body: JSON.stringify({ config }),
  });
  expect(answer.status, await answer.text()).toBe(202);
  await expect.poll(async () => (await call(port, name)).status, { interval: 10 }).not.toBe(404);
}

/** The author's config refuses labels of sticky users; the gateway can do both. */
function withSticky(config: CompiledConfig, name: string): CompiledConfig {
  const plan = config.models[name];
  if (plan === undefined || plan.serve === 'none') return config;
  return { ...config, models: { ...config.models, [name]: { ...plan, serve: { ...plan.serve, stickyBy: 'x-user' } } } };
}

const call = (port: number, endpoint: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  invoke(port, `/endpoints/${endpoint}/invocations`, { headers });

test('a model of the released config that was never deployed serves nothing yet, and one without endpoint is absent', async () => {
  const server = await start(newDirectory());
  const before = await call(server.port, 'soon');

  await release(server, 'soon', undefined);
  const after = await call(server.port, 'soon');

  expect(before.status).toBe(404);
  expect([after.status, after.headers['retry-after']]).toEqual([503, '1']);
  expect((await call(server.port, 'silent')).status).toBe(404);
  expect((await call(server.port, 'constructor')).status).toBe(404);
});

test('the gateway counts users, segments and pairs, and remembers requests, as the released config says', async () => {
  const directory = newDirectory();
  const earlier = await openMachine(directory);
  await earlier.serve('e', [deploymentOf(directory, 1), deploymentOf(directory, 2)], { v1: 100 });
  await earlier.serving.change('e', {
    kind: 'weigh',
    weights: { v1: 100 },
    mirror: { deployment: 'v2', percent: 100 },
  });
  await earlier.leave();
  const server = await start(directory);
  await release(server, 'e', {
    segments: { by: 'x-region', values: ['eu'] },
    guardrails: { labels: { maturity: '1h', prediction: '/version' } },
  });

  const ask = () => call(server.port, 'e', { 'x-user': 'ann', 'x-region': 'eu' });
  await expect.poll(ask, { interval: 10, timeout: 10_000 }).toMatchObject({ status: 200 });
  const database = new DatabaseSync(join(directory, 'data', 'serin.sqlite'), { readOnly: true });
  onTestFinished(() => database.close());
  const rows = (table: string, where = 'true') => database.prepare(`SELECT * FROM ${table} WHERE ${where}`).all();

  // The first requests may have come before the config was followed.
  const counted = async () => {
    await ask();
    return rows('gateway_segments', "segment = 'eu'");
  };
  await expect.poll(counted, { interval: 200, timeout: 20_000 }).not.toEqual([]);
  expect(rows('gateway_users')).not.toEqual([]);
  expect(rows('gateway_pairs', 'higher > 0')).not.toEqual([]);
  expect(rows('gateway_assignments')).toContainEqual(
    expect.objectContaining({ deployment: 'v1', weight: 100, prediction: '"1"', mirror_prediction: '"2"' }),
  );
});
