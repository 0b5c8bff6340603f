import { describe, expect, test } from 'vitest';
import {
  adjusted,
  chiSquareLimit,
  chiSquareTail,
  exactKolmogorov,
  fisher,
  kolmogorovOfTwo,
  kolmogorovTail,
  normalTails,
  twoProportions,
} from './laws.ts';

const expectClose = (value: number, wanted: number, relative = 1e-9) =>
  expect(Math.abs(value - wanted)).toBeLessThanOrEqual(relative * Math.abs(wanted));

describe('the laws that p-values come from', () => {
  test.each([
    [1e-3, 1, 0.9747728793699604],
    [9, 9, 0.43727418891386693],
    [21.666, 9, 0.009999979883498333],
    [300, 9, 2.6102773472069844e-59],
    [100, 127, 0.9631978953719665],
    [200, 127, 3.82824834623649e-5],
    [60, 127, 0.9999999314559128],
    [0.5, 3, 0.9188914116546758],
    [1000, 255, 9.37847734365788e-89],
  ])('chi-square exceeds %d with %d degrees of freedom with probability %d', (x, degrees, wanted) => {
    expectClose(chiSquareTail(x, degrees), wanted);
  });

  test.each([
    [0.01, 9, 21.665994333461928],
    [0.05, 1, 3.8414588206941285],
    [0.01, 127, 166.98739013667387],
    [1e-6, 9, 44.81093787068782],
  ])('with probability %d chi-square with %d degrees of freedom exceeds %d', (alpha, degrees, wanted) => {
    expectClose(chiSquareLimit(alpha, degrees), wanted);
  });

  test('a normal is beyond 1.96 with probability 5 %', () => {
    expectClose(normalTails(1.959963984540054), 0.05);
    expectClose(normalTails(-1.959963984540054), 0.05);
  });

  test.each([
    { d: 0.11, n: 33, wanted: 0.7792071879965, within: 1e-12 },
    { d: 0.3, n: 10, wanted: 0.27053557479999946, within: 1e-12 },
    { d: 0.02, n: 10, wanted: 1, within: 0 },
    { d: 0.6, n: 7, wanted: 0.006140397691438094, within: 1e-12 },
    { d: 0.15, n: 140, wanted: 0.0032495604415101703, within: 1e-9 },
    { d: 0.1, n: 140, wanted: 0.11353657290090946, within: 1e-10 },
    { d: 0.05, n: 500, wanted: 0.15866260223815387, within: 1e-6 },
    { d: 0.03, n: 900, wanted: 0.3851661801951911, within: 1e-6 },
    { d: 0.02, n: 909, wanted: 0.8529586932871641, within: 1e-6 },
    { d: 0.09, n: 909, wanted: 7.406003195656968e-7, within: 1e-11 },
    { d: 0.01, n: 5000, wanted: 0.6954557253913853, within: 1e-8 },
    { d: 0.03, n: 5000, wanted: 0.00024159234422666817, within: 1e-10 },
    { d: 0.02, n: 50_000, wanted: 8.35587873542047e-18, within: 0.05 },
    { d: 0.005, n: 50_000, wanted: 0.16353363492434803, within: 1e-9 },
    { d: 0.001, n: 1_000_000, wanted: 0.26982107442589376, within: 1e-9 },
  ])(
    "$n rows are $d from their distribution with probability $wanted (Kolmogorov's law)",
    ({ d, n, wanted, within }) => {
      expectClose(kolmogorovTail(d, n), wanted, within);
    },
  );

  test("Kolmogorov's law of two small samples is counted out", () => {
    expectClose(exactKolmogorov(0.11, 100, 50), 0.804177768619, 1e-12);
    expectClose(exactKolmogorov(0.4, 10, 7), 0.4334121760592349, 1e-12);
    expectClose(kolmogorovOfTwo(0.11, 100, 50), 0.804177768619, 1e-12);
  });

  test('one live row among 20,000 is no evidence of more than 2 in 20,001, wherever it lies', () => {
    expectClose(kolmogorovOfTwo(1, 20_000, 1), 2 / 20_001);
    expectClose(kolmogorovOfTwo(1, 3, 3), 0.1, 1e-12);
  });

  test.each([
    { first: [3, 1000], second: [9, 500], wanted: 0.0037273994280326017 },
    { first: [0, 10_000], second: [5, 50], wanted: 2.4823607793973604e-12 },
    { first: [1, 10], second: [9, 10], wanted: 0.001093333910671372 },
    { first: [2, 8], second: [0, 1000], wanted: 5.5169369965794985e-5 },
    { first: [5, 5], second: [0, 5], wanted: 0.007936507936507938 },
    { first: [990, 1000], second: [47, 50], wanted: 0.02074081697612938 },
  ])('$first.0 of $first.1 and $second.0 of $second.1 differ by chance with $wanted (Fisher)', (given) => {
    const [first, second] = [given.first, given.second].map(([hits = 0, rows = 0]) => ({ hits, rows }));

    expectClose(fisher(first ?? none, second ?? none), given.wanted);
  });

  test('two shares are compared by z, and by Fisher where one expects fewer than 5', () => {
    const many = twoProportions({ hits: 370, rows: 500 }, { hits: 260, rows: 500 });
    const more = twoProportions({ hits: 100, rows: 10_000 }, { hits: 50, rows: 1000 });
    const few = twoProportions({ hits: 3, rows: 1000 }, { hits: 9, rows: 500 });

    expectClose(many.z, 7.2047936756754, 1e-12);
    expectClose(many.p, normalTails(many.z));
    expectClose(more.z, -10.3991019345, 1e-10);
    expectClose(few.p, 0.0037273994280326017);
  });

  test('shares that cannot differ have z = 0 and p = 1', () => {
    expect(twoProportions(none, { hits: 1, rows: 2 })).toEqual({ z: 0, p: 1 });
    expect(twoProportions({ hits: 0, rows: 10 }, { hits: 0, rows: 3 })).toEqual({ z: 0, p: 1 });
    expect(twoProportions({ hits: 10, rows: 10 }, { hits: 3, rows: 3 })).toEqual({ z: 0, p: 1 });
  });

  test('p-values are corrected for the choice among them, in the order in which they came', () => {
    const ps = [0.001, 0.008, 0.012, 0.03, 0.04, 0.2, 0.5, 0.9];
    const wanted = [0.008, 0.032, 0.032, 0.06, 0.064, 0.8 / 3, 4 / 7, 0.9];

    adjusted(ps).forEach((p, at) => {
      expectClose(p, wanted[at] ?? 0, 1e-12);
    });
    adjusted([...ps].reverse()).forEach((p, at) => {
      expectClose(p, wanted[7 - at] ?? 0, 1e-12);
    });
    expect(adjusted([])).toEqual([]);
  });
});

const none = { hits: 0, rows: 0 };
