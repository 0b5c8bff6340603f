import { describe, expect, test } from 'vitest';
import { largest, rounding } from './outcomes.fixture.ts';
import {
  type Admitted,
  admit,
  deviations,
  isMisrouted,
  leftOutText,
  logSampleRatio,
  logShared,
  type Routing,
  type Split,
  surprise,
} from './routing.ts';

const minute = 60_000;
const split = (candidate: number, champion: number): Split => ({ candidate, champion });

interface Asked {
  readonly share: number;
  readonly period?: number;
}

/** One tick a minute, from minute 0 on. The first tick of a weight is in the first minute after it was confirmed. */
function after(ticks: readonly (readonly [Split, Asked])[]): Admitted {
  let last: Admitted | undefined;
  for (const [index, [came, asked]] of ticks.entries())
    last = admit(last?.routing, came, { period: 0, ...asked, start: index * minute, tickMs: minute, unit: 'request' });
  if (last === undefined) throw new Error('no tick was given');
  return last;
}

const times = (count: number, came: Split, asked: Asked): readonly (readonly [Split, Asked])[] =>
  Array.from({ length: count }, () => [came, asked] as const);

const at5 = { share: 0.05 };
const at25 = { share: 0.25, period: 1 };
const usual = times(5, split(300, 5700), at5);

describe('a tick', () => {
  test('that is shared out about as the weight says counts for and against the candidate', () => {
    const { routing, against, isFor } = after([...usual, [split(310, 5690), at5]]);

    expect([against, isFor]).toEqual([0.05, true]);
    expect(routing.leftOut).toEqual({ late: 0, gaps: 0, few: 0 });
  });

  test.each([
    ['the candidate', split(0, 5700), { late: 0, gaps: 1, few: 0 }],
    ['the champion', split(300, 0), { late: 0, gaps: 1, few: 0 }],
    ['most of the candidate', split(100, 5700), { late: 0, gaps: 0, few: 1 }],
  ])('without the telemetry of %s is left out for both arms', (_, came, leftOut) => {
    const { routing, against, isFor } = after([...usual, [came, at5]]);

    expect([against, isFor]).toEqual([undefined, false]);
    expect(routing.leftOut).toEqual(leftOut);
    expect(isMisrouted(routing)).toBe(false);
  });

  test.each([
    ['without requests', split(0, 0)],
    ['of so little traffic that an arm may well have none', split(0, 60)],
    ['of so little traffic that the champion may have none', split(4, 0)],
  ])('%s counts', (_, came) => {
    const { routing, isFor } = after([...usual, [came, at5]]);

    expect(isFor).toBe(true);
    expect(routing.leftOut).toEqual({ late: 0, gaps: 0, few: 0 });
  });

  test('with far too many requests of the candidate counts, against it by the share that came', () => {
    const { routing, against, isFor } = after([...usual, [split(600, 5400), at5]]);

    expect([against, isFor]).toEqual([0.1, true]);
    expect(routing.leftOut).toEqual({ late: 0, gaps: 0, few: 0 });
  });

  test('is left out only if numbers as odd as its own have a probability of 1e-6 at most', () => {
    const half = { share: 0.5, period: 0, start: 5 * minute, tickMs: minute, unit: 'user' } as const;
    const known = after(times(5, split(10, 10), half)).routing;

    // 2 to the power of -20, and of -21.
    expect(admit(known, split(0, 20), half).isFor).toBe(true);
    expect(admit(known, split(0, 21), half).isFor).toBe(false);
  });

  test('in which the candidate gets what the champion had counts against the routing', () => {
    const gone = times(4, split(6000, 0), at5);

    expect(isMisrouted(after([...usual, ...gone]).routing)).toBe(true);
    expect(isMisrouted(after([...usual, ...times(4, split(300, 0), at5)]).routing)).toBe(false);
  });
});

describe('the first minute of a weight', () => {
  test.each([
    [6000, split(300, 5700)],
    [60, split(3, 57)],
  ])('with the share of the weight before is late at %d requests a minute: not for the candidate', (rpm, came) => {
    const before = times(5, split(0.05 * rpm, 0.95 * rpm), at5);

    const { routing, isFor } = after([...before, [came, at25]]);

    expect(isFor).toBe(false);
    expect(routing.leftOut.late).toBe(1);
    expect(logSampleRatio(routing)).toBe(logSampleRatio(after(before).routing));
  });

  test('still counts against the candidate where such a tick is possible', () => {
    const before = times(5, split(3, 57), at5);

    expect(after([...before, [split(5, 55), at25]]).against).toBe(0.25);
    expect(after([...usual, [split(300, 5700), at25]]).against).toBeUndefined();
  });

  test('at a weight between the two is left out, and the second minute is not late any more', () => {
    const between = [split(900, 5100), at25] as const;

    expect(after([...usual, between]).routing.leftOut).toEqual({ late: 1, gaps: 0, few: 0 });
    expect(after([...usual, between, between]).routing.leftOut).toEqual({ late: 1, gaps: 0, few: 1 });
  });

  test('before any other weight is late without requests of the candidate', () => {
    expect(after([[split(0, 60), at5]]).routing.leftOut.late).toBe(1);
    expect(after([[split(1, 59), at5]]).routing.leftOut.late).toBe(0);
  });

  test('is not late where nobody has confirmed a weight', () => {
    expect(
      admit(undefined, split(0, 60), { start: 0, tickMs: minute, share: 0.05, unit: 'request' }).routing.leftOut.late,
    ).toBe(0);
  });
});

describe('direct calls', () => {
  test('of six a minute to one arm are nothing against the routing', () => {
    for (const extra of [split(6, 0), split(0, 6)])
      for (const share of [0.05, 0.25, 0.5]) {
        const came = split(60 * share + extra.candidate, 60 * (1 - share) + extra.champion);

        expect(isMisrouted(after(times(300, came, { share })).routing)).toBe(false);
      }
    expect(isMisrouted(after(times(300, split(30 + 18, 30), { share: 0.5 })).routing)).toBe(true);
  });

  test('at one weight are nothing at the next', () => {
    const many = times(20, split(3600, 2400), { share: 0.5 });

    expect(after([...many, [split(1500, 4500), at25], [split(1500, 4500), at25]]).against).toBe(0.25);
  });

  test('do not make failures of the usual share count against the candidate', () => {
    const { against } = after(times(60, split(3 + 6, 57), at5));

    expect(against).toBeCloseTo(9 / 66, 12);
  });

  test('count by what came before the tick alone', () => {
    const before = times(20, split(9, 57), at5);

    const shares = [split(3, 57), split(9, 57), split(15, 57)].map((came) => after([...before, [came, at5]]).against);

    expect(shares).toEqual([180 / 1320, 180 / 1320, 180 / 1320]);
    expect(after(times(1, split(9, 57), at5)).against).toBe(0.05);
  });

  test('are allowed by the length of a tick', () => {
    const short = { share: 0.5, period: 0, tickMs: 10_000, unit: 'request' } as const;
    const shared = (came: Split) => {
      let known: Routing | undefined;
      for (let index = 0; index < 300; index += 1)
        known = admit(known, came, { ...short, start: index * short.tickMs }).routing;
      return known === undefined ? false : isMisrouted(known);
    };

    expect(shared(split(6, 5))).toBe(false);
    expect(shared(split(11, 5))).toBe(true);
  });
});

describe('requests that are not shared out as configured', () => {
  test.each([0.5, 0.7, 1.2, 1.5, 2])('but by %d times the weight are noticed within minutes', (factor) => {
    const came = split(1500 * factor, 6000 - 1500 * factor);

    expect(isMisrouted(after([...usual, ...times(5, came, at25)]).routing)).toBe(true);
  });

  test('are not told from one tick', () => {
    expect(isMisrouted(after([[split(3000, 3000), at5]]).routing)).toBe(false);
    expect(isMisrouted(after([...usual, [split(3000, 3000), at5]]).routing)).toBe(false);
  });

  test('are noticed as soon as they begin, however long all was well before', () => {
    const well = times(600, split(1500, 4500), at25);

    expect(isMisrouted(after([...well, ...times(7, split(2000, 4000), at25)]).routing)).toBe(true);
  });

  test('stay a finite number, however long nobody looks at them', () => {
    expect(logSampleRatio(after(times(2000, split(600, 5400), at5)).routing)).toSatisfy(Number.isFinite);
  });

  test('are forgotten when a person orders to go on', () => {
    const held = times(10, split(600, 5400), at5);
    const again = { share: 0.05, period: 1 };

    expect(isMisrouted(after(held).routing)).toBe(true);
    expect(isMisrouted(after([...held, [split(300, 5700), again]]).routing)).toBe(false);
    expect(isMisrouted(after([...held, ...times(12, split(600, 5400), again)]).routing)).toBe(true);
  });

  test('are counted as forgiven then, and another weight forgives nothing', () => {
    const held = times(10, split(600, 5400), at5);

    expect(after([...held, [split(300, 5700), { share: 0.05, period: 1 }]]).routing.forgiven).toBe(1);
    expect(after([...usual, [split(1500, 4500), at25]]).routing.forgiven).toBeUndefined();
  });
});

test('what is left out is told with its reasons, and that a late weight may count against the candidate', () => {
  const { routing } = after([...usual, [split(0, 5700), at5], [split(100, 5700), at5], [split(300, 5700), at25]]);

  expect(leftOutText(routing)).toBe(
    "3 ticks left out: 1 without requests of one model, 1 with far too few of the candidate's, 1 right after a change of weight, where only what speaks against the candidate may count",
  );
  expect(leftOutText(after(usual).routing)).toBeUndefined();
});

describe('a gap', () => {
  test.each(['candidate', 'champion'] as const)(
    'of 15 minutes in the %s is no fault of the routing, a longer one is',
    (arm) => {
      const gone = (minutes: number) => times(minutes, { ...split(300, 5700), [arm]: 0 }, at5);

      expect(isMisrouted(after([...usual, ...gone(15)]).routing)).toBe(false);
      expect(isMisrouted(after([...usual, ...gone(16)]).routing)).toBe(true);
    },
  );

  test('is counted anew at each weight, and a late weight is none', () => {
    const gone = (minutes: number, at: Asked) => times(minutes, split(0, 5700), at);
    const late = [split(300, 5700), at25] as const;

    expect(isMisrouted(after([...usual, ...gone(10, at5), late, ...gone(15, at25)]).routing)).toBe(false);
  });

  test('of an arm that has few requests is seen in a row of ticks, each of which is possible', () => {
    const { routing } = after(times(10, split(0, 57), at5));

    expect(routing.leftOut).toEqual({ late: 1, gaps: 9, few: 0 });
    expect(isMisrouted(routing)).toBe(false);
    expect(isMisrouted(after(times(17, split(0, 57), at5)).routing)).toBe(true);
    expect(isMisrouted(after(times(40, split(250, 0), { share: 0.95 })).routing)).toBe(true);
  });

  test('is none where an arm may well have had no requests, nor where it has some now and then', () => {
    const sparse = Array.from({ length: 30 }, () => [
      ...times(4, split(0, 57), at5),
      [split(3, 57), at5] as const,
    ]).flat();

    expect(isMisrouted(after(times(600, split(0, 6), at5)).routing)).toBe(false);
    expect(after(sparse).routing.leftOut.gaps).toBe(0);
    expect(after([...sparse, ...times(3, split(0, 57), at5)]).routing.alone).toMatchObject({ ticks: 3, told: 0 });
  });

  test('that is rare is no fault of the routing, however long the weight holds', () => {
    const rare = [...times(59, split(300, 5700), at5), ...times(1, split(0, 5700), at5)];
    const often = [...times(3, split(300, 5700), at5), ...times(1, split(0, 5700), at5)];
    const repeated = (some: typeof rare, count: number) => Array.from({ length: count }, () => some).flat();

    expect(isMisrouted(after([...usual, ...repeated(rare, 60)]).routing)).toBe(false);
    expect(isMisrouted(after([...usual, ...repeated(often, 30)]).routing)).toBe(true);
    expect(after(repeated(rare, 60)).routing.leftOut.gaps).toBe(60);
  });

  test('is one all the same after hours without any', () => {
    const [well, gone] = [times(300, split(300, 5700), at5), times(16, split(0, 5700), at5)];

    expect(isMisrouted(after([...well, ...gone]).routing)).toBe(true);
  });

  test('may last three ticks, however long a tick is', () => {
    const hourly = { ...at5, period: 0, tickMs: 60 * minute, unit: 'request' } as const;
    const gone = (ticks: number) => {
      let routing: Routing | undefined;
      for (let index = 0; index < 5 + ticks; index += 1)
        routing = admit(routing, split(index < 5 ? 300 : 0, 5700), { ...hourly, start: index * hourly.tickMs }).routing;
      return routing !== undefined && isMisrouted(routing);
    };

    expect([1, 3, 4].map(gone)).toEqual([false, false, true]);
  });

  test('begins and ends in the middle of a minute', () => {
    const ragged = [[split(120, 5700), at5], ...times(9, split(0, 5700), at5), [split(140, 5700), at5]] as const;

    expect(isMisrouted(after([...usual, ...ragged, ...usual]).routing)).toBe(false);
  });
});

/** All numbers of requests of a tick with their exact probabilities. */
function* splits(requests: number, share: number): Generator<{ readonly came: Split; readonly probability: number }> {
  let log = requests * Math.log(1 - share);
  for (let candidate = 0; candidate <= requests; candidate += 1) {
    yield { came: split(candidate, requests - candidate), probability: Math.exp(log) };
    log += Math.log(((requests - candidate) / (candidate + 1)) * (share / (1 - share)));
  }
}

const sumOf = (requests: number, share: number, value: (came: Split) => number): number => {
  let sum = 0;
  for (const { came, probability } of splits(requests, share)) sum += probability * value(came);
  return sum;
};

const grid = [0.01, 0.05, 0.25, 0.5, 0.95].flatMap((share) =>
  [2, 3, 20, 150, 700].map((requests) => ({ share, requests })),
);

describe('when each request is routed by a fresh coin', () => {
  test('impossible numbers have a probability of 1e-6 at most', () => {
    const found = largest(grid, ({ share, requests }) =>
      sumOf(requests, share, (came) =>
        surprise(came, { share, tickMs: minute, unit: 'request' }) > Math.log(2e6) ? 1 : 0,
      ),
    );

    expect(found.value, JSON.stringify(found.of)).toBeLessThanOrEqual(1e-6);
  });

  test('no deviation expects more of a tick than 1', () => {
    for (const deviation of deviations) {
      const found = largest(grid, ({ share, requests }) => {
        const whole = sumOf(requests, share, ({ candidate, champion }) => (candidate > 0 && champion > 0 ? 1 : 0));
        const expected = sumOf(requests, share, (came) =>
          came.candidate > 0 && came.champion > 0
            ? Math.exp(logShared(came, { share, tickMs: minute, unit: 'request' }, deviation))
            : 0,
        );
        return expected / whole;
      });

      expect(found.value, JSON.stringify(found.of)).toBeLessThanOrEqual(1 + rounding);
    }
  });

  test('each deviation expects exactly 1 of ticks in which both arms have some, direct calls aside', () => {
    const of = { tickMs: minute, unit: 'user' } as const;
    for (const deviation of deviations)
      for (const { share, requests } of grid) {
        const [whole, expected] = [
          () => 1,
          (came: Split) => Math.exp(logShared(came, { ...of, share }, deviation)),
        ].map((value) => sumOf(requests, share, (came) => (came.candidate > 0 && came.champion > 0 ? value(came) : 0)));

        expect((expected ?? 0) / (whole ?? 1), `${deviation} ${share} ${requests}`).toBeCloseTo(1, 9);
      }
  });

  test('the sample ratio expects no more than the parts of its mixture that have begun', () => {
    const tick = { share: 0.25, period: 0, tickMs: minute / 6, unit: 'request' } as const;
    const meanOf = ({ off }: Routing) => off.reduce((sum, value) => sum + value, 0) / off.length;
    const sum = [...splits(12, 0.25)].reduce((total, first) => {
      const one = admit(undefined, first.came, { ...tick, start: minute }).routing;
      return (
        total +
        first.probability * sumOf(12, 0.25, (came) => meanOf(admit(one, came, { ...tick, start: 3 * minute }).routing))
      );
    }, 0);

    expect(sum).toBeLessThanOrEqual(1 / 2 + 1 / 6 + rounding);
  });
});
