import { closeSync, openSync, writeSync } from 'node:fs';

/**
 * A CSV that looks like data, always the same: an id, six columns of numbers (one with 2 % missing, one skewed, one of
 * 100 values), a text of 5,000 values, one of three, and a time. With `texts` all ten columns are texts: four of 5,000
 * values, three of three, three that are different in each row.
 */
export function writeCsv(path: string, rows: number, texts = false): void {
  const random = randomFrom(1);
  const rowOf = texts ? textRow : mixedRow;
  const file = openSync(path, 'w');
  let waiting = `${(texts ? textNames : mixedNames).join(',')}\n`;
  for (let row = 0; row < rows; row += 1) {
    waiting += `${rowOf(row, random).join(',')}\n`;
    if (waiting.length < 2 ** 20) continue;
    writeSync(file, waiting);
    waiting = '';
  }
  writeSync(file, waiting);
  closeSync(file);
}

export const mixedNames = ['id', 'normal', 'price', 'score', 'skewed', 'whole', 'share', 'category', 'colour', 'at'];
export const textNames = Array.from({ length: 10 }, (_, at) => `t${at}`);
const colours = ['red', 'green', 'blue'];

function mixedRow(row: number, random: () => number): readonly (string | number)[] {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return [
    1_000_000 + row,
    (50 + 10 * normal).toFixed(3),
    random() < 0.02 ? '' : (1000 * random()).toFixed(2),
    Math.floor(100 * random()),
    (normal * normal).toFixed(5),
    Math.floor(1e6 * random()),
    random().toFixed(6),
    categoryOf(random()),
    colours[Math.floor(3 * random())] ?? '',
    new Date(Date.UTC(2026, 0, 1) + Math.floor(30 * 86_400_000 * random())).toISOString(),
  ];
}

function textRow(row: number, random: () => number): readonly string[] {
  return textNames.map((name, at) => {
    if (at < 4) return categoryOf(random());
    return at < 7 ? (colours[Math.floor(3 * random())] ?? '') : `${name}-${row}-${Math.floor(1e6 * random())}`;
  });
}

const categoryOf = (random: number): string => `category ${Math.floor(5000 * random ** 3)}`;

/** Mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
