import { expect, test } from 'vitest';
import { slowerThan } from '../base/measures.ts';
import type { Stream } from '../guardrails/guardrail.ts';
import { climatesOf } from './climate.ts';
import type { History, MeasureHistory } from './history.ts';

const streamOf = (id: string, measure: string, segment?: string): Stream => ({
  ...{ id, measure, harm: true, promotes: true, events: 'bad requests' },
  ...(segment === undefined ? {} : { segment }),
});
const [p50, p99] = [slowerThan(20), slowerThan(200)];
const streams = [streamOf('p50', p50), streamOf('p99', p99), streamOf('p99@de', p99, 'de')];
const restless: MeasureHistory = { bad: 1, requests: 2, typical: 30, noise: 0.2, dispersion: 2, calm: false };
const thin: MeasureHistory = { bad: 1, requests: 2, typical: 3, dispersion: 2, calm: false };

const under = (measures: Readonly<Record<string, MeasureHistory>>, ticks = 1440, more = {}) => {
  const history: History = { from: 0, to: 1, ticks, measures };
  const climates = climatesOf({ clock: 'ticks', unit: 'request', streams, maxBurst: 1, ...more }, history);
  return Object.fromEntries(Object.entries(climates).map(([id, { tau, cap, typical }]) => [id, [tau, cap, typical]]));
};

test('a champion that is not known may have much noise of its own', () => {
  expect(climatesOf({ clock: 'ticks', unit: 'request', streams, maxBurst: 1 }, undefined).p50).toMatchObject({
    tau: 0.28,
    cap: 5,
  });
  expect(under({}).p50?.[0]).toBe(0.28);
});

test('the noise is what was measured, within bounds, and more of it where requests are few', () => {
  expect(under({ [p50]: restless, [p99]: thin })).toEqual({
    p50: [0.2, 5, 30],
    p99: [0.2 * 1.5, 5, 3],
    // Of a segment nobody knows what is typical.
    'p99@de': [0.2 * 1.5, 5, undefined],
  });
  expect(under({ [p50]: { ...restless, noise: 0 } }).p50?.[0]).toBe(0.05);
  expect(under({ [p50]: { ...restless, noise: 7 } }).p50?.[0]).toBe(1);
  expect(under({ [p50]: thin }).p50?.[0]).toBe(0.1);
});

test('a champion of less than three hours says what is typical, and nothing of its noise', () => {
  const young = { ...thin, typical: 30 };

  expect(under({ [p50]: young }, 179).p50).toEqual([0.28, 5, 30]);
  expect(under({ [p50]: young }, 180).p50).toEqual([0.1, 5, 30]);
});

test('a few ticks may decide where the champion is calm in all that a guardrail counts', () => {
  const calm = { ...restless, calm: true };

  expect(under({ [p50]: calm, [p99]: { ...thin, calm: true } })).toMatchObject({
    p50: [0.1, 50, 30],
    p99: [0.05, 50, 3],
  });
  expect(under({ [p50]: calm, [p99]: thin }).p50).toEqual([0.2, 5, 30]);
});

test('bad users are not counted by what is typical of requests, and bursts not by their size', () => {
  expect(under({ [p50]: restless }, 1440, { unit: 'user' }).p50?.[2]).toBeUndefined();
  expect(under({ [p50]: restless }, 1440, { maxBurst: 10 }).p50?.[2]).toBe(3);
});
