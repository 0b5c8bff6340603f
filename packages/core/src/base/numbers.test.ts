import { expect, test } from 'vitest';
import { bytesText, countText, median, numberText, oddsText } from './numbers.ts';
import { agoText, day, hour } from './time.ts';

test.each([
  [0, '1 to 1'],
  [Math.log(2.5), '2.5 to 1'],
  [Math.log(159.4), '159 to 1'],
  [Math.log(12345), '12,345 to 1'],
  [Math.log(1e7), 'over 1,000,000 to 1'],
  [-Math.log(20), '1 to 20'],
  [Number.NEGATIVE_INFINITY, '1 to over 1,000,000'],
  [Number.NaN, 'not measured'],
])('evidence of log %d is told as odds: %s', (logE, text) => {
  expect(oddsText(logE)).toBe(text);
});

test.each([
  [0, 'just now'],
  [-999, 'just now'],
  [-12_000, '12s ago'],
  [-3.5 * hour, '3h ago'],
  [-2 * day, '2d ago'],
  [300_000, 'in 5m'],
])('a time %d ms from now is told as %s', (off, text) => {
  expect(agoText(1_000_000_000 + off, 1_000_000_000)).toBe(text);
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [26_125, '26.1 KB'],
  [1_500_000, '1.5 MB'],
  [7e15, '7000 TB'],
])('%d bytes are told as %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});

test.each([
  [0, '0 runs'],
  [1, '1 run'],
  [1200, '1,200 runs'],
])('%d of a thing are told as %s', (count, text) => {
  expect(countText(count, 'run')).toBe(text);
});

test.each([
  [0.123456789, '0.123457'],
  [1234567, '1234567'],
])('%d is told as %s: whole numbers stay whole', (value, text) => {
  expect(numberText(value)).toBe(text);
});

test('the median of an even number is between the two in the middle', () => {
  expect(median([9, 1, 10])).toBe(9);
  expect(median([9, 1, 10, 2])).toBe(5.5);
  expect(median([])).toBeNaN();
});
