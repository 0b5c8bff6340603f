import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DetectorState, judgeWindow, startDetector } from './detector.ts';
import { categories, counted, drawsOf, followed, numbersOf, referenceOf, windowOf } from './drift.fixture.ts';
import type { Incident } from './incident.ts';
import type { Reference, ReferenceColumn, WindowCounts } from './reference.ts';
import { normalScores, tilted, weaker } from './tilts.ts';
import { logUrn } from './urn.ts';
import type { DetectorRules, Verdict } from './verdict.ts';

const day = 86_400_000;
const rules: DetectorRules = { notice: 0.03, major: 0.1, quietFor: 365 };
const span = (index: number) => ({ start: index * day, end: (index + 1) * day });
const ten = new Array<number>(10).fill(1000);
const numbers = (name: string, cells: readonly number[]): ReferenceColumn =>
  counted(
    numbersOf(
      name,
      cells.slice(1).map((_, index) => index),
    ),
    cells,
  );
const values = (name: string, cells: readonly number[]): ReferenceColumn =>
  counted(
    categories(
      name,
      cells.slice(2).map((_, index) => String(index)),
    ),
    cells,
  );

/** Judges windows one after another. */
function judgeAll(reference: Reference, windows: readonly WindowCounts[], its: DetectorRules = rules) {
  let state = startDetector(reference);
  let incident: Incident | undefined;
  const verdicts: Verdict[] = [];
  for (const [index, counts] of windows.entries()) {
    const isOpen = incident !== undefined;
    const judged = judgeWindow(state, reference, { counts, window: span(index), rules: its, isOpen });
    incident = followed(incident, judged.verdict);
    state = JSON.parse(JSON.stringify(judged.state)) as DetectorState;
    verdicts.push(judged.verdict);
  }
  return { state, incident, verdicts };
}

const times = <Made>(count: number, make: (index: number) => Made): Made[] =>
  Array.from({ length: count }, (_, index) => make(index));
const openedAt = (verdicts: readonly Verdict[]) => verdicts.findIndex(({ clean }) => !clean);
/** Where a column is a standard normal one with these cells, and shifts. */
function shifted(cells: readonly number[], by: number): number[] {
  const weights = Array.from(
    normalScores(Float64Array.from(cells)),
    (score, cell) => Math.exp(by * score) * (cells[cell] ?? 0),
  );
  return weights.map((weight) => weight / weights.reduce((sum, other) => sum + other, 0));
}

describe('the evidence of a column', () => {
  const column = numbers('x', ten);
  const reference = referenceOf(column);
  const y = shifted(ten, 0.1).map((share) => Math.round(1000 * share));
  const rows = y.reduce((sum, count) => sum + count, 0);

  test('is the mean over its alternatives: the smallest shift weighs four times, and may have begun before', () => {
    const { verdicts } = judgeAll(reference, [windowOf(y), windowOf(y)]);

    /** E of all alternatives, after so many windows like this one. */
    const after = (windows: number): readonly number[] => {
      const [past, rowsOf] = [y.map((count) => windows * count), (count: number) => [windows * count, 0]];
      const urn = Float64Array.from(ten, (count, cell) => count + (cell === 9 ? 1 : 0) + (past[cell] ?? 0));
      const presence = Float64Array.of(10_000.5 + windows * rows, 0.5);
      const [log, ofNone] = [logUrn(urn, y), logUrn(presence, [rows, 0])];
      return [
        ...tilted(urn, past, y, log),
        ...weaker({ urn, week: past, month: past }, y, log),
        ...weaker({ urn: presence, week: rowsOf(rows), month: rowsOf(rows) }, [rows, 0], ofNone),
      ].map(Math.exp);
    };
    const mean = (values: readonly number[]) =>
      [...values, ...times(3, () => values.slice(0, 2)).flat()].reduce((sum, value) => sum + value, 0) / 24;
    const first = after(0);
    const second = after(1).map((odds, index) => (1 + (27 / 28) * (first[index] ?? 0)) * odds);
    expect(mean(first)).toBeGreaterThan(5);
    for (const [index, expected] of [first, second].map(mean).entries())
      expect((verdicts[index]?.evidence ?? 0) / expected).toBeCloseTo(1, 3);
  });

  test('is a number while it is drifted, whose windows are not in the urn', () => {
    const large = shifted(ten, 1).map((share) => Math.round(30_000 * share));
    const { verdicts } = judgeAll(
      reference,
      times(9, () => windowOf(large)),
    );

    expect(openedAt(verdicts)).toBe(0);
    for (const { columns } of verdicts.slice(1)) expect(columns[0]?.evidence).toBeGreaterThan(1e100);
  });
});

describe('a detector', () => {
  test('finds a shift of 0.2 standard deviations in one of 30 columns within a few windows', () => {
    const draws = drawsOf(3);
    const even = new Array<number>(10).fill(0.1);
    const columns = times(30, (index) => numbers(`c${index}`, ten));
    const windows = times(16, (index) =>
      windowOf(
        ...columns.map((_, column) => draws.counts(column === 7 && index >= 9 ? shifted(ten, 0.2) : even, 1000)),
      ),
    );

    const { verdicts } = judgeAll(referenceOf(...columns), windows);

    expect(openedAt(verdicts)).toBeGreaterThanOrEqual(9);
    expect(openedAt(verdicts)).toBeLessThan(12);
    const verdict = verdicts[openedAt(verdicts)];
    expect(verdict?.alarms).toEqual({ major: [], notice: ['c7'] });
    expect(verdict?.columns[7]).toMatchObject({
      name: 'c7',
      kind: 'number',
      rows: 1000,
      alarm: 'notice',
    });
    expect(verdict?.columns[7]?.evidence).toBeGreaterThan(30 * 365);
  });

  test('finds that one category in six took 5 points from another', () => {
    const draws = drawsOf(4);
    const shares = [1 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 6, 0, 0];
    const moved = shares.map((share, cell) => share + ([0.05, -0.05][cell] ?? 0));
    const reference = referenceOf(values('c', draws.counts(shares, 10_000)), values('d', draws.counts(shares, 10_000)));
    const windows = times(8, (index) =>
      windowOf(draws.counts(index >= 4 ? moved : shares, 1000), draws.counts(shares, 1000)),
    );

    const { verdicts } = judgeAll(reference, windows);

    expect([4, 5]).toContain(openedAt(verdicts));
  });

  test('finds that values are missing, are of another type, or were never seen, in one window', () => {
    const reference = referenceOf(
      counted(numbersOf('nulls', [0]), [4950, 4950], 100),
      numbers('texts', [5000, 5000]),
      values('c', [5000, 5000, 0, 0]),
      { ...numbersOf('id', []), kind: 'plain', cells: [], rows: 10_000, missing: 0 },
    );
    const full = { rows: 1000, missing: 0, mistyped: 0, outside: 0 };
    const window: WindowCounts = {
      version: 1,
      rows: 1000,
      columns: [
        { ...full, missing: 50, cells: [475, 475] },
        { ...full, mistyped: 150, cells: [425, 425] },
        { ...full, cells: [490, 480, 0, 30] },
        { ...full, missing: 50, cells: [] },
      ],
    };

    const { verdicts } = judgeAll(reference, [window]);

    expect(verdicts[0]?.alarms).toEqual({ major: ['texts'], notice: ['nulls', 'c', 'id'] });
    const [nulls, texts, c] = verdicts[0]?.columns ?? [];
    expect([nulls?.missingChange, texts?.missingChange, c?.unseenChange]).toEqual([0.04, 0.15, 0.03]);
  });

  test('finds that a constant is another one', () => {
    const constant = counted(numbersOf('x', [0, 1]), [0, 1000, 0]);
    const reference = referenceOf({ ...constant, isContinuous: false });

    const same = judgeAll(
      reference,
      times(100, () => windowOf([0, 100, 0])),
    );
    const other = judgeAll(reference, [windowOf([0, 0, 100])]);

    expect(same.verdicts.every(({ clean }) => clean)).toBe(true);
    expect(other.verdicts[0]?.columns[0]).toMatchObject({ size: 1, alarm: 'major' });
  });

  test('says nothing of a window without a row, and does not count it', () => {
    const reference = referenceOf(numbers('x', ten), values('c', ten));
    const some = windowOf(
      ten.map((count) => count / 10),
      ten.map((count) => count / 10),
    );
    const none = windowOf(
      ten.map(() => 0),
      ten.map(() => 0),
    );

    const { state, verdicts } = judgeAll(reference, [some, ...times(1000, () => none)]);

    expect(verdicts.at(-1)).toMatchObject({ clean: true, evidence: verdicts[0]?.evidence, rows: 0 });
    expect(verdicts.at(-1)?.columns[0]).toMatchObject({ rows: 0, size: 0, missingChange: 0, unseenChange: 0 });
    expect(state.columns[0]?.growth).toEqual(judgeAll(reference, [some]).state.columns[0]?.growth);
  });

  test('alarms where no row has a value', () => {
    const window = {
      version: 1 as const,
      rows: 500,
      columns: [{ rows: 500, missing: 500, mistyped: 0, outside: 0, cells: ten.map(() => 0) }],
    };

    const { verdicts } = judgeAll(referenceOf(numbers('x', ten)), [window]);

    expect(verdicts[0]?.columns[0]).toMatchObject({ size: 0, missingChange: 1, alarm: 'major' });
  });

  test('learns every window, and remembers about the last 28 and the last 7', () => {
    const { state } = judgeAll(
      referenceOf(numbers('x', ten)),
      times(200, () => windowOf(ten.map(() => 100))),
    );

    const [column] = state.columns;
    expect(column?.learned[0]?.[0]).toBe(20_000);
    expect(column?.month[0]).toBeGreaterThan(2500);
    expect(column?.month[0]).toBeLessThanOrEqual(2800);
    expect(column?.recent.length).toBe(7);
  });

  test('is the same whatever the order of categories', () => {
    const cells = fc.uniqueArray(fc.integer({ min: 1, max: 9999 }), { minLength: 40, maxLength: 60 });

    fc.assert(
      fc.property(cells, fc.infiniteStream(fc.nat({ max: 30 })), fc.nat({ max: 39 }), (reference, live, turn) => {
        const window = [...reference.map(() => live.next().value ?? 0), 3, 2];
        const turned = (cells: readonly number[]) => [
          ...cells.slice(turn, -2),
          ...cells.slice(0, turn),
          ...cells.slice(-2),
        ];
        const verdictOf = (order: (cells: readonly number[]) => readonly number[]) =>
          judgeAll(
            referenceOf(values('c', order([...reference, 5, 0]))),
            times(3, () => windowOf(order(window))),
          ).verdicts.at(-1);

        const [one, other] = [verdictOf((cells) => cells), verdictOf(turned)];

        expect(other?.columns[0]?.size).toBeCloseTo(one?.columns[0]?.size ?? Number.NaN, 9);
        expect(Math.log((other?.evidence ?? 0) + 1e-9)).toBeCloseTo(Math.log((one?.evidence ?? 0) + 1e-9), 2);
        expect(other?.alarms).toEqual(one?.alarms);
      }),
      { numRuns: 30 },
    );
  });

  test('has a state of bounded size, however many windows there are and however clear the evidence', () => {
    const reference = referenceOf(numbers('x', new Array<number>(256).fill(40)));
    const window = windowOf(times(256, (cell) => (cell < 8 ? 100 : 0)));
    const text = (windows: number) =>
      JSON.stringify(
        judgeAll(
          reference,
          times(windows, () => window),
          { ...rules, notice: 0.9999, major: 0.9999 },
        ).state,
      );

    expect(text(400).length).toBeLessThan(2000);
    expect(text(400)).not.toContain('null');
  });
});

describe('without a change', () => {
  /** Windows with an alarm where nothing changes, whatever the size. */
  function falseAlarms(columns: readonly { readonly shares: readonly number[]; readonly cells: readonly number[] }[]) {
    const draws = drawsOf(11);
    const windows = times(300, () => windowOf(...columns.map(({ shares }) => draws.counts(shares, 500))));
    const reference = referenceOf(...columns.map(({ cells }, index) => numbers(`c${index}`, cells)));
    const { verdicts } = judgeAll(reference, windows, { ...rules, notice: 1e-9, quietFor: 100 });
    return verdicts.filter(({ clean }) => !clean).length;
  }

  /** Columns of 500 rows in five cells. The reference pretends to have so many times its rows. */
  function ofQuantiles(pretended: number) {
    const draws = drawsOf(12);
    return times(4, () => ({
      shares: draws.shares([100, 100, 100, 100, 101]),
      cells: [100, 100, 100, 100, 100].map((count) => count * pretended),
    }));
  }

  /** Columns of 500 uniform rows, whose edges are what is left when every other value is thrown away, by a coin, six times. */
  function ofSketches() {
    const draws = drawsOf(13);
    return times(4, () => {
      const values = times(500, () => draws.unit()).sort((one, other) => one - other);
      let edges = values;
      for (let round = 0; round < 6; round += 1) {
        const coin = draws.unit() < 0.5 ? 0 : 1;
        edges = edges.filter((_, index) => index % 2 === coin);
      }
      const ends = [...edges, 1];
      const of = (edge: number) => values.filter((value) => value <= edge).length;
      return {
        shares: ends.map((end, index) => end - (ends[index - 1] ?? 0)),
        cells: ends.map((end, index) => of(end) - (index === 0 ? 0 : of(ends[index - 1] ?? 0))),
      };
    });
  }

  test('alarms are as rare as promised, though the reference is small', () => {
    expect(falseAlarms(ofQuantiles(1))).toBeLessThanOrEqual(3);
  });

  test('alarms are as rare where a sketch chose the edges by rank and coin', () => {
    expect(falseAlarms(ofSketches())).toBeLessThanOrEqual(3);
  });

  test('an urn that takes the reference for the truth alarms: that it is finite is what keeps quiet', () => {
    expect(falseAlarms(ofQuantiles(1000))).toBeGreaterThan(50);
  });

  test('windows that say nothing do not add up to evidence', () => {
    const reference = referenceOf(numbers('x', ten), {
      ...numbersOf('id', []),
      kind: 'plain',
      cells: [],
      rows: 10_000,
    });
    const window: WindowCounts = {
      version: 1,
      rows: 50,
      columns: [5, 0].map((count) => ({
        ...{ rows: 50, missing: 0, mistyped: 0, outside: 0 },
        cells: count === 0 ? [] : ten.map(() => count),
      })),
    };

    const { verdicts } = judgeAll(
      reference,
      times(800, () => window),
    );

    expect(Math.max(...verdicts.map(({ evidence }) => evidence))).toBeLessThan(30);
  });

  test('rows that vary less than they should are no evidence', () => {
    const few = referenceOf(numbers('x', new Array<number>(10).fill(20)));

    const { verdicts } = judgeAll(
      few,
      times(100, () => windowOf(new Array<number>(10).fill(20))),
    );

    expect(Math.max(...verdicts.map(({ evidence }) => evidence))).toBeLessThan(30);
  });

  test('what other weekdays say is not taken for a change of this one', () => {
    const draws = drawsOf(8);
    const even = ten.map(() => 0.1);
    const columns = times(20, (index) => {
      const byWeekday = times(7, () => numbers('x', draws.counts(even, 300)));
      const cells = ten.map((_, cell) => byWeekday.reduce((sum, { cells }) => sum + (cells[cell] ?? 0), 0));
      return { ...numbers(`c${index}`, cells), byWeekday };
    });

    const { verdicts } = judgeAll(
      referenceOf(...columns),
      times(7, () => windowOf(...columns.map(() => draws.counts(even, 3000)))),
      { ...rules, notice: 1e-9 },
    );

    expect(openedAt(verdicts)).toBe(-1);
  });

  test('a column that varies from weekday to weekday alarms, unless each weekday has an urn', () => {
    const draws = drawsOf(5);
    const sharesOn = (weekday: number) => shifted(ten, weekday % 6 === 0 ? 0.3 : 0);
    const byWeekday = times(7, (weekday) => numbers('x', draws.counts(sharesOn(weekday), 2000)));
    const all = numbers(
      'x',
      ten.map((_, cell) => byWeekday.reduce((sum, { cells }) => sum + (cells[cell] ?? 0), 0)),
    );
    // The epoch began on a Thursday.
    const windows = times(60, (index) => windowOf(draws.counts(sharesOn((index + 4) % 7), 1000)));

    const pooled = judgeAll(referenceOf(all), windows);
    const own = judgeAll(referenceOf({ ...all, byWeekday }), windows);

    expect(openedAt(pooled.verdicts)).toBeGreaterThan(-1);
    expect(openedAt(own.verdicts)).toBe(-1);
    expect(Math.max(...own.verdicts.map(({ columns }) => columns[0]?.size ?? 1))).toBeLessThan(0.08);
  });

  test('a value that came on no such weekday is evidence of any window, as a number', () => {
    const byWeekday = times(7, (weekday) => numbers('x', weekday === 0 ? [500, 500, 0, 0] : [200, 200, 300, 300]));
    const reference = referenceOf({ ...numbers('x', [1700, 1700, 1800, 1800]), byWeekday });
    const { state, verdicts } = judgeAll(
      reference,
      times(14, (index) => windowOf((index + 4) % 7 === 0 ? [350, 350, 150, 150] : [200, 200, 300, 300])),
    );

    for (const { columns } of verdicts) expect(columns[0]?.evidence).toBeGreaterThanOrEqual(0);
    expect(openedAt(verdicts)).toBe(3);
    expect(state.columns[0]?.growth.every(Number.isFinite)).toBe(true);
  });

  test('a window longer than a day has no weekday', () => {
    const byWeekday = times(7, (weekday) => numbers('x', weekday === 0 ? [9000, 1000] : [5000, 5000]));
    const reference = referenceOf({ ...numbers('x', [39_000, 31_000]), byWeekday });
    const week = { start: 3 * day, end: 10 * day };

    const { verdict } = judgeWindow(startDetector(reference), reference, {
      counts: windowOf([557, 443]),
      window: week,
      rules,
      isOpen: false,
    });

    expect(verdict.columns[0]?.size).toBeLessThan(0.001);
  });

  test('rows that depend on each other count as fewer', () => {
    const far = windowOf(shifted(ten, 0.2).map((share) => Math.round(share * 1000)));
    const evidence = (dispersion: number) =>
      judgeAll(referenceOf({ ...numbers('x', ten), dispersion }), [far]).verdicts[0]?.evidence ?? 0;

    expect(evidence(1)).toBeGreaterThan(1000);
    expect(evidence(4)).toBeLessThan(30);
    expect(evidence(0.5)).toBe(evidence(1));
  });

  test('a window with more rows than a day of the reference varies more, where days do', () => {
    const far = windowOf(shifted(ten, 0.2).map((share) => Math.round(share * 1000)));
    const evidence = (its: Partial<ReferenceColumn>) =>
      judgeAll(referenceOf({ ...numbers('x', ten), ...its }), [far]).verdicts[0]?.evidence;

    expect(evidence({ dispersion: 1.5, dayRows: far.rows / 4 })).toBe(evidence({ dispersion: 3 }));
    expect(evidence({ dispersion: 1.5, dayRows: 4000 })).toBe(evidence({ dispersion: 1.5 }));
    expect(evidence({ dispersion: 1, dayRows: 10 })).toBe(evidence({}));
  });

  test('a column that varies too much from day to day is said to be not calibrated', () => {
    const column = (dispersion: number) => ({ ...numbers('x', ten), dispersion });
    const of = (dispersion: number) => judgeAll(referenceOf(column(dispersion)), [windowOf(ten)]).verdicts[0];

    expect([of(5)?.calibrated, of(5)?.columns[0]?.notCalibrated]).toEqual([true, undefined]);
    expect(of(12.345)?.calibrated).toBe(false);
    expect(of(12.345)?.columns[0]?.notCalibrated).toBe(
      'its counts vary 12 times as much from day to day as those of independent rows; how often it alarms by mistake is known up to 5 times',
    );
  });
});

describe('a column that begins later than others', () => {
  const judged = (columns: readonly ReferenceColumn[], cells: readonly (readonly number[])[], awaited: number) =>
    judgeWindow(startDetector(referenceOf(...columns)), referenceOf(...columns), {
      ...{ counts: windowOf(...cells), window: span(0), isOpen: false },
      rules: { ...rules, awaited },
    }).verdict;

  test('counts in the mean from the beginning, with the evidence 0', () => {
    const columns = [numbers('x', ten), numbers('y', ten)];
    const far = shifted(ten, 0.2).map((share) => Math.round(share * 1000));
    const [alone, waiting] = [0, 1].map((awaited) => judged(columns, [far, ten], awaited));

    expect(waiting?.evidence).toBeCloseTo(((alone?.evidence ?? 0) * 2) / 3, 6);
    expect(waiting?.columns).toEqual(alone?.columns);
  });

  test('must be alone as evident as any other: the number of all columns times the threshold', () => {
    const far = judged([numbers('x', [5000, 5000])], [[530, 470]], 0);
    const quietFor = (far.evidence * 3) / 4;
    const alarms = (awaited: number) =>
      judgeWindow(startDetector(referenceOf(numbers('x', [5000, 5000]))), referenceOf(numbers('x', [5000, 5000])), {
        ...{ counts: windowOf([530, 470]), window: span(0), isOpen: false },
        rules: { ...rules, quietFor, awaited },
      }).verdict.alarms.notice;

    expect([alarms(0), alarms(1)]).toEqual([['x'], []]);
  });

  /**
   * All that may happen in four windows of two rows, with its chance: of a column x with a reference of 4 rows, and from the
   * third window on of a column y, whose reference is the two values of the windows before.
   */
  test('leaves the mean of all as small as promised: by all that can happen', () => {
    const x = numbers('x', [2, 2]);
    const y = numbers('y', [1, 1]);
    const outcomes = [0, 1, 2].map((first) => [first, 2 - first] as const);
    /** Of two rows, given the balls of an urn of two cells: each row adds one. */
    const chance = (balls: readonly [number, number], [first, second]: readonly [number, number]): number => {
      const [b, c] = balls;
      const all = (b + c) * (b + c + 1);
      return first === 2 ? (b * (b + 1)) / all : second === 2 ? (c * (c + 1)) / all : (2 * b * c) / all;
    };
    const means = [0, 0, 0, 0];

    const walk = (
      at: number,
      state: DetectorState,
      probability: number,
      xs: [number, number],
      ys: [number, number],
    ) => {
      if (at === 4) return;
      const begun = at >= 2;
      const reference = begun ? referenceOf(x, y) : referenceOf(x);
      for (const one of outcomes)
        for (const other of begun ? outcomes : [undefined]) {
          const cells = other === undefined ? [one] : [one, other];
          const given = { counts: windowOf(...cells), window: span(at), isOpen: false };
          const its = { ...rules, quietFor: 1e300, awaited: begun ? 0 : 1 };
          const { state: next, verdict } = judgeWindow(state, reference, { ...given, rules: its });
          const p = probability * chance(xs, one) * (other === undefined ? 1 : chance(ys, other));
          means[at] = (means[at] ?? 0) + p * verdict.evidence;
          const learned = other === undefined ? ys : ([ys[0] + other[0], ys[1] + other[1]] as [number, number]);
          walk(at + 1, next, p, [xs[0] + one[0], xs[1] + one[1]], learned);
        }
    };
    // One spacing more than rows, in the last cell.
    walk(0, startDetector(referenceOf(x)), 1, [2, 3], [1, 2]);

    // The windows since each began, over two columns.
    const bounds = [1 / 2, 2 / 2, (3 + 1) / 2, (4 + 2) / 2];
    for (const [at, mean] of means.entries()) expect(mean).toBeLessThanOrEqual((bounds[at] ?? 0) + 1e-9);
  });

  test('does not alarm more often, with the first windows for its reference', () => {
    const draws = drawsOf(21);
    const features = times(3, () => draws.shares([100, 100, 100, 100, 101]));
    const x = features.map((_, index) => numbers(`c${index}`, [100, 100, 100, 100, 100]));
    const answers = draws.shares([200, 200, 200, 200, 201]);
    const late = numbers('answers', [200, 200, 200, 200, 200]);
    let state = startDetector(referenceOf(...x));
    let incident: Incident | undefined;
    let alarms = 0;
    for (let index = 0; index < 300; index += 1) {
      const isBegun = index >= 2;
      const live = [...features, ...(isBegun ? [answers] : [])].map((shares) => draws.counts(shares, 500));
      const { state: next, verdict } = judgeWindow(state, referenceOf(...x, ...(isBegun ? [late] : [])), {
        ...{ counts: windowOf(...live), window: span(index), isOpen: incident !== undefined },
        rules: { ...rules, notice: 1e-9, quietFor: 100, awaited: isBegun ? 0 : 1 },
      });
      [state, incident] = [next, followed(incident, verdict)];
      if (!verdict.clean) alarms += 1;
    }

    expect(alarms).toBeLessThanOrEqual(3);
  });
});

describe('the two gates', () => {
  const even = windowOf(ten.map((count) => count / 10));
  const small = windowOf(shifted(ten, 0.05).map((share) => share * 100_000));
  const reference = referenceOf(
    numbers(
      'x',
      ten.map((count) => count * 100),
    ),
  );

  test('evidence without size does nothing, and stays', () => {
    const { verdicts, incident } = judgeAll(
      reference,
      times(3, () => small),
    );

    expect(verdicts.every(({ clean, evidence, threshold }) => clean && evidence > threshold)).toBe(true);
    expect(verdicts[0]?.columns[0]?.size).toBeLessThan(0.03);
    expect(incident).toBeUndefined();
  });

  test('evidence of a column that is too small does not help another', () => {
    const two = referenceOf(...reference.columns, numbers('y', ten));
    const both = windowOf(
      small.columns[0]?.cells ?? [],
      shifted(ten, 0.3).map((share) => Math.round(share * 1000)),
    );

    const { verdicts } = judgeAll(two, [both], { ...rules, weights: { y: 1e-100 } });

    const [x, y] = verdicts[0]?.columns ?? [];
    expect([x?.evidence, y?.evidence].every((evidence = 0) => evidence > 365)).toBe(true);
    expect([(x?.size ?? 1) < 0.03, (y?.size ?? 0) > 0.1]).toEqual([true, true]);
    expect(verdicts[0]?.clean).toBe(true);
  });

  test('what speaks against a change leaves nothing of the evidence for it', () => {
    const { state } = judgeAll(referenceOf(numbers('x', ten)), [windowOf(ten)]);

    // The tilt by 0.4 is the fifth alternative.
    expect(state.columns[0]?.growth[4]).toBe(0);
  });

  test('size without evidence does nothing', () => {
    const { verdicts } = judgeAll(referenceOf(numbers('x', ten)), [windowOf([8, 5, 5, 5, 5, 5, 5, 5, 5, 2])]);

    expect(verdicts[0]?.columns[0]?.size).toBeGreaterThan(0.03);
    expect(verdicts[0]?.clean).toBe(true);
  });

  test('are set by the rules: sizes, patience and weights', () => {
    const far = windowOf(
      shifted(ten, 0.3).map((share) => share * 1000),
      ten,
    );
    const two = referenceOf(numbers('x', ten), numbers('y', ten));
    const level = (its: Partial<DetectorRules>) =>
      judgeAll(two, [far], { ...rules, ...its }).verdicts[0]?.columns[0]?.alarm;

    expect([level({}), level({ major: 0.12 }), level({ notice: 0.13, major: 0.13 })]).toEqual([
      'major',
      'notice',
      undefined,
    ]);
    expect([level({ weights: { x: 0 } }), level({ weights: { y: 1e12 } }), level({ weights: { y: 0 } })]).toEqual([
      undefined,
      undefined,
      'major',
    ]);
    expect(level({ quietFor: 1e200 })).toBeUndefined();
  });

  test('size is that of the last 1, 3 or 7 windows with 500 rows, or of all where none has', () => {
    const of = (rows: number) => [rows * 0.6, rows * 0.4];
    const half = (rows: number) => [rows * 0.5, rows * 0.5];
    const sizeOf = (...windows: readonly number[][]) =>
      judgeAll(
        referenceOf(numbers('x', [50_000, 50_000])),
        windows.map((cells) => windowOf(cells)),
        { ...rules, quietFor: 1e300 },
      ).verdicts.at(-1)?.columns[0]?.size;

    expect(sizeOf(half(1000), half(1000), of(1000))).toBeCloseTo(0.1, 9);
    expect(sizeOf(half(1000), half(1000), of(400))).toBeCloseTo(40 / 2400, 9);
    expect(sizeOf(of(1000), of(1000), half(1000))).toBeCloseTo(200 / 3000, 9);
    expect(sizeOf(half(100), of(100), of(100))).toBeCloseTo(20 / 300, 9);
    expect(sizeOf(...times(8, (index) => (index === 0 ? of(1000) : half(1000))))).toBeCloseTo(0, 9);
    expect(sizeOf(...times(7, (index) => (index === 0 ? of(7000) : half(1000))))).toBeCloseTo(700 / 13_000, 9);
  });

  test('what is quiet is learned', () => {
    const { state } = judgeAll(reference, [even, even]);

    expect(state.columns[0]?.learned).toEqual([[...ten.map((count) => count / 5), 0]]);
  });
});

describe('an open incident', () => {
  const far = windowOf(
    shifted(ten, 0.3).map((share) => Math.round(share * 1000)),
    ten.map((count) => count / 10),
  );
  const same = windowOf(
    ten.map((count) => count / 10),
    ten.map((count) => count / 10),
  );
  const reference = referenceOf(numbers('x', ten), numbers('y', ten));

  test('stays open while the column drifts, which the urn does not learn', () => {
    const { state, incident, verdicts } = judgeAll(reference, [same, ...times(50, () => far)]);

    expect(verdicts.slice(1).every(({ clean }) => !clean)).toBe(true);
    expect(incident).toMatchObject({ level: 'major', since: span(1).start, clean: 0, columns: ['x'] });
    expect(state.columns[0]?.learned[0]?.slice(0, 2)).toEqual([100, 100]);
    expect(state.columns[1]?.learned[0]?.slice(0, 2)).toEqual([5100, 5100]);
  });

  test('resolves after three clean windows, and the column starts anew', () => {
    const over = judgeAll(reference, [same, far, same, same, same]);
    const { state } = judgeAll(reference, [same, far, same, same, same, same]);

    expect(over.verdicts.map(({ clean }) => clean)).toEqual([true, false, true, true, true]);
    expect(over.incident).toBeUndefined();
    expect(state.columns[0]).toEqual(judgeAll(reference, [same]).state.columns[0]);
    expect(state.columns[1]?.learned[0]?.[0]).toBe(600);
  });

  test('does not resolve in windows without a row', () => {
    const none = windowOf(
      ten.map(() => 0),
      ten,
    );

    const { incident } = judgeAll(reference, [far, same, same, ...times(9, () => none)]);

    expect(incident?.clean).toBe(2);
  });

  test('resolves though a column that is not judged any more has no row', () => {
    const none = windowOf(
      ten.map(() => 0),
      ten,
    );
    const silent = (weights: Readonly<Record<string, number>>) => {
      const { state } = judgeAll(reference, [far]);
      const given = { counts: none, window: span(1), rules: { ...rules, weights }, isOpen: true };
      return judgeWindow(state, reference, given).verdict.isSilent;
    };

    expect([silent({}), silent({ x: 0 })]).toEqual([true, false]);
  });

  test('starts the evidence of all columns again when it opens', () => {
    const { state } = judgeAll(reference, [same, far]);

    expect(state.columns.flatMap(({ growth }) => growth).every((log) => log === 0)).toBe(true);
  });
});

test('a state that was written and read goes on as one that was not', () => {
  const draws = drawsOf(9);
  const reference = referenceOf({ ...numbers('x', ten), dispersion: 1.7 }, values('c', [500, 300, 200, 0, 0]));
  const windows = times(40, (index) =>
    windowOf(
      draws.counts(shifted(ten, index > 20 && index < 26 ? 0.4 : 0), 300),
      draws.counts([0.5, 0.3, 0.2], 300).concat(0, 0),
    ),
  );
  let state = startDetector(reference);
  let incident: Incident | undefined;
  const kept = windows.map((counts, index) => {
    const isOpen = incident !== undefined;
    const judged = judgeWindow(state, reference, { counts, window: span(index), rules, isOpen });
    incident = followed(incident, judged.verdict);
    state = judged.state;
    return judged.verdict;
  });

  expect(judgeAll(reference, windows).verdicts).toEqual(kept);
  expect(kept.some(({ clean }) => !clean)).toBe(true);
});
