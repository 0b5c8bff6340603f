import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { filesInArchive } from './tar.ts';

const archiveOf = (files: Readonly<Record<string, Uint8Array | string>>, format = 'gnu'): Buffer => {
  const directory = mkdtempSync(join(tmpdir(), 'serin-metrics-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  const given = ['-czf', '-', `--format=${format}`, '-C', directory, ...Object.keys(files)];
  const archive = execFileSync('tar', given, { maxBuffer: 1e8 });
  rmSync(directory, { recursive: true });
  return archive;
};

test('files are found in the beginning of an archive, and what was cut off is not there', () => {
  const files = { 'plot.png': randomBytes(10_000), 'metrics.json': '{"auc": 1}', 'big.bin': randomBytes(1_000_000) };
  const archive = archiveOf(files);

  expect(filesInArchive(archive.subarray(0, 100_000), ['metrics.json', 'big.bin'], 1_000_000)).toEqual(
    new Map([['metrics.json', '{"auc": 1}']]),
  );
  expect(filesInArchive(archive.subarray(0, 5_000), ['metrics.json'], 1_000_000)).toEqual(new Map());
});

test.each(['ustar', 'gnu', 'pax'])('a file of that name deep below is another one, in the format %s', (format) => {
  const deep = `runs/${'x'.repeat(60)}/${'y'.repeat(60)}/metrics.json`;
  const archive = archiveOf({ 'metrics.json': '{"auc": 1}', [deep]: '{"auc": 0.1}' }, format);

  expect(filesInArchive(archive, ['metrics.json'], 1_000_000)).toEqual(new Map([['metrics.json', '{"auc": 1}']]));
});

test('a file is found by its name also where the archive says that it lies in the current folder', () => {
  const archive = archiveOf({ './metrics.json': '{"auc": 1}' });

  expect(filesInArchive(archive, ['metrics.json'], 1_000_000)).toEqual(new Map([['metrics.json', '{"auc": 1}']]));
});

test('an archive that is none is refused', () => {
  expect(() => filesInArchive(Buffer.from('not packed'), ['metrics.json'], 1_000_000)).toThrow('not a tar.gz');
});
