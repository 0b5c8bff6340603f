import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folder, problem, serin, stubServer } from './command.ts';

const model = {
  model: 'fraud',
  plan: { data: { bucket: 'drops', prefix: 'fraud/' } },
  intake: { status: 'settling', text: 'new data; listed in 10s unless more comes' },
};

/** A server with a model, and these objects. */
const withModel = (keys: readonly string[] = []) =>
  stubServer(({ method, url }) => {
    if (method === 'PUT') return { status: 201, body: { key: 'k', models: ['fraud'] } };
    if (url === '/version') return { body: { platform: 'local' } };
    if (url.startsWith('/v1/buckets/'))
      return { body: { objects: keys.map((key) => ({ key, version: 'v', bytes: 1 })) } };
    return { body: model };
  });

test('files are dropped whole where their model looks for data, and what happens next is said', async () => {
  const { env, received } = await withModel();
  const cwd = folder();
  const content = `day,amount\n${'2026-01-01,1\n'.repeat(50_000)}`;
  writeFileSync(join(cwd, 'a week.csv'), content);

  const { exit, stdout } = await serin(['drop', 'fraud', 'a week.csv'], { cwd, env });

  const put = received.find(({ method }) => method === 'PUT');
  expect([exit, put?.url]).toEqual([0, '/v1/buckets/drops/objects/fraud%2Fa%20week.csv']);
  expect(put?.headers['content-length']).toBe(String(content.length));
  expect(put?.body).toBe(content);
  expect(stdout).toContain('fraud: new data; listed in 10s unless more comes');
});

test('nothing is dropped over what is there, without a file, or twice under one name', async () => {
  const { env, received } = await withModel(['fraud/a.csv']);
  const cwd = folder();
  for (const name of ['a.csv', 'b.csv']) writeFileSync(join(cwd, name), 'x');

  const taken = await serin(['drop', 'fraud', 'b.csv', 'a.csv'], { cwd, env });
  const missing = await serin(['drop', 'fraud', 'none.csv'], { cwd, env });
  const twice = await serin(['drop', 'fraud', 'b.csv', './b.csv'], { cwd, env });
  const dry = await serin(['drop', 'fraud', 'b.csv', '--dry-run'], { cwd, env });

  expect([taken.exit, missing.exit, twice.exit, dry.exit]).toEqual([4, 3, 2, 0]);
  expect(taken.stderr).toContain('drops/fraud/a.csv already exists, and nothing was put');
  expect(received.filter(({ method }) => method === 'PUT')).toEqual([]);

  const forced = await serin(['drop', 'fraud', 'a.csv', '--force'], { cwd, env });
  expect([forced.exit, received.filter(({ method }) => method === 'PUT').length]).toEqual([0, 1]);
});

test('a file that is too large for a request is copied into the folder of the bucket instead', async () => {
  const { env } = await stubServer(({ method, url }) =>
    method === 'PUT'
      ? problem(413, 'too large')
      : url === '/version'
        ? { body: { platform: 'local' } }
        : { body: model },
  );
  const cwd = folder();
  writeFileSync(join(cwd, 'a.csv'), 'x');

  const { exit, stderr } = await serin(['drop', 'fraud', 'a.csv'], { cwd, env });

  expect([exit, stderr]).toEqual([2, expect.stringContaining('cp a.csv .serin/buckets/drops/fraud/a.csv')]);
});

test('a prediction is asked for with a text, a file or standard input, and says who answered', async () => {
  const { env, received } = await stubServer(() => ({
    body: { predictions: [0.5] },
    headers: { 'x-serin-deployment': 'v3' },
  }));
  const cwd = folder();
  writeFileSync(join(cwd, 'rows.csv'), '1,2\n');

  const text = await serin(['predict', 'fraud', '--data', '{"x":1}'], { env });
  const file = await serin(['predict', 'fraud', 'rows.csv'], { cwd, env });
  const piped = await serin(['predict', 'fraud', '--json'], { env, input: '{"x":2}' });

  expect([text.exit, text.stdout]).toEqual([0, '{"predictions":[0.5]}\n']);
  expect(text.stderr).toMatch(/^answered by v3 of fraud in \d+ ms\n$/);
  expect(file.exit).toBe(0);
  expect(JSON.parse(piped.stdout)).toMatchObject({ model: 'fraud', version: 'v3', answer: { predictions: [0.5] } });
  expect(received.map(({ url, body, headers }) => [url, body, headers['content-type']])).toEqual([
    ['/endpoints/fraud/invocations', '{"x":1}', 'application/json'],
    ['/endpoints/fraud/invocations', '1,2\n', 'text/csv'],
    ['/endpoints/fraud/invocations', '{"x":2}', 'application/json'],
  ]);
});

test('a version is named as one word or as two, by every command that takes one', async () => {
  const { env, received } = await stubServer(() => ({ body: { outcome: 'accepted', sentence: '', number: 5 } }));
  const commands = [
    ['versions', 'get', 'fraud@5'],
    ['versions', 'get', 'fraud', 'v5'],
    ['versions', 'approve', 'fraud@v5'],
    ['why', 'fraud', 'v5'],
    ['why', 'fraud@5'],
  ];

  for (const words of commands) expect((await serin(words, { env })).exit).toBe(0);
  const none = await serin(['versions', 'get', 'fraud'], { env });

  expect(received.map(({ url }) => url)).toEqual([
    '/v1/models/fraud/versions/5',
    '/v1/models/fraud/versions/5',
    '/v1/models/fraud/versions/5/approve',
    '/v1/why/fraud%40v5',
    '/v1/why/fraud%405',
  ]);
  expect([none.exit, none.stderr]).toEqual([2, expect.stringContaining('write it as fraud@<number>')]);
});

test('the log of a model server is read from its end, and then on', async () => {
  const { env, received } = await stubServer(({ url }) => ({
    body: { version: 2, instance: 0, next: 30, text: url.includes('tail=') ? 'ready\n' : '' },
  }));

  const { exit, stdout, stderr } = await serin(['logs', 'fraud@2'], { env });

  expect([exit, stdout, stderr]).toEqual([0, 'ready\n', 'fraud v2, instance 0\n']);
  expect(received.map(({ url }) => url)).toEqual([
    '/v1/models/fraud/logs?version=2&tail=16000',
    '/v1/models/fraud/logs?version=2&instance=0&from=30',
  ]);
});

test('the log of a run is asked of the run', async () => {
  const { env, received } = await stubServer(() => ({ body: { text: '', next: 0, endedAt: 'x' } }));

  for (const id of ['run_01a2', '01a2']) await serin(['logs', id], { env });

  expect(received.map(({ url }) => url)).toEqual(['/v1/runs/run_01a2/logs?from=0', '/v1/runs/01a2/logs?from=0']);
});

test('what a model says about a request that it cannot use is quoted, harmless for a terminal', async () => {
  const { env } = await stubServer(() => ({ status: 400, body: { error: 'x is missing\u001b[2J' } }));

  const { exit, stderr } = await serin(['predict', 'fraud', '--data', '{}'], { env });

  expect(exit).toBe(2);
  expect(stderr).toContain('why:  {"error":"x is missing\\u001b[2J"}');
});

test('an event that is not there is not taken for a newer one', async () => {
  const entry = { seq: 90, at: 'x', events: [{ type: 'dev.serin.run.started.v1', subject: 's', data: {} }] };
  const { env, received } = await stubServer(() => ({ body: { entries: [entry] } }));

  const newer = await serin(['events', 'get', 'fraud/9999/0'], { env });
  const found = await serin(['events', 'get', 'model/fraud/90/0', '--json'], { env });

  expect([newer.exit, found.exit]).toEqual([3, 0]);
  expect(JSON.parse(found.stdout)).toMatchObject({ id: 'model/fraud/90/0', type: 'dev.serin.run.started.v1' });
  expect(received.map(({ url }) => url)).toEqual([
    '/v1/models/fraud/entries?before=10000&limit=1',
    '/v1/models/fraud/entries?before=91&limit=1',
  ]);
});

test('repeated requests go on when the model fails, and say who failed how often, and the first reason', async () => {
  const { env } = await stubServer((_, index) => ({
    status: index % 4 === 0 ? 500 : 200,
    headers: { 'x-serin-deployment': index % 4 === 0 ? 'v2' : 'v1' },
    body: index % 4 === 0 ? { error: 'the cache is cold' } : { predictions: [1] },
  }));

  const ask = ['endpoints', 'invoke', 'fraud', '--data', '{}', '--repeat', '40'];
  const { exit, stdout, stderr } = await serin([...ask, '--json'], { env });

  expect(exit).toBe(1);
  expect(JSON.parse(stdout).items).toEqual([
    { deployment: 'v1', requests: 30, failed: 0 },
    { deployment: 'v2', requests: 10, failed: 10 },
  ]);
  expect(stderr).toContain('the cache is cold');
});

test('a request that the model cannot use is not repeated', async () => {
  const { env, received } = await stubServer(() => ({ status: 400, body: { error: 'no column x' } }));

  const { exit, stderr } = await serin(['endpoints', 'invoke', 'fraud', '--data', '{}', '--repeat', '500'], { env });

  expect([exit, received.length < 50]).toEqual([2, true]);
  expect(stderr).toContain('no column x');
});

test('a version alone is compared with the champion, and the champion alone wants another', async () => {
  const { env, received } = await stubServer(({ url }) => ({
    body: url === '/v1/models/fraud' ? { model: 'fraud', champion: 2 } : { items: [], model: 'fraud', number: 1 },
  }));

  const one = await serin(['compare', 'fraud', '5', '--json'], { env });
  const joined = await serin(['compare', 'fraud@5', '--json'], { env });
  const champion = await serin(['compare', 'fraud', 'v2'], { env });

  const asked = received.map(({ url }) => url).filter((url) => url.includes('/versions/'));
  expect([one.exit, joined.exit, champion.exit]).toEqual([0, 0, 2]);
  expect(asked).toEqual([5, 2, 5, 2].map((number) => `/v1/models/fraud/versions/${number}`));
  expect(champion.stderr).toContain('serin compare fraud@2 fraud@<number>');
});
