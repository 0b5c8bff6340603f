import { categoriesOf, categoryShares, normalShares, type Rows, type World } from './world.ts';

export const columnCount = 30;
const names = Array.from({ length: columnCount }, (_, index) => `c${index}`);

/** A normal column: where its mean is on a day, in standard deviations, how wide it is, and its share without a value. */
export interface NormalDay {
  readonly shift: number;
  readonly scale?: number;
  readonly missing?: number;
}

/** Independent rows. `of`: what a column is like on a day. */
export function normals(of: (column: number, day: number) => NormalDay): World {
  const known = new Map<string, Float64Array>();
  return {
    rows: (count, day, random) =>
      names.map((name, column) => {
        const { shift, scale = 1, missing = 0 } = of(column, day);
        const there = count - random.binomial(count, missing);
        return { name, numbers: Float64Array.from({ length: there }, () => shift + scale * random.normal()) };
      }),
    law: (column, day) => {
      const { shift, scale = 1, missing = 0 } = of(names.indexOf(column.name), day);
      const key = `${column.name} ${shift} ${scale}`;
      const cells = known.get(key) ?? normalShares(column, shift, scale);
      if (known.size < 1000) known.set(key, cells);
      return { cells, missing };
    },
  };
}

export const steady = (): World => normals(() => ({ shift: 0 }));

/** All columns but the first are normal and steady; the first has categories, whose shares a day decides. */
export function oneOfCategories(shares: (day: number) => Float64Array): World {
  const others = steady();
  return {
    rows: (count, day, random) => {
      const [first, ...rest] = others.rows(count, day, random);
      return [{ name: first?.name ?? '', texts: categoriesOf(count, shares(day), random) }, ...rest];
    },
    law: (column, day) =>
      column.kind === 'category'
        ? { cells: categoryShares(column, shares(day)), missing: 0 }
        : (others.law?.(column, day) ?? { cells: new Float64Array(), missing: 0 }),
  };
}

/** All columns are of categories with the same shares. */
export const categories = (shares: Float64Array): World => ({
  rows: (count, _day, random) => names.map((name) => ({ name, texts: categoriesOf(count, shares, random) })),
  law: (column) => ({ cells: categoryShares(column, shares), missing: 0 }),
});

/** Zipf's law: the share of the k-th value is as 1/k. */
export function zipf(values: number): Float64Array {
  const shares = Float64Array.from({ length: values }, (_, index) => 1 / (index + 1));
  const all = shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share) => share / all);
}

/** Whole numbers from 0 to `below - 1`, each as frequent. */
export const wholeNumbers = (below: number): World => ({
  rows: (count, _day, random) =>
    names.map((name) => ({
      name,
      numbers: Float64Array.from({ length: count }, () => Math.floor(below * random.next())),
    })),
});

/** Each row depends on the row before: an autoregression of order one, of deviation 1. */
export function followingRows(correlation: number): World {
  const last = names.map((): number | undefined => undefined);
  const rest = Math.sqrt(1 - correlation * correlation);
  return {
    rows: (count, _day, random) =>
      names.map((name, column): Rows => {
        let value = last[column] ?? random.normal();
        const numbers = new Float64Array(count);
        for (let row = 0; row < count; row += 1) {
          value = correlation * value + rest * random.normal();
          numbers[row] = value;
        }
        last[column] = value;
        return { name, numbers };
      }),
  };
}

/** All columns have a part in common, so that each two of them correlate. */
export const alikeColumns = (correlation: number): World => ({
  rows: (count, _day, random) => {
    const common = Float64Array.from({ length: count }, () => random.normal());
    const [shared, own] = [Math.sqrt(correlation), Math.sqrt(1 - correlation)];
    return names.map((name) => ({ name, numbers: common.map((value) => shared * value + own * random.normal()) }));
  },
});

/** Each column has a mean of its own on each day; days from `from` on, each made of the day before. */
export function daysOf(given: {
  readonly from: number;
  readonly to: number;
  readonly next: (before: number) => number;
}): (column: number, day: number) => NormalDay {
  const { from, to, next } = given;
  const shifts = names.map(() => {
    let shift = 0;
    return Float64Array.from({ length: to - from }, () => {
      shift = next(shift);
      return shift;
    });
  });
  return (column, day) => ({ shift: shifts[column]?.[day - from] ?? 0 });
}
