import { expect, test } from 'vitest';
import { type Columns, profileOf, repeat } from './profile.fixture.ts';
import { timeColumnOf } from './time-column.ts';

const times = repeat(100, (index) => `2026-01-${String((index % 28) + 1).padStart(2, '0')}`);
const some = (missing: number) => times.map((time, index) => (index < missing ? null : time));
const numbers = repeat(100, (index) => index);
const found = (columns: Columns, said?: string | false) => timeColumnOf(profileOf(columns), said);

test('the only column of times tells the day of a row', () => {
  expect(found({ n: numbers, at: times })).toEqual({ column: 'at' });
  expect(found({ n: numbers, at: some(5) })).toEqual({ column: 'at' });
});

test('none does where there are two, or none, or it is not in nearly every row', () => {
  expect(found({ born: times, at: times })).toEqual({
    because: "several columns have times ('born', 'at'): name one in monitor.drift.time",
  });
  expect(found({ n: numbers, at: some(6) })).toEqual({ because: 'no column has a time in nearly every row' });
  expect(found({ at: times.map((time, index) => (index < 6 ? 'soon' : time)) })).toEqual({
    because: 'no column has a time in nearly every row',
  });
});

test('the config names one of several, or says that there is none', () => {
  expect(found({ born: times, at: times }, 'at')).toEqual({ column: 'at' });
  expect(found({ at: times }, false)).toEqual({ because: 'monitor.drift.time is false' });
});

test('a column that the config names and that has no times is told', () => {
  expect(found({ at: times }, 'day')).toEqual({ because: "there is no column 'day'" });
  expect(found({ year: numbers }, 'year')).toEqual({
    because: "'year' has values that are no times such as 2026-01-31 or 2026-01-31T10:20:00Z",
  });
});
