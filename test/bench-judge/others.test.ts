import { expect, test } from 'vitest';
import { shiftInterval, standardised } from './mann-whitney.ts';
import { argo, flagger, isHigh, kayenta, sageMakerAlarm } from './others.ts';
import { random } from './random.ts';
import { fill, newStream, ramp, type Stream, steps } from './stream.ts';

test("the shift interval is that of Kayenta's own test", () => {
  const shift = shiftInterval([10, 20, 30, 40], [1, 2, 3, 4], 0.95);

  expect(shift?.low).toBeCloseTo(6, 3);
  expect(shift?.high).toBeCloseTo(39, 3);
  expect(shift?.estimate).toBeCloseTo(22.5, 3);
});

test('tied samples have an interval, unless all of both is one value', () => {
  const zeros = Array.from({ length: 20 }, () => 0);

  expect(shiftInterval([0, 0, 0, 1.5, 2], [0, 0, 0, 0, 1.5], 0.98)).toBeDefined();
  expect(shiftInterval(zeros, zeros, 0.98)).toBeUndefined();
});

test('the standardised rank sum counts ties half and takes the correction of R', () => {
  // U = 15.5 of 16 pairs, one tie of two: (7.5 - 0.5) / sqrt(16/12 * (9 - 6/56)).
  expect(standardised([10, 20, 30, 40], [1, 2, 3, 4], 6)).toBeCloseTo(7 / Math.sqrt((16 / 12) * (9 - 6 / 56)), 12);
  expect(standardised([1, 2], [1, 2], 0)).toBeCloseTo(0, 12);
});

/** A candidate with these errors of 1,000 requests in each tick, beside a champion with 5. */
function streamOf(errors: readonly number[]): Stream {
  const stream = newStream(errors.map(() => 10));
  for (const [tick, bad] of errors.entries()) {
    stream.requests.candidate[tick] = 1000;
    stream.requests.champion[tick] = 9000;
    stream.errors.candidate[tick] = bad;
    stream.errors.champion[tick] = 45;
  }
  return stream;
}

test('Flagger rolls back with the tick after the one that reached its threshold, and never forgets a failed check', () => {
  const stream = streamOf([11, 5, 11, 5, 5, 11, 5, 5]);

  expect(flagger(1)(stream)).toBe(1);
  expect(flagger(3)(stream)).toBe(6);
  expect(flagger(4)(stream)).toBeUndefined();
});

test('Flagger takes a success rate of exactly 99 % as passed, and a minute without requests as failed', () => {
  const stream = streamOf([10, 10, 10]);
  expect(flagger(1)(stream)).toBeUndefined();

  stream.requests.candidate[1] = 0;
  stream.errors.candidate[1] = 0;

  expect(flagger(1)(stream)).toBe(2);
});

test('Argo measures five minutes at a time and counts failures in any order', () => {
  const stream = streamOf([60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60, 0, 0, 0, 0]);

  expect(argo(0)(stream)).toBe(4);
  expect(argo(1)(stream)).toBe(14);
  expect(argo(2)(stream)).toBeUndefined();
});

test('the SageMaker alarm wants two periods one after the other', () => {
  const bad = Array.from({ length: 10 }, () => 11);
  const good = Array.from({ length: 10 }, () => 9);

  expect(sageMakerAlarm()(streamOf([...bad, ...good, ...bad, ...bad]))).toBe(39);
  expect(sageMakerAlarm()(streamOf([...bad, ...good, ...bad, ...good]))).toBeUndefined();
});

test('Kayenta finds a tripled rate, lets equal ones pass, and does not call a lower one high', () => {
  const source = random(5);
  const stream = newStream(ramp);
  fill(stream, source, { rpm: 6000, share: 0.005, ratio: () => 3 });
  expect(kayenta(15)(stream)).toBe(14);

  fill(stream, source, { rpm: 6000, share: 0.005 });

  expect(kayenta(15)(stream)).toBeUndefined();
  expect(isHigh([1, 1.1, 1.2, 1.3, 1.4], [5, 5.1, 5.2, 5.3, 5.4])).toBe(false);
  expect(isHigh([], [1])).toBe(false);
});

test('a ramp is its weights, each for as long', () => {
  expect(steps([5, 50], 2)).toEqual([5, 5, 50, 50]);
  expect(ramp).toHaveLength(60);
});
