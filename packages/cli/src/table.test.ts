import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { shortIds } from './short-ids.ts';
import { facts, stateColour, table } from './table.ts';
import { harmless } from './terminal.ts';
import { timeIn } from './times.ts';
import { padTo, widthOf, wrapAt } from './width.ts';

const at = (width: number | undefined) => ({ width, paint: (_: string, text: string) => text });
const lines = (text: string) => text.trimEnd().split('\n');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 10, 29, 12) });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

const runs = [
  {
    id: 'run_01a226038c257fb963678a9562bc5a0b',
    model: 'weather',
    at: '2026-11-29T11:57:00.000Z',
    n: 5,
    why: 'refused: accuracy 0.340 against 0.374 of the champion v2',
  },
  { id: 'run_01a226038c277fb963678a9562bc5a0b', model: 'line', at: '2026-11-29T09:00:00.000Z', n: 12, why: 'passed' },
];
const columns = {
  ID: { path: 'id', as: 'id' },
  MODEL: 'model',
  N: { path: 'n', drop: 2 },
  STARTED: { path: 'at', as: 'ago', drop: 1 },
  WHY: 'why',
} as const;

test('the reason gets the room that is left, and is broken at blanks under its own column', () => {
  expect(lines(table(runs, columns, at(80)))).toEqual([
    'ID                MODEL     N  STARTED  WHY',
    'run_01a226038c25  weather   5  3m ago   refused: accuracy 0.340 against 0.374 of',
    '                                        the champion v2',
    'run_01a226038c27  line     12  3h ago   passed',
  ]);
});

test('columns that matter less go first where a terminal is narrow, and the reason stays', () => {
  const narrow = lines(table(runs, columns, at(58)));

  expect(narrow[0]).toBe('ID                MODEL    WHY');
  expect(narrow.join(' ').replace(/\s+/g, ' ')).toContain('0.340 against 0.374 of the champion v2');
  expect(lines(table(runs, columns, at(66)))[0]).toBe('ID                MODEL    STARTED  WHY');
});

test('a name that is wider than a terminal is broken, and no line is wider than it', () => {
  const rows = [{ ...runs[0], model: 'm'.repeat(63) }];

  for (const width of [40, 80]) {
    const text = table(rows, columns, at(width));
    expect(Math.max(...lines(text).map(widthOf))).toBeLessThanOrEqual(width);
    expect(text.replace(/\s+/g, '')).toContain('championv2');
  }
});

test('on a pipe a row is a line with whole ids and exact times', () => {
  expect(lines(table(runs, columns, at(undefined)))[1]).toBe(
    'run_01a226038c257fb963678a9562bc5a0b  weather   5  2026-11-29T11:57:00Z  refused: accuracy 0.340 against 0.374 of the champion v2',
  );
  expect(table(runs, columns, { ...at(80), utc: true })).toContain('2026-11-29T11:57:00Z');
});

test('an id of a list is as long as it must be, and has eight digits at least', () => {
  const ids = ['01a22603aa', '01a22603ab', '01a3'].map((digits) => `ro_${digits.padEnd(32, '0')}`);

  expect(ids.map(shortIds(ids))).toEqual(['ro_01a22603aa', 'ro_01a22603ab', 'ro_01a30000']);
  expect(shortIds(['delivery-17'])('delivery-17')).toBe('delivery-17');
});

test('wide characters and emoji take two columns, marks and joiners none', () => {
  expect(['\u200b', '\u0301'].map(widthOf)).toEqual([0, 0]);
  expect(['abc', '模型', '🚀', '👩‍🔬', 'é', '🇨🇭', '❤️'].map(widthOf)).toEqual([3, 4, 2, 2, 1, 2, 2]);
  expect(padTo('模型', 6)).toBe('模型  ');
  expect(
    lines(
      table(
        [
          { a: '模型', b: 1 },
          { a: 'ab', b: 10 },
        ],
        { A: 'a', B: 'b' },
        at(80),
      ),
    ),
  ).toEqual(['A      B', '模型   1', 'ab    10']);
});

test('a word is broken only where it is wider than a line', () => {
  expect(wrapAt('one two  three', 7)).toEqual(['one two', 'three']);
  expect(wrapAt('ab 🚀🚀🚀 c', 4)).toEqual(['ab', '🚀🚀', '🚀 c']);
  expect(wrapAt('', 4)).toEqual(['']);
  expect(wrapAt('weight 10 % now', 10)).toEqual(['weight', '10 % now']);
});

test('an object in an object stands under its name, and is not told as prose', () => {
  expect(lines(facts({ a: 1, evidence: { requests: 5, failed: 0 } }, at(80)))).toEqual([
    'a         1',
    'evidence',
    '  requests  5',
    '  failed    0',
  ]);
});

test('a time by the clock on the wall says its zone', () => {
  vi.stubEnv('TZ', 'Europe/Zurich');

  expect(timeIn(Date.UTC(2026, 0, 1, 23, 30), { width: 80 })).toBe('2026-01-02 00:30:00 CET');
  expect(timeIn(Date.UTC(2026, 0, 1, 23, 30), { width: undefined })).toBe('2026-01-01T23:30:00Z');
});

test('what is well is green, what is wrong red, what somebody may look at yellow, and what goes on cyan', () => {
  expect(['promoted', 'rolledBack', 'held', 'baking', 'idle'].map(stateColour)).toEqual([
    'green',
    'red',
    'yellow',
    'cyan',
    'dim',
  ]);
});

test('a mark of direction cannot show a text in another order than it has', () => {
  expect(harmless('safe\u202egnp.exe\u2069\u200f\u001b[2J')).toBe('safe\ufffdgnp.exe\ufffd\ufffd\ufffd[2J');
});
