import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { type Server, startServer } from '@serin/local/compose';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { asked, dropped, endedRun, mlflow, newFolder, released, started, tokenOf } from './world.ts';

// Jobs are processes of their own, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

/** A program of a job: `call(method, path, body)` asks MLflow's API as the variables say. */
const program = (body: string): readonly string[] => [
  process.execPath,
  '-e',
  `const { MLFLOW_TRACKING_URI: uri, MLFLOW_TRACKING_TOKEN: token, MLFLOW_RUN_ID: run, MLFLOW_EXPERIMENT_ID: experiment } = process.env;
  const { writeFileSync, readFileSync } = require('node:fs');
  const call = async (method, path, body, text) => {
    const answer = await fetch(uri + (path.startsWith('/') ? path : '/api/2.0/mlflow/' + path), { method,
      headers: { authorization: 'Bearer ' + token, 'content-type': 'text/plain' },
      ...(method === 'GET' ? {} : { body: text ?? JSON.stringify(body) }) });
    const said = await answer.text();
    return { status: answer.status, ...(said.startsWith('{') ? JSON.parse(said) : { said }) };
  };
  const files = '/api/2.0/mlflow-artifacts/artifacts/';
  const log = (key, value, step = 0) => call('POST', 'runs/log-metric', { run_id: run, key, value, timestamp: 1, step });
  (async () => { ${body} })();`,
  '--',
];

const leaveModel = `writeFileSync(process.env.SM_MODEL_DIR + '/m', 'from the folder');`;

async function trained(server: Server, body: string, more: object = {}) {
  await released(server, { train: { command: program(body), ...more }, approval: { required: false } });
  await dropped(server, 'a.csv', 'x');
  return endedRun(server);
}

/** A request whose path is sent as it is written. */
const raw = (server: Server, method: string, path: string, body?: string) =>
  new Promise<{ status: number; body: string }>((resolve, reject) => {
    const sent = request(
      server.url,
      { method, path, headers: { authorization: `Bearer ${server.token}` } },
      (answer) => {
        let text = '';
        answer.on('data', (part) => (text += part));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }));
      },
    );
    sent.on('error', reject).end(body);
  });

describe('a server with a run of a client', () => {
  let server: Server;
  let directory: string;
  let run: string;
  const point = (key: string, value: unknown, step = 0) => ({ run_id: run, key, value, timestamp: 1000, step });
  const log = (key: string, value: unknown, step = 0) =>
    mlflow(server, 'POST', 'runs/log-metric', point(key, value, step));
  const put = (path: string, body = 'x') => raw(server, 'PUT', `/api/2.0/mlflow-artifacts/artifacts/${path}`, body);

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'serin-mlflow-'));
    server = await startServer({ directory: join(directory, 'data'), port: 0, version: 'test' });
    run = (await mlflow(server, 'POST', 'runs/create', { experiment_id: '0' })).body.run.info.run_id;
    return async () => {
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    };
  });

  test('says who may ask, and how a client gives its token', async () => {
    const answer = await fetch(`${server.url}/api/2.0/mlflow/experiments/get?experiment_id=0`);
    const body = (await answer.json()) as { error_code: string; message: string };
    const unknown = await mlflow(server, 'GET', 'experiments/get', { experiment_id: '0' }, 'srn_nobody');

    expect([answer.status, body.error_code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(body.message).toContain('set MLFLOW_TRACKING_TOKEN');
    expect([unknown.status, unknown.body.error_code]).toEqual([401, 'UNAUTHENTICATED']);
  });

  test('lets a viewer read and change nothing, and a token of some models see only those', async () => {
    const viewer = await tokenOf(server, 'viewer');
    const scoped = await tokenOf(server, 'operator', ['m']);
    const created = { name: 'mine' };

    expect((await mlflow(server, 'GET', 'runs/get', { run_id: run }, viewer)).status).toBe(200);
    for (const [path, body] of [
      ['runs/log-metric', point('a', 1)],
      ['experiments/create', created],
      ['registered-models/create', created],
      ['runs/create', { experiment_id: '0' }],
      ['runs/delete', { run_id: run }],
    ] as const)
      expect([path, (await mlflow(server, 'POST', path, body, viewer)).body.error_code]).toEqual([
        path,
        'PERMISSION_DENIED',
      ]);
    expect((await mlflow(server, 'GET', 'runs/get', { run_id: run }, scoped)).body.error_code).toBe(
      'RESOURCE_DOES_NOT_EXIST',
    );
    expect((await mlflow(server, 'POST', 'runs/create', { experiment_id: '0' }, scoped)).body.error_code).toBe(
      'PERMISSION_DENIED',
    );
    expect((await mlflow(server, 'POST', 'experiments/search', { max_results: 5 }, scoped)).body.experiments).toEqual(
      [],
    );
  });

  test('shows nothing that clients made to a token of some models', async () => {
    const scoped = await tokenOf(server, 'viewer', ['m']);
    await mlflow(server, 'POST', 'registered-models/create', { name: 'of a client' });
    const { model } = (await mlflow(server, 'POST', 'logged-models', { name: 'x', source_run_id: run })).body;
    const logged = `logged-models/${model.info.model_id}`;

    const registered = (token?: string) =>
      mlflow(server, 'GET', 'registered-models/get', { name: 'of a client' }, token);
    expect([(await registered()).status, (await registered(scoped)).status]).toEqual([200, 404]);
    expect([
      (await mlflow(server, 'GET', logged)).status,
      (await mlflow(server, 'GET', logged, {}, scoped)).status,
    ]).toEqual([200, 404]);
  });

  test('shows nothing to a token that may only ask for predictions', async () => {
    const predictor = await tokenOf(server, 'predictor');
    await put(`runs/${run}/artifacts/secret.txt`, 'a secret');

    for (const [method, path] of [
      ['GET', `/api/2.0/mlflow/runs/get?run_id=${run}`],
      ['GET', '/api/2.0/mlflow/experiments/search?max_results=5'],
      ['GET', '/api/2.0/mlflow/registered-models/search?max_results=5'],
      ['GET', `/api/2.0/mlflow-artifacts/artifacts/runs/${run}/artifacts/secret.txt`],
    ] as const)
      expect([path, (await asked(server, method, path, undefined, predictor)).body.error_code]).toEqual([
        path,
        'PERMISSION_DENIED',
      ]);
  });

  test('gives a registered model no name that it could not have been made with', async () => {
    await mlflow(server, 'POST', 'registered-models/create', { name: 'plain' });

    for (const new_name of ['plain/1', 'a:b', 'a\u0007'])
      expect(
        (await mlflow(server, 'POST', 'registered-models/rename', { name: 'plain', new_name })).body.error_code,
      ).toBe('INVALID_PARAMETER_VALUE');
    expect((await mlflow(server, 'GET', 'registered-models/get', { name: 'plain' })).status).toBe(200);
  });

  test('refuses a search that is longer than anybody writes, before it is read', async () => {
    const blanks = ' '.repeat(200_000);

    for (const more of [
      { order_by: [`a${blanks}b`] },
      { filter: `tags.a = '${blanks}'` },
      { order_by: Array(200).fill('a') },
    ])
      expect((await mlflow(server, 'POST', 'runs/search', { experiment_ids: ['0'], ...more })).body.message).toMatch(
        /shorten it|use at most/,
      );
  });

  test('has a metric once that came twice, and a batch whole or not at all', async () => {
    await log('twice', 0.5, 3);
    const second = await log('twice', 0.5, 3);
    const broken = await mlflow(server, 'POST', 'runs/log-batch', {
      run_id: run,
      metrics: [point('whole', 1)],
      params: [
        { key: 'p', value: 'a' },
        { key: 'p', value: 'b' },
      ],
    });

    const history = await mlflow(server, 'GET', 'metrics/get-history', { run_id: run, metric_key: 'twice' });
    expect(second.status).toBe(200);
    expect(history.body.metrics).toEqual([{ key: 'twice', value: 0.5, timestamp: 1000, step: 3 }]);
    expect([broken.status, broken.body.error_code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
    const { data } = (await mlflow(server, 'GET', 'runs/get', { run_id: run })).body.run;
    expect(data.metrics.map(({ key }: { key: string }) => key)).not.toContain('whole');
  });

  test('gives a long history in pages, and refuses the token of another list', async () => {
    const metrics = Array.from({ length: 30 }, (_, step) => point('long', step, step));
    await mlflow(server, 'POST', 'runs/log-batch', { run_id: run, metrics });
    const page = (more: object) =>
      mlflow(server, 'GET', 'metrics/get-history', { run_id: run, metric_key: 'long', max_results: '20', ...more });

    const first = await page({});
    const second = await page({ page_token: first.body.next_page_token });

    expect([first.body.metrics.length, second.body.metrics.length]).toEqual([20, 10]);
    expect(second.body.next_page_token).toBeUndefined();
    const whole = await page({ max_results: '30' });
    expect([whole.body.metrics.length, whole.body.next_page_token]).toEqual([30, undefined]);
    expect((await page({ page_token: 'bm9uZQ==' })).body.message).toContain('begin without it');
  });

  test.each([
    ['a metric without a number', 'runs/log-metric', { key: 'a', value: 'many', timestamp: 1 }],
    ['a metric without a value', 'runs/log-metric', { key: 'a', value: ' ', timestamp: 1 }],
    ['a metric without a time', 'runs/log-metric', { key: 'a', value: 1 }],
    ['a key that leaves its folder', 'runs/log-metric', { key: '../a', value: 1, timestamp: 1 }],
    ['a key that is too long', 'runs/set-tag', { key: 'k'.repeat(251), value: 'v' }],
    ['a value that is too long', 'runs/log-parameter', { key: 'k', value: 'v'.repeat(6001) }],
    ['too many metrics', 'runs/log-batch', { metrics: Array.from({ length: 1001 }, () => point('a', 1)) }],
    ['a status of nobody', 'runs/update', { status: 'DONE' }],
  ])('refuses %s for good', async (_, path, body) => {
    const { status, body: said } = await mlflow(server, 'POST', path, { run_id: run, ...body });

    expect([status, said.error_code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
    expect(said.message).toMatch(/; (send|shorten|leave|split|use)/);
  });

  test.each(['', 'nothing', '[1]', '{"__proto__":1}', '{"run_id":{}}', 'null'])(
    'takes the body %j for what it is',
    async (body) => {
      const answer = await asked(server, 'POST', '/api/2.0/mlflow/runs/log-metric', body);

      expect([answer.status, answer.body.error_code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
    },
  );

  test.each([
    ['GET', '/api/2.0/mlflow/nothing'],
    ['POST', '/api/3.0/mlflow/traces'],
    ['GET', '/api/3.0/mlflow/server-info'],
    ['GET', '/ajax-api/2.0/mlflow/runs/get'],
    ['PATCH', '/api/2.0/mlflow/runs/get'],
    ['DELETE', '/api/2.0/mlflow-artifacts/artifacts/runs/x/artifacts/y'],
    ['GET', '/api/2.0/mlflow/constructor'],
  ])('says of %s %s that it does not answer it', async (method, path) => {
    const { status, body } = await asked(server, method, path, method === 'GET' ? undefined : {});

    expect([status, body.error_code]).toEqual([404, 'ENDPOINT_NOT_FOUND']);
  });

  test.each([
    'metrics.a < 1 OR metrics.b < 1',
    'metrics.a <',
    'metrics.a < 1 AND',
    "tags.x ~ 'y'",
    "attributes.nothing = 'x'",
    "params.x IN 'a'",
    "status = 'FINISHED'; DROP TABLE mlflow_items",
  ])('says of the filter %j what it reads', async (filter) => {
    const { status, body } = await mlflow(server, 'POST', 'runs/search', { experiment_ids: ['0'], filter });

    expect([status, body.error_code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
    expect(body.message).toMatch(/write comparisons with|use run_id|there is no attribute/);
  });

  test.each([
    ["metrics.x > 1 and tags.`a b` IN ('1', '2')", true],
    ['metrics.x >= 2 AND metrics.x <= 2 AND metrics.x != 3', true],
    ["tags.\"a b\" LIKE '%1%' and attributes.status = 'RUNNING'", true],
    ["tags.`a b` ILIKE '_' AND tags.none IS NULL", true],
    ["tags.`a b` NOT IN ('1')", false],
    ["params.none = 'x'", false],
    ["tags.`a b` IS NOT NULL AND run_name LIKE 'run-%'", true],
    ['metrics.nan > 0', false],
  ])('finds by %s: %s', async (filter, isFound) => {
    const { run_id } = (await mlflow(server, 'POST', 'runs/create', { tags: [{ key: 'a b', value: '1' }] })).body.run
      .info;
    const metrics = [
      { key: 'x', value: 2, timestamp: 1 },
      { key: 'nan', value: 'NaN', timestamp: 1 },
    ];
    await mlflow(server, 'POST', 'runs/log-batch', { run_id, metrics });

    const { body } = await mlflow(server, 'POST', 'runs/search', {
      experiment_ids: ['0'],
      filter: `run_id = '${run_id}' AND ${filter}`,
    });

    expect(body.runs?.length).toBe(isFound ? 1 : 0);
  });

  test('takes a file of a client without a page, and gives it as a file and never as a page', async () => {
    const path = `runs/${run}/artifacts/dir/evil%20%3Cb%3E.html`;
    const { status } = await put(path, '<script>alert(1)</script>');

    const answer = await fetch(`${server.url}/api/2.0/mlflow-artifacts/artifacts/${path}`, {
      headers: { authorization: `Bearer ${server.token}` },
    });
    expect(status).toBe(200);
    expect(await answer.text()).toBe('<script>alert(1)</script>');
    expect(answer.headers.get('content-type')).toBe('application/octet-stream');
    expect(answer.headers.get('content-disposition')).toBe('attachment');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test.each([
    'runs/%RUN/artifacts/..%2f..%2f..%2f..%2fserin.sqlite',
    'runs/%RUN/artifacts/%2e%2e/x',
    'runs/%RUN/artifacts/a%00b',
    'runs/%RUN/artifacts/a%5c..%5cb',
    'runs/%RUN/artifacts//etc/passwd',
    'runs/%RUN/other/x',
    'runs/..%2f..%2fadmin.token',
    'runs/%RUN/artifacts',
    'versions/m/x/y',
    'runs/%RUN/artifacts/%E0%A4%A',
  ])('keeps a file out of where it must not be: %s', async (path) => {
    const wanted = path.replace('%RUN', run);
    const written = await put(wanted);
    const read = await raw(server, 'GET', `/api/2.0/mlflow-artifacts/artifacts/${wanted}`);

    expect(written.status).toBeGreaterThanOrEqual(400);
    expect(read.status).toBeGreaterThanOrEqual(400);
    expect(read.body + written.body).not.toMatch(/SQLite|root:|srn_[\w-]{20}/);
    expect(existsSync(join(directory, 'data', 'x'))).toBe(false);
  });

  test('says that a file is in the way of a folder, and the other way around', async () => {
    await put(`runs/${run}/artifacts/file`);
    await put(`runs/${run}/artifacts/folder/file`);

    expect((await put(`runs/${run}/artifacts/file/below`)).body).toContain('use another path');
    expect((await put(`runs/${run}/artifacts/folder`)).body).toContain('use another path');
  });

  test('keeps what was logged over a restart', async () => {
    const first = newFolder();
    const one = await started(first);
    const { run_id } = (await mlflow(one, 'POST', 'runs/create', {})).body.run.info;
    await mlflow(one, 'POST', 'runs/log-parameter', { run_id, key: 'k', value: 'v' });
    await one.close();

    const other = await started(first);

    const { data } = (await mlflow(other, 'GET', 'runs/get', { run_id })).body.run;
    expect(data.params).toEqual([{ key: 'k', value: 'v' }]);
  });
});

describe('the job of a run', () => {
  test('logs into its run, whose metrics count after metrics.json and the log', async () => {
    const server = await started();

    const run = await trained(
      server,
      `${leaveModel} console.log('regex=2 rest=2');
      writeFileSync(process.env.SM_OUTPUT_DATA_DIR + '/metrics.json', '{"file":1}');
      for (const name of ['file', 'regex', 'logged', 'system/cpu']) await log(name, 3);
      await log('logged', 4, 1); await log('logged', 4, 1);
      writeFileSync(process.env.SM_MODEL_DIR + '/seen', JSON.stringify([await call('GET', 'experiments/get-by-name?experiment_name=any'),
        await call('POST', 'experiments/create', { name: 'any' })]));`,
      { metrics: [{ name: 'regex', regex: 'regex=([0-9]+)' }] },
    );

    expect(run.trained.metrics).toEqual({ file: 1, regex: 2, logged: 4 });
    const named = await raw(server, 'GET', '/api/2.0/mlflow-artifacts/artifacts/versions/m/1/seen');
    expect(JSON.parse(named.body)).toMatchObject([
      { experiment: { experiment_id: 'model-m', name: 'm' } },
      { experiment_id: 'model-m' },
    ]);
    const seen = (await mlflow(server, 'GET', 'runs/get', { run_id: run.id })).body.run;
    const values = Object.fromEntries(seen.data.metrics.map(({ key, value }: Record<string, unknown>) => [key, value]));
    expect(values).toEqual({ file: 1, regex: 2, logged: 4, 'system/cpu': 3 });
    expect(seen.info).toMatchObject({ status: 'FINISHED', experiment_id: 'model-m', lifecycle_stage: 'active' });
  });

  test('leaves the model of its folder, also if it logged another', async () => {
    const server = await started();
    const logModel = `const { model } = await call('POST', 'logged-models', { name: 'model', source_run_id: run });
      await call('PUT', files + 'models/' + model.info.model_id + '/artifacts/m', null, 'logged');`;

    const run = await trained(server, `${leaveModel} ${logModel}`);
    const registered = await mlflow(server, 'GET', 'model-versions/get-download-uri', { name: 'm', version: '1' });
    const root = registered.body.artifact_uri.replace('mlflow-artifacts:/', '/api/2.0/mlflow-artifacts/artifacts/');

    expect(run.status).toBe('succeeded');
    expect((await raw(server, 'GET', `${root}/m`)).body).toBe('from the folder');
  });

  test('gets nothing with its token but its own run, and no part of the other API', async () => {
    const server = await started();
    const other = (await mlflow(server, 'POST', 'runs/create', {})).body.run.info.run_id;

    const run = await trained(
      server,
      `${leaveModel}
      const answers = {
        other: await call('GET', 'runs/get?run_id=${other}'),
        write: await call('POST', 'runs/log-metric', { run_id: '${other}', key: 'a', value: 1, timestamp: 1 }),
        champion: await call('POST', 'registered-models/alias', { name: 'm', alias: 'champion', version: '1' }),
        models: await call('GET', '/v1/models'), stop: await call('POST', '/v1/freeze', { because: 'x' }),
        forged: await (token => fetch(uri + '/api/2.0/mlflow/runs/get?run_id=' + run, { headers: { authorization: 'Bearer ' + token } }))(token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A')).then(async (answer) => ({ status: answer.status, ...(await answer.json()) })),
        same: await call('POST', 'runs/log-parameter', { run_id: run, key: 'p', value: '1' }),
        changed: await call('POST', 'runs/log-parameter', { run_id: run, key: 'p', value: '2' }),
        below: await call('POST', 'runs/create', { experiment_id: '0' }),
        experiments: await call('POST', 'experiments/search', { max_results: 10 }),
      };
      writeFileSync(process.env.SM_MODEL_DIR + '/answers.json', JSON.stringify(answers));`,
    );
    const file = await raw(server, 'GET', '/api/2.0/mlflow-artifacts/artifacts/versions/m/1/answers.json');

    const answers = JSON.parse(file.body);
    const codes = Object.fromEntries(
      Object.entries(answers).map(([name, answer]) => [name, Object(answer).error_code ?? Object(answer).status]),
    );
    expect(codes).toEqual({
      ...{ other: 'RESOURCE_DOES_NOT_EXIST', write: 'RESOURCE_DOES_NOT_EXIST', champion: 'PERMISSION_DENIED' },
      ...{ models: 401, stop: 401, forged: 'UNAUTHENTICATED', same: 200, changed: 'INVALID_PARAMETER_VALUE' },
      ...{ below: 200, experiments: 200 },
    });
    expect(answers.experiments.experiments.map(({ name }: { name: string }) => name)).toEqual(['m']);
    expect(answers.below.run.data.tags).toContainEqual({ key: 'mlflow.parentRunId', value: run.id });
  });

  test('registers as its version nothing but a model of its own run, below its artifacts', async () => {
    const server = await started();
    const first = await trained(
      server,
      `${leaveModel} const { model } = await call('POST', 'logged-models', { name: 'model', source_run_id: run });
      const below = await call('POST', 'runs/create', { experiment_id: '0' });
      writeFileSync(process.env.SM_MODEL_DIR + '/id', model.info.model_id);
      writeFileSync(process.env.SM_MODEL_DIR + '/below', below.run.info.run_id);`,
    );
    const { body: id } = await raw(server, 'GET', '/api/2.0/mlflow-artifacts/artifacts/versions/m/1/id');
    const { body: below } = await raw(server, 'GET', '/api/2.0/mlflow-artifacts/artifacts/versions/m/1/below');
    const register = (source: string) =>
      `await call('POST', 'model-versions/create', { name: 'm', source: '${source}' })`;
    const outside = "mlflow-artifacts:/runs/' + run + '/artifacts/../../../../secrets";
    await released(server, {
      ...{ approval: { required: false } },
      train: {
        command: program(
          `${leaveModel} writeFileSync(process.env.SM_MODEL_DIR + '/said', JSON.stringify([${register(`models:/${id}`)},
          ${register(outside)}, ${register(`mlflow-artifacts:/models/${id}/artifacts`)}, ${register('s3://elsewhere/x')},
          await call('POST', 'runs/log-model', { run_id: run, model_json: '{"artifact_path":"../../x"}' }),
          await call('POST', 'runs/log-model', { run_id: run, model_json: 'none' }),
          await call('POST', 'runs/log-metric', { run_id: '${below}', key: 'a', value: 1, timestamp: 1 })]));`,
        ),
      },
    });
    await dropped(server, 'b.csv', 'y');
    await endedRun(server, first.id);

    const said = await raw(server, 'GET', '/api/2.0/mlflow-artifacts/artifacts/versions/m/2/said');
    expect(JSON.parse(said.body).map(({ error_code }: { error_code: string }) => error_code)).toEqual([
      ...['PERMISSION_DENIED', 'INVALID_PARAMETER_VALUE', 'PERMISSION_DENIED', 'INVALID_PARAMETER_VALUE'],
      ...['INVALID_PARAMETER_VALUE', 'INVALID_PARAMETER_VALUE', 'PERMISSION_DENIED'],
    ]);
  });

  test('that logs its model by MLflow leaves it as the model of its run, the one that it asked to register first', async () => {
    const server = await started();
    const logged = (
      name: string,
    ) => `const ${name} = (await call('POST', 'logged-models', { name: '${name}', source_run_id: run })).model.info.model_id;
      await call('PUT', files + 'models/' + ${name} + '/artifacts/dir/m', null, '${name}');`;

    const run = await trained(
      server,
      `${logged('first')} ${logged('second')} ${logged('third')}
      await call('POST', 'registered-models/create', { name: 'm' });
      await call('POST', 'model-versions/create', { name: 'm', source: 'models:/' + second });
      await call('POST', 'model-versions/create', { name: 'm', source: 'models:/' + second });`,
    );

    expect(run.status, run.because).toBe('succeeded');
    const { body } = await raw(server, 'GET', '/api/2.0/mlflow-artifacts/artifacts/versions/m/1/dir/m');
    expect(body).toBe('second');
    const listed = await mlflow(server, 'GET', 'model-versions/search', { filter: "name = 'm'" });
    expect(listed.body.model_versions.map(({ version }: { version: string }) => version)).toEqual(['1']);
  });

  test('says with its tags nothing in the name of Serin', async () => {
    const server = await started();

    const run = await trained(
      server,
      `${leaveModel} await call('POST', 'runs/set-tag', { run_id: run, key: 'mlflow.runName', value: 'mine' });
      for (const [key, value] of [['serin.status', 'refused'], ['serin.dataset', 'none'], ['serin.made', 'up']])
        console.log(JSON.stringify(await call('POST', 'runs/set-tag', { run_id: run, key, value })));`,
    );

    const beginning = run.id.slice(0, -4);
    const short = await mlflow(server, 'POST', 'runs/set-tag', { run_id: beginning, key: 'a', value: 'b' });
    expect(short.body.error_code).toBe('RESOURCE_DOES_NOT_EXIST');
    const { data } = (await mlflow(server, 'GET', 'runs/get', { run_id: run.id })).body.run;
    const tags = Object.fromEntries(data.tags.map(({ key, value }: Record<string, string>) => [key, value]));
    expect(tags).toMatchObject({ 'serin.status': 'succeeded', 'mlflow.runName': 'mine' });
    expect(tags['serin.dataset']).not.toBe('none');
    expect(tags['serin.made']).toBeUndefined();
    const { body: log } = await asked(server, 'GET', `/v1/runs/${run.id}/logs`);
    expect(log.text.match(/is written by Serin; use another key/g)).toHaveLength(3);
  });

  test('whose token is written into no file of the server', async () => {
    const directory = newFolder();
    const server = await started(directory);

    const run = await trained(
      server,
      `writeFileSync(process.env.SM_MODEL_DIR + '/m', token.slice(0, 8) + [...token].reverse().join(''));`,
    );
    const said = (await raw(server, 'GET', '/api/2.0/mlflow-artifacts/artifacts/versions/m/1/m')).body;
    const token = [...said.slice(8)].reverse().join('');

    expect(token).toContain(run.id);
    const { stdout } = spawnSync('grep', ['-rl', token.slice(-43), join(directory, 'data')], { encoding: 'utf8' });
    expect(stdout).toBe('');
    const late = await mlflow(server, 'GET', 'runs/get', { run_id: run.id }, token);
    expect([late.status, late.body.error_code]).toEqual([401, 'UNAUTHENTICATED']);
  });

  test('that has a server of its own gets no token of ours', async () => {
    const server = await started();

    await trained(
      server,
      `writeFileSync(process.env.SM_MODEL_DIR + '/m', JSON.stringify([uri, token ?? 'none', run ?? 'none', experiment ?? 'none']));`,
      {
        environment: { MLFLOW_TRACKING_URI: 'http://127.0.0.1:9' },
      },
    );

    const said = await raw(server, 'GET', '/api/2.0/mlflow-artifacts/artifacts/versions/m/1/m');
    expect(JSON.parse(said.body)).toEqual(['http://127.0.0.1:9', 'none', 'none', 'none']);
  });
});

test('a version whose files were changed on the disk is given to nobody', async () => {
  const server = await started();
  await trained(server, leaveModel);
  const version = (await asked(server, 'GET', '/v1/models/m/versions/1')).body;
  const file = join(fileURLToPath(version.artifact.uri), 'm');
  const path = '/api/2.0/mlflow-artifacts/artifacts/versions/m/1/m';
  const before = await raw(server, 'GET', path);

  chmodSync(file, 0o600);
  writeFileSync(file, 'from the enemies');
  const after = await raw(server, 'GET', path);

  expect([before.status, before.body]).toEqual([200, 'from the folder']);
  expect(after.status).toBe(400);
  expect(after.body).toMatch(/was changed or damaged/);
  expect(readFileSync(file, 'utf8')).toBe('from the enemies');
  expect((await raw(server, 'PUT', path, 'x')).body).toContain('PERMISSION_DENIED');
});
