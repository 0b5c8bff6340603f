import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { defined } from '@serin/core/base/objects';
import { gatewayAssignments } from '@serin/local/machine/assignments';
import { gatewayCounters } from '@serin/local/machine/counters';
import { openDatabase } from '@serin/local/machine/database';
import { labelStore } from '@serin/local/machine/labels';
import { expect, onTestFinished, test } from 'vitest';
import { type AnsweredRequest, labelsContract, maturityMs, type RoutedRequest, tickMs } from './labels.contract.ts';

const day = 24 * 3_600_000;
const noon = Date.UTC(2026, 0, 5, 12);

/** The label store of one machine over its own counters and assignments, with a clock that stands until it is moved. */
function machine(directory: string, { from = noon, mostLosses }: { from?: number; mostLosses?: number } = {}) {
  let time = from;
  const now = () => time;
  const start = () => {
    const { database, close } = openDatabase(directory);
    const counters = gatewayCounters({ database, now });
    const assignments = gatewayAssignments({ database, counters });
    const labels = labelStore({
      database,
      assignments,
      now,
      windowOf: () => ({ tickMs, maturityMs }),
      ...defined({ mostLosses }),
    });
    return { counters, assignments, labels, close };
  };
  let running = start();
  const stop = async () => {
    await running.counters.close();
    running.close();
  };
  return {
    get labels() {
      return running.labels;
    },
    now,
    set(to: number) {
      time = to;
    },
    async advance(ms: number) {
      time += ms;
      await running.counters.flush();
    },
    begin({ id, endpoint = 'e', deployment = 'v1', weight = 50 }: RoutedRequest) {
      const assigned = { requestId: id, endpoint, deployment, weight, at: time };
      const { counters, assignments } = running;
      const routed = counters.arm(endpoint, deployment).routed();
      assignments.record({ ...assigned, errored: false });
      return ({ errored = false, ...answer }: AnsweredRequest) => {
        assignments.record({ ...assigned, errored, ...answer });
        routed.ended(1, errored ? ['errors'] : []);
      };
    },
    async reopen() {
      await stop();
      running = start();
    },
    close: stop,
  };
}

function folder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'serin-labels-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

labelsContract('labelStore', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'serin-labels-'));
  const opened = machine(directory);
  const { now, advance, begin, reopen } = opened;
  return {
    // A restart replaces the store.
    telemetry: {
      label: (labels) => opened.labels.label(labels),
      labels: (query) => opened.labels.labels(query),
      labelTotals: (endpoint) => opened.labels.labelTotals(endpoint),
    },
    now,
    advance,
    begin,
    reopen,
    async close() {
      await opened.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
});

const truth = (requestId: string, value: number) => ({ requestId, time: 0, outcome: { truth: value } });

test('a clock that is put back makes no late label early, not even over a restart', async () => {
  const opened = machine(folder());
  onTestFinished(opened.close);
  opened.begin({ id: 'a' })({ prediction: 1 });
  opened.begin({ id: 'b' })({ prediction: 1 });
  opened.begin({ id: 'c' })({ prediction: 1 });
  await opened.advance(tickMs + maturityMs);
  await opened.labels.label([truth('a', 1)]);

  opened.set(noon + 1000);
  const backwards = await opened.labels.label([truth('b', 1)]);
  await opened.reopen();
  const afterwards = await opened.labels.label([truth('c', 1)]);

  expect([backwards, afterwards]).toEqual([['late'], ['late']]);
  expect(
    await opened.labels.labels({ endpoint: 'e', from: noon, to: noon + tickMs, tickMs, maturityMs }),
  ).toMatchObject([{ rows: [{ labelled: 0 }] }]);
});

test('labels are forgotten with their requests after 35 days, and the totals stay', async () => {
  const directory = folder();
  const opened = machine(directory);
  opened.begin({ id: 'old' })({ prediction: 1 });
  await opened.advance(2000);
  await opened.labels.label([truth('old', 1)]);
  await opened.advance(36 * day);
  opened.begin({ id: 'new' })({ prediction: 1 });
  await opened.advance(2000);

  await opened.labels.label([truth('new', 1)]);
  await opened.advance(2000);
  const [old, fresh] = await opened.labels.label([truth('old', 1), truth('new', 1)]);

  expect([old, fresh]).toEqual(['unknown', 'duplicate']);
  expect(await opened.labels.labelTotals('e')).toMatchObject({ recorded: 2, duplicate: 1, unknown: 1 });
  await opened.close();
  const database = new DatabaseSync(join(directory, 'serin.sqlite'));
  expect(database.prepare('SELECT id FROM labels').all()).toEqual([{ id: 'new' }]);
  database.close();
});

test('refuses to read more than 50,000 ticks at once, and windows that are no numbers', async () => {
  const opened = machine(folder());
  onTestFinished(opened.close);
  const query = { endpoint: 'e', from: 0, to: tickMs, tickMs, maturityMs };

  for (const wrong of [{ to: 50_002 * tickMs }, { from: Number.NaN }, { tickMs: 0 }, { maturityMs: -1 }])
    await expect(opened.labels.labels({ ...query, ...wrong })).rejects.toMatchObject({ code: 'invalid' });
});

test('many losses end an answer before its window does, with a whole tick, and the next one goes on from there', async () => {
  const opened = machine(folder(), { mostLosses: 3 });
  onTestFinished(opened.close);
  for (let tick = 0; tick < 4; tick += 1) {
    for (const name of ['a', 'b']) {
      opened.begin({ id: `${name}${tick}` })({ prediction: 1 });
      await opened.labels.label([truth(`${name}${tick}`, 2)]);
    }
    await opened.advance(tickMs);
  }
  await opened.advance(maturityMs);
  const lost = async (from: number, truths?: { readonly scale: number }) => {
    const query = { endpoint: 'e', from, to: noon + 4 * tickMs, tickMs, maturityMs, ...defined({ truths }) };
    return (await opened.labels.labels(query)).map(({ start, losses }) => [(start - noon) / tickMs, losses.length]);
  };

  expect(await lost(noon, { scale: 1 })).toEqual([
    [0, 2],
    [1, 2],
  ]);
  expect(await lost(noon + 2 * tickMs, { scale: 1 })).toEqual([
    [2, 2],
    [3, 2],
  ]);
  expect(await lost(noon)).toHaveLength(4);
});

/** Labels one request after the other and says each that was answered, until it is killed. */
const labeller = (directory: string) => `
  const at = (name) => import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, '../../packages/local/src/machine/')).href)} + name + '.ts');
  const [{ openDatabase }, { gatewayCounters }, { gatewayAssignments }, { labelStore }] =
    await Promise.all(['database', 'counters', 'assignments', 'labels'].map(at));
  const { database } = openDatabase(${JSON.stringify(directory)});
  const counters = gatewayCounters({ database, now: Date.now });
  const assignments = gatewayAssignments({ database, counters });
  const store = labelStore({ database, assignments, now: Date.now });
  for (let index = 0; index < 20000; index += 1)
    assignments.record({ requestId: 'r' + index, endpoint: 'e', deployment: 'v1', weight: 50, at: Date.now() - 5000, errored: false });
  await counters.flush();
  for (let index = 0; index < 20000; index += 1) {
    const [answer] = await store.label([{ requestId: 'r' + index, time: 0, outcome: { wrong: true } }]);
    process.stdout.write(answer + ' ' + index + '\\n');
  }`;

test('a label that was answered survives a kill of the server', { timeout: 30_000 }, async () => {
  const directory = folder();
  const child = spawn(process.execPath, ['--input-type=module', '--eval', labeller(directory)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let answered = -1;
  for await (const line of createInterface({ input: child.stdout })) {
    const [answer, index] = line.split(' ');
    expect(answer).toBe('recorded');
    answered = Number(index);
    if (answered >= 300) break;
  }
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');

  const opened = machine(directory, { from: Date.now() });
  onTestFinished(opened.close);
  const again = await opened.labels.label(
    Array.from({ length: answered + 1 }, (_, index) => ({ requestId: `r${index}`, time: 0, outcome: { wrong: true } })),
  );

  expect(answered).toBeGreaterThanOrEqual(300);
  expect(new Set(again)).toEqual(new Set(['duplicate']));
});
