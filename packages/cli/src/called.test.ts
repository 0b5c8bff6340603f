import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { asCalled, calledFrom } from './called.ts';

function folder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'serin-called-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function programIn(directory: string, mode = 0o755): string {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'serin'), '#!/bin/sh\n', { mode });
  return directory;
}

test('npx is named only where a folder above has the command installed', () => {
  const above = folder();
  const outside = folder();
  programIn(join(above, 'node_modules', '.bin'));
  programIn(join(outside, 'node_modules', '.bin'), 0o644);

  expect(calledFrom(join(above, 'projects', 'churn'))).toBe('npx serin');
  expect(calledFrom(join(outside, 'churn'))).toMatch(/^node \S+\/packages\/cli\/bin\/serin\.js$/);
});

test('the path counts, but not what npm puts in front of it while it runs', () => {
  const other = folder();
  const installed = programIn(folder());
  const ofNpm = programIn(join(folder(), 'node_modules', '.bin'));

  expect(calledFrom(other, ['', ofNpm, installed].join(delimiter))).toBe('serin');
  expect(calledFrom(other, ofNpm)).toMatch(/^node /);
});

test('each call in a text is written as it works in that folder', () => {
  expect(asCalled('npx serin dev, then `npx serin why x`', folder(), programIn(folder()))).toBe(
    'serin dev, then `serin why x`',
  );
});
