import { decodeText, encodeText } from '@serin/core/base/json';
import type { Reference } from '@serin/core/drift/reference';
import type { DataReport } from '@serin/core/drift/report';
import { listDataset } from '@serin/core/engine/dataset';
import { countDataset, profileDataset, validate } from '@serin/core/engine/profile';
import { readingStart } from '@serin/core/model/run/protocol';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Ports } from '@serin/core/ports/ports';
import { expect, test } from 'vitest';
import { random } from '../../../test/bench-judge/random.ts';
import { memoryBucket } from '../../../test/simulation/fakes/bucket.ts';
import { atOnce } from '../../../test/simulation/fakes/sync.ts';
import { profiler } from './profiler.ts';

/** From the rows of a dataset to the report: the engine, the profiler, and buckets in memory. */
async function reported(rows: readonly Readonly<Record<string, unknown>>[], label: string) {
  const buckets = new Map(['serin', 'drops'].map((name) => [name, atOnce<Bucket>(memoryBucket())]));
  const bucket = (name: string): Bucket => buckets.get(name) as Bucket;
  await bucket('drops').write('fraud/a.ndjson', encodeText(rows.map((row) => JSON.stringify(row)).join('\n')));
  // Of the ports, reading calls this one.
  const ports = { bucket } as unknown as Ports;
  const around = { ports, profiler: async () => profiler };
  const { dataset } = await listDataset({ kind: 'list', model: 'fraud', bucket: 'drops', prefix: 'fraud/' }, ports, 1);
  if (dataset === undefined) throw new Error('there is no dataset');
  const read = { dataset, reading: readingStart };
  const profiled = await profileDataset({ kind: 'profileDataset', ...read }, around);
  const profile = profiled.ended?.profile ?? '';
  const cells = { profile, columns: {}, label };
  const counted = await countDataset({ kind: 'countDataset', ...read, cells }, around);
  const reference = counted.ended?.reference ?? '';
  const order = { kind: 'validateDataset', profile, reference, seen: {}, rules: { label }, rowsBefore: [] } as const;
  const { report } = await validate(order, ports);
  const json = async (key: string) =>
    JSON.parse(decodeText((await bucket('serin').read({ key, maxBytes: 1e8 }))?.content ?? new Uint8Array()));
  return {
    report: (await json(`reports/${report}.json`)) as DataReport,
    reference: (await json(`references/${reference}.json`)) as Reference,
  };
}

const draws = random(3);
const rowsOf = (count: number) =>
  Array.from({ length: count }, (_, index) => {
    const isFraud = draws.next() < 0.1;
    const amount = draws.normal() + (isFraud ? 1 : 0);
    return {
      amount,
      chargeback: isFraud ? 100 + 10 * draws.normal() : 10 * draws.normal(),
      ...(isFraud ? { closedBy: ['bank', 'shop'][index % 2] } : {}),
      verdict: isFraud ? ['stolen', 'copied'][index % 2] : ['fine', 'late', 'small'][index % 3],
      colour: ['red', 'green', 'blue'][index % 3],
      isFraud,
    };
  });

test('columns that were measured after the label are told, and columns that only help are not', async () => {
  const { report, reference } = await reported(rowsOf(5000), 'isFraud');

  expect(report.findings.map(({ check, column, action }) => [check, column, action])).toEqual([
    ['labelAlone', 'chargeback', 'warn'],
    ['labelAlone', 'verdict', 'warn'],
    ['labelByMissing', 'closedBy', 'warn'],
  ]);
  const aucOf = (name: string) => reference.columns.find((column) => column.name === name)?.alone?.auc;
  // Two normal columns that are one deviation apart: the chance that the one is above the other is Phi(1 / sqrt 2).
  expect(aucOf('amount')).toBeCloseTo(0.76, 1);
  expect(aucOf('colour')).toBeLessThan(0.55);
  expect(reference.columns.find(({ name }) => name === 'isFraud')?.alone).toEqual({});
});

test('of a label that is a number a column is told that explains it', async () => {
  const rows = Array.from({ length: 4000 }, () => {
    const price = 1e6 + 1000 * draws.normal();
    return { price, tax: 0.19 * price + draws.normal(), size: price + 2000 * draws.normal() };
  });

  const { report } = await reported(rows, 'price');

  expect(report.findings).toMatchObject([{ check: 'labelAlone', column: 'tax', action: 'warn' }]);
  expect(report.findings[0]?.text).toMatch(/^'tax' alone explains the label: its R2 is 0\.99/);
});

test('a label of too many values is told as not compared', async () => {
  const rows = Array.from({ length: 1000 }, (_, index) => ({ x: draws.normal(), y: `v${index % 30}` }));

  const { report } = await reported(rows, 'y');

  expect(report.notCompared).toEqual(['no column was compared with the label: it has more than 20 values']);
});
