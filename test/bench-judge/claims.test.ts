import { expect, test } from 'vitest';
import { type Claim, exposureOf, medianOf, shareOf, shareWithin, verdictOn } from './claims.ts';
import { merge, newTally, note, type Tallies } from './tally.ts';

const claim = (value: number, low: number, high: number, strict = false): Claim => ({
  what: 'something',
  estimate: { value, low, high },
  goal: { atMost: 10 },
  unit: 'minutes',
  strict,
});

test('with all runs the figure decides, and a strict one must meet the goal with its upper limit', () => {
  expect(verdictOn(claim(9, 7, 11), 'full')).toBe('met');
  expect(verdictOn(claim(11, 9, 13), 'full')).toBe('missed');
  expect(verdictOn(claim(9, 7, 11, true), 'full')).toBe('missed');
  expect(verdictOn(claim(9, 7, 10, true), 'full')).toBe('met');
});

test('with few runs only what is beyond chance is missed or met', () => {
  expect(verdictOn(claim(8, 6, 10), 'short')).toBe('met');
  expect(verdictOn(claim(9, 7, 11), 'short')).toBe('open');
  expect(verdictOn(claim(11, 9, 13), 'short')).toBe('open');
  expect(verdictOn(claim(12, 10.1, 14), 'short')).toBe('missed');
});

test('a goal from below is read the other way round', () => {
  const found: Claim = { ...claim(0.98, 0.97, 0.985), goal: { atLeast: 0.99 }, unit: 'share' };

  expect(verdictOn(found, 'short')).toBe('missed');
  expect(verdictOn({ ...found, estimate: { value: 0.995, low: 0.992, high: 0.998 } }, 'short')).toBe('met');
});

test('a run that never ended is later than any in the median, and counts whole in the exposure', () => {
  const tallies: Tallies = {};
  for (const minute of [1, 2, undefined, undefined, undefined])
    note(tallies, 'rule', minute, minute === undefined ? 100 : 10);
  const tally = tallies.rule ?? newTally();

  expect(medianOf(tally).value).toBe(Number.POSITIVE_INFINITY);
  expect(exposureOf(tally).value).toBe(64);
  expect(shareOf(tally).value).toBe(0.4);
  expect(shareWithin(tally, 1).value).toBe(0.2);
});

test('tallies of parts add up to the tally of the whole', () => {
  const [whole, first, second]: [Tallies, Tallies, Tallies] = [{}, {}, {}];
  for (let run = 0; run < 20; run += 1) {
    note(whole, 'rule', run % 3 === 0 ? undefined : run, run * 7);
    note(run < 9 ? first : second, 'rule', run % 3 === 0 ? undefined : run, run * 7);
  }

  merge(first, second);

  expect(first).toEqual(whole);
});
