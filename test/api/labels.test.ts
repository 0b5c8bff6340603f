import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fault } from '@serin/core/base/fault';
import type { Bucket } from '@serin/core/ports/bucket';
import { gatewayAssignments } from '@serin/local/machine/assignments';
import { gatewayCounters } from '@serin/local/machine/counters';
import { openDatabase } from '@serin/local/machine/database';
import { labelStore } from '@serin/local/machine/labels';
import { capturedLabels } from '@serin/platform/captured-labels';
import { describe, expect, onTestFinished, test } from 'vitest';
import { compiled, openWorld } from './world.ts';

const time = '2026-01-01T00:00:00Z';

/** A released world whose labels are kept by the store of one machine; `fraud` has answered the requests `r1` to `r9`. */
async function openLabels() {
  const directory = mkdtempSync(join(tmpdir(), 'serin-labels-'));
  const { database, close } = openDatabase(directory);
  const { ports, now } = await openWorld();
  const counters = gatewayCounters({ database, now });
  onTestFinished(async () => {
    await counters.close();
    close();
    rmSync(directory, { recursive: true, force: true });
  });
  const assignments = gatewayAssignments({ database, counters });
  for (let index = 1; index <= 9; index += 1)
    assignments.record({
      requestId: `r${index}`,
      endpoint: 'fraud',
      deployment: 'v1',
      weight: 100,
      at: now(),
      prediction: 'cat',
      errored: false,
    });
  const store = labelStore({ database, assignments, now });
  const world = await openWorld({ ports: { ...ports, labels: store } });
  return {
    ...world,
    send: (body: unknown, more?: Parameters<typeof world.call>[3]) => world.call('POST', '/v1/labels', body, more),
  };
}

const right = (requestId: string) => ({ requestId, time, truth: 'cat' });

test('takes one label, and says what became of it', async () => {
  const { send } = await openLabels();

  const { status, body } = await send(right('r1'));

  expect(status).toBe(200);
  expect(body).toEqual({
    results: [{ requestId: 'r1', status: 'recorded' }],
    totals: { recorded: 1, duplicate: 0, conflict: 0, unknown: 0, late: 0 },
  });
});

test('takes a batch, answers in its order, and sent twice it is one batch', async () => {
  const { send } = await openLabels();
  const labels = [
    right('r2'),
    { requestId: 'r1', time, loss: 0.5 },
    right('nobody'),
    { requestId: 'r2', time, wrong: true },
  ];

  const first = await send({ labels });
  const second = await send({ labels });

  expect(first.body.results.map(({ status }: { status: string }) => status)).toEqual([
    'recorded',
    'recorded',
    'unknown',
    'conflict',
  ]);
  expect(second.body.totals).toEqual({ recorded: 0, duplicate: 2, conflict: 1, unknown: 1, late: 0 });
});

test('a batch with a bad label is refused by index and reason, and nothing of it is recorded', async () => {
  const { send } = await openLabels();
  const bad = [
    { requestId: 'r2', time, loss: 2 },
    { requestId: 'r3', time },
    { requestId: 'r4', time, wrong: true, more: 1 },
    7,
  ];

  const refused = await send({ labels: [right('r1'), ...bad] });
  const after = await send(right('r1'));

  expect([refused.status, refused.body.code]).toEqual([422, 'invalid']);
  expect(refused.body.errors).toEqual([
    { pointer: '/labels/1/loss', detail: expect.stringContaining('from 0 to 1') },
    { pointer: '/labels/2', detail: 'must have exactly one of truth, wrong and loss' },
    { pointer: '/labels/3/more', detail: 'is not a known field: remove it' },
    { pointer: '/labels/4', detail: 'must be a JSON object' },
  ]);
  expect(after.body.results).toEqual([{ requestId: 'r1', status: 'recorded' }]);
});

test.each([
  ['nothing', {}, '/requestId'],
  ['an empty batch', { labels: [] }, '/labels'],
  ['more than 1,000 labels', { labels: Array.from({ length: 1001 }, () => right('r1')) }, '/labels'],
  ['a label and a batch at once', { ...right('r1'), labels: [right('r2')] }, '/labels'],
  ['a list', [right('r1')], ''],
  ['a time without a zone', { ...right('r1'), time: '2026-01-01T00:00:00' }, '/time'],
])('refuses %s', async (_, body, pointer) => {
  const { send } = await openLabels();

  const answer = await send(body);

  expect(answer.status).toBe(422);
  expect(answer.body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
});

test('an operator of the whole project may send labels, and nobody below', async () => {
  const { send, token, app } = await openLabels();
  const as = async (...given: Parameters<typeof token>) =>
    (await send(right('r1'), { token: await token(...given) })).status;

  expect(await as('operator')).toBe(200);
  expect([await as('viewer'), await as('approver'), await as('operator', ['fraud'])]).toEqual([403, 403, 403]);
  expect((await app.request('/v1/labels', { method: 'POST', body: '{}' })).status).toBe(401);
});

test('takes an idempotency key, under which a repeated batch gets the first answer', async () => {
  const { send } = await openLabels();
  const headers = { 'idempotency-key': 'batch-1' };

  const first = await send(right('r1'), { headers });
  const second = await send(right('r1'), { headers });
  const other = await send(right('r2'), { headers });

  expect(second.body).toEqual(first.body);
  expect(second.headers.get('idempotent-replayed')).toBe('true');
  expect(other.status).toBe(422);
});

test('tells the totals of a model to those who may see it', async () => {
  const { send, call, token, release } = await openLabels();
  await release();
  await send({ labels: [right('r1'), right('r1'), right('nobody')] });

  const { status, body } = await call('GET', '/v1/models/fraud/labels', undefined, { token: await token('viewer') });
  const hidden = await call('GET', '/v1/models/fraud/labels', undefined, { token: await token('viewer', ['churn']) });

  expect(status).toBe(200);
  expect(body).toEqual({
    model: 'fraud',
    totals: { recorded: 1, duplicate: 1, conflict: 0, unknown: 1, late: 0 },
    files: [],
  });
  expect([hidden.status, (await call('GET', '/v1/models/none/labels')).status]).toEqual([404, 404]);
});

test('tells what became of the files of labels, the newest first', async () => {
  const { call, put, release, ports, pay, engine, now } = await openLabels();
  await put('labels/a.ndjson', `${JSON.stringify(right('r1'))}\nnot a label\n`);
  await release(compiled({ labels: { bucket: 'drops', prefix: 'labels/' } }));
  await pay();
  await ports.bucket('drops').write('labels/b.ndjson', new TextEncoder().encode(JSON.stringify(right('r1'))));
  const actor = { subject: 'test', issuer: 'test', role: 'system' } as const;
  await engine.handle('model/fraud', { type: 'labelsHinted', keys: ['labels/b.ndjson'], id: 'x', at: now(), actor });

  const { body } = await call('GET', '/v1/models/fraud/labels');

  expect(body.files).toMatchObject([
    { file: 'labels/b.ndjson', at: time.replace('Z', '.000Z'), recorded: 0, duplicate: 1, bad: 0, reasons: [] },
    { file: 'labels/a.ndjson', recorded: 1, bad: 1, reasons: ['line 2: is not JSON'] },
  ]);
  expect(body.totals).toMatchObject({ recorded: 1, duplicate: 1 });
});

describe('on a cloud', () => {
  /** A released world whose labels are objects of the own bucket. */
  async function openCloud(bent: (bucket: Bucket) => Bucket = (bucket) => bucket) {
    const { ports, now } = await openWorld();
    const bucket = bent(ports.bucket('serin'));
    const labels = capturedLabels({
      ...{ bucket, now, lagMs: 0, planOf: async () => undefined },
      captured: async () => ({ items: [] }),
    });
    const world = await openWorld({ ports: { ...ports, labels } });
    await world.release();
    return world;
  }

  test('a label of any request is recorded, and once', async () => {
    const { call } = await openCloud();
    const labels = [right('r1'), right('orders/of-nobody'), right('r1')];

    const first = await call('POST', '/v1/labels', { labels });
    const other = await call('POST', '/v1/labels', { requestId: 'r1', time, truth: 'dog' });

    expect(first).toMatchObject({ status: 200, body: { totals: { recorded: 2, duplicate: 1 } } });
    expect(other.body).toMatchObject({ results: [{ requestId: 'r1', status: 'conflict' }] });
  });

  test('a label that is not stored is not answered with success', async () => {
    const busy = new Fault('unavailable', 'the store does not answer');
    const { call } = await openCloud((bucket) => ({ ...bucket, write: () => Promise.reject(busy) }));

    expect((await call('POST', '/v1/labels', right('r1'))).status).toBe(503);
  });

  test('labels of a model are not counted, and the page says so', async () => {
    const { call, app, token } = await openCloud();
    await call('POST', '/v1/labels', right('r1'));

    const { body } = await call('GET', '/v1/models/fraud/labels');
    const headers = { cookie: `serin_session=${await token('viewer')}`, accept: 'text/html' };
    const page = await (await app.request('/labels', { headers })).text();

    expect(body).toEqual({ model: 'fraud', files: [] });
    expect(page).toContain('are not counted by model.');
    expect(page).toContain('not counted');
  });
});
