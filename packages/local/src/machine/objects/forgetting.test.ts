import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { forgetFiles } from './forgetting.ts';

const root = mkdtempSync(join(tmpdir(), 'serin-forgetting-'));
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('files that were written before a time are deleted, in all folders, and no others', async () => {
  const written = (name: string, seconds: number) => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), 'x');
    utimesSync(join(root, name), seconds, seconds);
  };
  for (const name of ['profiles/old', 'counts/old.json']) written(name, 999);
  for (const name of ['profiles/new', 'counts/new.json']) written(name, 1000);

  await forgetFiles(root, 1_000_000);
  await forgetFiles(join(root, 'nowhere'), 1_000_000);

  const left = ['profiles/old', 'counts/old.json', 'profiles/new', 'counts/new.json'].filter((name) =>
    existsSync(join(root, name)),
  );
  expect(left).toEqual(['profiles/new', 'counts/new.json']);
});
