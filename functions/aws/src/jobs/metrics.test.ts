import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { filesInArchive, metricsIn } from './metrics.ts';

test('metrics are numbers by name, flat or as SageMaker writes its evaluations', () => {
  expect(metricsIn('metrics.json', '{"auc": 0.93, "rows": 12, "note": "text"}')).toEqual({ auc: 0.93, rows: 12 });
  const nested = { regression_metrics: { mse: { value: 4.9, standard_deviation: 2.2 } }, confusion: { 0: { 0: 20 } } };
  expect(metricsIn('evaluation.json', JSON.stringify(nested))).toEqual({ mse: 4.9 });
});

test('a metric that is not finite, and what is no such file, is refused by name', () => {
  const refused = (text: string, words: string) => expect(() => metricsIn('metrics.json', text)).toThrow(words);

  refused('{"auc": NaN, "x": "NaN"}', 'auc is NaN');
  refused('{"recall": null}', 'recall is null');
  refused('{"size": 1e999}', 'size is Infinity');
  refused('{"loss": -Infinity}', 'loss is -Infinity');
  refused('[1]', 'not an object');
  refused('{', 'not JSON');
});

const archiveOf = (files: Readonly<Record<string, Uint8Array | string>>): Buffer => {
  const directory = mkdtempSync(join(tmpdir(), 'serin-metrics-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  const archive = execFileSync('tar', ['-czf', '-', '-C', directory, ...Object.keys(files)], { maxBuffer: 1e8 });
  rmSync(directory, { recursive: true });
  return archive;
};

test('files are found in the beginning of an archive, and what was cut off is not there', () => {
  const files = { 'plot.png': randomBytes(10_000), 'metrics.json': '{"auc": 1}', 'big.bin': randomBytes(1_000_000) };
  const archive = archiveOf(files);

  expect(filesInArchive(archive.subarray(0, 100_000), ['metrics.json', 'big.bin'])).toEqual(
    new Map([['metrics.json', '{"auc": 1}']]),
  );
  expect(filesInArchive(archive.subarray(0, 5_000), ['metrics.json'])).toEqual(new Map());
});

test('an archive that is none is refused', () => {
  expect(() => filesInArchive(Buffer.from('not packed'), ['metrics.json'])).toThrow('no tar.gz');
});
