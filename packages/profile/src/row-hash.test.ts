import { expect, test } from 'vitest';
import { columnPath, inside, RowHashes, wordsOfText } from './row-hash.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function hashOf(write: (hashes: RowHashes) => void): string {
  const hashes = new RowHashes(1);
  write(hashes);
  return `${hashes.high[0]} ${hashes.low[0]}`;
}

const [a, b] = [columnPath('a'), columnPath('b')];
const nothing = hashOf(() => {});

test('the order of the columns makes no other row', () => {
  const one = hashOf((hashes) => {
    hashes.number(0, a, 1);
    hashes.boolean(0, b, true);
  });
  const other = hashOf((hashes) => {
    hashes.boolean(0, b, true);
    hashes.number(0, a, 1);
  });

  expect(other).toBe(one);
  expect(one).not.toBe(nothing);
});

test('a cell without a value is as if its column were not there', () => {
  const missing = hashOf((hashes) => {
    hashes.number(0, a, Number.NaN);
    hashes.text(0, b, bytesOf('x'), 1, 1);
  });

  expect(missing).toBe(nothing);
});

test('minus zero is zero', () => {
  expect(hashOf((hashes) => hashes.number(0, a, -0))).toBe(hashOf((hashes) => hashes.number(0, a, 0)));
});

test('values of different kinds or columns, and different values, are different rows', () => {
  const rows = [
    hashOf((hashes) => hashes.number(0, a, 1)),
    hashOf((hashes) => hashes.number(0, b, 1)),
    hashOf((hashes) => hashes.number(0, a, 2)),
    hashOf((hashes) => hashes.time(0, a, 1)),
    hashOf((hashes) => hashes.boolean(0, a, true)),
    hashOf((hashes) => hashes.boolean(0, a, false)),
    hashOf((hashes) => hashes.text(0, a, bytesOf('1'), 0, 1)),
    hashOf((hashes) => hashes.number(0, inside(a, 0), 1)),
    hashOf((hashes) => hashes.number(0, inside(a, 1), 1)),
    hashOf((hashes) => hashes.number(0, inside(a, 'a'), 1)),
    hashOf((hashes) => hashes.number(0, inside(a, '0'), 1)),
  ];

  expect(new Set(rows).size).toBe(rows.length);
});

test('a text is hashed by its bytes, wherever they stand', () => {
  for (const text of ['a', 'ab', 'abc', 'abcd', 'abcdé', 'a text of some length']) {
    const bytes = bytesOf(`xy${text}z`);
    const here = hashOf((hashes) => hashes.text(0, a, bytes, 2, bytes.length - 1));
    const known = bytesOf(text);

    expect(here).toBe(hashOf((hashes) => hashes.text(0, a, known, 0, known.length)));
    expect(here).toBe(hashOf((hashes) => hashes.textOf(0, a, wordsOfText(known, 0, known.length))));
  }
});

test('of 200,000 rows of small numbers no two have one hash', () => {
  const hashes = new RowHashes(200_000);
  for (let row = 0; row < 200_000; row += 1) {
    hashes.number(row, a, row % 1000);
    hashes.number(row, b, Math.floor(row / 1000));
  }

  const whole = new Float64Array(200_000).map(
    (_, row) => (hashes.high[row] ?? 0) * 2 ** 20 + ((hashes.low[row] ?? 0) >>> 12),
  );
  expect(new Set(whole).size).toBe(200_000);
});

test('the hash of a row is the same in each version that reads stored profiles', () => {
  const row = hashOf((hashes) => {
    hashes.number(0, a, 0.1);
    hashes.time(0, b, 1_700_000_000_000);
    hashes.boolean(0, columnPath('é'), true);
    hashes.text(0, columnPath('text'), bytesOf('blue'), 0, 4);
    hashes.number(0, inside(inside(columnPath('list'), 0), 'key'), 7);
  });

  expect(row).toBe('2645867954 4006687542');
});
