import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { PairCounts } from '@serin/core/ports/telemetry';
import { openDatabase } from '@serin/local/machine/database';
import { describe, expect, test } from 'vitest';
import {
  type Answer,
  callTo,
  deploymentIn,
  deploymentOf,
  giveUp,
  type Machine,
  type MachineOptions,
  newDirectory,
  openMachine,
  seeded,
} from './serving-machine.ts';

const noon = Date.UTC(2026, 0, 5, 12);
const tickMs = 60_000;
const megabyte = 1024 * 1024;

/** v1 serves, v2 is the mirror; the clock that requests are counted by stands until it is moved. */
async function openMirroring(options: MachineOptions & { readonly percent?: number } = {}, directory = newDirectory()) {
  let time = noon;
  const machine = await openMachine(directory, { ...options, now: () => time });
  const served = { v1: 100 };
  const release = join(directory, 'release');
  if ((await machine.serving.observe('e')) === 'absent') {
    await machine.serve('e', [deploymentOf(directory, 1), deploymentOf(directory, 2)], served);
    const mirror = { deployment: 'v2', percent: options.percent ?? 100 };
    await machine.serving.change('e', { kind: 'weigh', weights: served, mirror });
  }
  return {
    ...machine,
    directory,
    /** An order for the mirror alone. */
    mirror: (order: object) => ({ order: { 2: order } }),
    held: { order: { 2: { until: release } } },
    release: () => writeFileSync(release, ''),
    /** What the model servers were sent, in the order in which it had come whole. */
    notes: () => notesOf(directory),
    pass(ms = tickMs) {
      time += ms;
    },
    /** The pairs of the first tick, once both sides of all of them have ended. */
    pairs: () => firstPairs(machine, () => (time = Math.max(time, noon + tickMs))),
    tick: () => firstTick(machine, () => (time = Math.max(time, noon + tickMs))),
  };
}

async function firstTick(machine: Machine, passTime: () => void) {
  passTime();
  const query = { endpoint: 'e', from: noon, to: noon + tickMs, tickMs, measures: ['errors'] };
  await expect.poll(() => machine.telemetry.ticks(query), { interval: 10, timeout: 20_000 }).toHaveLength(1);
  return (await machine.telemetry.ticks(query))[0];
}

async function firstPairs(machine: Machine, passTime: () => void): Promise<PairCounts | undefined> {
  return (await firstTick(machine, passTime))?.pairs?.v2;
}

interface Note {
  readonly version: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
  readonly digest: string;
}

function notesOf(directory: string): readonly Note[] {
  const file = join(directory, 'notes.ndjson');
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  // Written by the model servers of the harness.
  return lines.map((line) => JSON.parse(line) as Note);
}

const statuses = (answers: readonly Answer[]): readonly number[] => answers.map(({ status }) => status);
const digestOf = (body: string | Buffer): string => createHash('sha256').update(body).digest('hex');
const times = <Item>(count: number, item: (index: number) => Promise<Item>): Promise<Item[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => item(index)));

describe('a mirrored request', () => {
  test('is answered by the served deployment, and copied with its body, its headers and a mark', async () => {
    const machine = await openMirroring();

    const answer = await machine.invoke('e', {
      body: 'a,b\n1,2\n',
      headers: { 'content-type': 'text/csv', 'x-serin-mirror': 'made up', authorization: 'Bearer secret' },
    });
    const pairs = await machine.pairs();

    expect([answer.status, deploymentIn(answer)]).toEqual([200, 'v1']);
    const [served, copy] = machine.notes();
    expect([served?.version, copy?.version]).toEqual(['1', '2']);
    expect(served?.headers).not.toHaveProperty('x-serin-mirror');
    expect(copy?.headers).toMatchObject({
      'x-serin-mirror': 'true',
      'content-type': 'text/csv',
      'content-length': '8',
      'x-serin-request-id': answer.headers['x-serin-request-id'],
    });
    expect(copy?.headers).not.toHaveProperty('authorization');
    expect(copy?.digest).toBe(digestOf('a,b\n1,2\n'));
    expect(pairs).toMatchObject({ pairs: 1, dropped: 0, bad: { errors: { mirror: 0, served: 0 } } });
  });

  test('is one of a share of all, each by a coin of its own', async () => {
    const machine = await openMirroring({ coin: seeded(11), percent: 20 });

    for (let batch = 0; batch < 25; batch++) await times(20, () => machine.invoke('e'));
    const pairs = (await machine.pairs())?.pairs ?? 0;

    // Four standard deviations of a binomial around 100 of 500.
    expect(Math.abs(pairs - 100)).toBeLessThan(4 * Math.sqrt(500 * 0.2 * 0.8));
    expect((await machine.tick())?.counts).toMatchObject({ v1: { requests: 500 } });
  });

  test('is chosen by another coin than the one that routes it', async () => {
    const machine = await openMirroring({ coin: seeded(5) });
    await machine.serving.change('e', { kind: 'deploy', deployment: deploymentOf(machine.directory, 3) });
    await machine.ready('e', 'v3');
    const mirror = { deployment: 'v3', percent: 50 };
    await machine.serving.change('e', { kind: 'weigh', weights: { v1: 50, v2: 50 }, mirror });

    for (let batch = 0; batch < 20; batch++) await times(20, () => machine.invoke('e'));
    await machine.pairs();

    const idsOf = (version: string) =>
      machine.notes().flatMap((note) => (note.version === version ? [note.headers['x-serin-request-id']] : []));
    const copied = new Set(idsOf('3'));
    // Four standard deviations of a binomial around a quarter of 400.
    for (const served of ['1', '2']) {
      const both = idsOf(served).filter((id) => copied.has(id)).length;
      expect(Math.abs(both - 100)).toBeLessThan(4 * Math.sqrt(400 * 0.25 * 0.75));
    }
  });

  test('is counted for the deployment that served it, and the copy for none', async () => {
    const machine = await openMirroring();

    await times(5, () => machine.invoke('e'));
    await machine.pairs();

    expect((await machine.tick())?.counts).toEqual({ v1: { requests: 5, bad: { errors: 0 } } });
  });

  test('does not wait for its mirror: all callers have their answers while the mirror has given none', async () => {
    const machine = await openMirroring();

    const answers = await times(40, () => machine.invoke('e', machine.held));

    // The mirror answers nothing before the release: an answer that waited for it would not be here.
    expect(statuses(answers)).toEqual(Array(40).fill(200));
    machine.pass();
    const query = { endpoint: 'e', from: noon, to: noon + tickMs, tickMs, measures: ['errors'] };
    expect(await machine.telemetry.ticks(query)).toEqual([]);
    machine.release();
    expect(await machine.pairs()).toMatchObject({ pairs: 40, dropped: 0, bad: { errors: { mirror: 0, served: 0 } } });
  });

  test('is dropped from a queue that is full, which says nothing of the mirror, and its caller knows nothing of it', async () => {
    const machine = await openMirroring();

    const answers = await times(100, () => machine.invoke('e', machine.held));
    machine.release();
    const pairs = await machine.pairs();

    expect(statuses(answers)).toEqual(Array(100).fill(200));
    expect(pairs).toMatchObject({ pairs: 72, dropped: 28, bad: { errors: { mirror: 0, served: 0 } } });
    expect(machine.notes().filter(({ version }) => version === '2')).toHaveLength(72);
  });

  test('is dropped when it waited too long behind others, so that its second is not open for ever', async () => {
    const machine = await openMirroring({ timeoutMs: 600 });

    const answers = await times(20, () => machine.invoke('e', machine.mirror({ never: true })));

    expect(statuses(answers)).toEqual(Array(20).fill(200));
    expect(await machine.pairs()).toMatchObject({ pairs: 8, dropped: 12, bad: { errors: { mirror: 8, served: 0 } } });
  });

  test('counts as an error of the mirror that fails, breaks off, or answers nothing in time', async () => {
    const machine = await openMirroring({ timeoutMs: 500 });

    const answers = await Promise.all(
      [{ status: 500 }, { cut: true }, { never: true }, { first: 'part', never: true }, { status: 404 }, {}].map(
        (order) => machine.invoke('e', machine.mirror(order)),
      ),
    );

    expect(statuses(answers)).toEqual(Array(6).fill(200));
    expect(await machine.pairs()).toMatchObject({ pairs: 6, dropped: 0, bad: { errors: { mirror: 4, served: 0 } } });
    expect((await machine.tick())?.counts.v1).toMatchObject({ requests: 6, bad: { errors: 0 } });
  });

  test('counts as an error of the served deployment that fails alone', async () => {
    const machine = await openMirroring({ timeoutMs: 1000 });

    const failing = [{ 1: { status: 503 } }, { 1: { never: true } }, { 1: { status: 500 }, 2: { status: 500 } }];
    const answers = await Promise.all(failing.map((order) => machine.invoke('e', { order })));

    expect(statuses(answers)).toEqual([503, 504, 500]);
    expect(await machine.pairs()).toMatchObject({ pairs: 3, bad: { errors: { mirror: 0, served: 2 } } });
  });

  test('is sent to the mirror also when the served deployment is down', async () => {
    const machine = await openMirroring();

    const crash = await machine.invoke('e', { order: { 1: { exit: true } } });
    const whileDown = await machine.invoke('e');

    expect(crash.status).toBe(502);
    expect([502, 503]).toContain(whileDown.status);
    expect(await machine.pairs()).toMatchObject({ pairs: 2, bad: { errors: { mirror: 0, served: 2 } } });
  });

  test('reaches no caller when its mirror crashes, and is paired again once the mirror is back', async () => {
    const machine = await openMirroring();
    const pid = Number(JSON.parse((await machine.invoke('e')).text).pid);

    const answers = await times(20, (index) => machine.invoke('e', machine.mirror(index === 7 ? { exit: true } : {})));
    machine.pass(1000);
    const notesThen = machine.notes().length;
    await expect
      .poll(async () => (await machine.invoke('e')).status === 200 && machine.notes().at(-1)?.version, {
        timeout: 10_000,
      })
      .toBe('2');
    const pairs = await machine.pairs();

    expect(new Set(statuses(answers))).toEqual(new Set([200]));
    expect(Number(JSON.parse((await machine.invoke('e')).text).pid)).toBe(pid);
    expect(pairs?.bad.errors?.mirror).toBeGreaterThan(0);
    expect(pairs?.bad.errors?.served).toBe(0);
    expect(machine.notes().length).toBeGreaterThan(notesThen);
  });

  test('of 6 MB is copied whole, with its length declared or not; a larger one is neither served nor copied', async () => {
    const machine = await openMirroring();
    const body = Buffer.alloc(6 * megabyte, 'abcdefg');

    const declared = await machine.invoke('e', { body });
    const chunked = await machine.invoke('e', { body, headers: { 'transfer-encoding': 'chunked' } });
    const larger = Buffer.concat([body, Buffer.from('!')]);
    const tooLarge = [
      await machine.invoke('e', { body: larger }),
      await machine.invoke('e', { body: larger, headers: { 'transfer-encoding': 'chunked' } }),
    ];

    expect(await machine.pairs()).toMatchObject({ pairs: 2, dropped: 0, bad: { errors: { mirror: 0, served: 0 } } });
    expect(statuses([declared, chunked, ...tooLarge])).toEqual([200, 200, 413, 413]);
    const copies = machine.notes().filter(({ version }) => version === '2');
    expect(copies.map(({ bytes, digest }) => [bytes, digest])).toEqual(Array(2).fill([6 * megabyte, digestOf(body)]));
  });

  test('is dropped when the bodies that wait take too much memory', async () => {
    const machine = await openMirroring();
    const body = Buffer.alloc(6 * megabyte);

    const answers = await times(12, () => machine.invoke('e', { body, ...machine.held }));
    machine.release();

    expect(statuses(answers)).toEqual(Array(12).fill(200));
    expect(await machine.pairs()).toMatchObject({ pairs: 10, dropped: 2, bad: { errors: { mirror: 0, served: 0 } } });
    // What was taken is given back.
    await times(10, () => machine.invoke('e', { body }));
    await expect.poll(() => machine.notes().length, { timeout: 10_000 }).toBe(12 + 10 + 20);
  });

  test('is no pair when its caller goes away, before the answer or in the middle of the body', async () => {
    const machine = await openMirroring();

    await giveUp(machine.port, { order: { 1: { waitMs: 5000 } } });
    await halfBody(machine.port);
    await machine.invoke('e');

    expect(await machine.pairs()).toMatchObject({ pairs: 1, dropped: 0, bad: { errors: { mirror: 0, served: 0 } } });
    expect((await machine.tick())?.counts.v1).toMatchObject({ requests: 3, bad: { errors: 0 } });
    expect(machine.notes().filter(({ version }) => version === '2')).toHaveLength(1);
  });

  test('is no pair when its caller sends no whole body in time, though the model has answered', async () => {
    const machine = await openMirroring({ timeoutMs: 300 });
    const socket = connect(machine.port, '127.0.0.1');
    const order = 'x-order: {"early":true}';
    socket.write(`POST /endpoints/e/invocations HTTP/1.1\r\nhost: x\r\n${order}\r\ncontent-length: 10\r\n\r\n12`);
    const [answer] = await once(socket, 'data');

    const tick = await machine.tick();
    socket.destroy();

    expect(String(answer)).toContain('HTTP/1.1 200');

    expect(tick?.counts.v1).toMatchObject({ requests: 1, bad: { errors: 0 } });
    expect(tick).not.toHaveProperty('pairs');
  });

  test('whose mirror answers without end is cut off, and is no error', async () => {
    const machine = await openMirroring();

    expect((await machine.invoke('e', machine.mirror({ endless: true }))).status).toBe(200);

    expect(await machine.pairs()).toMatchObject({ pairs: 1, bad: { errors: { mirror: 0, served: 0 } } });
  });

  test('has the order of its two predictions counted', async () => {
    const machine = await openMirroring({ remembers: () => ({ prediction: '/deep/0/score' }) });
    const score = (value: unknown) => ({ answer: { prediction: 1, deep: [{ score: value }] } });

    for (const [served, mirror] of [
      [0.2, 0.3],
      [10, 9],
      [1, 1],
      ['cat', 'dog'],
      [1, 'dog'],
    ])
      await machine.invoke('e', { order: { 1: score(served), 2: score(mirror) } });

    expect(await machine.pairs()).toMatchObject({ pairs: 5, predictions: { higher: 2, lower: 1, equal: 1 } });
  });

  test('has its latencies counted together: what is slow on one side alone', async () => {
    const machine = await openMirroring();
    const slow = { waitMs: 400 };

    for (const order of [{}, { 2: slow }, { 2: slow }, { 1: slow }, { 1: slow, 2: slow }])
      await machine.invoke('e', { order });
    await machine.pairs();

    const query = { endpoint: 'e', from: noon, to: noon + tickMs, tickMs, measures: ['errors', 'slower than 300 ms'] };
    const [tick] = await machine.telemetry.ticks(query);
    expect(tick?.pairs?.v2?.bad['slower than 300 ms']).toEqual({ mirror: 2, served: 1 });
  });

  test('is copied to nobody once the weights were set without a mirror', async () => {
    const machine = await openMirroring();
    await machine.serving.change('e', { kind: 'weigh', weights: { v1: 100 } });

    await times(5, () => machine.invoke('e'));

    expect((await machine.tick())?.counts.v1).toMatchObject({ requests: 5 });
    expect(await machine.tick()).not.toHaveProperty('pairs');
    expect(machine.notes().map(({ version }) => version)).toEqual(Array(5).fill('1'));
  });

  test('is copied again after a restart of the server, and its pairs are kept', async () => {
    const before = await openMirroring();
    await before.invoke('e');
    const first = await before.pairs();
    await before.leave();

    const after = await openMirroring({}, before.directory);

    expect(await after.serving.observe('e')).toMatchObject({ mirror: { deployment: 'v2', percent: 100 } });
    expect(first?.pairs).toBe(1);
    expect(await after.pairs()).toEqual(first);
    await after.ready('e', 'v2');
    await after.invoke('e');
    await expect.poll(() => after.notes().length, { timeout: 10_000 }).toBe(4);
  });

  test('that is on its way when the server stops is held against nobody', async () => {
    const machine = await openMirroring();
    await times(20, () => machine.invoke('e', machine.held));
    machine.pass();
    await machine.leave();

    const database = new DatabaseSync(join(machine.directory, 'data', 'serin.sqlite'), { readOnly: true });
    const counted = (table: string) => database.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.rows;
    const rows = [counted('gateway_counts'), counted('gateway_pairs')];
    database.close();
    machine.release();
    await openMachine(machine.directory); // takes the model servers over, so that they are stopped in the end

    expect(rows).toEqual([1, 0]);
  });
});

test('a data directory of a version that could not mirror is taken over', async () => {
  const directory = newDirectory();
  const { database, close } = openDatabase(join(directory, 'data'));
  database.exec(`CREATE TABLE endpoints (name TEXT PRIMARY KEY, weights TEXT NOT NULL) WITHOUT ROWID;
    INSERT INTO endpoints VALUES ('e', '{}')`);
  close();

  const machine = await openMachine(directory);

  expect(await machine.serving.observe('e')).toEqual({ deployments: [], weights: {}, busy: false });
  await machine.serve('e', [deploymentOf(directory, 1), deploymentOf(directory, 2)], { v1: 100 });
  const mirror = { deployment: 'v2', percent: 1 };
  await machine.serving.change('e', { kind: 'weigh', weights: { v1: 100 }, mirror });
  expect(await machine.serving.observe('e')).toMatchObject({ weights: { v1: 100 }, mirror });
});

/** A caller that goes away in the middle of its body, once the model server has the first half. */
async function halfBody(port: number): Promise<void> {
  const call = callTo(port, { 'content-length': '100' });
  const failed = new Promise<void>((resolve) => call.on('error', () => resolve()));
  await new Promise<void>((resolve) => call.write('half', () => resolve()));
  call.destroy();
  await failed;
}
