import { describe, expect, test } from 'vitest';
import { logBeta } from '../base/log.ts';
import { atMostOne, grid, largest } from './outcomes.fixture.ts';
import { addRatio, ratioFactors } from './promotion.ts';

/** Factors of each alternative, by how many of the bad requests were the candidate's. */
interface Case {
  readonly bad: number;
  readonly share: number;
  readonly margin: number;
  readonly tau: number;
  readonly most: number;
}

const factors = (candidate: number, { bad, share, ...rule }: Case): readonly number[] => {
  const logs: number[] = [];
  ratioFactors(logs, { candidate, champion: bad - candidate, share }, rule);
  return logs.map(Math.exp);
};

const oddsOf = ({ share, margin }: Case): number => (share * margin) / (1 - share);

/** What each alternative expects if each bad request is the candidate's with these odds. */
function expectations(of: Case, odds = oddsOf(of)): readonly number[] {
  const sums = [0, 0, 0, 0, 0];
  for (let candidate = 0; candidate <= of.bad; candidate += 1) {
    const ways = -Math.log(of.bad + 1) - logBeta(candidate + 1, of.bad - candidate + 1);
    const probability = Math.exp(ways + candidate * Math.log(odds) - of.bad * Math.log1p(odds));
    factors(candidate, of).forEach((factor, index) => {
      sums[index] = (sums[index] ?? Number.NaN) + probability * factor;
    });
  }
  return sums;
}

/** The same where the log of the odds moves by normal noise of this standard deviation, the same for a whole tick. */
function underNoise(of: Case, sd: number): readonly number[] {
  const sums = [0, 0, 0, 0, 0];
  for (let z = -6; z < 6.1; z += 0.2) {
    const weight = (0.2 * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
    expectations(of, oddsOf(of) * Math.exp(sd * z)).forEach((value, index) => {
      sums[index] = (sums[index] ?? Number.NaN) + weight * value;
    });
  }
  return sums;
}

const cases = {
  bad: [0, 1, 2, 5, 20, 100],
  share: [0.05, 0.25, 0.41, 0.5],
  margin: [1.2, 2, 3],
  tau: [0.05, 0.28, 0.6],
  most: [2, 8.5, 1e9],
} as const;

describe('a tick of the last step, for a candidate as bad as the margin', () => {
  test('is expected to bring no evidence, whatever the noise and the most of a tick are said to be', () => {
    atMostOne(largest(grid({ ...cases, bad: [...cases.bad, 300] }), (of) => Math.max(...expectations(of))));
  });

  test('is expected to bring none under noise that is as large as said', () => {
    const found = largest(grid({ ...cases, bad: [1, 5, 20, 100] }), (of) => Math.max(...underNoise(of, of.tau)));

    expect(found.value, JSON.stringify(found.of)).toBeLessThanOrEqual(1 + 1e-8);
  });

  test('would bring some under noise twenty times as large', () => {
    const of = { bad: 12, share: 0.5, margin: 2, tau: 0.05, most: 1e9 };

    expect(Math.max(...underNoise(of, 1))).toBeGreaterThan(1.1);
  });
});

/** Of an own implementation in the form of two Bernoulli shares, with 30 digits. */
test.each([
  {
    tick: [3, 28, 0.05, 2, 0.1, 60],
    logs: [-1.8094052230893, -1.1329697642142, -0.79399290932701, -0.54591926879389, -0.41775750540524],
  },
  {
    tick: [12, 20, 0.5, 2, 0.28, 40],
    logs: [1.0986122886681, 1.0986122886681, 1.0986122886681, 1.0986122886681, 1.0986122886681],
  },
  { tick: [2, 30, 0.5, 2, 0.1, 12], logs: [0, 0, 0, 0, 0] },
  {
    tick: [10, 3, 0.5, 2, 0.1, 8],
    logs: [-2.9334130016009, -1.8641197660255, -1.3457726275364, -0.96934847007704, -0.77314560002127],
  },
  {
    tick: [60, 62, 0.5, 2, 0.28, 300],
    logs: [-0.56239724557023, 0.96728789100689, 1.0986122886681, 1.0986122886681, 1.0986122886681],
  },
  { tick: [9, 20, 0.25, 1.2, 0.6, 30], logs: [-0.7250449895007, -0.20408201792057, 0, 0, 0] },
  { tick: [0, 0, 0.25, 2, 0.1, 5], logs: [0, 0, 0, 0, 0] },
] as const)('$tick has the factors of the reference', ({ tick, logs }) => {
  const [candidate, champion, share, margin, tau, most] = tick;
  const found: number[] = [1, 0, 0, 0, 0];

  ratioFactors(found, { candidate, champion, share }, { margin, tau, most });

  found.forEach((log, index) => {
    expect(Math.abs(log - (logs[index] ?? Number.NaN) - (index === 0 ? 1 : 0))).toBeLessThan(1e-9);
  });
});

test('without noise, a cut and an outlier the factors are those of the plain likelihood ratio', () => {
  const tick = { candidate: 3, champion: 4, share: 0.5 };
  const [plain, found]: [number[], number[]] = [[], []];

  addRatio(plain, tick, 2);
  ratioFactors(found, tick, { margin: 2, tau: 0, most: 100 });

  found.forEach((log, index) => {
    expect(log).toBeCloseTo(plain[index] ?? Number.NaN, 12);
  });
});

test('a tick with more bad requests than expected never speaks for the candidate, and one tick never decides', () => {
  const [outlier, ordinary]: [number[], number[]] = [[], []];

  ratioFactors(outlier, { candidate: 0, champion: 50, share: 0.5 }, { margin: 2, tau: 0.1, most: 12 });
  ratioFactors(ordinary, { candidate: 0, champion: 50, share: 0.5 }, { margin: 2, tau: 0.1, most: 100 });

  expect(Math.max(...outlier)).toBe(0);
  expect(Math.max(...ordinary)).toBe(Math.log(3));
});
