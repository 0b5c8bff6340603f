import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { asFault, type Fault } from '@serin/core/base/fault';
import type { CloudEvent } from '@serin/core/ports/bus';
import type { SinkPlan } from '@serin/core/ports/notify';
import { signatureOf } from '@serin/core/sinks/webhook';
import { afterEach, expect, test } from 'vitest';
import { notifier } from './notifier.ts';
import { isPrivate } from './post.ts';

const event: CloudEvent = {
  specversion: '1.0',
  id: 'model/fraud/7/0',
  source: 'serin://local/bank/prod',
  type: 'dev.serin.run.failed.v1',
  subject: 'runs/run_1',
  time: '2026-03-01T10:00:00Z',
  datacontenttype: 'application/json',
  data: { model: 'fraud', because: 'exit 1' },
};
const secretTexts: Readonly<Record<string, string>> = { hooks: 'whsec_c2VjcmV0LWtleQ==' };
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

interface Heard {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A receiver over real HTTP; `answer` decides what it says. */
async function receiver(answer: (response: ServerResponse) => void = (response) => response.end('ok')) {
  const heard: Heard[] = [];
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      heard.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(parts).toString() });
      answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { heard, host: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const webhookTo = (host: string, more: Partial<SinkPlan> = {}): SinkPlan => ({
  name: 'ops',
  kind: 'webhook',
  on: ['*'],
  allowPrivate: [host],
  settings: { url: `http://${host}/hook`, secret: { secret: 'hooks' } },
  ...more,
});

const notify = notifier({
  now: () => 1_700_000_000_000,
  secrets: async (variables) =>
    Object.fromEntries(
      Object.entries(variables).flatMap(([key, value]) => {
        if (typeof value === 'string') return [];
        const text = secretTexts[value.secret];
        if (text === undefined) throw new Error(`there is no secret '${value.secret}'`);
        return [[key, text]];
      }),
    ),
});

const faultOf = async (plan: SinkPlan): Promise<Fault> =>
  notify.deliver(plan, event).then(
    () => expect.fail('it was delivered'),
    (error: unknown) => asFault(error),
  );

test('an event reaches the receiver of a webhook, signed with the secret of that name', async () => {
  const { heard, host } = await receiver();

  await notify.deliver(webhookTo(host), event);

  expect(heard).toHaveLength(1);
  const [{ path, headers, body } = expect.fail()] = heard;
  expect(path).toBe('/hook');
  expect(JSON.parse(body)).toEqual(event);
  expect(headers['webhook-signature']).toBe(signatureOf('whsec_c2VjcmV0LWtleQ==', `${event.id}.1700000000.${body}`));
});

test('an event reaches Slack as one line', async () => {
  const { heard, host } = await receiver();

  await notify.deliver(webhookTo(host, { kind: 'slack', settings: { url: `http://${host}/services/T1` } }), event);

  expect(heard.map(({ body }) => JSON.parse(body))).toEqual([{ text: '*fraud* run failed: exit 1' }]);
});

test.each([
  [400, 'invalid'],
  [413, 'invalid'],
  [422, 'invalid'],
  [401, 'unavailable'],
  [404, 'unavailable'],
  [410, 'unavailable'],
  [302, 'unavailable'],
  [500, 'unavailable'],
  [429, 'throttled'],
])('an answer of %i is %s, with what the receiver said', async (status, code) => {
  const { host } = await receiver((response) => {
    response.writeHead(status, { location: 'http://169.254.169.254/' }).end('no such\nchannel');
  });

  const fault = await faultOf(webhookTo(host));

  expect([fault.code, fault.message]).toEqual([
    code,
    `it answered ${status}; check its settings and the receiver: no such channel`,
  ]);
});

test.each([
  [429, { 'retry-after': '120' }, 120_000],
  [503, { 'retry-after': '120' }, 120_000],
  [429, { 'retry-after': 'Sun, 01 Mar 2026 10:05:00 GMT', date: 'Sun, 01 Mar 2026 10:00:00 GMT' }, 300_000],
  [429, { 'retry-after': 'soon' }, undefined],
])('how long a receiver that answers %i wants to be left alone is heard: %j', async (status, headers, ms) => {
  const { host } = await receiver((response) => response.writeHead(status, headers).end());

  expect((await faultOf(webhookTo(host))).retryAfterMs).toBe(ms);
});

test('a redirect is not followed', async () => {
  const other = await receiver();
  const { host } = await receiver((response) => response.writeHead(307, { location: `http://${other.host}/` }).end());

  await faultOf(webhookTo(host));

  expect(other.heard).toEqual([]);
});

test('an answer without an end is read no further than needed', async () => {
  const { host } = await receiver((response) => {
    response.writeHead(500);
    const pour = () => {
      while (!response.destroyed && response.write('x'.repeat(10_000)));
    };
    response.on('drain', pour);
    pour();
  });

  expect((await faultOf(webhookTo(host))).message.length).toBeLessThan(300);
});

test.each([
  ['a private address that nobody allowed', { allowPrivate: [] }, 'name the host in allowPrivate'],
  ['another host allowed', { allowPrivate: ['127.0.0.1:1'] }, 'name the host in allowPrivate'],
])('%s is not asked', async (_, more, reason) => {
  const { heard, host } = await receiver();

  const fault = await faultOf(webhookTo(host, more));

  expect(fault.code).toBe('unavailable');
  expect(fault.message).toContain(reason);
  expect(heard).toEqual([]);
});

test('a name whose address is private is not asked, with TLS or without', async () => {
  const plan = webhookTo('localhost', {
    allowPrivate: [],
    settings: { url: 'https://localhost:9/x', secret: { secret: 'hooks' } },
  });

  expect((await faultOf(plan)).message).toMatch(/private address (127\.0\.0\.1|::1)/);
});

test.each([
  ['127.0.0.1', true],
  ['10.1.2.3', true],
  ['169.254.169.254', true],
  ['100.100.100.200', true],
  ['::1', true],
  ['::ffff:10.0.0.1', true],
  ['::ffff:a00:1', true],
  ['::ffff:0:a00:1', true],
  ['::10.0.0.1', true],
  ['fec0::1', true],
  ['fe80::1', true],
  ['5f00::1', true],
  ['3fff::1', true],
  ['2002:a00:1::', true],
  ['168.63.129.16', true],
  ['192.88.99.1', true],
  ['fd00:ec2::254', true],
  ['64:ff9b::a00:1', true],
  ['0.0.0.0', true],
  ['8.8.8.8', false],
  ['2606:4700::1111', false],
])('%s is private: %s', (address, expected) => {
  expect(isPrivate(address)).toBe(expected);
});

test.each([
  [
    'a secret that is missing',
    { settings: { url: 'https://a.example', secret: { secret: 'nobody' } } },
    "there is no secret 'nobody'",
  ],
  ['an address that is none', { settings: { url: 'chat', secret: { secret: 'hooks' } } }, 'is not an address'],
  ['a kind that newer code wrote', { kind: 'pager' }, "no sink of the kind 'pager'"],
  ['a kind with the name of what each object has', { kind: 'toString' }, "no sink of the kind 'toString'"],
  [
    'an address that is not of the web, also of a host that is allowed',
    { settings: { url: 'ftp://127.0.0.1:9/x', secret: { secret: 'hooks' } } },
    'does not begin with https',
  ],
  [
    'a private address in the form of IPv6',
    { allowPrivate: [], settings: { url: 'https://[fd00::1]/x', secret: { secret: 'hooks' } } },
    'private address fd00::1',
  ],
])('%s waits until somebody mends it, with the reason', async (_, more, reason) => {
  const fault = await faultOf(webhookTo('127.0.0.1:9', more));

  expect(fault.code).toBe('unavailable');
  expect(fault.message).toContain(reason);
});

test('a host that is allowed without its port is allowed on each', async () => {
  const { heard, host } = await receiver();

  await notify.deliver(webhookTo(host, { allowPrivate: ['127.0.0.1'] }), event);

  expect(heard).toHaveLength(1);
});

test('no reason has the text of a setting in it when nobody can be reached', async () => {
  const send = () => Promise.reject(new Error('connect to https://a.example/T1/longer or https://a.example/T1 failed'));
  const secrets = async () => ({});
  const settings = { url: 'https://a.example/T1', secret: 'https://a.example/T1/longer' };

  const delivery = notifier({ now: () => 0, secrets, send }).deliver(
    { name: 'ops', kind: 'slack', on: ['*'], settings },
    event,
  );

  await expect(delivery).rejects.toMatchObject({
    code: 'unavailable',
    message: 'connect to <setting> or <setting> failed',
  });
});

test.each([
  ['its path', (path: string) => `Cannot POST ${path}`, ': Cannot POST <setting>'],
  ['a key of its path', (path: string) => `no hook ${path.slice(10, 34)}`, ': no hook <setting>'],
  ['a key of its query', () => 'sig s3cr3t! is wrong', ': sig <setting> is wrong'],
  ['a path that is cut', (path: string) => `${'x'.repeat(190)} ${path}`, `: ${'x'.repeat(190)} <setting>`],
])('no reason has of an address %s in it', async (_, says, reason) => {
  const path = '/services/XXXXXXXXXXXXXXXXXXXXXXXX?sig=s3cr3t%21';
  const { host } = await receiver((response) => response.writeHead(404).end(says(path)));

  const { message } = await faultOf(webhookTo(host, { kind: 'slack', settings: { url: `http://${host}${path}` } }));

  expect(message.slice(message.indexOf(': '))).toBe(reason);
});

test('no reason has one of several secrets in it', async () => {
  const { host } = await receiver((response) => response.writeHead(403).end('not whsec_bmV3LWtleQ== but another'));
  const settings = { url: `http://${host}/hook`, secret: 'whsec_b2xkLWtleQ== whsec_bmV3LWtleQ==' };

  const { message } = await faultOf(webhookTo(host, { settings }));

  expect(message).toMatch(/: not <setting> but another$/);
});

test('no reason has the text of a setting in it, whatever the receiver says', async () => {
  const { host } = await receiver((response) =>
    response.writeHead(403).end(`whsec_c2VjcmV0LWtleQ== of http://${host}/hook`),
  );

  const { message } = await faultOf(webhookTo(host));

  expect(message).toBe('it answered 403; check its settings and the receiver: <setting> of <setting>');
});

const mlflowAt = (host: string, more: Partial<SinkPlan> = {}): SinkPlan =>
  webhookTo(host, { kind: 'mlflow', settings: { url: `http://${host}`, token: { secret: 'hooks' } }, ...more });
const ended: CloudEvent = { ...event, data: { model: 'fraud', run: 'run_1', status: 'failed', because: 'exit 1' } };

test('a sink of several requests is sent one after the other, each by what was answered before', async () => {
  const answers = ['{"experiment":{"experiment_id":"3"}}', '{"runs":[{"info":{"run_id":"abc"}}]}', '{}', '{}'];
  const { heard, host } = await receiver((response) => response.end(answers.shift()));
  const { deliver } = notifier({ secrets: async () => ({ token: 'key-of-a-test' }), now: () => 0 });

  await deliver(mlflowAt(host), ended);

  expect(heard.map(({ path }) => path.replace('/api/2.0/mlflow/', ''))).toEqual([
    'experiments/get-by-name?experiment_name=fraud',
    'runs/search',
    'runs/log-batch',
    'runs/update',
  ]);
  expect(JSON.parse(heard[3]?.body ?? '')).toMatchObject({ run_id: 'abc' });
  expect(heard[1]?.headers).toMatchObject({ authorization: 'Bearer key-of-a-test' });
});

test('of several requests the first that fails ends the delivery', async () => {
  const { heard, host } = await receiver((response) =>
    response.writeHead(heard.length > 1 ? 503 : 200).end('{"experiment":{"experiment_id":"3"}}'),
  );
  const { deliver } = notifier({ secrets: async () => secretTexts, now: () => 0 });

  const fault: Fault = await deliver(mlflowAt(host), ended).then(() => asFault('delivered'), asFault);

  expect(fault.code).toBe('unavailable');
  expect(heard).toHaveLength(2);
});

test('an answer that a sink cannot read waits until somebody mends the url, without the text of a setting', async () => {
  const { host } = await receiver((response) => response.end(`<p>${secretTexts.hooks}</p>`));
  const { deliver } = notifier({ secrets: async () => ({ token: secretTexts.hooks ?? '' }), now: () => 0 });

  const fault: Fault = await deliver(mlflowAt(host), ended).then(() => asFault('delivered'), asFault);

  expect([fault.code, fault.message]).toEqual([
    'unavailable',
    expect.stringContaining("the sink 'ops' cannot be used"),
  ]);
  expect(fault.message).not.toContain(secretTexts.hooks);
});

test('a receiver that answers each of several requests slowly does not hold the delivery for long', async () => {
  let at = 0;
  const { heard, host } = await receiver((response) => {
    at += 20_000;
    response.end('{"experiment":{"experiment_id":"3"},"runs":[{"info":{"run_id":"abc"}}]}');
  });
  const { deliver } = notifier({ secrets: async () => secretTexts, now: () => at });

  const fault: Fault = await deliver(mlflowAt(host), ended).then(() => asFault('delivered'), asFault);

  expect(fault.message).toMatch(/answers too slowly/);
  expect(heard).toHaveLength(2);
});
