import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Bundle, bundleFunctions } from '../../../scripts/bundle.ts';
import { emulatedAzure } from '../emulated.ts';
import { application } from './entra.ts';
import { type FunctionApp, functionApp } from './functions-host.ts';
import { type AzureInstallation, administrator, names, openInstallation } from './functions-world.ts';
import { StorageRefusal } from './storage-rules.ts';

const tick = '{"serin":{"tick":"model/fraud"}}';
const fixture = (name: string): Promise<string> =>
  readFile(join(import.meta.dirname, '..', '..', 'events', 'azure', `${name}.json`), 'utf8');

type Name = 'signals' | 'api' | 'clock' | 'deadLetters';
const dead = `${names.queue}/$DeadLetterQueue`;

function suite(): void {
  let folder: string;
  let bundles: readonly Bundle[];
  let azure: AzureInstallation;
  const running: FunctionApp[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'serin-functions-'));
    bundles = await bundleFunctions('azure', folder);
  });
  beforeEach(async () => {
    azure = await openInstallation({ suite: 'azure-functions' });
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((each) => each.stop()));
    await azure.stop();
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  function open(name: Name, more: Readonly<Record<string, string>> = {}): FunctionApp {
    const file = bundles.find((bundle) => bundle.name === name)?.file ?? '';
    const app = functionApp({ folder: dirname(file), variables: { ...azure.variables(name), ...more } });
    running.push(app);
    return app;
  }
  const letters = async (): Promise<readonly Letter[]> =>
    JSON.parse((await open('api').request('/v1/dead-letters', { headers: administrator })).text).deadLetters;

  /** The journal refuses this call for as long as it is repeated. */
  function refuse(operation: string): void {
    const busy = new StorageRefusal(503, 'ServerBusy', 'The server is busy.');
    azure.storage.mood(`table:${operation}`, busy, busy, busy);
  }

  test('are small, and what never calls Azure ML does not carry it', () => {
    const sizes = Object.fromEntries(bundles.map(({ name, bytes }) => [name, bytes / 1024]));

    // Microsoft's client of Service Bus is 500 KB of each.
    // Each carries the engine, and so the checks of datasets, which are 28 KB, the detector of drift, which is 20 KB, and what joins labels, 7 KB.
    // The readers of datasets are a file beside it.
    expect(sizes.signals).toBeLessThan(1040);
    expect(sizes.api).toBeLessThan(1270);
    expect(sizes.clock).toBeLessThan(650);
    expect(sizes.deadLetters).toBeLessThan(650);
  });

  test('are registered with the triggers that an installation has', async () => {
    const registered = await Promise.all(
      bundles.map(async ({ name }) => {
        const functions = await open(name as Name).functions();
        return functions.map((each) => [name, each.name, Object.values(each.bindings)[0]] as const);
      }),
    );

    const queue = { connection: 'SERIN_SERVICE_BUS', cardinality: 'one', isSessionsEnabled: false };
    expect(registered.flat()).toMatchObject([
      ['signals', 'signals', { type: 'serviceBusTrigger', queueName: '%SERIN_QUEUE%', ...queue }],
      ['api', 'events', { type: 'httpTrigger', route: 'azure/events', methods: ['POST', 'OPTIONS'] }],
      ['api', 'api', { type: 'httpTrigger', route: '{*path}', authLevel: 'anonymous' }],
      ['clock', 'clock', { type: 'timerTrigger', schedule: '0 * * * * *', runOnStartup: false, useMonitor: true }],
      ['deadLetters', 'deadLetters', { queueName: '%SERIN_QUEUE%/$deadletterqueue', ...queue }],
    ]);
  });

  describe('signals', () => {
    test('takes what Event Grid sends, and what Azure Monitor says', async () => {
      const signals = open('signals');
      for (const name of ['blob-created', 'blob-created-batch', 'run-completed', 'alert'])
        await azure.publish(await fixture(name));
      await azure.publish(tick);

      while (await signals.deliver());

      expect(azure.bus.waiting(names.queue)).toEqual([]);
      for (const kind of ['object', 'job', 'alarm']) expect(signals.output()).toContain(`${kind} of no model`);
    });

    test.each([
      ['a text', 'hello'],
      ['a number', '5'],
      ['a tick of nothing', '{"serin":{}}'],
      ['a nest', `${'{"a":'.repeat(9000)}1${'}'.repeat(9000)}`],
    ])('keeps %s that nobody can read as a dead letter, and does not ask for it again', async (_, body) => {
      await azure.publish(body);

      expect(await open('signals').deliver()).toBe(true);

      expect([azure.bus.waiting(names.queue), azure.bus.waiting(dead)]).toEqual([[], []]);
      expect(await letters()).toMatchObject([{ stream: expect.stringContaining('queue') }]);
    });

    test('puts a message off while its store is away, longer each time, and takes it when the store is back', async () => {
      const signals = open('signals');
      await azure.publish(await fixture('blob-created'));

      refuse('QueryEntities');
      await signals.deliver();
      const waits = [azure.bus.waiting(names.queue).length, azure.bus.scheduled(names.queue)];
      azure.bus.pass(14_000);
      const early = azure.bus.waiting(names.queue).length;
      azure.bus.pass(2_000);
      await signals.deliver();

      expect([waits, early]).toEqual([[0, 1], 0]);
      expect([azure.bus.waiting(names.queue).length, azure.bus.scheduled(names.queue)]).toEqual([0, 0]);
      expect(signals.output()).toContain('object of no model');
    });

    test('tries a message five times in all, after 15 s, 1, 4 and 12 minutes', async () => {
      const signals = open('signals');
      await azure.publish(tick);
      const waits: number[] = [];

      for (let attempt = 1; attempt <= 5; attempt += 1) {
        refuse('QueryEntities');
        await signals.deliver();
        for (const seconds of [15, 45, 180, 480]) {
          if (azure.bus.scheduled(names.queue) === 0) break;
          azure.bus.pass(seconds * 1000);
          waits.push(seconds);
        }
      }

      expect(waits).toEqual([15, 15, 45, 15, 45, 180, 15, 45, 180, 480]);
      expect(azure.bus.waiting(names.queue)).toEqual([]);
      expect(await letters()).toHaveLength(1);
    });

    test('makes a message that it could not take five times a dead letter, under the id that it had first', async () => {
      const ApplicationProperties = { copyOf: 'first', attempt: '5' };

      refuse('QueryEntities');
      await open('signals').call(tick, { MessageId: 'first/5', DeliveryCount: 1, ApplicationProperties });

      expect(azure.bus.scheduled(names.queue)).toBe(0);
      expect(await letters()).toMatchObject([{ id: 'first' }]);
    });

    test('gives such a message back while its dead letter cannot be written', async () => {
      const ApplicationProperties = { copyOf: 'first', attempt: '5' };

      refuse('QueryEntities');
      refuse('EntityGroupTransaction');
      const called = open('signals').call(tick, { MessageId: 'first/5', DeliveryCount: 1, ApplicationProperties });

      await expect(called).rejects.toThrow('first is not done');
    });

    test('gives a message back when it can be neither taken nor put off', async () => {
      const signals = open('signals', { SERIN_TABLE: 'notthere', SERIN_QUEUE: 'notthere' });

      await expect(signals.call(tick, { MessageId: 'm', DeliveryCount: 1 })).rejects.toThrow('m is not done');
    });

    test('gets a message again whose instance was killed in the middle', async () => {
      const signals = open('signals');
      await signals.functions();
      const held = Promise.withResolvers<void>();
      azure.storage.mood('table:QueryEntities', held.promise);
      await azure.publish(await fixture('blob-created'));

      const delivered = signals.deliver();
      await expect.poll(() => azure.bus.locked(names.queue), { timeout: 20_000 }).toBe(1);
      signals.kill();
      await delivered;
      held.resolve();
      const given = azure.bus.waiting(names.queue).map(({ deliveries }) => deliveries);
      await signals.deliver();

      expect([given, azure.bus.waiting(names.queue)]).toEqual([[1], []]);
      expect(signals.output()).toContain('object of no model');
    });

    test('says in the log what is wrong with its deployment', async () => {
      const signals = open('signals', { SERIN_TABLE: '' });
      await azure.publish(tick);

      await signals.deliver();

      expect(signals.output()).toContain('SERIN_TABLE is not set');
      expect(azure.bus.waiting(names.queue)).toHaveLength(1);
    });
  });

  describe('the API', () => {
    const content = Uint8Array.from({ length: 3_000_000 }, (_, index) => index % 251);
    const blob = `/v1/buckets/serin/objects/code%2Fblobs%2F${createHash('sha256').update(content).digest('hex')}`;
    const bytes = { ...administrator, 'content-type': 'application/octet-stream' };

    test('takes bytes as they were sent', async () => {
      const api = open('api');

      expect(await api.request(blob, { method: 'PUT', body: content, headers: bytes })).toMatchObject({ status: 201 });
      expect(await api.request(blob, { method: 'PUT', body: content.slice(1), headers: bytes })).toMatchObject({
        status: 422,
      });
    });

    test('knows objects by their names, whichever signs are in them', async () => {
      const key = 'a b/100%/#1/+&?😀.csv';
      await azure.put(names.drops, key, 'x');

      const { text } = await open('api').request(`/v1/buckets/drops/objects?prefix=${encodeURIComponent(key)}`, {
        headers: administrator,
      });

      expect(JSON.parse(text)).toMatchObject({ objects: [{ key }] });
    });

    test.each([
      ['an object that is packed', 'PUT', gzipSync('x'), { 'content-encoding': 'gzip' }, 422],
      ['a path that is not there', 'GET', '', {}, 404],
      ['a method that the path does not have', 'DELETE', '', {}, 405],
    ])('answers %s with a problem document', async (_, method, body, headers, status) => {
      const path = method === 'GET' ? '/nowhere' : blob;

      const answer = await open('api').request(path, { method, body, headers: { ...bytes, ...headers } });

      expect(answer.status).toBe(status);
      expect(answer.headers['content-type']).toBe('application/problem+json');
      expect(JSON.parse(answer.text)).toMatchObject({ status, requestId: expect.stringMatching(/^req_/) });
    });

    test('has told who performs what a request made a stream owe when it answers', async () => {
      const headers = { ...administrator, 'content-type': 'application/json' };

      const { status } = await open('api').request('/v1/freeze', {
        method: 'POST',
        body: '{"because":"inventory"}',
        headers,
      });

      expect(status).toBe(202);
      const [told, ...more] = azure.bus.waiting(names.queue);
      expect([String(told?.message.body.content), more]).toEqual(['{"serin":{"tick":"project"}}', []]);
    });

    test('does not tell a caller what is wrong with its deployment, and logs it', async () => {
      const api = open('api', { SERIN_TABLE: '' });

      const { status, text } = await api.request('/v1/models', { headers: administrator });

      expect(status).toBe(500);
      expect(text).not.toContain('SERIN_TABLE');
      expect(api.output()).toContain('SERIN_TABLE is not set');
    });

    test('is alive, and answers a HEAD without content', async () => {
      const api = open('api');

      expect(await api.request('/livez')).toMatchObject({ status: 200 });
      expect(await api.request('/livez', { method: 'HEAD' })).toMatchObject({ text: '' });
    });
  });

  describe('what Azure delivers over HTTP', () => {
    const deliver = async (api: FunctionApp, authorization?: string, name = 'alert') =>
      api.request('/azure/events', {
        ...{ method: 'POST', body: await fixture(name) },
        headers: { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) },
      });

    test('is in the queue when it is answered, if it is from Azure Monitor', async () => {
      const api = open('api');

      const { status } = await deliver(api, await azure.entra.bearer(`api://${application}`));

      expect(status).toBe(200);
      expect(azure.bus.waiting(names.queue)).toHaveLength(1);
    });

    test('is refused from anybody else, and nothing of it is read', async () => {
      const api = open('api');
      const { entra } = azure;
      const audience = `api://${application}`;

      expect((await deliver(api)).status).toBe(401);
      expect((await deliver(api, administrator.authorization)).status).toBe(401);
      expect((await deliver(api, await entra.forged(audience))).status).toBe(401);
      expect((await deliver(api, await entra.bearer('https://management.azure.com/'))).status).toBe(401);
      expect((await deliver(api, await entra.bearer(audience, { appid: 'x' }))).status).toBe(403);
      expect((await deliver(api, undefined, 'subscription-validation')).status).toBe(401);
      expect(azure.bus.waiting(names.queue)).toEqual([]);
    });

    test('comes again while nobody can tell whose it is, and while the queue is away', async () => {
      const api = open('api');
      const authorization = await azure.entra.bearer(`api://${application}`);
      azure.entra.answer(500);

      expect((await deliver(api, authorization)).status).toBe(503);
      azure.entra.answer(200);

      expect((await deliver(api, authorization)).status).toBe(200);
    });

    test('comes again also while the queue itself is not there, for an alert that is refused is lost', async () => {
      const api = open('api', { SERIN_QUEUE: 'notthere' });

      const { status } = await deliver(api, await azure.entra.bearer(`api://${application}`));

      expect(status).toBe(503);
    });

    test('is answered with the code that Event Grid wants back', async () => {
      const { status, text } = await deliver(
        open('api'),
        await azure.entra.bearer(`api://${application}`),
        'subscription-validation',
      );

      expect([status, JSON.parse(text).validationResponse]).toEqual([200, '512d38b6-c7b8-40c8-89fe-f46f9e9622b6']);
    });

    test('has no place where no application of Entra stands for the installation', async () => {
      const api = open('api', { SERIN_ALARM_TENANT: '' });

      expect((await deliver(api, await azure.entra.bearer(`api://${application}`))).status).toBe(404);
    });
  });

  test('the clock finds nothing to do in an installation in which nothing happened', async () => {
    const clock = open('clock');

    await clock.tick();

    expect([azure.bus.waiting(names.queue), azure.bus.scheduled(names.queue)]).toEqual([[], 0]);
  });

  test('dead letters give back what they cannot write', async () => {
    refuse('EntityGroupTransaction');
    const deadLetters = open('deadLetters');

    await expect(deadLetters.call(tick, { MessageId: 'kept' })).rejects.toThrow('kept is not done');
    await deadLetters.call(tick, { MessageId: 'kept' });

    expect(await letters()).toMatchObject([{ id: 'kept' }]);
  });

  test('dead letters are rid of a message that nobody can write down', async () => {
    await open('deadLetters').call(`${'['.repeat(9000)}${']'.repeat(9000)}`, { MessageId: 'deep', DeliveryCount: 11 });

    expect(await letters()).toMatchObject([{ id: 'deep' }]);
  });

  test('dead letters keep what the queue gave up, and send it again as it was', async () => {
    const body = await fixture('blob-created');
    for (let delivered = 1; delivered <= 2; delivered += 1)
      await open('deadLetters').call(body, { MessageId: 'given-up', DeliveryCount: delivered });

    const [letter, ...more] = await letters();
    const replay = `/v1/dead-letters/${letter?.id}/replay`;
    const { status } = await open('api').request(replay, { method: 'POST', headers: administrator });

    expect([letter?.id, more, status]).toEqual(['given-up', [], 202]);
    const [sent] = azure.bus.waiting(names.queue);
    expect(JSON.parse(String(sent?.message.body.content ?? sent?.message.body))).toEqual(JSON.parse(body));
  });
}
interface Letter {
  readonly id: string;
  readonly stream: string;
}

emulatedAzure('the bundled functions under the host of Azure Functions', suite);
