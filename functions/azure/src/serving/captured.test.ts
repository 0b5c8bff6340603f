import type { Bucket } from '@serin/core/ports/bucket';
import { expect, test } from 'vitest';
import { memoryBucket } from '../../../../test/simulation/fakes/bucket.ts';
import { atOnce } from '../../../../test/simulation/fakes/sync.ts';
import { readCollected, requestFolders } from './captured.ts';

const key = 'captured/e/v07/request/2026/11/20/12/instance-1.jsonl';
const answersKey = key.replace('request', 'response');

/** As "Store collected data in Blob Storage" has it; the values are invented. */
const line = (id: string, data: unknown, more: object = {}) =>
  JSON.stringify({
    ...{ specversion: '1.0', id: `line-${id}`, type: 'azureml.inference.request', datacontenttype: 'application/json' },
    ...{ time: '2026-11-20T12:00:01Z', data, contentrange: 'bytes 0-60/61', correlationid: id, xrequestid: id },
    ...more,
  });
const asked = (id: string, size = 3) => line(id, { input_data: { columns: ['size'], index: [0], data: [[size]] } });
const answered = (id: string, answer = 0.2) => line(id, [answer], { type: 'azureml.inference.response' });

function stored(files: Readonly<Record<string, readonly string[]>>) {
  const memory = memoryBucket();
  for (const [name, lines] of Object.entries(files))
    memory.write(name, Buffer.from(lines.map((each) => `${each}\n`).join('')));
  return atOnce<Bucket>(memory);
}

const read = (bucket: Bucket, from: readonly number[] = [], most = 1000) =>
  readCollected(bucket, ['size'], key, from, most);

test('a request is told with the answer of the same id, which stands in the other collection', async () => {
  const bucket = stored({
    [key]: [asked('a', 1), asked('b', 2)],
    [answersKey]: [answered('b', 0.2), answered('a', 0.1)],
  });

  const { found, next } = await read(bucket);

  const at = Date.UTC(2026, 10, 20, 12, 0, 1);
  expect(found).toEqual([
    { request: { at, deployment: 'v7', requestId: 'a', rows: [{ size: 1 }], answers: [0.1] } },
    { request: { at, deployment: 'v7', requestId: 'b', rows: [{ size: 2 }], answers: [0.2] } },
  ]);
  expect(next).toBeUndefined();
});

test('requests that are read in parts have their answers, also where a later one was answered first', async () => {
  const ids = Array.from({ length: 50 }, (_, index) => `r${index}`);
  const shuffled = ids.map((id, index) => [id, index + ((index * 7) % 5)] as const).toSorted(([, a], [, b]) => a - b);
  const bucket = stored({
    [key]: ids.map((id) => asked(id)),
    [answersKey]: shuffled.map(([id]) => answered(id, Number(id.slice(1)))),
  });

  const answers: unknown[] = [];
  let from: readonly number[] | undefined = [];
  while (from !== undefined) {
    const part: Awaited<ReturnType<typeof read>> = await read(bucket, from, 3);
    answers.push(...part.found.flatMap(({ request }) => request?.answers));
    from = part.next;
  }

  expect(answers).toEqual(ids.map((_, index) => index));
});

test('a request without an answer is told without one', async () => {
  const { found } = await read(stored({ [key]: [asked('a')] }));

  expect(found.map(({ request, unread }) => [request?.rows, request?.answers, unread])).toEqual([
    [[{ size: 3 }], [], undefined],
  ]);
});

test('CSV is a text of the line, and a payload in a blob of its own is counted as not read', async () => {
  const csv = { datacontenttype: 'text/csv; charset=utf-8' };
  const apart = { datacontenttype: 'text/plain', datainblob: 'true' };
  const bucket = stored({
    [key]: [line('a', '4\n5\n', csv), line('b', 'https://shopown.blob.core.windows.net/own/x', apart), asked('c')],
    [answersKey]: [line('a', '0.4\n0.5\n', csv), line('c', 'https://shopown.blob.core.windows.net/own/y', apart)],
  });

  const { found } = await read(bucket);

  expect(found.map(({ request }) => [request?.rows, request?.answers])).toEqual([
    [
      [{ size: 4 }, { size: 5 }],
      [0.4, 0.5],
    ],
    [[], []],
    [[{ size: 3 }], []],
  ]);
  expect(found.map(({ unread }) => unread)).toEqual([
    undefined,
    'its payload is binary or has more than 4 MB, so Azure ML put it into a blob of its own',
    undefined,
  ]);
});

test('a line that is not of this form is counted, whatever it is', async () => {
  const bucket = stored({ [key]: ['{"time":', 'null', '[]', line('a', 1, { time: 'yesterday' }), asked('b')] });

  const { found } = await read(bucket);

  expect(found.map(({ request, unread }) => [request?.requestId, unread !== undefined])).toEqual([
    [undefined, true],
    [undefined, true],
    [undefined, true],
    [undefined, true],
    ['b', false],
  ]);
});

test('the folders of requests are found by the keys, wherever Azure ML begins, and a mirror has none', async () => {
  const bucket = stored({
    [key]: [],
    [answersKey]: [],
    'captured/e/v08/request/e/v08/request/2026/11/20/12/i.jsonl': [],
    'captured/e/v09/request/2026/11/20/12/i.jsonl': [],
    'captured/e/v09/request/e/notes.txt': [],
    'captured/e2/v01/request/2026/11/20/12/i.jsonl': [],
  });

  expect(await requestFolders(bucket, 'e', ['v9'])).toEqual([
    'captured/e/v07/request/',
    'captured/e/v08/request/e/v08/request/',
  ]);
});

test('a payload that is nested too deeply to be written again does not keep others from being read', async () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  const nested = (id: string) => line(id, 'deep').replace('"deep"', `{"size":3,"other":${deep}}`);
  const bucket = stored({ [key]: [nested('a'), asked('b'), asked('c')], [answersKey]: [nested('b'), answered('c')] });

  const { found } = await read(bucket);

  expect(found.map(({ request, unread }) => [request?.rows, request?.answers, unread])).toEqual([
    [[], [], 'its lists or objects are nested too deeply'],
    [[{ size: 3 }], [], undefined],
    [[{ size: 3 }], [0.2], undefined],
  ]);
});
