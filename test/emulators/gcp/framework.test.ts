import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Bundle, bundleFunctions } from '../../../scripts/bundle.ts';
import { emulatedGcp } from '../emulated.ts';
import { type Emulator, startFramework } from '../installed.ts';
import {
  administrator,
  type GoogleInstallation,
  messageOf,
  names,
  openInstallation,
  pushOf,
} from './functions-world.ts';
import { withoutSignature } from './issuer.ts';

const tick = '{"serin":{"tick":"model/fraud"}}';
const fixture = (name: string): Promise<string> =>
  readFile(join(import.meta.dirname, '..', '..', 'events', 'gcp', `${name}.json`), 'utf8');

type Name = 'signals' | 'api' | 'clock' | 'deadLetters';

function suite(): void {
  let folder: string;
  let bundles: readonly Bundle[];
  let google: GoogleInstallation;
  const running: (Emulator & { output(): string })[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'serin-framework-'));
    bundles = await bundleFunctions('gcp', folder);
  });
  beforeEach(async () => {
    google = await openInstallation({ suite: 'gcp-framework' });
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((each) => each.stop()));
    await google.stop();
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function open(name: Name, more: Readonly<Record<string, string | undefined>> = {}) {
    const variables = { ...google.variables(name), ...more };
    const file = bundles.find((bundle) => bundle.name === name)?.file ?? '';
    const instance = await startFramework({ file, target: name, variables });
    running.push(instance);
    return instance;
  }

  type Instance = Awaited<ReturnType<typeof open>>;
  type Headers = Readonly<Record<string, string>>;

  async function post(to: Instance, body: string | Uint8Array<ArrayBuffer>, headers: Headers) {
    const answer = await fetch(to.url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });
    return { status: answer.status, text: await answer.text() };
  }

  /** As Pub/Sub pushes a message whose text is this. */
  const push = async (to: Instance, name: Name, body: string) =>
    post(to, pushOf(messageOf(body)), { authorization: await google.bearer(name) });

  async function letters(api: Instance): Promise<readonly { readonly id: string }[]> {
    const answer = await fetch(`${api.url}/v1/dead-letters`, { headers: administrator });
    return ((await answer.json()) as { readonly deadLetters: readonly { readonly id: string }[] }).deadLetters;
  }

  test('are small, and the clock does not carry what it never calls', () => {
    const sizes = Object.fromEntries(bundles.map(({ name, bytes }) => [name, bytes / 1024]));

    // Each carries the engine, and so the checks of datasets, which are 28 KB, the detector of drift, which is 20 KB, and what joins labels, 7 KB.
    // The readers of datasets are a file beside it.
    expect(sizes.signals).toBeLessThan(560);
    expect(sizes.api).toBeLessThan(660);
    expect(sizes.clock).toBeLessThan(175);
    expect(sizes.deadLetters).toBeLessThan(175);
  });

  describe('signals', () => {
    test('takes a push, and what comes by Eventarc in either mode', async () => {
      const signals = await open('signals');
      const authorization = await google.bearer('signals');
      const { data, ...event } = JSON.parse(await fixture('storage-finalized'));
      const attributes = {
        'ce-specversion': '1.0',
        'ce-type': event.type,
        'ce-id': event.id,
        'ce-source': event.source,
      };

      const answers = [
        await push(signals, 'signals', tick),
        await post(signals, await fixture('storage-notification'), { authorization }),
        await post(signals, JSON.stringify(data), { authorization, ...attributes }),
        await post(signals, await fixture('storage-finalized'), {
          ...{ authorization, 'content-type': 'application/cloudevents+json; charset=utf-8' },
        }),
        await post(signals, await fixture('storage-background'), { authorization }),
      ];

      expect(answers).toEqual(answers.map(() => ({ status: 204, text: '' })));
      expect(signals.output()).toContain('object of no model');
    });

    test('refuses who is not one of ours, and looks at nothing', async () => {
      const signals = await open('signals', { SERIN_BEHIND_IAM: undefined });
      const audience = google.audience('signals');
      const { issuer } = google;
      const asked = google.google.calls.length;

      const refused = async (authorization?: string) =>
        (await post(signals, pushOf(messageOf(tick)), authorization === undefined ? {} : { authorization })).status;

      expect(await refused()).toBe(401);
      expect(await refused('Bearer x')).toBe(401);
      expect(await refused(await issuer.forged(audience))).toBe(401);
      expect(await refused(await issuer.bearer(google.audience('clock')))).toBe(401);
      expect(await refused(await issuer.bearer(audience, { exp: Math.floor(Date.now() / 1000) - 10 }))).toBe(401);
      expect(await refused(withoutSignature(await issuer.bearer(audience)))).toBe(401);
      expect(await refused(await issuer.bearer(audience, { email: 'eve@acme.iam.gserviceaccount.com' }))).toBe(403);
      expect(await refused(await issuer.bearer(audience, { email_verified: false }))).toBe(403);
      expect(google.google.calls.length).toBe(asked);
      expect(await refused(await issuer.bearer(audience))).toBe(204);
    });

    test('has a message come again while it cannot be told whether it is one of ours', async () => {
      const signals = await open('signals', { SERIN_BEHIND_IAM: undefined });
      const authorization = await google.issuer.bearer(google.audience('signals'));
      google.issuer.answer(500);

      expect((await post(signals, pushOf(messageOf(tick)), { authorization })).status).toBe(503);
      google.issuer.answer(200);

      expect((await post(signals, pushOf(messageOf(tick)), { authorization })).status).toBe(204);
    });

    test('has a message come again while its store is away', async () => {
      const signals = await open('signals');
      google.journalIsAway(true);

      expect((await push(signals, 'signals', tick)).status).toBe(503);
    });

    test.each([
      ['text', Buffer.from('hello').toString('base64')],
      ['bytes', Buffer.from([0xff, 0xfe]).toString('base64')],
      ['a tick of nothing', Buffer.from('{"serin":{}}').toString('base64')],
    ])('keeps %s that nobody can read as a dead letter, and does not ask for it again', async (_, data) => {
      const signals = await open('signals');

      const { status } = await post(signals, pushOf({ data }), { authorization: await google.bearer('signals') });

      expect(status).toBe(204);
      expect(await letters(await open('api'))).toMatchObject([{ stream: expect.stringContaining('queue') }]);
    });

    test('takes a request without a body, and one of ten megabytes, for what nobody can read', async () => {
      const signals = await open('signals');
      const authorization = await google.bearer('signals');

      expect((await post(signals, '', { authorization })).status).toBe(204);
      expect((await push(signals, 'signals', `{"x":"${'x'.repeat(7_000_000)}"`)).status).toBe(204);
      expect(await letters(await open('api'))).toHaveLength(2);
    });

    test('does not tell what is wrong with its deployment, and logs it', async () => {
      const signals = await open('signals', { SERIN_DATABASE: undefined });

      const { status, text } = await push(signals, 'signals', tick);

      expect(status).toBe(500);
      expect(text).not.toContain('SERIN_DATABASE');
      expect(signals.output()).toContain('SERIN_DATABASE is not set');
    });
  });

  describe('the API', () => {
    const content = Uint8Array.from({ length: 3_000_000 }, (_, index) => index % 251);
    const blob = `/v1/buckets/serin/objects/code%2Fblobs%2F${createHash('sha256').update(content).digest('hex')}`;
    const bytes = { ...administrator, 'content-type': 'application/octet-stream' };

    test('takes bytes as they were sent', async () => {
      const api = await open('api');
      const put = (body: Uint8Array<ArrayBuffer>) =>
        fetch(`${api.url}${blob}`, { method: 'PUT', body, headers: bytes });

      expect((await put(content)).status).toBe(201);
      expect((await put(content.slice(1))).status).toBe(422);
    });

    test('knows objects by their names, whichever signs are in them', async () => {
      const api = await open('api');
      const key = 'a b/100%/#1/+&?😀.csv';
      google.storage.put(names.drops, key, Buffer.from('x'));

      const listed = await fetch(`${api.url}/v1/buckets/drops/objects?prefix=${encodeURIComponent(key)}`, {
        headers: administrator,
      });

      expect(await listed.json()).toMatchObject({ objects: [{ key }] });
    });

    test.each([
      ['an object that is too large', 'PUT', new Uint8Array(32_000_001), {}, 413],
      ['an object that is packed', 'PUT', gzipSync('x'), { 'content-encoding': 'gzip' }, 415],
      ['a path that is not there', 'GET', undefined, {}, 404],
    ])('answers %s with a problem document', async (_, method, body, headers, status) => {
      const api = await open('api');

      const answer = await fetch(`${api.url}${method === 'GET' ? '/nowhere' : blob}`, {
        ...{ method, headers: { ...bytes, ...headers } },
        ...(body === undefined ? {} : { body: new Uint8Array(body) }),
      });

      expect(answer.status).toBe(status);
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
      expect(await answer.json()).toMatchObject({ status, requestId: expect.stringMatching(/^req_/) });
    });

    test('gets no body that only claims to be JSON: the framework refuses it, and says nothing of us', async () => {
      const api = await open('api');

      const { status, text } = await post(api, '{"a":', { ...administrator });

      expect(status).toBe(400);
      expect(text).not.toMatch(/serin|node_modules|at /i);
    });

    test('goes on after a client that breaks off, in its request or before the answer', async () => {
      const api = await open('api');
      const { port } = new URL(api.url);
      const head = `PUT ${blob} HTTP/1.1\r\nhost: x\r\nauthorization: ${administrator.authorization}\r\n`;

      for (const sent of [`${head}content-length: 1000\r\n\r\nhalf`, `${head}content-length: 4\r\n\r\nwhole`]) {
        const socket = connect(Number(port), '127.0.0.1');
        await once(socket, 'connect');
        socket.end(sent);
        socket.destroy();
      }

      const answer = await fetch(`${api.url}/livez`);
      expect(answer.status).toBe(200);
    });

    test('answers a method that no request can have', async () => {
      const api = await open('api');
      const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
      socket.write('TRACE /v1/models HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');

      const [text] = await once(socket, 'data');

      expect(String(text)).toMatch(/^HTTP\/1.1 405 /);
    });
  });

  describe('the clock', () => {
    test('is asked by Cloud Scheduler alone', async () => {
      const clock = await open('clock');

      expect((await post(clock, '', { authorization: await google.bearer('clock') })).status).toBe(204);
      expect((await post(clock, '', { authorization: await google.bearer('signals') })).status).toBe(401);
      expect((await post(clock, '', {})).status).toBe(401);
    });
  });

  describe('dead letters', () => {
    test('keep what the subscription gave up, and send it again as it was published', async () => {
      const deadLetters = await open('deadLetters');
      const attributes = { CloudPubSubDeadLetterSourceDeliveryCount: '5' };
      const body = pushOf({ ...messageOf(tick), attributes });
      const authorization = await google.bearer('deadLetters');

      const answers = [
        await post(deadLetters, body, { authorization }),
        await post(deadLetters, body, { authorization }),
        await post(deadLetters, body, {}),
      ];

      expect(answers.map(({ status }) => status)).toEqual([204, 204, 401]);
      const api = await open('api');
      const [letter, ...more] = await letters(api);
      const replay = `${api.url}/v1/dead-letters/${letter?.id}/replay`;
      await fetch(replay, { method: 'POST', headers: administrator });
      expect(more).toEqual([]);
      expect(google.bodies()).toEqual([tick]);
    });
  });
}

emulatedGcp("the bundled functions under Google's functions framework", suite);
