import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Alone } from './alone.ts';
import {
  type Cell,
  type Columns,
  drawsOf,
  normal,
  profileOf,
  referenceOf,
  repeat,
  windowOf,
} from './profile.fixture.ts';
import type { DatasetProfile } from './profile.ts';
import { checkNames, type DataRules, labelToCount, type Validated, validateDataset } from './validate.ts';

const draw = drawsOf(1);
const rowsOf = (rows: number, changed: Columns = {}): Columns => ({
  size: repeat(rows, () => 10 + 2 * draw()),
  colour: repeat(rows, () => ['red', 'green', 'blue'][Math.floor(3 * draw())] ?? 'red'),
  late: repeat(rows, () => draw() < 0.3),
  unit: repeat(rows, () => 'cm'),
  id: repeat(rows, (index) => `id-${index}`),
  ...changed,
});
const before = profileOf(rowsOf(2000));

const validate = (now: Columns | DatasetProfile, given: Partial<Validated> = {}) =>
  validateDataset({
    profile: 'rowSample' in now ? (now as DatasetProfile) : profileOf(now as Columns),
    against: { profile: before },
    rules: {},
    rowsBefore: [],
    ...given,
  });
const found = (now: Columns | DatasetProfile, given?: Partial<Validated>) =>
  validate(now, given).findings.map(({ check, column, action }) => `${action} ${check}${column ? ` ${column}` : ''}`);

/** A column in which the first of so many rows are others. */
const with_ = (rows: number, changed: number, cell: Cell, usual: (index: number) => Cell): readonly Cell[] =>
  repeat(rows, (index) => (index < changed ? cell : usual(index)));
/** Of a few columns rows are equal by chance. */
const noCopies: DataRules = { checks: { duplicates: 'off', distribution: 'off' } };
const size = () => 10 + 2 * draw();

describe('a dataset like the one before', () => {
  test('has no finding', () => {
    const report = validate(rowsOf(1000));

    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ refused: false, against: { rows: 2000, columns: 5 }, rows: 1000 });
    expect(report.because).toBe('nothing was found in 1,000 rows of 5 columns');
  });

  test('says of each column what was compared', () => {
    const { columns, compared } = validate(rowsOf(1000));

    expect(columns.find(({ name }) => name === 'size')).toEqual({
      name: 'size',
      kind: 'number',
      compared: ['retyped', 'allMissing', 'missing', 'becameConstant', 'outOfRange'],
    });
    expect(columns.find(({ name }) => name === 'id')).toMatchObject({ kind: 'plain' });
    expect(columns.find(({ name }) => name === 'unit')?.compared).not.toContain('becameConstant');
    expect(compared).toContain('duplicates');
    expect(compared).not.toContain('volume');
  });
});

describe('columns', () => {
  test('one that is gone refuses, and one that is new warns', () => {
    const { size: gone, ...rest } = rowsOf(500);

    expect(found({ ...rest, length: gone ?? [] })).toEqual(['refuse missingColumn size', 'warn extraColumn length']);
  });

  test.each([
    ['of which few are texts', 4, []],
    ['of which some are texts', 20, ['warn retyped size']],
    ['of which many are texts', 200, ['refuse retyped size']],
  ])('numbers %s', (_, texts, expected) => {
    expect(found(rowsOf(1000, { size: with_(1000, texts, 'n/a', size) }))).toEqual(expected);
  });

  test('whole numbers that turned to decimals are numbers as before', () => {
    const whole = profileOf({ n: repeat(500, (index) => index % 100) });

    expect(found({ n: repeat(500, (index) => (index % 100) + 0.5) }, { against: { profile: whole } })).toEqual([]);
  });

  test.each([
    [0, []],
    [8, []],
    [60, ['warn missing size']],
    [300, ['refuse missing size']],
    [1000, ['refuse allMissing size']],
  ])('%i of 1,000 values missing, and none before', (lacking, expected) => {
    expect(found(rowsOf(1000, { size: with_(1000, lacking, null, size) }))).toEqual(expected);
  });

  test('values that are empty texts or NaN are missing', () => {
    const colours = with_(1000, 300, '', (index) => (index % 2 === 0 ? 'red' : 'blue'));

    expect(found(rowsOf(1000, { colour: colours }))).toEqual(['refuse missing colour']);
    expect(found(rowsOf(1000, { size: with_(1000, 300, Number.NaN, size) }))).toEqual(['refuse missing size']);
  });

  test('rows of an object that lacks the column lack a value', () => {
    const now = profileOf(rowsOf(1000));
    const columns = now.columns.map((column) => (column.name === 'size' ? { ...column, rows: 600 } : column));
    const shorter = columns.map((column) =>
      column.name === 'size' ? { ...column, types: { ...column.types, decimal: 600 } } : column,
    );

    expect(found({ ...now, columns: shorter })).toEqual(['refuse missing size']);
  });

  test('a share of missing values over the limit that may be chance is no finding', () => {
    const usual = profileOf({ a: with_(1000, 100, null, size) });
    const chance = { a: with_(30, 7, null, size) };

    const given = { against: { profile: usual }, rules: noCopies };

    expect(found(chance, given)).toEqual([]);
    expect(found({ a: with_(3000, 700, null, size) }, given)).toEqual(['refuse missing a']);
  });

  test('a share that was large already has more room', () => {
    const given = { against: { profile: profileOf({ a: with_(2000, 800, null, size) }) }, rules: noCopies };

    expect(found({ a: with_(3000, 1440, null, size) }, given)).toEqual([]);
    expect(found({ a: with_(3000, 1560, null, size) }, given)).toEqual(['warn missing a']);
  });

  test('a few rows of a column that is rarely filled, or of two types, may be alike by chance', () => {
    const rare = { against: { profile: profileOf({ a: with_(1000, 900, null, size) }) }, rules: noCopies };
    const mixed = { against: { profile: profileOf({ a: with_(100, 20, 'x', size) }) }, rules: noCopies };

    expect(found({ a: [null, null, null] }, rare)).toEqual([]);
    expect(found({ a: with_(8, 4, 'x', size) }, mixed)).toEqual([]);
  });

  test.each([
    [1, []],
    [15, ['warn constantBroken unit']],
    [300, ['refuse constantBroken unit']],
  ])('a constant with %i other values in 1,000', (others, expected) => {
    const changed = rowsOf(1000, {
      unit: with_(1000, others, 'cm', () => 'cm').map((_, i) => (i < others ? 'in' : 'cm')),
    });

    expect(found(changed, { rules: { checks: { unseen: 'off' } } })).toEqual(expected);
  });

  test('a column that has one value now is dead, unless that may be chance', () => {
    expect(found(rowsOf(1000, { colour: repeat(1000, () => 'red') }))).toEqual(['refuse becameConstant colour']);
    expect(found(rowsOf(3, { colour: repeat(3, () => 'red'), late: [true, true, true] }))).toEqual([]);
  });
});

describe('numbers outside the range of before', () => {
  const usual = { size: repeat(5001, (index) => index / 50) };
  const reference = referenceOf(usual);
  const against = { profile: profileOf(usual), reference };
  const inside = (index: number) => (index % 5000) / 50;
  const check = (cells: readonly Cell[], counted: boolean) => {
    const counts = counted ? { counts: windowOf(reference, { size: cells }) } : {};
    return validate({ size: cells }, { against, ...counts, rules: noCopies }).findings;
  };

  test.each([
    ['a little outside', 500, 105, []],
    ['one of 10,000 far outside', 1, 1e6, []],
    ['0.5 % far outside', 50, 1e6, ['warn']],
    ['5 % far outside', 500, -1e6, ['refuse']],
    ['infinite', 500, Number.POSITIVE_INFINITY, ['refuse']],
  ])('%s are counted on the cells of the reference', (_, others, far, expected) => {
    const findings = check(with_(10_000, others, far, inside), true);

    expect(findings.map(({ action }) => action)).toEqual(expected);
    if (expected.length > 0) expect(findings[0]).toMatchObject({ check: 'outOfRange', value: others / 10_000 });
  });

  test('that are not counted tell how far they go, and no share', () => {
    const [finding] = check(with_(10_000, 50, 200, inside), false);

    expect(finding).toMatchObject({ action: 'warn', value: 200, limit: 110 });
    expect(finding?.text).toContain('how many values do was not counted');
  });

  test('that are not counted refuse where the quantiles show that they are many', () => {
    const [finding] = check(
      repeat(10_000, (index) => inside(index) * 1.8 + 32),
      false,
    );

    expect(finding).toMatchObject({ check: 'outOfRange', action: 'refuse' });
    expect(finding?.value).toBeGreaterThan(0.35);
  });

  test('that are not counted and may be few only warn', () => {
    expect(check(with_(10_000, 200, 200, inside), false)).toMatchObject([{ action: 'warn', value: 200 }]);
  });

  test('that are infinite are no news where there were some before', () => {
    const infinite = { size: with_(5000, 5, Number.NEGATIVE_INFINITY, inside) };

    expect(found(infinite, { against: { profile: profileOf(infinite) }, rules: noCopies })).toEqual([]);
    expect(found(infinite, { against: { profile: profileOf(usual) }, rules: noCopies })).toEqual([
      'warn outOfRange size',
    ]);
  });

  test('are expected to be some where few rows were known', () => {
    const few = { size: repeat(50, () => normal(draw)) };
    const cells = repeat(5000, () => normal(draw));
    const small = referenceOf(few);
    const given = { against: { profile: profileOf(few), reference: small }, counts: windowOf(small, { size: cells }) };

    expect(found({ size: cells }, given)).toEqual([]);
  });

  test('of an identifier are what they always are', () => {
    const ids = (from: number): Columns => ({ id: repeat(1000, (index) => from + index) });

    expect(found(ids(1000), { against: { profile: profileOf(ids(0)) } })).toEqual([]);
  });
});

describe('categories that were not there before', () => {
  const colour = (rows: number, others: number) =>
    rowsOf(rows, { colour: with_(rows, others, 'pink', (index) => ['red', 'green', 'blue'][index % 3] ?? '') });

  test.each([
    [5, []],
    [30, ['warn unseen colour']],
    [200, ['refuse unseen colour']],
  ])('%i of 1,000', (others, expected) => {
    const usual = rowsOf(2000);
    const reference = referenceOf(usual);
    const counts = windowOf(reference, colour(1000, others));

    expect(found(colour(1000, others))).toEqual(expected);
    const given = { against: { profile: profileOf(usual), reference }, counts, rules: noCopies };
    expect(found(colour(1000, others), given)).toEqual(expected);
  });

  test('are not told where there are too many categories to list', () => {
    const many = (from: number): Columns => ({
      town: repeat(6000, (index) => `t${(index * (index % 7) + from) % 300}`),
    });
    const reference = referenceOf(many(0));
    const against = { profile: profileOf(many(0)), reference };
    const compared = (given: Partial<Validated>) => validate(many(77), { against, ...given, rules: noCopies });

    for (const report of [
      compared({ against: { profile: against.profile } }),
      compared({ counts: windowOf(reference, many(77)) }),
    ]) {
      expect(report.findings).toEqual([]);
      expect(report.columns[0]?.compared).not.toContain('unseen');
    }
  });

  test('are expected where many values came once', () => {
    const names = (from: number): Columns => ({
      name: repeat(400, (index) => (index % 2 === 0 ? `n${Math.floor(from + index / 8)}` : 'often')),
    });
    const rare = (from: number): Columns => ({
      name: repeat(400, (index) => (index % 4 === 0 ? `n${from + index}` : 'often')),
    });

    expect(found(rare(1000), { against: { profile: profileOf(rare(0)) } })).toEqual([]);
    expect(found(names(1000), { against: { profile: profileOf(names(0)) } })).toEqual(['refuse unseen name']);
  });
});

describe('a distribution', () => {
  const usual = rowsOf(3000);
  const reference = referenceOf(usual);
  const against = { profile: profileOf(usual), reference };
  const shifted = (by: number, blue: number) =>
    rowsOf(2000, {
      size: repeat(2000, () => 10 + 2 * draw() ** by),
      colour: repeat(2000, () => (draw() < blue ? 'blue' : draw() < 0.5 ? 'red' : 'green')),
    });

  test.each([
    ['as before', 1, 1 / 3, []],
    ['of other numbers', 1.5, 1 / 3, ['warn distribution size']],
    ['of other categories', 1, 0.5, ['warn distribution colour']],
  ])('%s', (_, by, blue, expected) => {
    const now = shifted(by, blue);

    expect(found(now, { against, counts: windowOf(reference, now) })).toEqual(expected);
  });
});

describe('rows', () => {
  test('none refuse', () => {
    expect(found(rowsOf(0))).toEqual(['refuse rows']);
  });

  test('of a format that is not read are none, and the reason says so', () => {
    const profile = { ...profileOf({}), objects: 0, passedOver: 3 };

    const { because } = validateDataset({ profile, rules: {}, rowsBefore: [] });

    expect(because).toContain('the dataset has no rows: none of its 3 objects is CSV, NDJSON or Parquet by its name');
  });

  test.each([
    [1, []],
    [5, ['warn badRows']],
    [50, ['refuse badRows']],
  ])('%i of them in 1,000 cannot be read', (rows, expected) => {
    expect(found({ ...profileOf(rowsOf(1000)), badRows: { rows, first: 'a.csv, row 7' } })).toEqual(expected);
  });

  const about = (rows: number) => repeat(14, (index) => rows + (index % 5) * 10);
  test.each([
    [1000, about(1000), []],
    [1300, about(1000), []],
    [2000, about(1000), ['warn volume']],
    [500, about(1000), ['warn volume']],
    [500, about(1000).slice(0, 6), []],
    [500, [...about(1000), ...about(1000), ...repeat(14, () => 500)], []],
  ])('%i, after as many as %j', (rows, rowsBefore, expected) => {
    expect(found(rowsOf(rows), { rowsBefore })).toEqual(expected);
  });

  const copied = (rows: number, copies: number): Columns => {
    const { size: sizes, ...rest } = rowsOf(rows - copies);
    const twice = (cells: readonly Cell[]) => [...cells, ...cells.slice(0, copies)];
    return {
      size: twice(sizes ?? []),
      ...Object.fromEntries(Object.entries(rest).map(([key, all]) => [key, twice(all)])),
    };
  };
  test.each([
    [0, []],
    [100, []],
    [220, []],
    [1500, ['warn duplicates']],
  ])('%i of 15,000 are copies', (copies, expected) => {
    expect(found(copied(15_000, copies), { rules: { checks: { outOfRange: 'off' } } })).toEqual(expected);
  });
});

describe('the label', () => {
  const labelled = (cells: readonly Cell[]) => rowsOf(cells.length, { y: cells });
  const rules: DataRules = { label: 'y', checks: { extraColumn: 'off' } };

  test.each([
    ['two classes', repeat(500, (index) => (index % 5 === 0 ? 'yes' : 'no')), []],
    ['a rare class', with_(500, 19, 'yes', () => 'no'), ['refuse labelRareClass y']],
    ['20 rows of a class', with_(500, 20, 'yes', () => 'no'), []],
    ['one class', repeat(500, () => 'no'), ['refuse labelOneClass y']],
    ['a row without one', with_(500, 1, null, (index) => index % 2), ['refuse labelMissing y']],
    ['a number', repeat(500, () => normal(draw)), []],
    ['more classes than the profile lists', repeat(6000, (index) => `c${index % 200}`), []],
    ['one of them in one row', with_(6000, 1, 'rare', (index) => `c${index % 200}`), ['refuse labelRareClass y']],
  ])('with %s', (_, cells, expected) => {
    expect(found(labelled(cells), { rules })).toEqual(expected);
  });

  test('that is promised to be a number has no classes', () => {
    const rooms = labelled(repeat(500, (index) => (index < 10 ? 9 : index % 4)));

    expect(found(rooms, { rules })).toEqual(['refuse labelRareClass y']);
    expect(found(rooms, { rules: { ...rules, columns: { y: { type: 'number' } } } })).toEqual([]);
  });

  test('must be there', () => {
    expect(found(rowsOf(500), { rules })).toEqual(['refuse missingColumn y']);
  });
});

describe('rows of the hold-out that training has', () => {
  const train = repeat(6000, (index) => index);
  const parts = (shared: number) => ({
    train: profileOf({ a: train }, { sampled: 4096 }),
    holdout: profileOf({ a: repeat(3000, (index) => (index < shared ? index : 10_000 + index)) }),
  });

  test.each([
    [0, []],
    [3, ['warn leakage']],
    [300, ['refuse leakage']],
  ])('%i of 3,000', (shared, expected) => {
    expect(found(rowsOf(500), { parts: parts(shared) })).toEqual(expected);
  });
});

describe('what the config says', () => {
  const broken = { ...rowsOf(1000, { size: with_(1000, 300, null, size) }), more: repeat(1000, () => 1) };

  test.each([
    [{}, ['refuse missing size', 'warn extraColumn more']],
    [{ missing: 'warn' }, ['warn extraColumn more', 'warn missing size']],
    [{ missing: 'off', extraColumn: 'off' }, []],
    [{ extraColumn: 'refuse' }, ['refuse extraColumn more', 'refuse missing size']],
  ] as const)('%j', (checks, expected) => {
    expect(found(broken, { rules: { checks } })).toEqual(expected);
  });

  test.each([
    [{}, 'warn'],
    [{ checks: { outOfRange: 'refuse', unseen: 'refuse' } }, 'refuse'],
    [{ columns: { size: { min: 0, max: 11 }, colour: { values: ['red', 'green'] } } }, 'refuse'],
  ] as const)(
    'values that have moved only warn a run that an alert asked for, unless it is said: %j',
    (said, action) => {
      const moved = rowsOf(1000, {
        size: with_(1000, 300, 99, size),
        colour: repeat(1000, (i) => (i < 300 ? 'violet' : 'red')),
      });

      expect(found(moved, { rules: { ...said, changeExpected: true } })).toEqual(
        expect.arrayContaining([`${action} outOfRange size`, `${action} unseen colour`]),
      );
      expect(found(moved, { rules: {} })).toEqual(
        expect.arrayContaining(['refuse outOfRange size', 'refuse unseen colour']),
      );
      expect(found(broken, { rules: { changeExpected: true } })).toContain('refuse missing size');
    },
  );

  test('a check that refuses warns at its smaller limit all the same', () => {
    const few = rowsOf(1000, { size: with_(1000, 60, null, size) });

    expect(found(few, { rules: { checks: { missing: 'refuse' } } })).toEqual(['warn missing size']);
  });

  test.each([
    [{ size: { missing: { atMost: 0.29 } } }, ['refuse missing size']],
    [{ size: { missing: { atMost: 0.3 } } }, []],
    [{ size: { missing: { atMost: 1 }, min: 0, max: 11 } }, ['refuse outOfRange size']],
    [{ size: { missing: { atMost: 1 }, min: -100, max: 100, type: 'number' } }, []],
    [{ size: { missing: { atMost: 1 }, type: 'integer' } }, ['refuse retyped size']],
    [{ size: { missing: { atMost: 1 } }, colour: { values: ['red', 'green'] } }, ['refuse unseen colour']],
    [{ size: { missing: { atMost: 1 } }, gone: {} }, ['refuse missingColumn gone']],
  ] as const)('promises %j', (columns, expected) => {
    expect(found(broken, { rules: { columns: { more: {}, ...columns } } })).toEqual(expected);
  });
});

describe('values that are promised', () => {
  const promisedOf = (cells: readonly Cell[], values: readonly string[]) =>
    validateDataset({ profile: profileOf({ a: cells }), rules: { columns: { a: { values } } }, rowsBefore: [] });

  test.each([
    ['True', 'true'],
    ['1.0', 1],
    ['007', 7],
    ['2026-01-31', '2026-01-31T00:00:00.000Z'],
  ])('are those of the data however they are written: %j', (value, cell) => {
    expect(promisedOf([cell, cell], [value]).refused).toBe(false);
    expect(promisedOf([cell, 'other'], [value]).refused).toBe(true);
  });

  test('are held against values that the profile does not list', () => {
    const values = repeat(128, (index) => `v${index}`);
    const cells = values.flatMap((value) => [value, value]);

    expect(promisedOf(cells, values).refused).toBe(false);
    const { refused, because } = promisedOf([...cells, 'z'], values);
    expect(refused).toBe(true);
    expect(because).toContain("'a' has 129 values, and validate.columns lists 128");
  });
});

describe('a first dataset', () => {
  const first = (now: Columns, rules: DataRules = {}) =>
    validateDataset({ profile: profileOf(now), rules, rowsBefore: [] });

  test('is held against what needs no other', () => {
    expect(first(rowsOf(100))).toMatchObject({ refused: false, findings: [] });
    expect(first(rowsOf(100, { size: repeat(100, () => null) })).findings).toMatchObject([
      { check: 'allMissing', action: 'warn' },
    ]);
    expect(first(rowsOf(100), { columns: { size: { max: 1 } } }).refused).toBe(true);
  });
});

test('the reason names the first three refusals with their numbers, and how many more there are', () => {
  const sizes = ['a', 'b', 'c', 'd', 'e'];
  const usual = Object.fromEntries(sizes.map((name) => [name, repeat(1000, size)]));
  const broken = Object.fromEntries(sizes.map((name) => [name, with_(1000, 340, null, size)]));

  const { because } = validate(broken, { against: { profile: profileOf(usual) } });

  expect(because).toBe(
    "the dataset has 5 faults: 'a' is missing in 34 % of 1,000 rows; it was 0 % of 1,000 rows, and the limit is 10 %; " +
      "'b' is missing in 34 % of 1,000 rows; it was 0 % of 1,000 rows, and the limit is 10 %; " +
      "'c' is missing in 34 % of 1,000 rows; it was 0 % of 1,000 rows, and the limit is 10 %; 2 more",
  );
});

describe('whatever the data', () => {
  const cellsOf = (text: fc.Arbitrary<string>) =>
    fc.oneof(fc.constant(null), text, fc.integer(), fc.double(), fc.boolean());
  const columnsOf = (cell: fc.Arbitrary<Cell>) =>
    fc
      .integer({ min: 0, max: 30 })
      .chain((rows) =>
        fc.dictionary(fc.string(), fc.array(cell, { minLength: rows, maxLength: rows }), { maxKeys: 5 }),
      );

  const columns = columnsOf(cellsOf(fc.string()));

  test('a dataset has no finding against itself, and against its rows in another order', () => {
    fc.assert(
      // What looks like a number is one.
      fc.property(columnsOf(cellsOf(fc.stringMatching(/^[g-m]{0,3}$/))), (given) => {
        const shuffled = Object.fromEntries(Object.entries(given).map(([name, cells]) => [name, [...cells].reverse()]));
        const itself = { profile: profileOf(given), reference: referenceOf(given) };
        const own = ['rows', 'allMissing'];

        for (const now of [given, shuffled]) {
          const counts = windowOf(itself.reference, now);
          const { findings } = validate(now, { against: itself, counts });
          expect(findings.filter(({ check }) => !own.includes(check))).toEqual([]);
          expect(validate(now, { against: { profile: itself.profile } }).findings.length).toBe(findings.length);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('the report is plain JSON, and its reason one line', () => {
    fc.assert(
      fc.property(columns, columns, (one, other) => {
        const report = validate(one, { against: { profile: profileOf(other) } });

        expect(JSON.parse(JSON.stringify(report))).toEqual(report);
        expect(report.because).not.toMatch(/[\n\r\u2028]/);
        expect(report.refused).toBe(report.findings.some(({ action }) => action === 'refuse'));
      }),
      { numRuns: 200 },
    );
  });
});

test('1,000 rows of the same 30 columns are not refused by chance', () => {
  const random = drawsOf(7);
  const kinds: readonly (() => Cell)[] = [
    () => normal(random),
    () => Math.exp(2 * normal(random)),
    () => (random() < 0.1 ? null : random()),
    () => (random() < 0.5 ? null : 1 / random()),
    () => `c${Math.floor(5 * random())}`,
    () => `z${Math.floor(1 / random() ** 1.2)}`,
    () => random() < 0.001,
    () => (random() < 0.02 ? 'x' : Math.floor(10 * random())),
    () => Math.floor(3 * random()),
    () => (random() < 0.0005 ? 'other' : 'usual'),
  ];
  const dataset = (rows: number) =>
    Object.fromEntries(repeat(30, (index) => [`c${index}`, repeat(rows, kinds[index % 10] ?? random)]));
  const usual = dataset(10_000);
  const against = { profile: profileOf(usual, { hashes: false }), reference: referenceOf(usual) };

  const refused = repeat(20, () => {
    const now = dataset(1000);
    const profile = profileOf(now, { hashes: false });
    return [{}, { counts: windowOf(against.reference, now) }].map((counts) =>
      validate(profile, { against, ...counts }),
    );
  }).flat();

  expect(refused.filter((report) => report.refused).map(({ because }) => because)).toEqual([]);
});

test('10,000 columns with hostile names are told in a short reason', () => {
  const name = (index: number) => `"a\n'${index}\u001b[31m${'x'.repeat(200)}`;
  const wide = (cell: Cell) => Object.fromEntries(repeat(10_000, (index) => [name(index), repeat(30, () => cell)]));

  const report = validate(profileOf(wide(null), { hashes: false }), {
    against: { profile: profileOf(wide(1), { hashes: false }) },
  });

  expect(report.refused).toBe(true);
  expect(report.findings.length + report.more).toBe(10_000);
  expect(report.because.length).toBeLessThanOrEqual(1000);
  expect(report.because).not.toMatch(/\p{Cc}/u);
});

test('names every check once', () => {
  expect(new Set(checkNames).size).toBe(checkNames.length);
  expect(checkNames).toContain('outOfRange');
});

describe('training and the hold-out of a split by manifest', () => {
  const columnsOf = (from: number, to: number) => ({
    at: repeat(to - from, (index) => `2026-01-${String(from + index + 1).padStart(2, '0')}`),
    year: repeat(to - from, (index) => from + index),
    customer: repeat(to - from, (index) => `c${from + index}`),
  });
  const sampleOf = (...hashes: readonly string[]) => ({
    below: 'f'.repeat(16),
    rows: hashes.map((hash) => [hash.padStart(16, '0'), 1] as const),
  });
  const of = (rules: DataRules, holdoutFrom: number, keys: readonly string[] = []) => {
    const part = (from: number, to: number, ...of: readonly string[]) => {
      const columns = columnsOf(from, to);
      const profile = { ...profileOf(columns), keySample: sampleOf(...of) };
      return {
        ...profile,
        columns: profile.columns.map((column) =>
          column.name === 'at' ? { ...column, times: timesOf(columns.at) } : column,
        ),
      };
    };
    const parts = { train: part(0, 10, 'a', 'b'), holdout: part(holdoutFrom, holdoutFrom + 10, 'c', ...keys) };
    const checks = { leakage: 'off' } as const;
    return validateDataset({
      profile: profileOf(columnsOf(0, 20)),
      rules: { ...rules, checks },
      rowsBefore: [],
      parts,
    });
  };
  const timesOf = (texts: readonly string[]) => {
    const all = texts.map((text) => Date.parse(text));
    return { first: Math.min(...all), last: Math.max(...all) };
  };

  test('may not share a value of the key', () => {
    expect(of({ key: 'customer' }, 10)).toMatchObject({
      findings: [],
      compared: expect.arrayContaining(['leakageByKey']),
    });
    expect(of({ key: 'customer' }, 10, ['b', 'd'])).toMatchObject({
      refused: true,
      findings: [
        {
          ...{ check: 'leakageByKey', column: 'customer', value: 1, limit: 0 },
          text: "'customer' has 1 value of the hold-out, of 3 different ones, that training has as well",
        },
      ],
    });
  });

  test.each([
    [
      'at',
      "'at' goes up to 2026-01-10T00:00:00.000Z in training, and the hold-out begins with 2026-01-10T00:00:00.000Z",
    ],
    ['year', "'year' goes up to 9 in training, and the hold-out begins with 9"],
  ])('are before and after each other by %s, if the config says so', (time, text) => {
    expect(of({ time }, 10)).toMatchObject({ findings: [], compared: expect.arrayContaining(['leakageByTime']) });
    expect(of({}, 9).findings).toEqual([]);
    expect(of({ time }, 9)).toMatchObject({
      refused: true,
      findings: [{ check: 'leakageByTime', column: time, text: `${text}: all of training has to be before it` }],
    });
  });

  test('have the key and the time that the config names', () => {
    expect(of({ key: 'client', time: 'customer' }, 10)).toMatchObject({
      refused: true,
      findings: [{ check: 'missingColumn', column: 'client' }],
    });
  });
});

describe('a column that alone tells the label', () => {
  const columns = { refund: repeat(100, (index) => index), y: repeat(100, (index) => (index < 50 ? 'no' : 'yes')) };
  const of = (alone: Alone, rules: DataRules = { label: 'y' }) => {
    const reference = referenceOf(columns);
    const own = {
      ...reference,
      columns: reference.columns.map((column, at) => (at === 0 ? { ...column, alone } : column)),
    };
    return validateDataset({ profile: profileOf(columns), rules, rowsBefore: [], own });
  };

  test('is told with its measure, and warns from the limit on', () => {
    const report = of({ auc: 0.98, class: 'yes', missingAuc: 0.951, missingClass: 'no' });

    expect(report.findings).toMatchObject([
      {
        ...{ check: 'labelAlone', column: 'refund', action: 'warn', value: 0.98, limit: 0.98 },
        text: "'refund' alone tells 'yes' of the label from the rest: its AUC is 0.98, and from 0.98 on it is too good to be true",
      },
      {
        ...{ check: 'labelByMissing', column: 'refund', action: 'warn', value: 0.951, limit: 0.95 },
        text: "'refund' tells 'no' of the label from the rest by whether it has a value: the AUC of that is 0.951, and from 0.95 on it is too good to be true",
      },
    ]);
    expect(of({ r2: 0.99123456 }).findings).toMatchObject([
      { text: "'refund' alone explains the label: its R2 is 0.9912, and from 0.98 on it is too good to be true" },
    ]);
  });

  test('is nothing below it, and the report says that it was looked for', () => {
    const report = of({ auc: 0.9799, class: 'yes', missingAuc: 0.94, missingClass: 'no' });

    expect(report.findings).toEqual([]);
    expect(report.compared).toEqual(expect.arrayContaining(['labelAlone', 'labelByMissing']));
    expect(of({}).compared).not.toContain('labelAlone');
  });

  test('refuses where the config says so, and is not looked for where it says off', () => {
    const checks = { labelAlone: 'refuse' } as const;

    expect(of({ auc: 1, class: 'yes' }, { label: 'y', checks })).toMatchObject({ refused: true });
    expect(labelToCount({ label: 'y', checks })).toBe('y');
    expect(labelToCount({ label: 'y', checks: { labelAlone: 'off' } })).toBe('y');
    expect(labelToCount({ label: 'y', checks: { labelAlone: 'off', labelByMissing: 'off' } })).toBeUndefined();
  });

  test('is told as not compared where the label has too many values', () => {
    const own = { ...referenceOf(columns), labelUnknown: 'it has more than 20 values' };

    expect(
      validateDataset({ profile: profileOf(columns), rules: { label: 'y' }, rowsBefore: [], own }).notCompared,
    ).toEqual(['no column was compared with the label: it has more than 20 values']);
  });
});
