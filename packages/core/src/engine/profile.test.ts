import { describe, expect, test } from 'vitest';
import { memoryBucket } from '../../../../test/simulation/fakes/bucket.ts';
import { memoryProfiler } from '../../../../test/simulation/fakes/profiler.ts';
import { atOnce } from '../../../../test/simulation/fakes/sync.ts';
import { canonical, decodeText, encodeText, sha256Hex } from '../base/json.ts';
import type { Profiler } from '../drift/profiler.ts';
import { type Reading, readingStart } from '../model/run/protocol.ts';
import type { Bucket } from '../ports/bucket.ts';
import type { Ports } from '../ports/ports.ts';
import { listDataset } from './dataset.ts';
import { countDataset, profileDataset, validate } from './profile.ts';

type Files = Readonly<Record<string, string>>;

const csv = (from: number, to: number): string =>
  `day,n\n${Array.from({ length: to - from }, (_, index) => `d${(from + index) % 5},${from + index}\n`).join('')}`;

/** A dataset version of these files, and what reads it. The listing says that each is `times` as large as it is. */
async function opened(files: Files, profiler: Profiler = memoryProfiler(), times = 1) {
  const drops = atOnce<Bucket>(memoryBucket());
  const buckets = new Map<string, Bucket>([
    ['serin', atOnce<Bucket>(memoryBucket())],
    [
      'drops',
      {
        ...drops,
        async list(...where) {
          const page = await drops.list(...where);
          return { ...page, items: page.items.map((item) => ({ ...item, bytes: item.bytes * times })) };
        },
      },
    ],
  ]);
  const bucket = (name: string): Bucket => buckets.get(name) as Bucket;
  const drop = async (more: Files) => {
    for (const [key, content] of Object.entries(more)) await bucket('drops').write(key, encodeText(content));
  };
  await drop(files);
  // Of the ports, reading calls this one.
  const ports = { bucket } as unknown as Ports;
  const around = { ports, profiler: async () => profiler };
  const { dataset } = await listDataset({ kind: 'list', model: 'fraud', bucket: 'drops', prefix: 'fraud/' }, ports, 1);
  if (dataset === undefined) throw new Error('there is no dataset');

  /** Every part, one after the other; `each` may do something in between. */
  async function whole<Ended>(
    part: (reading: Reading) => Promise<{ readonly reading: Reading; readonly ended?: Ended }>,
    each: (reading: Reading) => unknown = () => {},
  ) {
    let reading = readingStart;
    for (let parts = 1; parts < 100; parts += 1) {
      const done = await part(reading);
      if (done.ended !== undefined) return { parts, ended: done.ended, reading: done.reading };
      reading = done.reading;
      await each(reading);
    }
    throw new Error('no end');
  }
  return {
    bucket,
    ports,
    around,
    drop,
    dataset,
    profile: (each?: (reading: Reading) => unknown, under?: string) =>
      whole(
        (reading) =>
          profileDataset(
            { kind: 'profileDataset', dataset, reading, ...(under === undefined ? {} : { under }) },
            around,
          ),
        each,
      ),
    count: (cells: Parameters<typeof countDataset>[0]['cells']) =>
      whole((reading) => countDataset({ kind: 'countDataset', dataset, cells, reading }, around)),
    read: async (key: string) =>
      JSON.parse(decodeText((await bucket('serin').read({ key, maxBytes: 1e8 }))?.content ?? new Uint8Array())),
    keys: async (prefix: string) => (await bucket('serin').list(prefix)).items.map(({ key }) => key),
  };
}

/** What each call of a profiler was given. */
function watched(profiler: Profiler) {
  const calls: { readonly key: string; readonly from: unknown; readonly atMostBytes: number }[] = [];
  const port: Profiler = {
    ...profiler,
    profile(object, given) {
      calls.push({ key: object.key, from: given.from, atMostBytes: given.atMostBytes });
      return profiler.profile(object, given);
    },
  };
  return { calls, port };
}

describe('the profile of a dataset', () => {
  test('is read in parts, and is an object that its digest names', async () => {
    const { profile, read } = await opened({ 'fraud/a.csv': csv(0, 10), 'fraud/b.csv': csv(10, 14) });

    const { parts, ended } = await profile();

    expect(parts).toBeGreaterThan(3);
    expect(ended.rows).toBe(14);
    expect(await read(`profiles/${ended.profile}.json`)).toMatchObject({ rows: 14, objects: 2, passedOver: 0 });
  });

  test('is the same object however its rows were cut into parts, and read again', async () => {
    const files = { 'fraud/a.csv': csv(0, 10), 'fraud/b.csv': csv(10, 14) };
    const [few, many] = [await opened(files, memoryProfiler(100)), await opened(files, memoryProfiler(2))];

    const [one, other] = [await few.profile(), await many.profile()];
    const again = await many.profile();

    expect(one.parts).toBe(1);
    expect(other.parts).toBeGreaterThan(5);
    expect(other.ended).toEqual(one.ended);
    expect(again).toEqual(other);
  });

  test('comes of parts that each answer the same when they are read twice, or late', async () => {
    const { dataset, around, profile } = await opened({ 'fraud/a.csv': csv(0, 30) });
    const readings: Reading[] = [readingStart];
    const { ended } = await profile((reading) => readings.push(reading));

    for (const [index, reading] of readings.entries()) {
      const again = await profileDataset({ kind: 'profileDataset', dataset, reading }, around);
      expect(again.ended ?? again.reading).toEqual(readings[index + 1] ?? ended);
    }
    expect(readings.length).toBeGreaterThan(5);
  });

  test('passes over objects of other formats, and counts them', async () => {
    const { profile, read } = await opened({ 'fraud/a.csv': csv(0, 2), 'fraud/b.png': 'x', 'fraud/readme.md': 'x' });

    const { ended } = await profile();

    expect(await read(`profiles/${ended.profile}.json`)).toMatchObject({ rows: 2, objects: 1, passedOver: 2 });
  });

  test('of objects that nobody can read has no rows, and is no error', async () => {
    const { profile, read, count } = await opened({ 'fraud/a.png': 'x', 'fraud/b.png': 'x' });

    const { ended } = await profile();
    const counted = await count({ profile: ended.profile, columns: {} });

    expect(await read(`profiles/${ended.profile}.json`)).toMatchObject({
      rows: 0,
      objects: 0,
      passedOver: 2,
      columns: [],
    });
    expect(await read(`references/${counted.ended.reference}.json`)).toMatchObject({ rows: 0, columns: [] });
  });

  test('takes a hundred small objects in one call, and no more', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 150 }, (_, at) => [`fraud/${String(at).padStart(3, '0')}.csv`, csv(0, 1)]),
    );
    const { profile } = await opened(files);
    const begun: number[] = [];

    const { parts } = await profile(({ object }) => begun.push(object));

    expect(begun).toEqual([100]);
    expect(parts).toBe(2);
  });

  test('gives an object that does not fit into what is left a whole part of its own', async () => {
    const { calls, port } = watched({
      ...memoryProfiler(),
      async profile(object) {
        await object.read(0, object.bytes);
        return { state: encodeText('{"objects":1,"bytes":1,"rows":[]}') };
      },
    });
    const files = { 'fraud/a.csv': ' '.repeat(20), 'fraud/b.csv': ' '.repeat(20), 'fraud/c.csv': ' '.repeat(64) };
    const { profile } = await opened(files, port, 1_048_576);

    await profile();

    const whole = 64 * 1024 * 1024;
    expect(calls.map(({ atMostBytes }) => atMostBytes)).toEqual([whole, whole - 20, whole]);
  });

  test('does not read an object that was changed since it was listed', async () => {
    const { profile, drop } = await opened({ 'fraud/a.csv': csv(0, 2), 'fraud/b.csv': csv(0, 9) });

    const changed = profile(() => drop({ 'fraud/b.csv': csv(5, 14) }));

    await expect(changed).rejects.toThrow("'fraud/b.csv' has changed or gone since it was listed");
    await expect(changed).rejects.toMatchObject({ code: 'invalid' });
  });

  test('is read again from its beginning where what was seen so far is gone', async () => {
    const { profile, dataset, around } = await opened({ 'fraud/a.csv': csv(0, 9) });
    const { ended } = await profile();
    const gone = { ...readingStart, state: 'f'.repeat(64), object: 7, parts: 3 };

    let answer = await profileDataset({ kind: 'profileDataset', dataset, reading: gone }, around);
    expect(answer.reading).toMatchObject({ chunk: 0, object: 0, parts: 4 });
    while (answer.ended === undefined)
      answer = await profileDataset({ kind: 'profileDataset', dataset, reading: answer.reading }, around);

    expect(answer.ended).toEqual(ended);
  });

  test('is not taken from what was damaged between two parts', async () => {
    const { profile, bucket, keys } = await opened({ 'fraud/a.csv': csv(0, 9) });
    const damaged = profile(async () => {
      for (const key of await keys('profiles/unfinished/')) await bucket('serin').write(key, encodeText('{}\n{}'));
    });

    await expect(damaged).rejects.toThrow(
      /profiles\/unfinished\/\w+ in the bucket 'serin' has the digest .* delete it: what was read so far is read again/,
    );
  });

  test('may be of the objects under a prefix only', async () => {
    const { profile } = await opened({ 'fraud/holdout/a.csv': csv(0, 4), 'fraud/train/a.csv': csv(0, 9) });

    const [train, holdout] = [await profile(undefined, 'fraud/train/'), await profile(undefined, 'fraud/holdout/')];

    expect([train.ended.rows, holdout.ended.rows]).toEqual([9, 4]);
  });

  test('goes on in the next chunk of the manifest, and leaves out what is not data', async () => {
    const { dataset, around, bucket, read } = await opened({ 'fraud/a.csv': csv(0, 4) });
    const chunkOf = async (...keys: readonly string[]) => {
      const objects = await Promise.all(
        keys.map(async (key) => {
          await bucket('drops').write(key, encodeText(csv(0, 2)));
          const found = await bucket('drops').read({ key, maxBytes: 0 });
          return { key, version: found?.version, bytes: found?.bytes };
        }),
      );
      const content = encodeText(JSON.stringify({ objects }));
      const chunk = `datasets/chunks/${sha256Hex(content)}.json`;
      await bucket('serin').write(chunk, content);
      return chunk;
    };
    const chunks = [await chunkOf('fraud/b.csv', 'fraud/_temporary/c.csv'), await chunkOf('fraud/d.csv')];
    const manifest = encodeText(JSON.stringify({ ...(await read(dataset.manifest)), chunks }));
    await bucket('serin').write(dataset.manifest, manifest);

    const first = await profileDataset({ kind: 'profileDataset', dataset, reading: readingStart }, around);
    const second = await profileDataset({ kind: 'profileDataset', dataset, reading: first.reading }, around);

    expect(first).toMatchObject({ reading: { chunk: 1, object: 0, parts: 1 } });
    expect(second.ended?.rows).toBe(4);
  });

  test('of too many columns is not stored, and the text says what to do', async () => {
    const wide: Profiler = {
      ...memoryProfiler(1),
      profile: async () => ({ state: new Uint8Array(64_000_001), next: {} }),
    };
    const { profile } = await opened({ 'fraud/a.csv': csv(0, 4) }, wide);

    await expect(profile()).rejects.toThrow('the data has too many columns; leave some out');
  });

  test('is given up where the reading of an object does not come forward', async () => {
    const still: Profiler = {
      ...memoryProfiler(),
      profile: async () => ({ state: encodeText('x'), next: { row: 1 } }),
    };
    const { profile } = await opened({ 'fraud/a.csv': csv(0, 4) }, still);

    await expect(profile()).rejects.toMatchObject({ code: 'defect' });
  });

  test('begins anew where another version of the profiler began it', async () => {
    const { profile, around } = await opened({ 'fraud/a.csv': csv(0, 9) });
    const newer = { ...memoryProfiler(), version: 2 };
    const seen: Reading[] = [];

    const { ended } = await profile((reading) => {
      seen.push(reading);
      if (seen.length === 2) Object.assign(around, { profiler: async () => newer });
    });

    expect(ended.rows).toBe(9);
    expect(seen.map(({ parts }) => parts)).toEqual([1, 2, 3, 4]);
  });
});

describe('a reference', () => {
  test('has the cells of the profile, and counts each row on them', async () => {
    const { profile, count, read, dataset } = await opened({ 'fraud/a.csv': csv(0, 40), 'fraud/b.csv': csv(40, 100) });
    const seen = await profile();

    const { ended, parts } = await count({ profile: seen.ended.profile, columns: { n: 'number' } });

    const reference = await read(`references/${ended.reference}.json`);
    expect(parts).toBeGreaterThan(10);
    expect(reference).toMatchObject({ dataset: dataset.digest, rows: 100 });
    const [day, n] = reference.columns;
    expect(day).toMatchObject({ name: 'day', kind: 'category', rows: 100, cells: [20, 20, 20, 20, 20, 0, 0] });
    expect(n).toMatchObject({ name: 'n', kind: 'number', rows: 100, outside: 0 });
    expect(n.cells.reduce((sum: number, count: number) => sum + count)).toBe(100);
  });

  test('leaves out a column that the config turns off', async () => {
    const { profile, count, read } = await opened({ 'fraud/a.csv': csv(0, 40) });
    const seen = await profile();

    const { ended } = await count({ profile: seen.ended.profile, columns: { day: 'off' } });

    expect((await read(`references/${ended.reference}.json`)).columns).toHaveLength(1);
  });

  test('may have the cells of another one: so a dataset is counted on the cells of the one before', async () => {
    const { profile, count, read } = await opened({ 'fraud/a.csv': csv(0, 40) });
    const later = await opened({ 'fraud/b.csv': csv(30, 60) });
    const before = await count({ profile: (await profile()).ended.profile, columns: { n: 'number' } });
    const content = encodeText(JSON.stringify(await read(`references/${before.ended.reference}.json`)));
    await later.bucket('serin').write(`references/${before.ended.reference}.json`, content);

    const { ended } = await later.count({ reference: before.ended.reference });

    const [was, is] = [
      await read(`references/${before.ended.reference}.json`),
      await later.read(`references/${ended.reference}.json`),
    ];
    expect(is).toMatchObject({ rows: 30, dataset: later.dataset.digest });
    expect([was.days, is.days]).toEqual([{ days: 0, because: 'no column has a time in nearly every row' }, undefined]);
    expect(is.columns[1].edges).toEqual(was.columns[1].edges);
    expect(is.columns[1].outside).toBe(20);
  });

  test('cannot be made of a profile that is not there', async () => {
    const { count } = await opened({ 'fraud/a.csv': csv(0, 4) });

    await expect(count({ profile: 'a'.repeat(64), columns: {} })).rejects.toThrow(
      /profiles\/a+\.json is not in the bucket 'serin'; restore it from a backup/,
    );
  });
});

describe('the validation of a dataset', () => {
  /** A champion's dataset and another one, both looked through, in one bucket. */
  async function compared(more: Files) {
    const store = await opened({ 'fraud/a.csv': csv(0, 100) });
    const former = { ...(await store.profile()).ended };
    const { reference } = (await store.count({ profile: former.profile, columns: { n: 'number' } })).ended;
    const later = await opened(more);
    for (const key of [`profiles/${former.profile}.json`, `references/${reference}.json`])
      await later.bucket('serin').write(key, encodeText(canonical(await store.read(key))));
    const { profile } = (await later.profile()).ended;
    const onFormerCells = (await later.count({ reference })).ended.reference;
    const order = {
      kind: 'validateDataset',
      profile,
      former: { ...former, reference },
      rules: {},
      rowsBefore: [],
    } as const;
    return { ...later, order, onFormerCells };
  }

  test('says what changed since the champion was trained, and leaves its report', async () => {
    const { order, ports, read } = await compared({ 'fraud/b.csv': csv(0, 100).replaceAll(/,\d+/g, ',') });

    const { report, refused, because } = await validate({ ...order, seen: {} }, ports);

    expect([refused, because]).toEqual([true, expect.stringContaining("'n' ")]);
    expect(await read(`reports/${report}.json`)).toMatchObject({ refused, because, against: { rows: 100 } });
  });

  test('of a first dataset compares it with nothing', async () => {
    const { order, ports, read } = await compared({ 'fraud/b.csv': csv(0, 100) });
    const { former: _, ...first } = order;

    const { report, refused } = await validate({ ...first, seen: {} }, ports);

    expect(refused).toBe(false);
    expect(await read(`reports/${report}.json`)).not.toHaveProperty('against');
  });

  test('goes by the counts on the cells of the champion, which are exact', async () => {
    const { order, ports, onFormerCells, read } = await compared({ 'fraud/b.csv': csv(50, 150) });

    const { report } = await validate({ ...order, seen: { onFormerCells } }, ports);

    const { findings } = await read(`reports/${report}.json`);
    expect(findings).toContainEqual(expect.objectContaining({ check: 'outOfRange', column: 'n', value: 0.5 }));
  });

  test('of a split by manifest finds rows that both parts have', async () => {
    const files = { 'fraud/holdout/a.csv': csv(0, 50), 'fraud/train/a.csv': csv(0, 100) };
    const { profile, ports } = await opened(files);
    const [all, train, holdout] = [
      await profile(),
      await profile(undefined, 'fraud/train/'),
      await profile(undefined, 'fraud/holdout/'),
    ];
    const seen = { train: train.ended.profile, holdout: holdout.ended.profile };

    const { refused, because } = await validate(
      { kind: 'validateDataset', profile: all.ended.profile, seen, rules: {}, rowsBefore: [] },
      ports,
    );

    expect([refused, because]).toEqual([true, expect.stringContaining('hold-out')]);
  });

  test('cannot go by what is not there any more', async () => {
    const { order, ports } = await compared({ 'fraud/b.csv': csv(0, 100) });
    const former = { ...order.former, profile: 'a'.repeat(64) };

    await expect(validate({ ...order, former, seen: {} }, ports)).rejects.toThrow(
      /profiles\/a+\.json is not in the bucket 'serin'; restore it from a backup, or train a version/,
    );
  });
});
