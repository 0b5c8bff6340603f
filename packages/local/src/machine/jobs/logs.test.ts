import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readText } from './logs.ts';

function logOf(content: string | Uint8Array): string {
  const directory = mkdtempSync(join(tmpdir(), 'serin-log-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'log.txt');
  writeFileSync(file, content);
  return file;
}

test('a log is read on from where the last part ended, and no character is cut in two', async () => {
  const file = logOf('ab🚀cé');

  const parts: string[] = [];
  let from = 0;
  for (let part = await readText(file, { from }, 5); part.text !== ''; part = await readText(file, { from }, 5)) {
    parts.push(part.text);
    from = part.next;
  }

  expect(parts).toEqual(['ab', '🚀c', 'é']);
});

test('a character whose rest is not written yet is left for the next part', async () => {
  const bytes = new TextEncoder().encode('a🚀');

  expect(await readText(logOf(bytes.slice(0, 3)), { from: 0 }, 100)).toEqual({ text: 'a', next: 1 });
  expect(await readText(logOf(bytes.slice(0, 3)), { from: 1 }, 100)).toEqual({ text: '', next: 1 });
});

test('the end of a log begins with a whole line', async () => {
  const file = logOf('one\ntwo\nthree\n');

  expect(await readText(file, { tail: 8 }, 100)).toEqual({ text: 'three\n', next: 14 });
  expect(await readText(file, { tail: 100 }, 100)).toEqual({ text: 'one\ntwo\nthree\n', next: 14 });
});

test('a log that was emptied begins again, and one that is not there is empty', async () => {
  expect(await readText(logOf('new\n'), { from: 900 }, 100)).toEqual({ text: 'new\n', next: 4 });
  expect(await readText(join(tmpdir(), 'serin-none', 'log.txt'), { tail: 9 }, 100)).toEqual({ text: '', next: 0 });
});
