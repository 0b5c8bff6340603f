import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault } from '@serin/core/base/fault';
import { compile, parseConfig } from '@serin/core/config/config';
import { type Server, startServer } from '@serin/local/compose';
import { launch } from '@serin/local/machine/server-process';
import { localJobs } from '@serin/local/ports/jobs';
import { expect, onTestFinished, test } from 'vitest';
import { aJob, ended } from './jobs.contract.ts';
import { newDirectory } from './serving-machine.ts';

/** Planted where a secret is; it must be found nowhere else. */
const canaries = { 'api-key': 'canary-c0ffee-in-a-file', 'model-key': 'canary-decaf-of-the-model-server' };
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Leaves the digest of its secret as the model: who reads it knows what the program was given. */
const trainer = `
  const digest = require('node:crypto').createHash('sha256').update(process.env.API_KEY).digest('hex');
  require('node:fs').writeFileSync(process.env.SM_MODEL_DIR + '/model.txt', digest + ' ' + process.env.MODE);
`;
const server = `
  const digest = require('node:crypto').createHash('sha256').update(process.env.API_KEY).digest('hex');
  require('node:http').createServer((request, response) => {
    request.resume();
    request.on('end', () => response.end(digest));
  }).listen(process.env.PORT, '127.0.0.1');
`;

const model = {
  data: { bucket: 'drops', prefix: '', settle: { quiet: '100ms' } },
  train: {
    command: [process.execPath, '-e', trainer],
    environment: { API_KEY: { secret: 'api-key' }, MODE: 'plain' },
  },
  approval: {},
  serve: { command: [process.execPath, '-e', server], environment: { API_KEY: { secret: 'model-key' } } },
  rollout: { strategy: 'allAtOnce' },
} as const;

function compiled(environment: object = model.train.environment) {
  const read = parseConfig({ project: 'p', models: { m: { ...model, train: { ...model.train, environment } } } });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return compile(read.parsed, new Map(), 'local');
}

async function start(logged: string[] = []) {
  const directory = newDirectory();
  const data = join(directory, 'data');
  mkdirSync(join(data, 'secrets'), { recursive: true });
  for (const [name, text] of Object.entries(canaries)) writeFileSync(join(data, 'secrets', name), `${text}\n`);
  const started = await startServer({ directory: data, port: 0, version: 'test', log: (line) => logged.push(line) });
  onTestFinished(() => started.close());
  return { data, started };
}

async function call({ url, token }: Server, method: string, path: string, body?: unknown) {
  const json = body === undefined ? {} : { 'content-type': 'application/json' };
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...json },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, text };
}

test('a secret that a config names reaches its program, and stands nowhere but where it was put', async () => {
  const logged: string[] = [];
  const { data, started } = await start(logged);
  expect((await call(started, 'POST', '/v1/releases', { config: compiled() })).status).toBe(202);
  await expect.poll(() => readdirSync(join(data, 'buckets')), { timeout: 5000 }).toContain('drops');
  await call(started, 'PUT', '/v1/buckets/drops/objects/a.csv', 'x\n1\n');
  const poll = (path: string) => call(started, 'GET', path).then(({ text }) => text);
  await expect.poll(() => poll('/v1/models/m/versions'), { timeout: 30_000, interval: 100 }).toContain('"pending"');

  await call(started, 'POST', '/v1/models/m/versions/1/approve', {});
  const predict = () => fetch(`${started.url}/endpoints/m/invocations`, { method: 'POST', body: '1' });
  await expect.poll(async () => (await predict()).status, { timeout: 30_000, interval: 100 }).toBe(200);

  expect(await (await predict()).text()).toBe(sha256(canaries['model-key']));
  expect(contentsUnder(data).find(({ path }) => path.endsWith('model.txt'))?.content).toBe(
    `${sha256(canaries['api-key'])} plain`,
  );
  const pages = ['/v1/models/m', '/v1/models/m/entries', '/v1/runs', '/v1/status', '/v1/tokens'];
  const said = [...(await Promise.all(pages.map(poll))), ...logged].join('\n');
  expect(leaksUnder(data)).toEqual([]);
  for (const text of Object.values(canaries)) expect(said).not.toContain(text);
}, 60_000);

test('a secret that is not there is refused at the release, with where it would be looked for', async () => {
  const { data, started } = await start();

  const { status, text } = await call(started, 'POST', '/v1/releases', {
    config: compiled({ API_KEY: { secret: 'other-key' } }),
  });

  expect(status).toBe(422);
  expect(JSON.parse(text).errors).toEqual([
    {
      pointer: '/config/models/m/train/environment/API_KEY',
      detail: `there is no secret 'other-key'; write it into ${join(data, 'secrets', 'other-key')}, or set SERIN_SECRET_OTHER_KEY for the server and start it again`,
    },
  ]);
});

test('a secret with a NUL byte is refused by its name and its file, at the release and at a start, and its text is told nowhere', async () => {
  const logged: string[] = [];
  const { data, started } = await start(logged);
  const file = join(data, 'secrets', 'api-key');
  const said = `the secret 'api-key' in ${file} has a NUL byte, which a program cannot be given; write it as plain text, such as base64`;
  const withNul = () => writeFileSync(file, `${canaries['api-key']}\0tail`);
  withNul();
  const refused = await call(started, 'POST', '/v1/releases', { config: compiled() });
  writeFileSync(file, canaries['api-key']);
  await call(started, 'POST', '/v1/releases', { config: compiled() });
  await expect.poll(() => readdirSync(join(data, 'buckets')), { timeout: 5000 }).toContain('drops');

  withNul();
  await call(started, 'PUT', '/v1/buckets/drops/objects/a.csv', 'x\n1\n');
  const poll = (path: string) => call(started, 'GET', path).then(({ text }) => text);
  await expect.poll(() => poll('/v1/runs'), { timeout: 30_000, interval: 100 }).toContain('"failed"');

  expect([refused.status, JSON.parse(refused.text).errors]).toEqual([
    422,
    [{ pointer: '/config/models/m/train/environment/API_KEY', detail: said }],
  ]);
  const [run] = JSON.parse(await poll('/v1/runs')).runs;
  const pages = await Promise.all([`/v1/runs/${run.id}`, '/v1/models/m', '/v1/models/m/entries'].map(poll));
  expect(pages[0]).toContain(said);
  expect([...pages, refused.text, ...logged].join('\n')).not.toContain(canaries['api-key']);
  expect(leaksUnder(data)).toEqual([]);
}, 60_000);

test('a program that cannot be started for its environment fails by the code of the error, not by what is in it', async () => {
  const directory = newDirectory();
  const text = `${canaries['api-key']}\0tail`;
  const runner = fileURLToPath(new URL('../../packages/local/src/machine/runner.ts', import.meta.url));
  const jobs = localJobs({
    ...{ directory: join(directory, 'jobs'), runner, secrets: () => text },
    readObject: async () => undefined,
    materialise: async () => {},
  });
  onTestFinished(() => jobs.close());
  const { id } = await jobs.start(aJob('run_1/train/1', { environment: { API_KEY: { secret: 'api-key' } } }));

  const server = launch({
    ...{ command: [process.execPath], folder: directory, log: join(directory, 'log.txt') },
    environment: { API_KEY: text },
  });

  const reason = 'ERR_INVALID_ARG_VALUE (a NUL character in its command or its environment)';
  await expect(server).rejects.toThrow(
    new Fault('invalid', `cannot start ${process.execPath}; check the command of the deployment: ${reason}`),
  );
  expect(await ended(jobs, id)).toMatchObject({ status: 'failed', reason: `could not start 'node': ${reason}` });
  expect(leaksUnder(directory)).toEqual([]);
});

/** Files, other than those of the secrets, in which the text of one is. */
function leaksUnder(directory: string): readonly string[] {
  return contentsUnder(directory)
    .filter(({ path }) => !path.includes('/secrets/'))
    .filter(({ content }) => Object.values(canaries).some((text) => content.includes(text)))
    .map(({ path }) => path);
}

function contentsUnder(directory: string): readonly { readonly path: string; readonly content: string }[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    if (!entry.isFile()) return [];
    const path = join(entry.parentPath, entry.name);
    return [{ path, content: readFileSync(path, 'latin1') }];
  });
}
