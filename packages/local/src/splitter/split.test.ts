import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { splitterFiles } from '../../../cli/src/places.ts';

let root = '';
let script = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'serin-split-'));
  // As a job gets it: a folder of its own, with the core's part beside it.
  for (const file of splitterFiles) copyFileSync(file, join(root, basename(file)));
  script = join(root, 'split.mjs');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

type Files = Readonly<Record<string, string | Buffer>>;
const newest = (last: string) => ['--by', 'time', '--column', 'day', '--last', last];

function staged(files: Files): string {
  const job = mkdtempSync(join(root, 'job-'));
  mkdirSync(join(job, 'data'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(job, 'data', name)), { recursive: true });
    writeFileSync(join(job, 'data', name), content);
  }
  return job;
}

/** Runs the splitter as the job that it is; `read` answers what it left behind. */
function run(files: Files, args: readonly string[]) {
  const job = staged(files);
  const ended = spawnSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
    env: {
      TZ: 'Pacific/Kiritimati',
      SM_CHANNEL_DATA: join(job, 'data'),
      SM_OUTPUT_DATA_DIR: join(job, 'output'),
      SERIN_OUTPUT_TRAIN: join(job, 'output', 'train'),
      SERIN_OUTPUT_HOLDOUT: join(job, 'output', 'holdout'),
    },
  });
  const read = (name: string) => readFileSync(join(job, 'output', name), 'utf8');
  return {
    code: ended.status,
    message: ended.stderr.trim(),
    read,
    json: (name: string): unknown => JSON.parse(read(name)),
  };
}

const csv = (...rows: readonly string[]) => `day,births\n${rows.map((row) => `${row}\n`).join('')}`;
const tenDays = csv(
  ...Array.from({ length: 10 }, (_, index) => `1975-01-${String(index + 1).padStart(2, '0')},${index}`),
);

describe('the splitter, by time', () => {
  test('holds out the newest fifth, trains on the rest, and keeps the header in both', () => {
    const { code, read } = run({ 'days.csv': tenDays }, newest('20%'));

    expect(code).toBe(0);
    expect(read('holdout/holdout.csv')).toBe(csv('1975-01-09,8', '1975-01-10,9'));
    expect(read('train/train.csv')).toBe(tenDays.replace('1975-01-09,8\n1975-01-10,9\n', ''));
  });

  test('records the counts, the cut and the rule', () => {
    const { json } = run({ 'days.csv': tenDays }, newest('20%'));

    const counts = { trainRows: 8, holdoutRows: 2, holdoutFrom: Date.UTC(1975, 0, 9) };
    expect(json('metrics.json')).toEqual(counts);
    expect(json('split.json')).toEqual({ rule: { by: 'time', column: 'day', last: '20%' }, ...counts });
  });

  test.each([
    ['3', 3],
    ['90d', 90],
    ['12.5%', 92],
  ])('understands --last %s', (last, held) => {
    const days = Array.from({ length: 730 }, (_, day) => `${new Date(day * 86_400_000).toISOString().slice(0, 10)},1`);

    expect(run({ 'days.csv': csv(...days) }, newest(last)).json('metrics.json')).toMatchObject({
      holdoutRows: held,
      trainRows: 730 - held,
    });
  });

  test('a share is not a hair more: 4.4 percent of 750 rows are 33', () => {
    const numbers = Array.from({ length: 750 }, (_, day) => `${day},1`);

    expect(run({ 'days.csv': csv(...numbers) }, newest('4.4%')).json('metrics.json')).toMatchObject({
      holdoutRows: 33,
    });
  });

  test('never trains on a row as new as the cut, though more than the share are held out', () => {
    const rows = ['1975-01-01,1', '1975-01-02,2', '1975-01-03,canary', '1975-01-03,3', '1975-01-02,4', '1975-01-03,5'];

    const { read } = run({ 'days.csv': csv(...rows) }, newest('1'));

    expect(read('train/train.csv')).toBe(csv('1975-01-01,1', '1975-01-02,2', '1975-01-02,4'));
    expect(read('holdout/holdout.csv')).toContain('canary');
  });

  test('compares instants, not texts: zones count, a time without one is UTC on every machine', () => {
    const rows = ['1975-01-01T23:30:00-05:00,newest', '1975-01-02T01:00:00+0200,oldest', '1975-01-02 03:00,middle'];

    const { read, json } = run({ 'days.csv': csv(...rows) }, newest('1'));

    expect(read('holdout/holdout.csv')).toBe(csv('1975-01-01T23:30:00-05:00,newest'));
    expect(json('metrics.json')).toMatchObject({ holdoutFrom: Date.UTC(1975, 0, 2, 4, 30) });
  });

  test('reads several files as one dataset, whatever their order and line ends', () => {
    const files = {
      '1976/b.csv': `\ufeff${csv('1976-01-01,new').replaceAll('\n', '\r\n')}`,
      'a.csv': csv('1976-01-02,newer', '1975-01-01,old'),
      'c.csv': 'day,births\n1975-06-01,last line without an end',
      'empty.csv': csv(),
      _SUCCESS: '',
    };

    const { read } = run(files, newest('2'));

    expect(read('holdout/holdout.csv')).toBe(csv('1976-01-01,new', '1976-01-02,newer'));
    expect(read('train/train.csv')).toBe(csv('1975-01-01,old', '1975-06-01,last line without an end'));
  });

  test('keeps quoted commas, quotes and line breaks whole', () => {
    const note = '"two\r\nlines, ""quoted"""';

    const { read } = run({ 'days.csv': `births,day\n${note},1975-01-01\nplain,"1975-01-02"\n` }, newest('1'));

    expect(read('train/train.csv')).toBe(`births,day\n${note},1975-01-01\n`);
    expect(read('holdout/holdout.csv')).toBe('births,day\nplain,"1975-01-02"\n');
  });

  test('reads NDJSON, with dates or numbers', () => {
    const rows = ['{"day":3,"x":"ü"}', '{"x":1,"day":1}', '{"day":2.5}'];

    const { read } = run({ 'a.ndjson': `${rows[0]}\n`, 'b.jsonl': `${rows[1]}\n\n${rows[2]}` }, newest('1'));

    expect(read('holdout/holdout.ndjson')).toBe(`${rows[0]}\n`);
    expect(read('train/train.ndjson')).toBe(`${rows[1]}\n${rows[2]}\n`);
  });
});

describe('the splitter, by rows', () => {
  const orders = Array.from({ length: 2000 }, (_, index) => `${index % 400},${index}`);

  test('keeps all rows of one key on one side, and holds out about the share', () => {
    const { read, json } = run({ 'orders.csv': csv(...orders) }, ['--by', 'rows', '--key', 'day', '--share', '20%']);

    const keys = (name: string) =>
      new Set(
        read(name)
          .trim()
          .split('\n')
          .slice(1)
          .map((row) => row.split(',')[0]),
      );
    const trained = keys('train/train.csv');
    expect([...keys('holdout/holdout.csv')].filter((key) => trained.has(key))).toEqual([]);
    expect(keys('holdout/holdout.csv').size).toBeGreaterThan(50);
    expect(keys('holdout/holdout.csv').size).toBeLessThan(110);
    expect(json('metrics.json')).not.toHaveProperty('holdoutFrom');
  });

  test('what was held out once is held out again when the dataset has grown', () => {
    const before = run({ 'a.csv': csv(...orders.slice(0, 500)) }, ['--by', 'rows', '--share', '20%']);
    const after = run({ 'a.csv': csv(...orders.slice(0, 500)), 'b.csv': csv(...orders.slice(500)) }, [
      '--by',
      'rows',
      '--share',
      '20%',
    ]);

    const held = after.read('holdout/holdout.csv');
    for (const row of before.read('holdout/holdout.csv').trim().split('\n')) expect(held).toContain(`${row}\n`);
    expect(before.read('train/train.csv').length).toBeGreaterThan(before.read('holdout/holdout.csv').length);
  });

  test('a key has one side in CSV and NDJSON alike', () => {
    const lines = Array.from({ length: 50 }, (_, key) => `${JSON.stringify({ day: key })}\n`).join('');
    const rows = csv(...Array.from({ length: 50 }, (_, key) => `${key},x`));
    const rule = ['--by', 'rows', '--key', 'day', '--share', '50%'];

    const fromCsv = run({ 'a.csv': rows }, rule).read('holdout/holdout.csv').trim().split('\n').slice(1);
    const fromNdjson = run({ 'a.ndjson': lines }, rule).read('holdout/holdout.ndjson').trim().split('\n');

    expect(fromNdjson.map((line) => `${(JSON.parse(line) as { day: number }).day},x`)).toEqual(fromCsv);
  });
});

describe('the splitter refuses, and says where and why', () => {
  test.each<[string, Files, readonly string[], string]>([
    ['no files', { _SUCCESS: '', '.hidden.csv': 'x', 'a.csv.tmp': 'x', 'a.csv': '' }, newest('1'), 'has no files'],
    ['no rows', { 'a.csv': csv() }, newest('1'), 'the dataset has no rows'],
    ['a file without a header', { 'a.csv': '\n\n', 'b.csv': csv('1975-01-01,1') }, newest('1'), 'a.csv is empty'],
    [
      'a format it cannot read',
      { 'a.parquet': 'PAR1' },
      newest('1'),
      'a.parquet is neither .csv, .ndjson nor .jsonl: use a prepare command',
    ],
    ['two formats', { 'a.csv': csv(), 'b.jsonl': '{}' }, newest('1'), 'a.csv and b.jsonl differ in format'],
    [
      'other columns',
      { 'a.csv': csv('1,1'), 'b.csv': 'day,deaths\n1,1\n' },
      newest('1'),
      'b.csv and a.csv have different headers',
    ],
    [
      'a column that is not there',
      { 'a.csv': 'date,births\n1,1\n' },
      newest('1'),
      "a.csv has no column 'day': its columns are date, births",
    ],
    [
      'a date that does not exist',
      { 'a.csv': csv('1975-01-01,1', '1975-02-30,1') },
      newest('1'),
      `a.csv:3: 'day' is "1975-02-30"`,
    ],
    ['a missing time', { 'a.ndjson': '{"day":1}\n{"x":1}\n' }, newest('1'), "a.ndjson:2: 'day' is missing"],
    ['dates among numbers', { 'a.csv': csv('1975-01-01,1', '1975,1') }, newest('1'), 'a.csv:3: '],
    ['a ragged row', { 'a.csv': csv('1975-01-01,1,1') }, newest('1'), 'a.csv:2: 3 fields under 2 columns'],
    [
      'an open quote',
      { 'a.csv': csv('1975-01-01,"1', '1975-01-02,1') },
      newest('1'),
      'a.csv:2: the quote that is opened here is never closed',
    ],
    [
      'a stray quote',
      { 'a.csv': csv('1975-01-01,5" pipe', '1975-01-02,6" pipe') },
      newest('1'),
      'a.csv:2: a field has a quote inside',
    ],
    ['UTF-16', { 'a.csv': Buffer.from(`\ufeff${tenDays}`, 'utf16le') }, newest('1'), 'a.csv:1: the file is not UTF-8'],
    ['broken JSON', { 'a.jsonl': '{"day":1}\n{"day":' }, newest('1'), 'a.jsonl:2: the row is not JSON'],
    [
      'nothing to train on',
      { 'a.csv': csv('1975-01-01,1', '1975-01-01,2') },
      newest('1'),
      'all 2 rows would be held out',
    ],
    [
      'seconds taken for days',
      { 'a.csv': csv('1700000000,1', '1700086400,1') },
      newest('1d'),
      'plain numbers count as milliseconds',
    ],
    ['nothing held out', { 'a.csv': tenDays }, ['--by', 'rows', '--share', '0%'], 'none of 10 rows would be held out'],
    [
      'a row without its key',
      { 'a.csv': csv(',1') },
      ['--by', 'rows', '--key', 'day', '--share', '20%'],
      `a.csv:2: 'day' is ""`,
    ],
    ['half a rule', { 'a.csv': tenDays }, ['--by', 'time', '--last', '1'], 'usage: split.mjs --by time'],
    ['a rule of two kinds', { 'a.csv': tenDays }, [...newest('1'), '--share', '20%'], 'usage: split.mjs --by time'],
  ])('%s', (_, files, args, expected) => {
    const { code, message } = run(files, args);

    expect(message).toContain(expected);
    expect(message).not.toContain('\n');
    expect(code).toBe(1);
  });
});

interface Split {
  split(options: { readonly from: string; readonly train: string; readonly holdout: string; readonly rule: object }): {
    readonly trainRows: number;
    readonly holdoutRows: number;
  };
}

describe('whatever the rows', () => {
  const field = fc.oneof(
    fc.constantFrom('', '"', '""', ',', '\n', '\r\n', 'ü🙂', 'a,b'),
    fc.string({ unit: 'grapheme', maxLength: 6 }),
  );
  const quoted = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const row = fc
    .tuple(fc.integer({ min: 0, max: 6 }), field)
    .map(([day, text]) => `1975-01-0${day + 1},${quoted(text)}`);
  const rule = fc.oneof(
    fc.constantFrom('20%', '1', '3', '2d').map((last) => ({ by: 'time', column: 'day', last })),
    fc
      .constantFrom(undefined, 'day')
      .map((key) => ({ by: 'rows', share: '40%', ...(key === undefined ? {} : { key }) })),
  );

  const recordsOf = (file: string): string[] =>
    (readFileSync(file, 'utf8').match(/(?:[^"\n]|"(?:[^"]|"")*")*\n/g) ?? [])
      .slice(1)
      .map((record) => record.slice(0, -1));

  test('train and hold-out together are the input, and time keeps them apart', async () => {
    const { split }: Split = await import(script);
    const rows = fc.array(fc.array(row, { maxLength: 12 }), { minLength: 1, maxLength: 3 });
    let splits = 0;

    fc.assert(
      fc.property(rows, rule, (files, by) => {
        const job = staged(Object.fromEntries(files.map((lines, index) => [`${index}.csv`, csv(...lines)])));
        const [train, holdout] = [join(job, 'train'), join(job, 'holdout')];
        const given = files.flat();

        try {
          const counts = split({ from: join(job, 'data'), train, holdout, rule: by });
          splits += 1;
          expect(counts.trainRows + counts.holdoutRows).toBe(given.length);
        } catch (error) {
          expect(String(error)).toMatch(/rows/);
        }

        const [trained = [], held = []] = [`${train}/train.csv`, `${holdout}/holdout.csv`].map(recordsOf);
        expect([...trained, ...held].sort()).toEqual([...given].sort());
        if (by.by === 'time')
          for (const text of trained)
            for (const later of held) expect(text.slice(0, 10) < later.slice(0, 10)).toBe(true);
        rmSync(job, { recursive: true });
      }),
      { numRuns: 200 },
    );
    expect(splits).toBeGreaterThan(50);
  }, 30_000);
});
