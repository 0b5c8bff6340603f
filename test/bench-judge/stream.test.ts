import { expect, test } from 'vitest';
import { incident, sinus } from './nulls.ts';
import { random } from './random.ts';
import { exposedUntil, fill, newStream, ramp, type Stream, type Traffic, thresholds } from './stream.ts';
import { stickyTicks } from './unlike.ts';

/** The sums of a column over many runs. */
function sums(
  traffic: Traffic,
  column: (stream: Stream) => { readonly candidate: Int32Array; readonly champion: Int32Array },
) {
  const stream = newStream(ramp);
  const total = { candidate: 0, champion: 0, candidateRequests: 0, championRequests: 0 };
  for (let run = 0; run < 40; run += 1) {
    fill(stream, random(77, run), traffic);
    for (let tick = 0; tick < ramp.length; tick += 1) {
      total.candidate += column(stream).candidate[tick] ?? 0;
      total.champion += column(stream).champion[tick] ?? 0;
      total.candidateRequests += stream.requests.candidate[tick] ?? 0;
      total.championRequests += stream.requests.champion[tick] ?? 0;
    }
  }
  return { ours: total.candidate / total.candidateRequests, theirs: total.champion / total.championRequests };
}

test('errors come at the base share, the candidate times its ratio', () => {
  const { ours, theirs } = sums({ rpm: 6000, share: 0.005, ratio: () => 2 }, ({ errors }) => errors);

  expect(theirs).toBeCloseTo(0.005, 4);
  expect(ours).toBeCloseTo(0.01, 3);
});

test('a tenth of the requests is slower than the p90, with and without latencies drawn one by one', () => {
  const shares = sums({ rpm: 600, share: 0 }, ({ slow }) => slow[1]);
  const drawn = sums({ rpm: 600, share: 0, latency: { factor: 1.1, tail: 0 } }, ({ slow }) => slow[1]);

  expect(shares.ours).toBeCloseTo(0.1, 2);
  expect(drawn.theirs).toBeCloseTo(0.1, 2);
  // 10 % slower is 1.2 times as many slower than the p90.
  expect(drawn.ours / drawn.theirs).toBeCloseTo(1.2, 1);
});

test('the thresholds are percentiles of the latencies', () => {
  expect(thresholds.map(Math.round)).toEqual([100, 317, 811]);
});

test('an incident lasts 8 ticks and is shared; a moving baseline goes up and down by half', () => {
  for (let run = 0; run < 50; run += 1) {
    const factor = incident(random(9, run));
    const bad = ramp.map((_, tick) => tick).filter((tick) => factor(tick) === 6);
    expect(bad).toHaveLength(8);
    expect(bad[0]).toBeGreaterThanOrEqual(5);
    expect(bad[7]).toBeLessThanOrEqual(57);
  }
  const wave = ramp.map((_, tick) => sinus(random(3))(tick));
  expect(Math.max(...wave)).toBeCloseTo(1.5, 2);
  expect(Math.min(...wave)).toBeCloseTo(0.5, 2);
});

test('exposed requests are those up to the rollback, and all without one', () => {
  const stream = newStream([50, 50, 50]);
  stream.requests.candidate.set([3, 4, 5]);

  expect(exposedUntil(stream, 1)).toBe(7);
  expect(exposedUntil(stream, undefined)).toBe(12);
});

test('a sticky user has a first bad request once, and all users are assigned once', () => {
  const ticks = stickyTicks(random(4), ramp);
  const sum = (read: (users: NonNullable<(typeof ticks)[number]['users']>[string]) => number) =>
    ticks.reduce((all, { users = {} }) => all + Object.values(users).reduce((part, arm) => part + read(arm), 0), 0);

  expect(sum(({ assigned }) => assigned)).toBe(400);
  expect(sum(({ bad }) => bad.errors?.bad ?? 0)).toBe(8);
  expect(ticks[0]?.users?.candidate?.bad.errors?.atRisk).toBe(ticks[0]?.users?.candidate?.assigned);
});

test('the control is a part of the champion as large as the candidate, and has its share of the errors', () => {
  const stream = newStream(ramp);
  const total = (column: Int32Array) => column.reduce((sum, count) => sum + count, 0);
  fill(stream, random(8), { rpm: 6000, share: 1 });

  // All of the champion's requests fail, so all of the control's do.
  expect(stream.control.errors).toEqual(stream.control.requests);
  expect(total(stream.control.requests) / total(stream.requests.candidate)).toBeCloseTo(1, 1);
  expect((total(stream.requests.candidate) + total(stream.requests.champion)) / ramp.length).toBeCloseTo(6000, -2);

  fill(stream, random(8), { rpm: 6000, share: 0.2 });
  expect(total(stream.control.errors) / total(stream.control.requests)).toBeCloseTo(0.2, 2);
});
