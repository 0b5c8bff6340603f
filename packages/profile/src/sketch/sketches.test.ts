import { expect, test } from 'vitest';
import { mix, ValueHash } from '../hash.ts';
import { Input, Output } from './bytes.ts';
import { Distinct } from './distinct.ts';
import { cutOf, Frequent } from './frequent.ts';
import { Moments } from './moments.ts';
import { Quantiles } from './quantiles.ts';
import { LowestRows } from './row-sample.ts';

/** Numbers in [0, 1) that look random, from a seed. */
function randoms(seed: number, count: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length: count }, () => {
    state = (state + 0x9e3779b9) | 0;
    return (mix(state) >>> 0) / 2 ** 32;
  });
}

/** The largest distance of a quantile from its rank, for values that are uniform in [0, 1). */
const rankError = (quantiles: readonly number[], values: Float64Array) => {
  const sorted = values.toSorted();
  const errors = quantiles.map((value, at) => {
    const rank = (at + 1) / (quantiles.length + 1);
    const from = sorted.indexOf(value);
    const to = sorted.lastIndexOf(value) + 1;
    return Math.max(0, from / sorted.length - rank, rank - to / sorted.length);
  });
  return Math.max(...errors);
};

function sketchOf(values: Float64Array, seed: number, batch = 256): Quantiles {
  const sketch = new Quantiles(seed);
  for (let at = 0; at < values.length; at += batch) {
    const part = values.subarray(at, at + batch);
    sketch.add(part, part.length);
  }
  return sketch;
}

const written = (sketch: Quantiles) => {
  const to = new Output();
  sketch.write(to);
  return to.written();
};

test('quantiles of up to 512 values are exact', () => {
  const values = randoms(1, 511);

  expect(sketchOf(values, 1).inner(256)).toEqual(
    Array.from({ length: 255 }, (_, at) => values.toSorted()[Math.ceil(((at + 1) * 511) / 256) - 1]),
  );
});

test('quantiles are off by 1.65 % of the ranks at most, of 1,000 values as of 300,000', () => {
  for (const count of [1000, 20_000, 300_000]) {
    const errors = [1, 2, 3, 4].map((seed) => {
      const values = randoms(seed, count);
      return rankError(sketchOf(values, seed).inner(256), values);
    });
    expect(errors.toSorted()[1]).toBeLessThan(0.0165);
    expect(Math.max(...errors)).toBeLessThan(0.022);
  }
});

test('values in ascending order have quantiles as good', () => {
  const values = Float64Array.from({ length: 200_000 }, (_, at) => at / 200_000);

  expect(rankError(sketchOf(values, 5).inner(256), values)).toBeLessThan(0.0165);
});

test('the sketch of the quantiles takes 10 KB at most, as bytes and in memory', () => {
  const sketch = sketchOf(randoms(3, 1_000_000), 3);
  const to = new Output();
  sketch.write(to);

  expect(to.written().length).toBeLessThan(10_000);
  expect(sketch.bytes).toBeLessThan(14_000);
});

test('the same values give the same quantiles in whatever batches they come, and after each has been written and read', () => {
  const values = randoms(7, 90_000);
  const whole = sketchOf(values, 9);

  for (const batch of [1, 7, 1000, 90_000]) expect(written(sketchOf(values, 9, batch))).toEqual(written(whole));
  const halves = Quantiles.read(new Input(written(sketchOf(values.subarray(0, 70_001), 9))));
  halves.add(values.subarray(70_001), values.length - 70_001);
  expect(written(halves)).toEqual(written(whole));
});

test('quantiles of merged parts are as good as those of the whole', () => {
  const values = randoms(11, 300_000);
  const merged = sketchOf(values.subarray(0, 1000), 1);
  for (let at = 1000; at < values.length; at += 13_000) merged.merge(sketchOf(values.subarray(at, at + 13_000), at));

  expect(rankError(merged.inner(256), values)).toBeLessThan(0.0165);
});

test('how many values are different is found within 5 %, and merged exactly', () => {
  for (const count of [10, 1000, 100_000]) {
    const [whole, first, second] = [new Distinct(), new Distinct(), new Distinct()];
    const hash = new ValueHash();
    for (let at = 0; at < 2 * count; at += 1) {
      hash.number(at % count);
      whole.add(hash.high, hash.low);
      (at % 3 === 0 ? first : second).add(hash.high, hash.low);
    }
    first.merge(second);

    expect(Math.abs(whole.estimate() / count - 1)).toBeLessThan(0.05);
    expect(first).toEqual(whole);
  }
});

test('an empty sketch has no values, and one of the largest ranks is finite', () => {
  expect(new Distinct().estimate()).toBe(0);
  expect(new Distinct(new Uint8Array(4096).fill(20)).estimate()).toBeGreaterThan(1e9);
});

const hash = new ValueHash();
const giveNumber = (frequent: Frequent, value: number) => {
  hash.number(value);
  frequent.number(value, hash);
};
const giveText = (frequent: Frequent, text: string) => {
  const bytes = new TextEncoder().encode(text);
  hash.text(bytes, 0, bytes.length);
  frequent.text(bytes, 0, bytes.length, hash);
};

test('up to 1,024 different values are counted exactly, those that came once among them', () => {
  const frequent = new Frequent();
  for (let at = 0; at < 1024; at += 1) giveNumber(frequent, at);
  for (const value of [7, 5, 7]) giveNumber(frequent, value);

  expect([frequent.size, frequent.singletons, frequent.error, frequent.distinct]).toEqual([1024, 1022, 0, undefined]);
  expect(frequent.most(3)).toEqual([
    ['7', 3],
    ['5', 2],
    ['0', 1],
  ]);
});

test('of more values, those that come often are found, and each count is too low by the error at most', () => {
  const frequent = new Frequent();
  const truth = new Map<string, number>();
  const draws = randoms(21, 200_000);
  for (const draw of draws) {
    const text = `v${Math.floor(5000 * draw ** 4)}`;
    truth.set(text, (truth.get(text) ?? 0) + 1);
    giveText(frequent, text);
  }

  const most = frequent.most(128);

  expect(frequent.error).toBeGreaterThan(0);
  expect(frequent.error).toBeLessThanOrEqual(draws.length / 512);
  for (const [text, count] of most) {
    expect(count).toBeLessThanOrEqual(truth.get(text) ?? 0);
    expect(count + frequent.error).toBeGreaterThanOrEqual(truth.get(text) ?? 0);
  }
  const shown = new Set(most.map(([text]) => text));
  const sure = [...truth].filter(([, count]) => count > 2 * frequent.error).map(([text]) => text);
  expect(sure.filter((text) => !shown.has(text)).slice(128)).toEqual([]);
  expect(Math.abs(frequent.size / truth.size - 1)).toBeLessThan(0.05);
});

test('many long texts do not take more memory than was planned, and are written and read as they are', () => {
  const frequent = new Frequent();
  for (let at = 0; at < 20_000; at += 1) giveText(frequent, at % 10 === 0 ? 'often' : `${at}${'é'.repeat(400)}`);
  const to = new Output();
  frequent.write(to);

  expect(frequent.bytes).toBeLessThan(200_000);
  expect(to.written().length).toBeLessThan(100_000);
  expect(frequent.most(5)).toEqual([['often', 2000 - frequent.error]]);
  expect(Frequent.read(new Input(to.written())).most(5)).toEqual(frequent.most(5));
});

test('merged counts are those of the whole where there are few values, and within the error where there are many', () => {
  for (const different of [50, 3000]) {
    const [whole, first, second] = [new Frequent(), new Frequent(), new Frequent()];
    for (const [at, draw] of randoms(31, 30_000).entries()) {
      const text = `v${Math.floor(different * draw ** 5)}`;
      giveText(whole, text);
      giveText(at % 2 === 0 ? first : second, text);
    }
    first.merge(second);

    if (different === 50) expect([first.most(128), first.error]).toEqual([whole.most(128), 0]);
    expect(first.size).toBe(whole.size);
    for (const [text, count] of whole.most(10)) {
      const merged = new Map(first.most(128)).get(text) ?? 0;
      expect(Math.abs(merged - count)).toBeLessThanOrEqual(Math.max(first.error, whole.error));
    }
  }
});

test('texts are cut to 128 characters, also those of four bytes each', () => {
  const cut = (text: string) => {
    const bytes = new TextEncoder().encode(text);
    return new TextDecoder().decode(bytes.subarray(0, cutOf(bytes, 0, bytes.length)));
  };

  expect(cut('x'.repeat(128))).toBe('x'.repeat(128));
  expect(cut('x'.repeat(129))).toBe('x'.repeat(128));
  expect(cut('😀'.repeat(200))).toBe('😀'.repeat(128));
  const noText = new Uint8Array(5000).fill(0x80);
  expect(cutOf(noText, 0, 5000)).toBeLessThanOrEqual(512);
});

test.each([
  [0, 1e-12],
  [1e9, 1e-7],
])('mean and deviation of merged parts are those of the whole, also far from zero: %d', (offset, tolerance) => {
  const values = randoms(41, 10_000).map((value) => offset + value);
  const [whole, parts] = [new Moments(), new Moments()];
  whole.add(values, values.length);
  for (let at = 0; at < values.length; at += 77) {
    const part = new Moments();
    part.add(values.subarray(at, at + 77), Math.min(77, values.length - at));
    parts.merge(part);
  }

  expect(Math.abs(parts.mean / whole.mean - 1)).toBeLessThan(1e-12);
  expect(Math.abs(parts.squares / whole.squares - 1)).toBeLessThan(tolerance);
  expect(Math.sqrt(whole.squares / whole.count)).toBeCloseTo(Math.sqrt(1 / 12), 2);
  expect([parts.min, parts.max, parts.count]).toEqual([whole.min, whole.max, whole.count]);
});

test('the largest doubles have a finite mean', () => {
  const moments = new Moments();
  for (const value of [Number.MAX_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE])
    moments.add(Float64Array.of(value, value), 2);

  expect(moments.mean).toBeCloseTo(Number.MAX_VALUE / 3, -300);
  expect(Number.isNaN(moments.squares)).toBe(false);
});

test('the sample has the 4,096 lowest distinct rows with exact counts, however they were cut into parts', () => {
  const rows = Array.from({ length: 40_000 }, (_, at) => ({ high: mix((at % 15_000) + 1), low: mix(at % 15_000) }));
  const [whole, first, second] = [new LowestRows(), new LowestRows(), new LowestRows()];
  for (const [at, { high, low }] of rows.entries()) {
    whole.add(high, low);
    (at < 9000 ? first : second).add(high, low);
  }
  const to = new Output();
  first.write(to);
  const merged = LowestRows.read(new Input(to.written()));
  merged.merge(second);
  const hex = (half: number) => (half >>> 0).toString(16).padStart(8, '0');
  const truth = new Map<string, number>();
  for (const { high, low } of rows) truth.set(hex(high) + hex(low), (truth.get(hex(high) + hex(low)) ?? 0) + 1);
  const lowest = [...truth].sort(([one], [other]) => (one < other ? -1 : 1)).slice(0, 4096);

  expect(whole.sample()).toEqual({ below: lowest.at(-1)?.[0], rows: lowest });
  expect(merged.sample()).toEqual(whole.sample());
});

test('few rows are all in the sample', () => {
  const rows = new LowestRows();
  rows.add(-1, 5);
  rows.add(-1, 5);

  expect(rows.sample()).toEqual({ below: 'ffffffffffffffff', rows: [['ffffffff00000005', 2]] });
});

test('numbers are written and read as they are, and bytes that break off are a fault', () => {
  const numbers = [0, -0, 1, -1, 127, 128, 2 ** 49, -(2 ** 49), 2 ** 53, 0.1, -1e308, Number.POSITIVE_INFINITY];
  const to = new Output();
  to.doubles(numbers);
  to.whole(2 ** 53 - 1);

  const from = new Input(to.written());

  expect([...from.doubles()]).toEqual(numbers);
  expect(from.whole()).toBe(2 ** 53 - 1);
  expect(() => from.whole()).toThrow('the state of a profile breaks off');
});
