import { describe, expect, test } from 'vitest';
import { memoryBucket } from '../../../../test/simulation/fakes/bucket.ts';
import { atOnce } from '../../../../test/simulation/fakes/sync.ts';
import { maxRow, notData, recordsOf, rowsOf } from '../base/data-files.mjs';
import { Fault } from '../base/fault.ts';
import { decodeText, encodeText, sha256Hex } from '../base/json.ts';
import type { DatasetVersion } from '../model/intake/protocol.ts';
import type { Bucket } from '../ports/bucket.ts';
import type { Ports } from '../ports/ports.ts';
import { listDataset, manifestKey } from './dataset.ts';
import { checkDataset } from './dataset-check.ts';

type Files = Readonly<Record<string, string>>;
type Rule = { readonly marker?: string; readonly manifest?: string };

const prefix = 'fraud/';

/** A bucket of drops under `fraud/`, and the project's own. */
function opened(files: Files = {}) {
  const buckets = new Map(['serin', 'drops'].map((name) => [name, atOnce<Bucket>(memoryBucket())]));
  const bucket = (name: string): Bucket => {
    const known = buckets.get(name);
    if (known === undefined) throw new Fault('notFound', `no bucket ${name}`);
    return known;
  };
  // Of the seven ports, listing and checking call this one.
  const ports = { bucket } as unknown as Ports;
  const drop = async (more: Files) => {
    for (const [name, content] of Object.entries(more)) await bucket('drops').write(prefix + name, encodeText(content));
  };
  return {
    buckets,
    ports,
    drop,
    given: drop(files),
    list: (rule: Rule = {}) =>
      listDataset({ kind: 'list', model: 'fraud', bucket: 'drops', prefix, ...rule }, ports, 1000),
    check: (dataset: DatasetVersion | undefined, columns: readonly string[] = [], maxBytes?: number) => {
      if (dataset === undefined) throw new Error('there is no dataset');
      const order = {
        kind: 'checkDataset',
        dataset,
        columns,
        ...(maxBytes === undefined ? {} : { maxBytes }),
      } as const;
      return checkDataset(order, ports);
    },
    keysOf: async (dataset: DatasetVersion | undefined) => {
      const read = async (key = '') =>
        JSON.parse(decodeText((await bucket('serin').read({ key, maxBytes: 1e6 }))?.content ?? new Uint8Array()));
      const { chunks } = await read(dataset?.manifest);
      const parts = await Promise.all(chunks.map(read));
      return parts.flatMap(({ objects }) => objects.map(({ key }: { readonly key: string }) => key));
    },
  };
}

async function listedOf(files: Files, rule: Rule = {}) {
  const store = opened(files);
  await store.given;
  return { ...store, ...(await store.list(rule)) };
}

describe('what is data', () => {
  test.each([
    ['fraud/', 0, 'folder'],
    ['fraud/2026/', 0, 'folder'],
    ['fraud/2026_$folder$', 0, 'folder'],
    ['fraud/_SUCCESS', 0, 'marker'],
    ['fraud/day=1/_SUCCESS', 0, 'marker'],
    ['fraud/_committed_123', 90, 'hidden'],
    ['fraud/_temporary/0/part-0.csv', 9, 'hidden'],
    ['fraud/.part-0.csv.crc', 12, 'hidden'],
    ['fraud/a.csv.tmp', 9, 'temporary'],
    ['fraud/a.csv._COPYING_', 9, 'temporary'],
    ['fraud/a.csv~', 9, 'temporary'],
    ['fraud/a.csv', 0, 'empty'],
    ['fraud/a.csv', 1, undefined],
    ['fraud/_day=1/a.csv', 1, undefined],
    ['fraud/a_b/c.d.csv', 1, undefined],
    ['fraud/../a.csv', 1, undefined],
  ])('%s of %d bytes: %s', (key, bytes, why) => {
    expect(notData(key, bytes, 'fraud/')).toBe(why);
  });

  test('names count below the folder of the prefix', () => {
    expect(notData('_in/fraud_2.csv', 1, '_in/fraud')).toBeUndefined();
    expect(notData('_in/_a.csv', 1, '_in/')).toBe('hidden');
  });
});

test.each([
  ['lines in a quote', recordsOf, ['day,"', ...Array<string>(5).fill(`${'x'.repeat(maxRow / 4)}\n`)]],
  ['one line', rowsOf, Array<string>(5).fill('x'.repeat(maxRow / 4))],
])('a row of more than 16 MB is refused while it is read: %s', (_, read, chunks) => {
  expect(() => [...read(chunks, 'a.csv')]).toThrow(
    'a.csv:1: the row has more than 16 MB; look for a quote that is not closed',
  );
});

describe('a listing', () => {
  test.each<[string, Files, readonly string[]]>([
    ['a marker of Spark', { _SUCCESS: '', 'part-0000.csv': 'x' }, ['part-0000.csv']],
    ['the folder that a console makes', { '': '', 'a.csv': 'x' }, ['a.csv']],
    [
      'a marker in a partition',
      { 'day=2026-01-01/_SUCCESS': '', 'day=2026-01-01/a.csv': 'x' },
      ['day=2026-01-01/a.csv'],
    ],
    ['an empty file', { 'a.csv': 'x', 'zz_empty.csv': '' }, ['a.csv']],
  ])('leaves out %s, and the rest is a dataset that may be used', async (_, files, expected) => {
    const { dataset, keysOf, check } = await listedOf(files);

    expect(await keysOf(dataset)).toEqual(expected.map((name) => prefix + name));
    expect(dataset).toMatchObject({ objects: 1, bytes: 1 });
    expect(await check(dataset)).toEqual([]);
  });

  test('tells what it left out and might have been meant: not markers and folders, which hold nothing', async () => {
    const files = { '': '', _SUCCESS: '', '_log/1.json': '{}', '_log/2.json': '{}', 'a.csv.tmp': 'x', 'b.csv': '' };

    const { progress, dataset } = await listedOf({ ...files, 'c.csv': 'x' });

    expect(dataset?.objects).toBe(1);
    expect(progress.leftOut).toEqual([
      { what: 'hidden by name', objects: 2, first: 'fraud/_log/1.json' },
      { what: 'temporary by name', objects: 1, first: 'fraud/a.csv.tmp' },
      { what: 'empty', objects: 1, first: 'fraud/b.csv' },
    ]);
  });

  test('tells what the bucket itself had to leave out', async () => {
    const store = opened({ 'a.csv': 'x' });
    await store.given;
    const port = store.ports.bucket('drops');
    const links = [{ what: 'behind a symbolic link', objects: 1, first: 'fraud/big.csv' }];
    store.buckets.set('drops', {
      ...port,
      list: async (...where) => ({ ...(await port.list(...where)), leftOut: links }),
    });

    expect((await store.list()).progress.leftOut).toEqual(links);
  });

  test('an object that was overwritten by one of equal size is another dataset; markers make none', async () => {
    const { dataset, drop, list } = await listedOf({ 'a.csv': 'one' });

    await drop({ _SUCCESS: '', '': '', 'empty.csv': '' });
    const same = await list();
    await drop({ 'a.csv': 'two' });
    const other = await list();

    expect(same.dataset?.digest).toBe(dataset?.digest);
    expect(other.dataset).toMatchObject({ objects: 1, bytes: 3 });
    expect(other.dataset?.digest).not.toBe(dataset?.digest);
  });

  test('where its parts were cut does not matter: each goes on from the ones before', async () => {
    const { ports, dataset } = await listedOf({ 'a.csv': 'one', 'b.csv': 'two', 'c.csv': 'three' });
    const order = { kind: 'list', model: 'fraud', bucket: 'drops', prefix } as const;
    const whole = ports.bucket('drops');
    const alone = (from: number, to: number, next?: string) => ({
      ...ports,
      bucket: (name: string): Bucket =>
        name === 'drops'
          ? {
              ...whole,
              list: async () => ({
                items: (await whole.list(prefix)).items.slice(from, to),
                ...(next === undefined ? {} : { next }),
              }),
            }
          : ports.bucket(name),
    });

    // A page that is not the last ends a part when it holds 50,000 keys; here the parts are taken one by one.
    const { progress } = await listDataset(order, alone(0, 2), 1000);
    const rest = await listDataset({ ...order, progress }, alone(2, 3), 1000);

    expect(rest.dataset?.digest).toBe(dataset?.digest);
    expect(rest.dataset).toMatchObject({ objects: 3, bytes: 11 });
  });

  test('a marker is not whole by its name alone: it has to be there, and the same at the end', async () => {
    const store = opened({ 'a.csv': 'x', '_DONE.old': '' });
    await store.given;
    const without = await store.list({ marker: 'fraud/_DONE' });
    await store.drop({ _DONE: '' });
    const first = await store.list({ marker: 'fraud/_DONE' });
    await store.drop({ _DONE: '' });
    const second = await store.list({ marker: 'fraud/_DONE' });

    expect(without).toMatchObject({ progress: { complete: false } });
    expect(without.dataset).toBeUndefined();
    expect(first).toMatchObject({ progress: { complete: true }, dataset: { objects: 1 } });
    expect(second.progress.gate).not.toBe(first.progress.gate);
    expect(second.dataset?.digest).toBe(first.dataset?.digest);
  });

  test('a marker that is written again while the files are listed releases nothing', async () => {
    const store = opened({ 'a.csv': 'x', _DONE: '' });
    await store.given;
    const port = store.ports.bucket('drops');
    store.buckets.set('drops', {
      ...port,
      async list(asked, cursor) {
        const page = await port.list(asked, cursor);
        if (asked === prefix) await store.drop({ 'b.csv': 'y', _DONE: '' });
        return page;
      },
    });

    const { progress, dataset } = await store.list({ marker: 'fraud/_DONE' });

    expect(progress.complete).toBe(false);
    expect(dataset).toBeUndefined();
  });

  test('a manifest waits for each file that it names, and says which are not there or still empty', async () => {
    const { progress, dataset, drop, list, keysOf } = await listedOf(
      { 'files.json': '["a.csv","b.csv","c.csv"]', 'a.csv': 'x', 'c.csv': '', 'other.csv': 'x' },
      { manifest: 'fraud/files.json' },
    );
    await drop({ 'b.csv': 'x', 'c.csv': 'x' });
    const whole = await list({ manifest: 'fraud/files.json' });

    expect(dataset).toBeUndefined();
    expect(progress).toMatchObject({ complete: false, missing: ['fraud/b.csv', 'fraud/c.csv'] });
    expect(await keysOf(whole.dataset)).toEqual(['fraud/a.csv', 'fraud/b.csv', 'fraud/c.csv']);
  });

  test('a manifest that names what is no data is refused by that name', async () => {
    await expect(
      listedOf({ 'files.json': '["a.csv","_b.csv"]', 'a.csv': 'x' }, { manifest: 'fraud/files.json' }),
    ).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining("names 'fraud/_b.csv'") });
  });
});

describe('the check of a dataset', () => {
  const columns = Array.from({ length: 20_000 }, (_, index) => `c${index}`).join(',');
  const long = Array.from({ length: 30_000 }, (_, index) => index / 7).join(',');

  test.each<[string, string, string, readonly string[]]>([
    ['a comma in quotes', 'a.csv', 'day,"amount, usd"\n2026-01-01,1\n', ['amount, usd']],
    ['a line break in quotes', 'a.csv', 'day,"amount\n(usd)",label\n2026-01-01,1,0\n', ['label', 'amount\n(usd)']],
    ['a mark at the beginning, and line ends of Windows', 'a.csv', '\ufeffday,label\r\n1,2\r\n', ['day', 'label']],
    ['spaces around names, and no row', 'a.CSV', 'day, größe', ['größe']],
    ['a first row of half a megabyte', 'a.jsonl', `{"day":1,"embedding":[${long}],"label":0}\n{}\n`, ['day', 'label']],
    ['a header of two hundred kilobytes', 'a.csv', `day,"${'x'.repeat(200_000)}",label\n1,2,3\n`, ['day', 'label']],
    ['a header of twenty thousand columns', 'a.csv', `${columns}\n${columns}\n`, ['c0', 'c19999']],
    ['empty lines before the first row', 'a.ndjson', '\n\r\n{"day":"2026-01-01"}\n', ['day']],
    ['another format', 'a.parquet', 'PAR1', ['day']],
  ])('reads %s as the splitter does', async (_, name, content, wanted) => {
    const { dataset, check } = await listedOf({ [name]: content });

    expect(await check(dataset, wanted)).toEqual([]);
  });

  test.each<[string, string, string, string]>([
    ['a column that is not there', 'a.csv', 'day,n\n', "'fraud/a.csv' lacks the column 'label' (it has day, n)"],
    ['a field that is not there', 'a.jsonl', '{"day":1}\n{"label":1}\n', "lacks the column 'label' (it has day)"],
    [
      'a quote that is not closed',
      'a.csv',
      'day,"label\n1,2\n',
      'fraud/a.csv:1: the quote that is opened here is never closed',
    ],
    ['no header', 'a.csv', '\n\n', 'fraud/a.csv is empty'],
    ['UTF-16', 'a.csv', 'd\0a\0y\0\n', 'fraud/a.csv:1: the file is not UTF-8'],
    ['what is not JSON', 'a.jsonl', 'day,label\n', 'fraud/a.jsonl:1: the row is not JSON'],
    ['a quote that is open for 17 MB', 'a.csv', `day,"${`${'x'.repeat(99)}\n`.repeat(170_000)}`, 'the first row of'],
  ])('says %s', async (_, name, content, problem) => {
    const { dataset, check } = await listedOf({ [name]: content });

    expect(await check(dataset, ['label'])).toEqual([expect.stringContaining(problem)]);
  });

  test('an object that changed since it was listed is said, and is not read', async () => {
    const { dataset, drop, check } = await listedOf({ 'a.csv': 'day\n1\n' });
    await drop({ 'a.csv': 'day\n2\n' });

    expect(await check(dataset)).toEqual(["'fraud/a.csv' has changed or gone since it was listed"]);
  });

  test.each([
    [5, undefined],
    [6, undefined],
    [4, '5 bytes, more than data.maxBytes (4)'],
  ])('of 5 bytes and at most %d: %s', async (maxBytes, problem) => {
    const { dataset, check } = await listedOf({ 'a.csv': 'day\n1' });

    expect(await check(dataset, [], maxBytes)).toEqual(problem === undefined ? [] : [problem]);
  });

  test('a dataset whose manifest is gone is of no use', async () => {
    const { dataset, check } = await listedOf({ 'a.csv': 'x' });
    if (dataset === undefined) throw new Error('there is no dataset');

    expect(await check({ ...dataset, manifest: 'datasets/gone.json' })).toEqual([
      expect.stringContaining("datasets/gone.json in the bucket 'serin' is not there"),
    ]);
  });

  test('what older code listed though it is no data stands in nobody’s way', async () => {
    const { ports, check } = await listedOf({ 'a.csv': 'day\n1\n' });
    const own = ports.bucket('serin');
    const write = async (key: string, value: unknown) => {
      await own.write(key, encodeText(JSON.stringify(value)));
      return key;
    };
    const listed = (await ports.bucket('drops').list('fraud/a')).items;
    const objects = [{ key: 'fraud/', version: 'v', bytes: 0 }, ...listed.map(({ written: _, ...object }) => object)];
    const chunk = `datasets/chunks/${sha256Hex(JSON.stringify({ objects }))}.json`;
    const chain = objects.reduce(
      (before, { key, version, bytes }) => sha256Hex(`${before}\n${JSON.stringify([key, version, bytes])}`),
      '',
    );
    const digest = sha256Hex(JSON.stringify(['drops', prefix, chain]));
    const chunks = [await write(chunk, { objects })];
    const manifest = await write(manifestKey('fraud', digest), {
      bucket: 'drops',
      prefix,
      objects: 2,
      bytes: 6,
      chunks,
    });
    const old = { digest, bucket: 'drops', prefix, manifest, objects: 2, bytes: 6, at: 0 };

    expect(await check(old, ['day'])).toEqual([]);
  });
});
