import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { filesInArchive } from './metrics.ts';

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
