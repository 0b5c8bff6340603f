import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { standardSigned } from '@serin/api/signatures';
import { compile, parseConfig } from '@serin/core/config/config';
import { type Server, startServer } from '@serin/local/compose';
import { expect, onTestFinished, test } from 'vitest';
import { receiver } from './receiver.ts';
import { newDirectory } from './serving-machine.ts';

const signing = 'whsec_c2lnbmluZy1rZXktb2YtYS10ZXN0';

function configFor(host: string) {
  const read = parseConfig({
    project: 'p',
    models: {
      m: {
        data: { bucket: 'drops', settle: { quiet: '100ms' } },
        train: {
          command: [process.execPath, '-e', "require('node:fs').writeFileSync(process.env.SM_MODEL_DIR + '/m', 'x')"],
        },
        approval: {},
      },
    },
    notify: [
      { webhook: { url: `http://${host}/hook`, secret: { secret: 'hooks' } }, allowPrivate: [host] },
      { slack: { url: { secret: 'slack' } }, allowPrivate: [host], on: ['run.*', 'version.*'] },
    ],
  });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return compile(read.parsed, new Map(), 'local');
}

function secretsIn(data: string, texts: Readonly<Record<string, string>>): void {
  mkdirSync(join(data, 'secrets'), { recursive: true });
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(data, 'secrets', name), `${text}\n`);
}

const start = (data: string) => startServer({ directory: data, port: 0, version: 'test', settleMs: 50 });

async function call({ url, token }: Server, method: string, path: string, body?: unknown) {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: answer.status, body: JSON.parse(await answer.text()) };
}

async function drop(server: Server, name: string): Promise<void> {
  const put = () => call(server, 'PUT', `/v1/buckets/drops/objects/${name}`, `"${name}"`).then(({ status }) => status);
  await expect.poll(put, { timeout: 10_000 }).toBeLessThan(300);
}

const typesOf = (heard: readonly { readonly body: string }[]) =>
  heard.map(({ body }) => JSON.parse(body).type.replace(/^dev\.serin\.|\.v1$/g, ''));

test('what happens reaches a webhook, signed, and Slack, and an outage of one is made good after a restart', async () => {
  const { heard, answers, host, at } = await receiver();
  const data = join(newDirectory(), 'data');
  secretsIn(data, { hooks: signing, slack: `http://${host}/services/T1` });
  answers['/services/T1'] = 503;
  const first = await start(data);
  expect((await call(first, 'POST', '/v1/releases', { config: configFor(host) })).status).toBe(202);

  await drop(first, 'a.csv');

  await expect.poll(() => typesOf(at('/hook')), { timeout: 30_000 }).toContain('run.succeeded');
  // On a busy machine a file is seen while it comes, and again once it is whole.
  const kinds = [...new Set(typesOf(at('/hook')))].slice(0, 4);
  expect(kinds).toEqual(['data.seen', 'dataset.settled', 'run.started', 'step.started']);
  for (const { headers, body } of at('/hook')) {
    const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = headers;
    const message = { id: String(id), timestamp: String(timestamp), body: Buffer.from(body) };
    expect(await standardSigned([signing], message, String(signature))).toBe(true);
    expect(JSON.parse(body).id).toBe(id);
  }
  expect(at('/services/T1')).toEqual([]);
  const why = async () => (await call(first, 'GET', '/v1/status')).body.models[0].untold;
  await expect
    .poll(why)
    .toContain(
      "the sink 'slack' was not told yet: it answered 503; check its settings and the receiver: said by the receiver",
    );

  await first.close();
  answers['/services/T1'] = 200;
  const second = await start(data);
  onTestFinished(() => second.close());
  await expect
    .poll(() => at('/services/T1').map(({ body }) => JSON.parse(body).text), { timeout: 60_000 })
    .toEqual(['*m* run started by data', expect.stringMatching(/^\*m v1\* run succeeded/), '*m v1* registered']);
  expect(heard.map(({ headers }) => headers['webhook-id']).filter((id) => id !== undefined)).toHaveLength(
    new Set(heard.map(({ headers }) => headers['webhook-id']).filter((id) => id !== undefined)).size,
  );
}, 120_000);

test('what a receiver refuses for good is a dead letter, and a replay delivers it', async () => {
  const { answers, host, at } = await receiver();
  const data = join(newDirectory(), 'data');
  secretsIn(data, { hooks: signing, slack: `http://${host}/services/T1` });
  answers['/hook'] = 422;
  const server = await start(data);
  onTestFinished(() => server.close());
  await call(server, 'POST', '/v1/releases', { config: configFor(host) });
  await drop(server, 'a.csv');
  const letters = async () => (await call(server, 'GET', '/v1/dead-letters?status=waiting')).body.deadLetters;
  const reasons = async () => (await letters()).map(({ because }: { readonly because: string }) => because).join();
  // Nothing is announced after it: a person has to decide.
  await expect.poll(reasons, { timeout: 30_000 }).toContain('approval.requested');
  const refused = await letters();
  const [letter] = refused;
  expect(letter.because).toMatch(
    /^the sink 'webhook' was not told of dev\.serin\..*: it answered 422; check .*: said by/,
  );

  answers['/hook'] = 200;
  const replayed = await call(server, 'POST', `/v1/dead-letters/${encodeURIComponent(letter.id)}/replay`, {});

  expect(replayed.status).toBe(202);
  await expect.poll(() => at('/hook').length, { timeout: 10_000 }).toBe(1);
  expect(letter.id).toBe(`notify/webhook/${at('/hook')[0]?.headers['webhook-id']}`);
  expect((await letters()).length).toBe(refused.length - 1);
}, 60_000);

test('a sink whose secret is missing is refused at the release, with where it would be looked for', async () => {
  const { host } = await receiver();
  const data = join(newDirectory(), 'data');
  const server = await start(data);
  onTestFinished(() => server.close());

  const { status, body } = await call(server, 'POST', '/v1/releases', { config: configFor(host) });

  expect(status).toBe(422);
  expect(body.errors).toMatchObject([
    {
      pointer: '/config/models/m/notify/0/settings/secret',
      detail: expect.stringContaining("there is no secret 'hooks'"),
    },
    {
      pointer: '/config/models/m/notify/1/settings/url',
      detail: expect.stringContaining("there is no secret 'slack'"),
    },
  ]);
});
