import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { begin, finished, folder, problem, serin, stubServer } from './command.ts';

test.each([
  [400, 2],
  [401, 5],
  [403, 5],
  [404, 3],
  [409, 4],
  [412, 4],
  [422, 2],
  [500, 1],
])('the API answering %i is exit code %i, with its reason', async (status, code) => {
  const { env } = await stubServer(() => problem(status, `it is a ${status}`));

  const text = await serin(['models', 'get', 'fraud'], { env });
  const json = await serin(['models', 'get', 'fraud', '--json'], { env });

  expect([text.exit, json.exit]).toEqual([code, code]);
  expect(text.stdout).toBe('');
  expect(text.stderr).toContain(`it is a ${status}`);
  expect(text.stderr).toContain('req_1');
  expect(json.stderr).toBe('');
  expect(JSON.parse(json.stdout)).toMatchObject({
    status,
    code: `x${status}`,
    detail: `it is a ${status}`,
    exit: code,
  });
});

test('a request that is too large for what stands before the server is refused with what to do', async () => {
  const { env } = await stubServer(() => ({
    status: 413,
    body: { Message: 'Request must be smaller than 6291456 bytes' },
  }));

  const { exit, stderr } = await serin(['freeze', '--because', 'a long story'], { env });

  expect(exit).toBe(2);
  expect(stderr).toContain('POST /v1/freeze was answered with 413');
  expect(stderr).toContain('put large files into the image');
});

test('a server that is not there is a failure that says how to start one', async () => {
  const { exit, stderr } = await serin(['status'], { env: { SERIN_URL: 'http://127.0.0.1:9' } });

  expect(exit).toBe(1);
  expect(stderr).toContain('cannot reach http://127.0.0.1:9 (from SERIN_URL)');
  expect(stderr).toContain('serin dev');
});

test('a change that meets a busy server is sent again under the same idempotency key', async () => {
  const { env, received } = await stubServer((_, index) =>
    index === 0
      ? { ...problem(503, 'not now'), headers: { 'retry-after': '0' } }
      : { status: 202, body: { outcome: 'accepted', seq: 3 } },
  );

  const { exit, stdout } = await serin(['rollback', 'fraud', '--to', 'v3', '--because', 'errors'], { env });

  expect([exit, stdout]).toEqual([0, expect.stringContaining('roll back fraud to v3')]);
  expect(received.map(({ method, url, body }) => [method, url, body])).toEqual(
    Array(2).fill(['POST', '/v1/models/fraud/rollback', '{"to":3,"because":"errors"}']),
  );
  expect(received[0]?.headers['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/);
  expect(received[1]?.headers['idempotency-key']).toBe(received[0]?.headers['idempotency-key']);
  expect(received[0]?.headers.authorization).toBe('Bearer srn_test');
});

test('what somebody decides goes with the reason', async () => {
  const { env, received } = await stubServer(() => ({ status: 202, body: { outcome: 'accepted', seq: 3 } }));
  const decided = [
    ['versions', 'restore', 'fraud', 'v5', '--because', 'wrong key'],
    ['versions', 'approve', 'fraud', '5', '--override', 'it is the fix'],
    ['rollouts', 'promote', 'ro_1', '--because', 'seen by hand'],
    ['rollouts', 'pause', 'ro_1', '--because', 'lunch'],
  ];

  for (const words of decided) expect((await serin(words, { env })).exit).toBe(0);

  expect(received.map(({ url, body }) => `${url} ${body}`)).toEqual([
    '/v1/models/fraud/versions/5/restore {"because":"wrong key"}',
    '/v1/models/fraud/versions/5/approve {"override":"it is the fix"}',
    '/v1/rollouts/ro_1/promote {"because":"seen by hand"}',
    '/v1/rollouts/ro_1/pause {"because":"lunch"}',
  ]);
  expect(await serin(['versions', 'restore', 'fraud', '5'], { env })).toMatchObject({
    exit: 2,
    stderr: expect.stringContaining('give it with --because'),
  });
});

test('a redirect is refused: the token goes nowhere else', async () => {
  const other = await stubServer(() => ({}));
  const { env } = await stubServer(() => ({ status: 307, headers: { location: `${other.url}/v1/status` } }));

  const { exit } = await serin(['status'], { env });

  expect([exit, other.received]).toEqual([1, []]);
});

test('a dry run says what would be sent, and sends nothing', async () => {
  const { env, received } = await stubServer(() => ({}));

  const text = await serin(['rollouts', 'abort', 'ro_1', '--dry-run'], { env });
  const json = await serin(['runs', 'start', 'fraud', '--set', 'epochs=3', '--dry-run', '--json'], { env });

  expect([text.exit, json.exit, received]).toEqual([0, 0, []]);
  expect(text.stdout).toContain('would abort ro_1');
  expect(JSON.parse(json.stdout)).toEqual({
    dryRun: true,
    does: 'start a run of fraud',
    method: 'POST',
    path: '/v1/runs',
    body: { model: 'fraud', hyperparameters: { epochs: '3' } },
  });
});

test('a key of the caller and a revision go along with a change', async () => {
  const { env, received } = await stubServer(() => ({ body: { outcome: 'repeated', because: 'known' } }));

  const { stdout } = await serin(
    ['versions', 'approve', 'fraud', 'v7', '--note', 'fine', '--idempotency-key', 'k1', '--if-match', '12'],
    { env },
  );

  expect(received[0]).toMatchObject({
    method: 'POST',
    url: '/v1/models/fraud/versions/7/approve',
    body: '{"note":"fine"}',
  });
  expect(received[0]?.headers).toMatchObject({ 'idempotency-key': 'k1', 'if-match': '"12"' });
  expect(stdout).toBe('done before: known\n');
});

test('a list goes through the pages up to its limit, in aligned columns', async () => {
  const page = (from: number, next?: string) => ({
    body: {
      runs: [from, from + 1].map((n) => ({ id: `run_${n}`, model: 'fraud', status: 'succeeded' })),
      ...(next === undefined ? {} : { next }),
    },
  });
  const { env, received } = await stubServer(({ url }) => (url.includes('cursor=c2') ? page(3) : page(1, 'c2')));

  const { stdout } = await serin(['runs', 'list', '--model', 'fraud', '--limit', '3'], { env });

  expect(received.map(({ url }) => url)).toEqual([
    '/v1/runs?model=fraud&limit=3',
    '/v1/runs?model=fraud&cursor=c2&limit=1',
  ]);
  expect(stdout.split('\n').slice(0, 2)).toEqual(['ID     MODEL  STATUS', 'run_1  fraud  succeeded']);
});

test('control characters of foreign text do not reach the terminal', async () => {
  const { env } = await stubServer(() => ({
    body: { runs: [{ id: 'run_1', status: 'failed', because: 'red \u001b[31m\u0007 alert' }] },
  }));

  const { stdout } = await serin(['runs', 'list'], { env });

  expect(stdout).toContain('red \ufffd[31m\ufffd alert');
});

test('waiting for a run ends with its verdict as exit code', async () => {
  const run = (status: string) => ({
    body: {
      id: 'run_1',
      status,
      because: 'rmse 3, at most 1 wanted',
      ...(status === 'training' ? {} : { endedAt: '2026-01-01T00:00:00Z' }),
    },
  });
  const ending = async (status: string) => {
    const { env } = await stubServer(({ method, url }, index) => {
      if (method === 'POST') return { status: 202, body: { outcome: 'accepted', run: 'run_1' } };
      return url.startsWith('/v1/runs/') ? run(index < 3 ? 'training' : status) : { body: { model: 'fraud' } };
    });
    return serin(['runs', 'start', 'fraud', '--wait'], { env });
  };

  const [refused, succeeded] = await Promise.all([ending('refused'), ending('succeeded')]);

  expect([refused.exit, succeeded.exit]).toEqual([1, 0]);
  expect(refused.stdout).toContain('refused  run_1: rmse 3, at most 1 wanted');
});

test('waiting for longer than --timeout is exit code 6', async () => {
  const { env } = await stubServer(({ method }) =>
    method === 'POST'
      ? { status: 202, body: { outcome: 'accepted', run: 'run_1' } }
      : { body: { id: 'run_1', status: 'training' } },
  );

  const { exit, stderr } = await serin(['runs', 'start', 'fraud', '--wait', '--timeout', '300ms'], { env });

  expect(exit).toBe(6);
  expect(stderr).toContain('run run_1 had not ended within 300ms');
});

test('a rollout that was taken back is exit code 7, and each line of its story is told once', async () => {
  const story = [1, 2, 3].map((n) => ({ at: `2026-01-01T00:00:0${n}Z`, text: `line ${n}` }));
  const { env } = await stubServer((_, index) => ({
    body: {
      id: 'ro_1',
      candidate: 4,
      story: story.slice(0, index + 1),
      ...(index < 2 ? { status: 'baking' } : { status: 'rolledBack', because: '12 of 20 failed', endedAt: 'x' }),
    },
  }));

  const { exit, stdout } = await serin(['rollouts', 'watch', 'ro_1'], { env });

  expect(exit).toBe(7);
  expect(stdout.match(/line \d/g)).toEqual(['line 1', 'line 2', 'line 3']);
  expect(stdout).toContain('rolledBack  v4: 12 of 20 failed');
});

test('Ctrl-C while waiting is exit code 130', async () => {
  const asked = Promise.withResolvers<void>();
  const { env } = await stubServer(() => {
    asked.resolve();
    return { body: { id: 'ro_1', status: 'baking', story: [] } };
  });
  const child = begin(['rollouts', 'watch', 'ro_1'], { env });
  const end = finished(child);

  await asked.promise;
  child.kill('SIGINT');

  expect((await end).exit).toBe(130);
});

test('status --watch --json is a line for each state that differs', async () => {
  const { env } = await stubServer((_, index) =>
    index < 2
      ? { body: { project: 'p', revision: 1, models: [] } }
      : { body: { project: 'p', revision: 2, models: [] } },
  );
  const child = begin(['status', '--watch', '--json'], { env });
  const lines: string[] = [];

  await new Promise<void>((resolve) =>
    child.stdout?.on('data', (part: Buffer) => {
      lines.push(...part.toString().trim().split('\n'));
      if (lines.length >= 2) resolve();
    }),
  );
  child.kill('SIGTERM');

  expect(lines.map((line) => JSON.parse(line).revision)).toEqual([1, 2]);
});

test('a saved context is talked to once it is used, and its file is for its owner only', async () => {
  const { url, received } = await stubServer(() => ({ body: { models: [] } }));
  const cwd = folder();

  await serin(['context', 'add', 'prod', '--url', `${url}/`, '--token-stdin'], { cwd, input: 'srn_saved\n' });
  const listed = await serin(['context', 'list', '--json'], { cwd });
  await serin(['doctor'], { cwd });
  const before = received.length;
  await serin(['context', 'use', 'prod'], { cwd });
  await serin(['models', 'list'], { cwd });

  expect(JSON.parse(listed.stdout)).toEqual({ items: [{ name: 'prod', url, token: true, current: false }] });
  expect(statSync(join(cwd, '.config', 'serin', 'contexts.json')).mode & 0o777).toBe(0o600);
  expect(before).toBe(0);
  expect(received[0]?.headers.authorization).toBe('Bearer srn_saved');
});

test("the folder's own server comes before the current context, and a change elsewhere says where it goes", async () => {
  const own = await stubServer(() => ({ status: 202, body: { outcome: 'done' } }));
  const prod = await stubServer(() => ({ status: 202, body: { outcome: 'done' } }));
  const cwd = project(own.url, 0o600);
  await serin(['context', 'add', 'prod', '--url', prod.url, '--use'], { cwd });
  const rollback = ['rollback', 'fraud', '--yes', '--because', 'it is wrong'];

  const here = await serin(rollback, { cwd });
  const there = await serin([...rollback, '--context', 'prod'], { cwd });

  expect([here.exit, there.exit]).toEqual([0, 0]);
  expect([own.received.length, prod.received.length]).toEqual([1, 1]);
  expect(here.stderr).not.toContain(own.url);
  expect(there.stderr).toContain(`${prod.url} (context prod)`);
});

test('a context is given up, and removed with its token', async () => {
  const cwd = folder();
  const add = (name: string) => serin(['context', 'add', name, '--url', 'http://127.0.0.1:9', '--use'], { cwd });
  const list = async () => JSON.parse((await serin(['context', 'list', '--json'], { cwd })).stdout).items;
  await add('staging');
  await add('prod');

  const unnamed = await serin(['context', 'use'], { cwd });
  await serin(['context', 'use', '--none'], { cwd });
  const none = await list();
  await serin(['context', 'use', 'prod'], { cwd });
  await serin(['context', 'remove', 'prod'], { cwd });
  const again = await serin(['context', 'remove', 'prod'], { cwd });

  expect(unnamed.exit).toBe(2);
  expect(none.map(({ name, current }: { name: string; current: boolean }) => [name, current])).toEqual([
    ['staging', false],
    ['prod', false],
  ]);
  expect(await list()).toMatchObject([{ name: 'staging', current: false }]);
  expect(again.exit).toBe(3);
});

test('a context that was never saved is not found', async () => {
  const [used, named] = await Promise.all([
    serin(['context', 'use', 'nowhere']),
    serin(['status', '--context', 'nowhere']),
  ]);

  expect([used.exit, named.exit]).toEqual([3, 3]);
});

function project(url: string, mode: number): string {
  const cwd = folder();
  mkdirSync(join(cwd, '.serin'));
  mkdirSync(join(cwd, 'src', 'deep'), { recursive: true });
  writeFileSync(join(cwd, '.serin', 'server.json'), JSON.stringify({ url, token: 'srn_own' }));
  chmodSync(join(cwd, '.serin', 'server.json'), mode);
  return cwd;
}

test('the server of `serin dev` is found from any folder of the project, with its own token', async () => {
  const { url, received } = await stubServer(() => ({ body: { models: [] } }));
  const cwd = join(project(url, 0o600), 'src', 'deep');

  const { exit } = await serin(['models', 'list'], { cwd });

  expect([exit, received[0]?.headers.authorization]).toEqual([0, 'Bearer srn_own']);
});

test("a token that would not be sent is refused, and nobody acts as the folder's administrator instead", async () => {
  const { url, received } = await stubServer(() => ({ body: { models: [] } }));
  const cwd = project(url, 0o600);
  const approve = ['versions', 'approve', 'line', '1', '--yes'];

  const { exit, stderr } = await serin(approve, { cwd, env: { SERIN_TOKEN: 'srn_bob' } });
  const asked = received.length;
  const named = await serin(approve, { cwd, env: { SERIN_TOKEN: 'srn_bob', SERIN_URL: url } });

  expect([exit, asked]).toEqual([2, 0]);
  expect(stderr).toContain(`set SERIN_URL=${url} too`);
  expect([named.exit, received[0]?.headers.authorization]).toEqual([0, 'Bearer srn_bob']);
});

test('a server.json that others could have written, or that names another machine, is not believed', async () => {
  const { url, received } = await stubServer(() => ({}));
  const env = { SERIN_TOKEN: 'srn_production' };

  const shared = await serin(['doctor', '--json'], { cwd: project(url, 0o644), env });
  const foreign = await serin(['doctor', '--json'], { cwd: project('http://serin.invalid:7373', 0o600), env });

  expect(received).toEqual([]);
  for (const { stdout } of [shared, foreign]) expect(stdout).toContain('127.0.0.1:7373 (from the default)');
});

test("an event is sent as a CloudEvent whose id is the caller's", async () => {
  const { env, received } = await stubServer(() => ({ status: 202, body: { results: [] } }));

  const { exit } = await serin(['events', 'send', 'dev.serin.data.arrived.v1', '--id', 'e1', '--data', '-'], {
    env,
    input: '{"bucket":"drops","key":"a.csv"}',
  });

  expect(exit).toBe(0);
  expect(received[0]?.headers['content-type']).toBe('application/cloudevents+json');
  expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({
    specversion: '1.0',
    id: 'e1',
    source: '/serin/cli',
    data: { bucket: 'drops', key: 'a.csv' },
  });
});

test('repeated invocations are counted by the deployment that answered', async () => {
  const { env } = await stubServer((_, index) =>
    index % 5 === 4 ? problem(500, 'down') : { headers: { 'x-serin-deployment': index % 5 === 0 ? 'v2' : 'v1' } },
  );

  const { exit, stdout } = await serin(['endpoints', 'invoke', 'fraud', '--data', '{}', '--repeat', '20', '--json'], {
    env,
  });

  expect(exit).toBe(1);
  expect(JSON.parse(stdout).items).toEqual([
    { deployment: 'v1', requests: 12, failed: 0 },
    { deployment: 'v2', requests: 4, failed: 0 },
    { deployment: 'nobody', requests: 4, failed: 4 },
  ]);
});
