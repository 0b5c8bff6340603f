import { hour, minute } from '@serin/core/base/time';
import type { Bucket } from '@serin/core/ports/bucket';
import type { CapturedPage } from '@serin/core/ports/captured';
import { expect, test } from 'vitest';
import { memoryBucket } from '../../../test/simulation/fakes/bucket.ts';
import { atOnce } from '../../../test/simulation/fakes/sync.ts';
import { type CaptureFiles, capturedInFiles, checkCaptured, foundRequest, linesFrom } from './captured.ts';

const from = Date.UTC(2026, 10, 20, 22, 30);
const query = { endpoint: 'e', from, to: from + 2 * hour, fields: ['size'] };
const lagMs = 30 * minute;

/** Files in which a line is the time of a request, in minutes after the window began, and its id. */
async function written(files: Readonly<Record<string, readonly (readonly [after: number, id: string])[]>>) {
  const memory = memoryBucket();
  const calls: string[] = [];
  const bucket: Bucket = {
    ...atOnce<Bucket>(memory),
    list: async (prefix, cursor) => {
      calls.push(`list ${prefix}`);
      return memory.list(prefix, cursor);
    },
    read: async (what) => {
      calls.push(`read ${what.key} ${what.from}`);
      return memory.read(what);
    },
  };
  for (const [key, lines] of Object.entries(files))
    memory.write(key, Buffer.from(lines.map(([after, id]) => `${after} ${id}\n`).join('')));
  const folders = [...new Set(Object.keys(files).map((key) => `${key.split('/')[0]}/`))].toReversed();
  const capture: CaptureFiles = {
    ...{ bucket, folders, lagMs },
    async readPart(key, [offset = 0], most) {
      const { lines, bytes, next } = await linesFrom(bucket, key, offset, most);
      const found = lines.map(({ text }) => {
        const [after, requestId = ''] = text.split(' ');
        return { request: { requestId, at: from + Number(after) * minute, rows: [], answers: [] } };
      });
      return { found, bytes, ...(next === undefined ? {} : { next: [next] }) };
    },
  };
  return { capture, calls, memory };
}

async function readAll(capture: CaptureFiles): Promise<readonly (readonly string[])[]> {
  const pages: (readonly string[])[] = [];
  let cursor: string | undefined;
  do {
    const page: CapturedPage = await capturedInFiles(capture, {
      ...query,
      ...(cursor === undefined ? {} : { cursor }),
    });
    pages.push(page.items.map(({ requestId = '' }) => requestId));
    cursor = page.next;
  } while (cursor !== undefined);
  return pages;
}

const many = (count: number, id: string) => Array.from({ length: count }, (_, index) => [1, `${id}${index}`] as const);

test('the requests of a window are in the files of its hours, and of the hour in which late ones were written', async () => {
  const { capture } = await written({
    'v1/2026/11/20/22/a': [
      [-1, 'before'],
      [0, 'first'],
    ],
    'v1/2026/11/21/00/a': [
      [119, 'last'],
      [120, 'after'],
    ],
    'v1/2026/11/21/01/a': [[119, 'unheard']],
    'v2/2026/11/20/23/a': [[60, 'other']],
    'v2/2026/11/20/21/a': [[1, 'an hour ago']],
  });

  const late = { ...capture, lagMs: 31 * minute };
  expect(await readAll(capture)).toEqual([['first', 'last', 'other']]);
  expect(await readAll(late)).toEqual([['first', 'last', 'unheard', 'other']]);
});

test('a page ends at a thousand requests, inside of a file, and the next one goes on there', async () => {
  const { capture, calls } = await written({
    'v1/2026/11/20/22/a': many(700, 'a'),
    'v1/2026/11/20/22/b': many(1600, 'b'),
    'v2/2026/11/20/22/a': many(3, 'c'),
  });

  const pages = await readAll(capture);

  expect(pages.map(({ length }) => length)).toEqual([1000, 1000, 303]);
  expect(new Set(pages.flat()).size).toBe(2303);
  expect(calls.filter((call) => call.startsWith('read v1/2026/11/20/22/a'))).toHaveLength(1);
});

test('a page of exactly a thousand requests loses and repeats nothing', async () => {
  const { capture } = await written({
    'v1/2026/11/20/22/a': many(1000, 'a'),
    'v1/2026/11/20/23/b': many(1, 'b'),
  });

  expect((await readAll(capture)).map(({ length }) => length)).toEqual([1000, 1]);
});

test('a page ends after 200 files, for a call of a function has no time for more', async () => {
  const names = Array.from({ length: 450 }, (_, index) => String(index).padStart(3, '0'));
  const { capture } = await written(Object.fromEntries(names.map((name) => [`v1/2026/11/20/22/${name}`, [[1, name]]])));

  const pages = await readAll(capture);

  expect(pages.map(({ length }) => length)).toEqual([200, 200, 50]);
  expect(pages.flat()).toEqual(names);
});

test('a page ends after 200 hours in which there is nothing, and the next one goes on', async () => {
  const { capture, calls } = await written({ 'v1/2026/11/29/22/a': [[0, 'late']] });
  const long = { ...query, to: query.from + 300 * hour };

  const { items, next = '' } = await capturedInFiles(capture, long);
  const looked = calls.length;
  const rest = await capturedInFiles(capture, { ...long, cursor: next });

  expect([items.length, looked, rest.items.length, calls.length]).toEqual([0, 200, 1, 302]);
});

test('a file goes on behind a part that ends with a line', async () => {
  const { capture, memory } = await written({});
  memory.write('v1/a', Buffer.from(`${'x'.repeat(999_999)}\n`.repeat(5)));

  const { lines, next = 0 } = await linesFrom(capture.bucket, 'v1/a', 0, 10);

  expect([lines.length, next]).toEqual([4, 4_000_000]);
  expect((await linesFrom(capture.bucket, 'v1/a', next, 10)).lines).toHaveLength(1);
});

test('a page of short requests reads little more of a file than it tells', async () => {
  const { capture, memory } = await written({ 'v1/2026/11/20/22/a': many(20_000, 'a'.repeat(200)) });
  let read = 0;
  const bucket: Bucket = {
    ...capture.bucket,
    async read(what) {
      const found = await capture.bucket.read(what);
      read += found?.content.length ?? 0;
      return found;
    },
  };
  const readPart: CaptureFiles['readPart'] = async (key, [offset = 0], most) => {
    const { lines, bytes, next } = await linesFrom(bucket, key, offset, most);
    const found = lines.map(({ text }) => ({ request: { requestId: text, at: from, rows: [], answers: [] } }));
    return { found, bytes, ...(next === undefined ? {} : { next: [next] }) };
  };

  const pages = await readAll({ ...capture, readPart });

  expect(new Set(pages.flat()).size).toBe(20_000);
  expect(read).toBeLessThan(3 * (memory.read({ key: 'v1/2026/11/20/22/a', maxBytes: 1e9 })?.content.length ?? 0));
});

test('a folder that is gone on the way is left out, and those behind it are read', async () => {
  const { capture } = await written({
    'v1/2026/11/20/22/a': many(1001, 'a'),
    'v2/2026/11/20/22/a': many(2, 'b'),
  });

  const { next = '' } = await capturedInFiles(capture, query);
  const without = { ...capture, folders: ['v2/'] };

  expect((await capturedInFiles(without, { ...query, cursor: next })).items).toHaveLength(2);
});

test('a cursor of another list is refused', async () => {
  const { capture } = await written({});

  for (const place of ['nothing', JSON.stringify([1, 2, 3]), JSON.stringify(['v1/', 'key', ['x']])]) {
    const cursor = Buffer.from(place).toString('base64url');
    await expect(capturedInFiles(capture, { ...query, cursor })).rejects.toMatchObject({ code: 'invalid' });
  }
});

test('a line that is longer than 4 MB is left out, and the file is read on behind it', async () => {
  const { capture, memory } = await written({});
  const long = 'x'.repeat(9_000_000);
  memory.write('v1/a', Buffer.from(`1 a\n${long}\n2 b\n\n3 c`));

  const first = await linesFrom(capture.bucket, 'v1/a', 0, 10);
  const second = await linesFrom(capture.bucket, 'v1/a', first.next ?? 0, 10);
  const third = await linesFrom(capture.bucket, 'v1/a', second.next ?? 0, 10);

  expect([first, second, third].map(({ lines, tooLong }) => [lines.map(({ text }) => text), tooLong])).toEqual([
    [['1 a'], undefined],
    [[], true],
    [['2 b', '3 c'], undefined],
  ]);
  expect(third.next).toBeUndefined();
});

test('a line that is longer than 4 MB may be the last one, without a line break', async () => {
  const { capture, memory } = await written({});
  memory.write('v1/a', Buffer.from('x'.repeat(8_000_000)));

  expect(await linesFrom(capture.bucket, 'v1/a', 0, 10)).toMatchObject({ lines: [], tooLong: true });
  expect((await linesFrom(capture.bucket, 'v1/a', 0, 10)).next).toBeUndefined();
});

test('a file that was forgotten since it was listed has no requests', async () => {
  const { capture } = await written({});

  expect(await linesFrom(capture.bucket, 'v1/gone', 0, 10)).toEqual({ lines: [], bytes: 0 });
});

test('a request without a form that is read is told without rows, and counted', async () => {
  const { capture } = await written({ 'v1/2026/11/20/22/a': many(3, 'a') });
  const known = { at: from, deployment: 'v1' };
  const odd = (body: string) => foundRequest(['size'], { ...known, asked: { body, contentType: 'image/png' } });
  const readPart: CaptureFiles['readPart'] = async () => ({
    found: [
      odd('one'),
      odd('two'),
      foundRequest(['size'], { ...known, asked: { body: '3', contentType: 'text/csv' } }),
    ],
    bytes: 1,
  });

  const { items, unread } = await capturedInFiles({ ...capture, readPart }, query);

  expect(items.map(({ rows }) => rows)).toEqual([[], [], [{ size: 3 }]]);
  expect(unread?.requests).toBe(2);
  expect(unread?.first).not.toContain('one');
});

test('a window is read once all of its copies are written, and until the first ones are forgotten', () => {
  const times = { lagMs, keptMs: 24 * hour };
  const check = (now: number) => () => checkCaptured(query, times, now);

  expect(check(query.to + lagMs - 1)).toThrow('may still be written');
  expect(check(query.to + lagMs)).not.toThrow();
  expect(check(query.from + times.keptMs)).not.toThrow();
  expect(check(query.from + times.keptMs + 1)).toThrow('are kept for 1d; ask for later ones');
});
