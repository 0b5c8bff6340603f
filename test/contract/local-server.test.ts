import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Config, compile, parseConfig } from '@serin/core/config/config';
import { type Server, type ServerOptions, startServer } from '@serin/local/compose';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Answer, deploymentOf, invoke, newDirectory, openMachine } from './serving-machine.ts';

/** The whole server over a data directory. */
async function start(directory: string, more: Partial<ServerOptions> = {}): Promise<Server> {
  const server = await startServer({ directory: join(directory, 'data'), port: 0, version: 'test', ...more });
  onTestFinished(() => server.close());
  return server;
}

type Model = Config['models'][string];

/** Releases a config of these models, and resolves when the gateway goes by it. */
async function release(
  { url, token, port }: Server,
  models: Readonly<Record<string, Pick<Model, 'serve' | 'rollout' | 'monitor'>>>,
) {
  const rest = {
    data: { bucket: 'drops', prefix: '' },
    train: { command: ['node', 'train.mjs'] },
    approval: { required: true },
  };
  const read = parseConfig({
    project: 'test',
    models: Object.fromEntries(Object.entries(models).map(([name, given]) => [name, { ...rest, ...given }])),
  });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const [name = ''] = Object.keys(models);
  const answer = await fetch(`${url}/v1/releases`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': name },
    body: JSON.stringify({ config: compile(read.parsed, new Map(), 'local') }),
  });
  expect(answer.status, await answer.text()).toBe(202);
  await expect.poll(async () => (await call(port, name)).status, { interval: 10 }).not.toBe(404);
}

const serve = { command: ['node', 'serve.mjs'] };

const call = (port: number, endpoint: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  invoke(port, `/endpoints/${endpoint}/invocations`, { headers });

test('a model of the released config that was never deployed serves nothing yet, and one without endpoint is absent', async () => {
  const server = await start(newDirectory());
  const before = await call(server.port, 'soon');

  await release(server, { soon: { serve }, silent: { serve: 'none' } });
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
  await earlier.serve('sticky', [deploymentOf(directory, 1)], { v1: 100 });
  await earlier.leave();
  const server = await start(directory);
  const rollout = {
    segments: { by: 'x-region', values: ['eu'] },
    guardrails: { labels: { maturity: '1h', prediction: '/version' } },
  };
  await release(server, { e: { serve, rollout }, sticky: { serve: { ...serve, stickyBy: 'x-user' } } });

  const ask = () => call(server.port, 'e', { 'x-region': 'eu' });
  const askAsAnn = () => call(server.port, 'sticky', { 'x-user': 'ann' });
  for (const asked of [ask, askAsAnn])
    await expect.poll(asked, { interval: 10, timeout: 10_000 }).toMatchObject({ status: 200 });
  const database = new DatabaseSync(join(directory, 'data', 'serin.sqlite'), { readOnly: true });
  onTestFinished(() => database.close());
  const rows = (table: string, where = 'true') => database.prepare(`SELECT * FROM ${table} WHERE ${where}`).all();

  // The first requests may have come before the config was followed.
  const counted = async () => {
    await Promise.all([ask(), askAsAnn()]);
    return [rows('gateway_segments', "segment = 'eu'").length > 0, rows('gateway_users').length > 0];
  };
  await expect.poll(counted, { interval: 200, timeout: 20_000 }).toEqual([true, true]);
  expect(rows('gateway_pairs', 'higher > 0')).not.toEqual([]);
  expect(rows('gateway_assignments')).toContainEqual(
    expect.objectContaining({ deployment: 'v1', weight: 100, prediction: '"1"', mirror_prediction: '"2"' }),
  );
});

test('the gateway captures requests as the released config says, and nothing tells what is in them', async () => {
  const directory = newDirectory();
  const earlier = await openMachine(directory);
  await earlier.serve('e', [deploymentOf(directory, 1)], { v1: 100 });
  await earlier.leave();
  const lines: string[] = [];
  const server = await start(directory, { log: (line) => void lines.push(line) });
  await release(server, { e: { serve, monitor: { capture: { share: '100%', fields: ['name', 'size'] } } } });
  const ask = (body: string) => invoke(server.port, '/endpoints/e/invocations', { body, order: { answer: '1' } });
  const get = async (path: string) =>
    (await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${server.token}` } })).text();

  const captured = async () => {
    await Promise.all([ask('{"name":"of-a-person","other":"not-a-field"}'), ask('of-a-person')]);
    const values = [...(await get('/metrics')).matchAll(/^serin_captures_total\{.*end="(\w+)"\} [1-9]/gm)];
    return values.map(([, end]) => end);
  };
  await expect.poll(captured, { interval: 200, timeout: 20_000 }).toEqual(['kept', 'unread']);
  const database = new DatabaseSync(join(directory, 'data', 'captures.sqlite'), { readOnly: true });
  onTestFinished(() => database.close());
  const kept = JSON.stringify(database.prepare('SELECT * FROM captures').all());

  expect(kept).toContain('of-a-person');
  expect(kept).not.toContain('not-a-field');
  const told = [...lines, await get('/metrics'), await get('/v1/models/e'), await get('/v1/endpoints/e')];
  expect(told.join()).toContain('serin_captured_bytes{model="e"}');
  expect(told.join()).not.toContain('of-a-person');
});

describe('a wall clock that is set', () => {
  const hour = 3_600_000;

  async function serving(wall: () => number) {
    const directory = newDirectory();
    const earlier = await openMachine(directory);
    await earlier.serve('e', [deploymentOf(directory, 1)], { v1: 100 });
    await earlier.leave();
    const server = await start(directory, { wall });
    await release(server, { e: { serve } });
    const database = new DatabaseSync(join(directory, 'data', 'serin.sqlite'), { readOnly: true });
    onTestFinished(() => database.close());
    const status = async () => {
      const headers = { authorization: `Bearer ${server.token}` };
      const answer = await fetch(`${server.url}/v1/status`, { headers });
      return (await answer.json()) as { readonly clock?: string; readonly models: readonly { readonly at: string }[] };
    };
    return { directory, server, status, counts: () => database.prepare('SELECT * FROM gateway_counts').all().length };
  }

  test.each([-hour, hour])('leaves the counts of the gateway as they are, and is told of (%d ms)', async (step) => {
    let set = 0;
    const { server, status, counts } = await serving(() => Date.now() + set);
    await call(server.port, 'e');
    await expect.poll(counts, { interval: 50, timeout: 10_000 }).toBeGreaterThan(0);
    const before = await status();
    const counted = counts();

    set = step;
    await call(server.port, 'e');

    await expect.poll(counts, { interval: 50, timeout: 10_000 }).toBeGreaterThan(counted);
    const { clock } = await status();
    expect(before.clock).toBeUndefined();
    expect(clock).toContain(`is 1h ${step < 0 ? 'ahead of' : 'behind'} the wall clock`);
  });

  test('is not followed back by a restart', async () => {
    let set = 0;
    const { directory, server, status } = await serving(() => Date.now() + set);
    await expect.poll(async () => (await status()).models.length, { interval: 20, timeout: 10_000 }).toBeGreaterThan(0);
    const [before] = (await status()).models;
    await server.close();

    set = -hour;
    const again = await start(directory, { wall: () => Date.now() + set });
    const answer = await fetch(`${again.url}/v1/freeze`, {
      method: 'POST',
      headers: { authorization: `Bearer ${again.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ because: 'a holiday' }),
    });

    expect(answer.status).toBe(202);
    const headers = { authorization: `Bearer ${again.token}` };
    const read = await fetch(`${again.url}/v1/audit/entries?stream=project`, { headers });
    const { entries } = (await read.json()) as { readonly entries: readonly { readonly at: number }[] };
    expect(entries.at(-1)?.at).toBeGreaterThanOrEqual(Date.parse(before?.at ?? ''));
    expect(entries.at(-1)?.at).toBeLessThan(Date.now() + hour / 2);
  });
});

describe('the door of predictions', () => {
  async function serving(more: Partial<ServerOptions> = {}) {
    const directory = newDirectory();
    const earlier = await openMachine(directory);
    await earlier.serve('e', [deploymentOf(directory, 1)], { v1: 100 });
    await earlier.leave();
    return start(directory, more);
  }

  test.each<[number, Readonly<Record<string, string>>]>([
    [200, {}],
    [403, { host: 'evil.example' }],
    [403, { origin: 'http://evil.example' }],
    [403, { origin: 'null', 'content-type': 'text/plain' }],
    [403, { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
  ])('answers %d to a page with %j, as that of the API does', async (status, headers) => {
    const server = await serving();
    const at = (path: string, method = 'POST') => invoke(server.port, path, { method, headers, body: '' });

    const statuses = [
      (await call(server.port, 'e', headers)).status,
      (await at('/endpoints/e/ping', 'GET')).status,
      (await at('/livez', 'GET')).status,
    ];

    expect(statuses).toEqual([status, status, status]);
  });

  test('wants a token that may predict this model, when the server is told so', async () => {
    const server = await serving({ predictTokens: true });
    const made = async (role: string, models?: readonly string[]): Promise<string> => {
      const answer = await fetch(`${server.url}/v1/tokens`, {
        method: 'POST',
        headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name: `${role}-${models?.join() ?? 'all'}`, role, models }),
      });
      return ((await answer.json()) as { readonly token: string }).token;
    };
    const ask = async (token?: string) =>
      (await call(server.port, 'e', token === undefined ? {} : { authorization: `Bearer ${token}` })).status;
    const mine = await made('predictor', ['e']);

    expect([await ask(), await ask('srn_unknown')]).toEqual([401, 401]);
    expect([await ask(mine), await ask(await made('predictor')), await ask(await made('operator', ['e']))]).toEqual([
      200, 200, 200,
    ]);
    expect([await ask(await made('predictor', ['other'])), await ask(await made('viewer'))]).toEqual([403, 403]);
    const status = await fetch(`${server.url}/v1/status`, { headers: { authorization: `Bearer ${mine}` } });
    expect(status.status).toBe(403);
  });

  test('of whatever protocol, and what is asked about an endpoint, want it as well; about the server they do not', async () => {
    const server = await serving({ predictTokens: true });
    const ask = async (method: string, path: string) => (await fetch(`${server.url}${path}`, { method })).status;

    expect([
      await ask('GET', '/endpoints/e/ping'),
      await ask('GET', '/v2/models/e'),
      await ask('GET', '/v2/models/e/ready'),
      await ask('GET', '/v2/models/e/versions/1/ready'),
      await ask('POST', '/v2/models/e/infer'),
      await ask('POST', '/v2/models/%65/versions/1/infer'),
      await ask('POST', '/v1/projects/p/locations/l/endpoints/e:predict'),
    ]).toEqual(Array(7).fill(401));
    expect([await ask('GET', '/v2'), await ask('GET', '/v2/health/live')]).toEqual([200, 200]);
  });
});

describe('the metrics of the server', () => {
  const metricsOf = async ({ url, token }: Server, accept: string) => {
    const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}`, accept } });
    return { type: answer.headers.get('content-type'), text: await answer.text() };
  };

  test('tell of what stands, how it is asked, and how it answers', async () => {
    const directory = newDirectory();
    const earlier = await openMachine(directory);
    const deployments = [1, 2, 3].map((version) => deploymentOf(directory, version));
    await earlier.serve('e', deployments, { v1: 75, v2: 25 });
    await earlier.serving.change('e', { kind: 'retire', deployment: 'v3' });
    await earlier.leave();
    const server = await start(directory);
    await release(server, { e: { serve } });
    await expect.poll(async () => (await call(server.port, 'e')).status, { interval: 10 }).toBe(200);

    const failing = { 'x-order': '{"status":500}' };
    await invoke(server.port, '/v2/models/e/versions/2/infer', {
      headers: failing,
      body: '{"inputs":[{"name":"x","shape":[1],"datatype":"INT8","data":[1]}]}',
    });
    await invoke(server.port, '/v1/projects/p/locations/l/endpoints/e:predict');
    const { text } = await metricsOf(server, '*/*');

    const value = (series: string) =>
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.slice(series.length + 1);
    const [first, second] = ['1', '2'].map((version) => `{model="e",version="${version}"}`);
    expect([first, second].map((labels) => value(`serin_deployment_weight_ratio${labels}`))).toEqual(['0.75', '0.25']);
    expect(
      Number(value(`serin_requests_total${first}`)) + Number(value(`serin_requests_total${second}`)),
    ).toBeGreaterThanOrEqual(3);
    expect(Number(value(`serin_request_errors_total${second}`))).toBeGreaterThanOrEqual(1);
    expect(value(`serin_request_duration_seconds_bucket{model="e",version="2",le="+Inf"}`)).toBe(
      value(`serin_requests_total${second}`),
    );
    expect(
      ['v2', 'vertex'].map((protocol) => value(`serin_predictions_total{model="e",protocol="${protocol}"}`)),
    ).toEqual(['1', '1']);
    expect(value('serin_alerts_firing{model="e"}')).toBe('0');
    expect(text).not.toContain('version="3"');
  });

  test.each([
    ['', 'text/plain; version=0.0.4'],
    ['*/*', 'text/plain; version=0.0.4'],
    ['application/openmetrics-text', 'application/openmetrics-text; version=1.0.0'],
    [
      'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1',
      'application/openmetrics-text; version=1.0.0',
    ],
    ['application/openmetrics-text;q=0.2, text/plain;q=0.3', 'text/plain; version=0.0.4'],
    ['application/openmetrics-text;q=0', 'text/plain; version=0.0.4'],
    [
      'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
      'text/plain; version=0.0.4',
    ],
  ])('are text as the caller would like it best: %s', async (accept, type) => {
    const server = await start(newDirectory());

    const answer = await metricsOf(server, accept);

    expect(answer.type).toBe(`${type}; charset=utf-8`);
    expect(answer.text.endsWith('# EOF\n')).toBe(type.startsWith('application'));
  });
});

test('what the server of a model wrote is read over HTTP, from its end or from a byte on', async () => {
  const directory = newDirectory();
  const earlier = await openMachine(directory);
  await earlier.serve('e', [deploymentOf(directory, 1)], { v1: 100 });
  await earlier.leave();
  const server = await start(directory);
  await release(server, { e: { serve } });
  const read = async (query: string) => {
    const response = await fetch(`${server.url}/v1/models/e/logs?${query}`, {
      headers: { authorization: `Bearer ${server.token}` },
    });
    return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> };
  };

  await expect.poll(async () => (await read('version=1')).status, { interval: 10 }).toBe(200);
  const whole = await read('version=1');
  const rest = await read(`version=1&from=${whole.body.next}`);

  expect([whole.status, whole.body.version, whole.body.instance]).toEqual([200, 1, 0]);
  expect(rest.body).toMatchObject({ text: '', next: whole.body.next });
  expect((await read('version=9')).status).toBe(404);
  expect((await read('version=1&instance=7')).status).toBe(404);
  expect((await read('')).status).toBe(404);
});
