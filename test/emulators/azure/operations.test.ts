import { createHttpPoller, type OperationResponse } from '@azure/core-lro';
import type { AzureError } from '@serin/azure/calls/azure';
import { mlCall } from '@serin/azure/calls/ml';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { emulatedAzure } from '../emulated.ts';
import { type FakeOperations, fakeOperations } from './operations.ts';
import { Refusal, Reply, type Served, serveAzure } from './rest.ts';

const place = { subscription: 's-1', resourceGroup: 'ml', workspace: 'acme' };
const path = 'onlineEndpoints/churn';
const body = { location: 'westeurope', properties: { authMode: 'AADToken', traffic: {} } };
const put = mlCall(place, path, { method: 'PUT', body });
const drop = mlCall(place, path, { method: 'DELETE' });

let now = 0;
let state: string | undefined;
let operations: FakeOperations;
let served: Served;

const shown = () => ({ ...body, name: 'churn', properties: { ...body.properties, provisioningState: state } });
const lands = () => {
  state = 'Succeeded';
  return shown();
};

beforeEach(async () => {
  now = Date.parse('2026-11-20T10:00:00Z');
  state = undefined;
  operations = fakeOperations(() => now);
  served = await serveAzure('azure-fake-operations', {
    ...operations.routes,
    'PUT onlineEndpoints/{endpoint}': (request) => {
      state = 'Creating';
      return new Reply(201, shown(), operations.async({ request, region: 'westeurope', takesMs: 60_000, lands }));
    },
    'GET onlineEndpoints/{endpoint}': () => {
      operations.settle();
      if (state === undefined) throw new Refusal(404, 'NotFound', 'no such endpoint');
      return shown();
    },
    'DELETE onlineEndpoints/{endpoint}': (request) => {
      const goes = () => {
        state = undefined;
      };
      const begun = { request, region: 'westeurope', takesMs: 60_000, lands: goes, retryAfterSeconds: 17 };
      return new Reply(202, undefined, operations.location(begun));
    },
  });
});

afterEach(() => served.stop());

/** What the URL of a header says, asked as an adapter would ask it. */
async function look(url: string | null): Promise<{ readonly status: number; readonly body: unknown }> {
  const { pathname, search } = new URL(url ?? '');
  const query = Object.fromEntries(new URLSearchParams(search));
  const { status, content } = await served.azure.bytes({
    service: 'management',
    method: 'GET',
    path: pathname.slice(1),
    query,
  });
  return { status, body: content.length === 0 ? undefined : JSON.parse(Buffer.from(content).toString()) };
}

const begun = async (call = put) => (await served.azure.bytes(call)).headers;

emulatedAzure('a long-running operation', () => {
  test('is under way, then has its effect, then says so (Azure-AsyncOperation)', async () => {
    const url = (await begun()).get('azure-asyncoperation');

    const before = await look(url);
    const resourceBefore = state;
    now += 60_000;
    const after = await look(url);

    expect(url).toMatch(/\/locations\/westeurope\/mfeOperationsStatus\/odidp.*\?api-version=2025-12-01$/);
    expect(before).toMatchObject({ status: 200, body: { status: 'InProgress' } });
    expect(resourceBefore).toBe('Creating');
    expect(after.body).toMatchObject({ status: 'Succeeded', endTime: '2026-11-20T10:01:00.000Z' });
    expect(state).toBe('Succeeded');
  });

  test('is answered with 202 until it is over, then with what it brought about (Location)', async () => {
    state = 'Succeeded';
    const headers = await begun(drop);

    const before = await look(headers.get('location'));
    now += 60_000;
    const after = await look(headers.get('location'));

    expect(headers.get('retry-after')).toBe('17');
    expect([before.status, after.status]).toEqual([202, 204]);
    expect(state).toBeUndefined();
  });

  test('can end late, fail, be canceled, or never end', async () => {
    operations.next({ lateMs: 60_000 });
    operations.next({ error: { code: 'OutOfQuota', message: 'Not enough quota' } });
    operations.next({ canceled: true });
    operations.next({ never: true });
    const urls = [await begun(), await begun(), await begun(), await begun()].map((headers) =>
      headers.get('azure-asyncoperation'),
    );

    now += 60_000;
    const statuses = await Promise.all(urls.map(async (url) => (await look(url)).body));
    now += 60_000;
    const late = await look(urls[0] ?? null);

    expect(statuses).toMatchObject([
      { status: 'InProgress' },
      { status: 'Failed', error: { code: 'OutOfQuota', message: 'Not enough quota' } },
      { status: 'Canceled', error: { code: 'OperationCanceled' } },
      { status: 'InProgress' },
    ]);
    expect(late.body).toMatchObject({ status: 'Succeeded' });
  });

  test('can be lost: its effect comes, and its URL is not found', async () => {
    operations.next({ lost: true });
    const url = (await begun()).get('azure-asyncoperation');
    now += 60_000;

    await expect(look(url)).rejects.toMatchObject({ status: 404, code: 'NotFound' });
    expect(await served.azure.json(mlCall(place, path, { method: 'GET' }))).toMatchObject({
      properties: { provisioningState: 'Succeeded' },
    });
  });

  test('fails by what its effect refuses, in both forms', async () => {
    const refuses = () => {
      throw new Refusal(400, 'BadArgument', 'no such image');
    };
    const request = {
      params: { subscription: 's-1' },
      query: new URLSearchParams(put.query as Record<string, string>),
    };
    const common = { request: { ...request, origin: served.url } as never, region: 'r', takesMs: 0, lands: refuses };
    const [async, location] = [operations.async(common), operations.location(common)];

    const said = await look(async['azure-asyncoperation'] ?? '');

    expect(said.body).toMatchObject({ status: 'Failed', error: { code: 'BadArgument', message: 'no such image' } });
    await expect(look(location.location ?? '')).rejects.toMatchObject({ status: 400, code: 'BadArgument' });
  });
});

/** A call as Microsoft's poller makes it. */
async function send(method: 'GET' | 'PUT' | 'DELETE', url: string): Promise<OperationResponse> {
  const { pathname, search } = new URL(url);
  const query = Object.fromEntries(new URLSearchParams(search));
  const made = { service: 'management', method, path: pathname.slice(1), query } as const;
  const call = method === 'PUT' ? { ...made, body } : made;
  const answer = await served.azure.bytes(call).catch((error: AzureError) => error);
  const text = 'content' in answer ? Buffer.from(answer.content).toString() : '';
  const headers = 'headers' in answer ? Object.fromEntries(answer.headers) : {};
  const error = 'content' in answer ? {} : { error: { code: answer.code, message: answer.message } };
  const parsed = text === '' ? error : JSON.parse(text);
  const rawResponse = { statusCode: answer.status, headers, body: parsed, request: { method, url } };
  return { flatResponse: parsed, rawResponse };
}

const polled = (method: 'PUT' | 'DELETE') =>
  createHttpPoller(
    {
      sendInitialRequest: () => send(method, `${served.url}/${put.path}?api-version=2025-12-01`),
      sendPollRequest: (url) => {
        now += 30_000;
        return send('GET', url);
      },
    },
    { intervalInMs: 0 },
  ).pollUntilDone();

emulatedAzure("Microsoft's own poller", () => {
  test('follows Azure-AsyncOperation to the resource', async () => {
    expect(await polled('PUT')).toMatchObject({ name: 'churn', properties: { provisioningState: 'Succeeded' } });
  });

  test('takes what failed and what was canceled for that', async () => {
    operations.next({ error: { code: 'OutOfQuota', message: 'Not enough quota' } });
    operations.next({ canceled: true });

    await expect(polled('PUT')).rejects.toThrow(/OutOfQuota.*Not enough quota/s);
    await expect(polled('PUT')).rejects.toThrow(/canceled/i);
  });

  test('is at its end where the resource is gone', async () => {
    state = 'Succeeded';
    const statuses = () => served.calls.map(({ id, status }) => `${id.slice(0, 3)} ${status}`);

    await polled('DELETE').catch(() => undefined);

    expect(statuses()).toEqual(['DEL 202', 'GET 202', 'GET 204']);
    expect(state).toBeUndefined();
  }, 60_000);
});
