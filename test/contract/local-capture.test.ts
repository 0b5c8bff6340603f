import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { captureStore } from '@serin/local/machine/capture-store';
import type { CaptureRule } from '@serin/local/machine/captures';
import { openDatabase } from '@serin/local/machine/database';
import { decodeAnswer, decodeRequest } from '@serin/platform/payloads';
import { describe, expect, test } from 'vitest';
import { type AskedRequest, capturedContract, capturedFields } from './captured.contract.ts';
import { deploymentOf, giveUp, invoke, newDirectory, openCounted, openMachine } from './serving-machine.ts';

const day = 24 * 3600 * 1000;
const rule: CaptureRule = { share: 1_000_000, fields: capturedFields, keepMs: 14 * day, atMostBytes: 10_000_000 };

function openCaptured(given: Partial<CaptureRule> = {}, directory = newDirectory()) {
  const { database, close } = openDatabase(join(directory, 'data'));
  let time = Date.UTC(2026, 0, 5, 12);
  const { counters, captures, captured, telemetry } = openCounted(database, () => time);
  let requests = 0;
  return {
    ...{ telemetry, counters, captures, captured, directory, lagMs: 0 },
    now: () => time,
    async advance(ms: number) {
      time += ms;
      await counters.flush();
    },
    begin({ endpoint, deployment, body, contentType, answer = '' }: AskedRequest, more: Partial<CaptureRule> = given) {
      const second = Math.floor(time / 1000);
      const requestId = `req_${String(requests++).padStart(6, '0')}`;
      const capture = captures.open({ endpoint, deployment, requestId, at: time, second, rule: { ...rule, ...more } });
      return () => {
        const read = decodeRequest(body, contentType, capturedFields);
        const isRead = 'rows' in read;
        capture.keep(isRead ? { ...read, answers: decodeAnswer(answer, 'application/json', read.rows.length) } : read);
      };
    },
    async close() {
      await counters.close();
      captured.close();
      close();
    },
  };
}

capturedContract('gatewayTelemetry', async () => openCaptured());

/** A machine that serves v1 and v2 at `e`, and captures. */
async function openServing(given: Partial<CaptureRule> = {}, weights: Record<string, number> = { v1: 100 }) {
  const directory = newDirectory();
  const captureRule = () => ({ ...rule, ...given });
  const machine = await openMachine(directory, { captureRule });
  await machine.serve(
    'e',
    Object.keys(weights).map((name) => deploymentOf(directory, Number(name.slice(1)))),
    weights,
  );
  const begun = Date.now();
  /** Everything so far, once its second is over. */
  async function read() {
    const query = { endpoint: 'e', from: begun - 1000, to: Math.floor(Date.now() / 1000 + 1) * 1000 };
    const page = () => machine.telemetry.captured({ ...query, fields: capturedFields });
    await expect.poll(() => page().catch(() => undefined), { timeout: 20_000 }).toBeDefined();
    return page();
  }
  const json = { 'content-type': 'application/json' };
  const ask = (body: string | Buffer, order: object = { answer: { predictions: [0.5] } }, headers = {}) =>
    machine.invoke('e', { body, order, headers: { ...json, ...headers } });
  return { machine, directory, read, ask };
}

const row = { size: 3, colour: 'red', price: 0.5 };
const body = JSON.stringify({ instances: [{ ...row, secret: 's' }] });

describe('the gateway', () => {
  test('captures a request as it was answered, whichever deployment answered it', async () => {
    const { ask, read } = await openServing({}, { v1: 50, v2: 50 });

    const answers = [];
    for (let request = 0; request < 20; request++) answers.push(await ask(body));
    const { items, unread } = await read();

    const seen = answers.map(({ headers }) => ({
      requestId: headers['x-serin-request-id'],
      deployment: headers['x-serin-deployment'],
      ...{ rows: [row], answers: [0.5] },
    }));
    expect(items.map(({ at, ...item }) => item)).toEqual(seen);
    expect(unread).toBeUndefined();
    expect(new Set(items.map(({ deployment }) => deployment))).toEqual(new Set(['v1', 'v2']));
    expect(items.every(({ at }) => Math.abs(at - Date.now()) < 30_000)).toBe(true);
  });

  test('captures nothing of an endpoint without a rule, and makes no file', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory);
    await machine.serve('e', [deploymentOf(directory, 1)], { v1: 100 });

    await machine.invoke('e', { body });
    await machine.counters.flush();

    expect(existsSync(join(directory, 'data', 'captures.sqlite'))).toBe(false);
  });

  test('captures only what a deployment answered with success', async () => {
    const { ask, read, machine } = await openServing();

    for (const order of [{ status: 400 }, { status: 404 }, { status: 500 }, { status: 304 }, { cut: true }])
      await ask(body, order).catch(() => undefined);
    await giveUp(machine.port, { order: { never: true }, body });
    await ask(body, { status: 201, answer: '0.7' });
    const { items } = await read();

    expect(items.map(({ answers }) => answers)).toEqual([[0.7]]);
    expect(machine.captures.ends('e')).toEqual({ kept: 1, unread: 0, tooLarge: 0, busy: 0, full: 0 });
  });

  test('captures bodies that are packed, and tensors in bytes', async () => {
    const { ask, read, machine } = await openServing({ fields: ['size', 'price'] });
    const head = JSON.stringify({
      inputs: [
        { name: 'size', datatype: 'INT32', shape: [2], parameters: { binary_data_size: 8 } },
        { name: 'price', datatype: 'FP64', shape: [2], data: [0.5, 1.5] },
      ],
    });
    const tensors = Buffer.concat([Buffer.from(head), Buffer.from(Int32Array.of(3, 4).buffer)]);

    await ask(gzipSync(body), { answer: '1' }, { 'content-encoding': 'gzip' });
    await ask(Buffer.from('not packed'), { answer: '1' }, { 'content-encoding': 'gzip' });
    await ask(gzipSync(Buffer.alloc(1024 * 1024, 49)), { answer: '1' }, { 'content-encoding': 'gzip' });
    const inferred = await invoke(machine.port, '/v2/models/e/infer', {
      body: tensors,
      headers: { 'inference-header-content-length': String(head.length) },
      order: { answer: { predictions: [1, 2] } },
    });
    const { items, unread } = await read();

    expect(inferred.status).toBe(200);
    expect(items.map(({ rows }) => rows)).toEqual([
      [{ size: 3, price: 0.5 }],
      [
        { size: 3, price: 0.5 },
        { size: 4, price: 1.5 },
      ],
    ]);
    expect(unread).toEqual({ requests: 2, first: 'its bytes are not what its headers say' });
  });

  test('answers a body that is too large to be captured, and counts it', async () => {
    const { ask, machine, read, directory } = await openServing();
    const steps = [{ bytes: 400_000, sent: join(directory, 'sent') }];

    const { status } = await ask('x'.repeat(300 * 1024));
    await ask(body, { stream: { type: 'application/json', steps } });
    const { items } = await read();

    expect(status).toBe(200);
    expect(items).toMatchObject([{ rows: [row], answers: [] }]);
    expect(machine.captures.ends('e')).toMatchObject({ kept: 1, tooLarge: 1 });
  });

  test('captures no request that was sent to a version of its own choice', async () => {
    const { machine, read } = await openServing();

    const infer = (path: string, size: number) =>
      invoke(machine.port, path, { body: tensorOf(size), order: { answer: { predictions: [1] } } });
    const pinned = await infer('/v2/models/e/versions/1/infer', 1);
    await infer('/v2/models/e/infer', 2);
    const { items } = await read();

    expect(pinned.status).toBe(200);
    expect(items.map(({ rows }) => rows)).toEqual([[{ size: 2, colour: 'red', price: 0.5 }]]);
  });

  test('chooses each by a coin of its own, over which the sender has no power', async () => {
    const { ask, machine, read } = await openServing({ share: 250_000 });

    for (let batch = 0; batch < 20; batch++)
      await Promise.all(Array.from({ length: 20 }, () => ask(body, undefined, { 'x-serin-request-id': 'req_1' })));
    await read();
    const { kept, busy } = machine.captures.ends('e');

    // Four standard deviations of a binomial around 100 of 400.
    expect(Math.abs(kept + busy - 100)).toBeLessThan(4 * Math.sqrt(400 * 0.25 * 0.75));
  });
});

const tensorOf = (size: number): string =>
  JSON.stringify({
    inputs: [
      { name: 'size', datatype: 'FP64', shape: [1], data: [size] },
      { name: 'colour', datatype: 'BYTES', shape: [1], data: ['red'] },
      { name: 'price', datatype: 'FP64', shape: [1], data: [0.5] },
    ],
  });

const asked = (size: number, more: Partial<AskedRequest> = {}): AskedRequest => ({
  ...{ endpoint: 'e', deployment: 'v1', contentType: 'application/json', answer: '1' },
  body: JSON.stringify({ size, colour: 'marker', price: 1 }),
  ...more,
});

/** About 200 KB. */
const largeBody = JSON.stringify(Array.from({ length: 1000 }, () => [1, 'x'.repeat(200), 1]));

async function sizesIn(opened: ReturnType<typeof openCaptured>) {
  const { items } = await opened.telemetry.captured({
    endpoint: 'e',
    from: 0,
    to: opened.now(),
    fields: capturedFields,
  });
  return items.flatMap(({ rows }) => rows.map((each) => Object(each).size));
}

const filesOf = (directory: string): string =>
  ['', '-wal']
    .map((suffix) => join(directory, 'data', `captures.sqlite${suffix}`))
    .map((file) => (existsSync(file) ? readFileSync(file, 'latin1') : ''))
    .join('');

describe('captured requests', () => {
  test('are forgotten when they are older than they may be, also when nothing is captured any more', async () => {
    const opened = openCaptured({ keepMs: day });
    opened.begin(asked(1))();
    await opened.advance(day / 2);
    opened.begin(asked(2))();
    await opened.advance(day / 2 + 1000);

    await opened.captured.forgetOld(opened.now());
    expect(await sizesIn(opened)).toEqual([2]);
    await opened.advance(day);
    await opened.captured.forgetOld(opened.now());

    expect(await sizesIn(opened)).toEqual([]);
    expect(opened.captured.bytes('e')).toBe(0);
    await opened.close();
  });

  test('are nowhere in the files any more when they are forgotten', async () => {
    const opened = openCaptured({ keepMs: day });
    for (let size = 0; size < 50; size++) opened.begin(asked(size, { answer: `"${'marker'.repeat(40)}"` }))();
    await opened.advance(1000);
    expect(filesOf(opened.directory)).toContain('marker');

    await opened.captured.forgetOld(opened.now() + 2 * day);

    expect(filesOf(opened.directory)).not.toContain('marker');
    await opened.close();
  });

  test('give their room back to the disk when they are forgotten', async () => {
    const opened = openCaptured({ keepMs: day });
    for (let size = 0; size < 50; size++) opened.begin(asked(size, { body: largeBody }))();
    await opened.advance(1000);
    const sizeOf = () => statSync(join(opened.directory, 'data', 'captures.sqlite')).size;
    await opened.captured.forgetOld(opened.now());
    const before = sizeOf();

    await opened.captured.forgetOld(opened.now() + 2 * day);

    expect([before > 5_000_000, sizeOf() < 500_000]).toEqual([true, true]);
    await opened.close();
  });

  test('come in pages of some megabytes at most', async () => {
    const opened = openCaptured({ atMostBytes: 1e9 });
    for (let size = 0; size < 50; size++) opened.begin(asked(size, { body: largeBody }))();
    await opened.advance(1000);

    const query = { endpoint: 'e', from: 0, to: opened.now(), fields: capturedFields };
    const { items, next } = await opened.telemetry.captured(query);

    expect([items.length > 1, items.length < 20, next !== undefined]).toEqual([true, true, true]);
    await opened.close();
  });

  test('that are written twice are there once, and take their room once', () => {
    const store = captureStore(newDirectory());
    const entry = { endpoint: 'e', at: 1, id: 'req_1', deployment: 'v1', unread: 'why', bytes: 300 };
    const write = () => store.write([{ ...entry, keepMs: day, atMostBytes: 1000 }]);

    expect([write().size, write().size, store.bytes('e')]).toEqual([0, 0, 300]);
    store.close();
  });

  test('never take more than they may: the oldest go first', async () => {
    const opened = openCaptured({ atMostBytes: 20_000 });
    for (let size = 0; size < 200; size++) {
      opened.begin(asked(size))();
      await opened.advance(1000);
      expect(opened.captured.bytes('e')).toBeLessThanOrEqual(20_000);
    }

    const kept = await sizesIn(opened);
    expect(kept.length).toBeGreaterThan(20);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => 200 - kept.length + index));
    expect(opened.captures.ends('e')).toMatchObject({ kept: 200, full: 0 });
    await opened.close();
  });

  test('that are larger than all of the room are not kept, and counted', async () => {
    const opened = openCaptured({ atMostBytes: 1000 });
    opened.begin(asked(1))();
    opened.begin(asked(2, { body: JSON.stringify(Array.from({ length: 200 }, () => [1, 'x', 1])) }))();
    await opened.advance(1000);

    expect(opened.captures.ends('e')).toMatchObject({ kept: 1, full: 1 });
    await opened.close();
  });

  test('of an endpoint whose room became smaller make room', async () => {
    const opened = openCaptured();
    for (let size = 0; size < 100; size++) opened.begin(asked(size))();
    await opened.advance(1000);

    opened.begin(asked(100), { atMostBytes: 5000 })();
    await opened.advance(1000);

    expect(opened.captured.bytes('e')).toBeLessThanOrEqual(5000);
    expect((await sizesIn(opened)).at(-1)).toBe(100);
    await opened.close();
  });

  test('are there after a start, and those whose second was not over are not', async () => {
    const opened = openCaptured();
    opened.begin(asked(1))();
    await opened.advance(1000);
    opened.begin(asked(2))();
    opened.captured.close();

    const captured = captureStore(join(opened.directory, 'data'));
    const page = await captured.read({ endpoint: 'e', from: 0, to: opened.now() + day, fields: capturedFields });

    expect(page.items.map(({ rows }) => rows)).toEqual([[{ size: 1, colour: 'marker', price: 1 }]]);
    captured.close();
  });

  test('in a damaged file are lost, and capturing goes on', async () => {
    const directory = newDirectory();
    const first = openCaptured({}, directory);
    first.begin(asked(1))();
    await first.advance(1000);
    await first.close();
    writeFileSync(join(directory, 'data', 'captures.sqlite'), 'no database at all'.repeat(1000));

    const opened = openCaptured({}, directory);
    opened.begin(asked(2))();
    await opened.advance(10_000);

    expect(await sizesIn(opened)).toEqual([2]);
    await opened.close();
  });

  test('that cannot be written are lost, and harm no count', async () => {
    const opened = openCaptured();
    mkdirSync(join(opened.directory, 'data', 'captures.sqlite'));
    opened.begin(asked(1))();

    await opened.advance(1000);

    expect(opened.counters.finalUntil() * 1000).toBe(opened.now());
    expect(opened.captures.ends('e')).toMatchObject({ kept: 0, full: 1 });
    expect(opened.captures.bytes('e')).toBeNaN();
    await expect(sizesIn(opened)).rejects.toMatchObject({ code: 'unavailable' });
    await opened.close();
  });

  test('are not held beyond some megabytes while their second is open', async () => {
    const opened = openCaptured({ atMostBytes: 1e9 });
    const hanging = opened.begin(asked(0));
    for (let size = 0; size < 100; size++) opened.begin(asked(size, { body: largeBody }))();

    hanging();
    await opened.advance(1000);

    const { kept, busy } = opened.captures.ends('e');
    expect(kept + busy).toBe(101);
    expect(opened.captured.bytes('e')).toBeLessThanOrEqual(16 * 1024 * 1024);
    expect(busy).toBeGreaterThan(0);
    await opened.close();
  });
});
