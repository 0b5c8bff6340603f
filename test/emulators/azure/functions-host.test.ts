import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bundle } from '../../../scripts/bundle.ts';
import { type FunctionApp, functionApp } from './functions-host.ts';

const code = `
import { app } from '@azure/functions';
const calls = [];
app.serviceBusQueue('signals', {
  queueName: '%QUEUE%', connection: 'BUS', cardinality: 'one',
  handler: async (message, { triggerMetadata }) => {
    if (message === 'hang') await new Promise(() => {});
    if (message === 'throw') throw new Error('not now');
    calls.push({ message, metadata: triggerMetadata, at: Date.now() });
  },
});
app.timer('clock', { schedule: '0 * * * * *', handler: (timer) => void calls.push({ timer }) });
app.http('calls', { route: 'own/calls', methods: ['GET'], authLevel: 'anonymous', handler: () => ({ jsonBody: calls }) });
app.http('echo', {
  route: '{*path}', methods: ['GET', 'HEAD', 'PUT'], authLevel: 'anonymous',
  handler: async (request) => {
    const bytes = [...new Uint8Array(await request.arrayBuffer())];
    const { url, method, params } = request;
    return { status: 201, headers: { 'x-a': request.headers.get('x-a') ?? '' }, jsonBody: { url, method, bytes, params } };
  },
});
process.stdout.write('loaded\\n');
`;

let folder: string;
let app: FunctionApp;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serin-host-'));
  // Under the name of one of ours it gets that one's host.json.
  await bundle('azure', { name: 'signals', code }, folder);
  app = open();
});
afterEach(async () => {
  await app.stop();
  await rm(folder, { recursive: true });
});

const open = (more: object = {}) =>
  functionApp({ folder: join(folder, 'signals'), variables: { QUEUE: 'signals', BUS: '' }, ...more });
const calls = async () => JSON.parse((await app.request('/own/calls')).text);

test('an app registers its functions, with their triggers, by loading what package.json names', async () => {
  const functions = await app.functions();

  expect(functions.map(({ name, bindings }) => [name, Object.values(bindings).map(({ type }) => type)])).toEqual([
    ['signals', ['serviceBusTrigger']],
    ['clock', ['timerTrigger']],
    ['calls', ['httpTrigger', 'http']],
    ['echo', ['httpTrigger', 'http']],
  ]);
  expect(app.output()).toBe('loaded\n');
});

test('a request reaches the function of the most exact route, bytes and all', async () => {
  const sent = { method: 'PUT', headers: { 'x-a': 'b' }, body: new Uint8Array([0, 255, 10]) };

  const { status, headers, text } = await app.request('/a%20b/c%2Fd?e=1', sent);

  expect([status, headers]).toMatchObject([201, { 'x-a': 'b' }]);
  expect(JSON.parse(text)).toMatchObject({ method: 'PUT', bytes: [0, 255, 10], params: { path: 'a%20b/c%2Fd' } });
  expect(JSON.parse(text).url).toMatch(/\/a%20b\/c%2Fd\?e=1$/);
});

test('a HEAD is answered without content, a method without a route with 404, a body over 100 MB with 413', async () => {
  expect(await app.request('/x', { method: 'HEAD' })).toMatchObject({ status: 201, text: '' });
  expect(await app.request('/x', { method: 'POST' })).toMatchObject({ status: 404 });
  expect(await app.request('/x', { method: 'PUT', body: new Uint8Array(104_857_601) })).toMatchObject({ status: 413 });
});

test('a message comes as the host hands it over: JSON parsed, and what is known of it under names in camelCase', async () => {
  await app.call('{"a":1}', { MessageId: 'm1', DeliveryCount: 2, ApplicationProperties: { CopyOf: 'm' } });
  await app.call('5');
  await app.call('hello');

  expect(await calls()).toMatchObject([
    { message: { a: 1 }, metadata: { messageId: 'm1', deliveryCount: 2, applicationProperties: { copyOf: 'm' } } },
    { message: 5 },
    { message: 'hello' },
  ]);
});

test('what a function throws is told to the host, and the instance goes on', async () => {
  await expect(app.call('throw')).rejects.toThrow('not now');
  await app.tick();

  expect(await calls()).toMatchObject([{ timer: { isPastDue: false } }]);
});

test('a call that takes too long kills its instance, and the next one begins anew', async () => {
  app = open({ timeoutMs: 500 });
  await app.call('1');

  await expect(app.call('hang')).rejects.toThrow('the instance is gone');

  expect(await calls()).toEqual([]);
});

test('the time of an instance is that of the test', async () => {
  let at = Date.UTC(2026, 10, 20);
  app = open({ now: () => at });

  await app.call('1');
  at += 3_600_000;
  await app.call('2');

  const [first, second] = (await calls()).map((call: { readonly at: number }) => call.at - Date.UTC(2026, 10, 20));
  expect(first).toBeLessThan(60_000);
  expect(second - 3_600_000).toBeLessThan(60_000);
});
