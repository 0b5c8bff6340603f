import { expect, test } from 'vitest';
import { random } from './random.ts';
import { type Weather, weathered } from './weather.ts';

const calm: Weather = { rpm: 600, errors: 0.01 };

/** Counts of both arms, and of each minute, over so many minutes at 50 %. */
function minutesOf(weather: Weather, minutes: number, seed = 1, weight = 50) {
  const source = weathered(random(seed), weather);
  return Array.from({ length: minutes }, () => {
    const { candidate, champion } = source.next(weight);
    return [candidate, champion].map(({ requests, errors, slow }) => ({ requests, errors, slow: [...slow] }));
  });
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
const shareIn = (minutes: ReturnType<typeof minutesOf>, arm: 0 | 1): number =>
  sum(minutes.map((minute) => minute[arm]?.errors ?? 0)) / sum(minutes.map((minute) => minute[arm]?.requests ?? 0));

test('without weather both arms fail at the base share, and a tenth is slower than the p90', () => {
  const minutes = minutesOf(calm, 3000);

  expect(shareIn(minutes, 0)).toBeCloseTo(0.01, 3);
  expect(shareIn(minutes, 1)).toBeCloseTo(0.01, 3);
  expect(
    sum(minutes.map(([ours]) => ours?.slow[1] ?? 0)) / sum(minutes.map(([ours]) => ours?.requests ?? 0)),
  ).toBeCloseTo(0.1, 2);
});

test('noise leaves the mean odds as they are, has its standard deviation and lasts as long as is said', () => {
  const minutes = minutesOf({ rpm: 200_000, errors: 0.1, errorNoise: { sd: 0.2, ar: 0.8 } }, 3000, 3);
  const logs = minutes.map(([ours]) => Math.log((ours?.errors ?? 0) / ((ours?.requests ?? 0) - (ours?.errors ?? 0))));
  const mean = sum(logs) / logs.length;
  const covariance = (lag: number) =>
    sum(logs.slice(lag).map((log, index) => (log - mean) * ((logs[index] ?? 0) - mean))) / (logs.length - lag);

  expect(Math.sqrt(covariance(0))).toBeCloseTo(0.2, 1);
  expect(covariance(1) / covariance(0)).toBeCloseTo(0.8, 1);
  const loud = minutesOf({ rpm: 20_000, errors: 0.01, errorNoise: { sd: 0.6, ar: 0 } }, 5000, 3);
  expect(shareIn(loud, 0)).toBeCloseTo(0.01, 3);
});

test('bursts, retries and connections come as often and as large as is said', () => {
  const quiet = { ...calm, errors: 0 };
  const bursts = minutesOf({ ...quiet, bursts: [10, 10] }, 4000).map(([ours]) => ours?.errors ?? 0);
  const again = minutesOf({ ...calm, retries: 3 }, 500);
  const retries = again.map(([ours]) => ours?.errors ?? 0);
  const connections = minutesOf({ ...quiet, connections: 0.2 }, 4000);

  expect([...new Set(bursts)].sort()).toEqual([0, 10]);
  expect(sum(bursts) / 4000).toBeCloseTo(0.5, 1);
  expect(retries.every((errors) => errors % 4 === 0)).toBe(true);
  // Each of 3 failures in a minute is sent three times more.
  expect(sum(again.map(([ours]) => ours?.requests ?? 0)) / 500).toBeCloseTo(309, -1);
  expect(sum(connections.flat().map(({ errors }) => errors)) / 4000).toBeCloseTo(2, 0);
});

test('caches are cold for ten minutes after each change of weight', () => {
  const source = weathered(random(5), { rpm: 600_000, errors: 0, cold: 2 });
  const slow = [5, 25].flatMap((weight) =>
    Array.from({ length: 15 }, () => {
      const { requests, slow } = source.next(weight).candidate;
      return slow[1] / requests;
    }),
  );

  for (const at of [0, 15]) {
    expect(slow[at]).toBeCloseTo(0.19, 2);
    expect(slow[at + 5]).toBeCloseTo(1 - 0.9 ** 1.5, 2);
    expect(slow[at + 11]).toBeCloseTo(0.1, 2);
  }
});

test('a user stays with a model, and the errors of both arms are as frequent in the mean of many services', () => {
  const runs = Array.from({ length: 300 }, (_, seed) => minutesOf({ ...calm, sticky: true }, 5, seed).flat());
  const errors = sum(runs.flat().map(({ errors }) => errors));
  const requests = sum(runs.flat().map(({ requests }) => requests));

  expect(requests / 300 / 5).toBeCloseTo(600, -1);
  expect(errors / requests).toBeCloseTo(0.01, 2);
});

test('the champion alone has the noise of the rollout that follows, and no candidate', () => {
  const source = weathered(random(7), { ...calm, bursts: [10, 100] });

  const day = Array.from({ length: 1440 }, () => source.alone().requests);

  expect(sum(day) / 1440).toBeCloseTo(600, -1);
  expect(source.next(5).candidate.requests).toBeGreaterThan(0);
});

test('a candidate at twice the errors fails twice as often whatever the cause', () => {
  const causes: readonly Partial<Weather>[] = [
    {},
    { errors: 0, bursts: [10, 10] },
    { connections: 2 },
    { retries: 1 },
    { sticky: true },
  ];

  for (const cause of causes) {
    let [ours, ourRequests, theirs, theirRequests] = [0, 0, 0, 0];
    for (let seed = 0; seed < 600; seed += 1) {
      const source = weathered(random(seed), { rpm: 1200, errors: 0.005, ...cause }, { errors: 2 });
      for (let minute = 0; minute < 6; minute += 1) {
        const { candidate, champion } = source.next(50);
        ours += candidate.errors;
        ourRequests += candidate.requests;
        theirs += champion.errors;
        theirRequests += champion.requests;
      }
    }
    expect(ours / ourRequests / (theirs / theirRequests)).toBeGreaterThan(1.75);
    expect(ours / ourRequests / (theirs / theirRequests)).toBeLessThan(2.25);
  }
});

test('slow probes come to the champion alone, in its history as well', () => {
  const silent: Weather = { rpm: 0, errors: 0.01, slowProbes: 1 };
  const [candidate, champion] = minutesOf(silent, 1)[0] ?? [];

  expect(candidate?.requests).toBe(0);
  expect(champion).toEqual({ requests: 6, errors: 0, slow: [6, 6, 6] });
  expect(weathered(random(1), silent).alone().requests).toBe(6);
});

test('cold errors are those of the first two minutes of each weight, and load grows with the share', () => {
  const cold = weathered(random(5), { rpm: 60_000, errors: 0, coldErrors: 0.05 });
  const shares = [5, 5, 5, 25, 25, 25].map((weight) => {
    const { candidate } = cold.next(weight);
    return candidate.errors / candidate.requests;
  });
  const loaded = [5, 50].map((weight) => {
    const { candidate } = weathered(random(5), { rpm: 600_000, errors: 0, load: 1.5 }).next(weight);
    return candidate.slow[0] / candidate.requests;
  });

  expect(shares.map((share) => Math.round(100 * share))).toEqual([5, 5, 0, 5, 5, 0]);
  expect(loaded[0]).toBeCloseTo(0.5, 1);
  expect(loaded[1]).toBeCloseTo(1 - 0.5 ** 1.5, 2);
});

test('connections go to one arm as a whole, and leave the mean traffic as it is', () => {
  const minutes = minutesOf({ rpm: 600, errors: 0, perConnection: [100, 100] }, 2000);

  expect(minutes.flat().every(({ requests }) => requests % 100 === 0)).toBe(true);
  expect(sum(minutes.flat().map(({ requests }) => requests)) / 2000).toBeCloseTo(600, -2);
});

test('incidents of an arm come as often as is said, last ten minutes, and are none of the other arm', () => {
  const minutes = minutesOf({ rpm: 1000, errors: 0.05, incidents: 20 }, 20_000);
  const bad = (arm: 0 | 1) => minutes.map((minute) => Number((minute[arm]?.errors ?? 0) > 50));
  const [ours, theirs] = [bad(0), bad(1)];

  // Twenty of ten minutes in a day, of which few overlap.
  expect(sum(ours) / ours.length).toBeCloseTo(200 / 1440, 1);
  expect(sum(ours.map((mine, index) => mine * (theirs[index] ?? 0))) / sum(ours)).toBeLessThan(0.25);
});
