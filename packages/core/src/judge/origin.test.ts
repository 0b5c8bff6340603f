import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AtShare, logEvidence, logOrigin, originGrid } from './origin.ts';
import { everHappens } from './outcomes.fixture.ts';

const anyCount = fc.integer({ min: 0, max: 1_000_000_000 });
const anyShare = fc.double({ min: 0, max: 1, noNaN: true });
const anyRatio = fc.double({ min: 0.01, max: 100, noNaN: true });
const anyTick = fc.record({ candidate: anyCount, champion: anyCount, share: anyShare });
/** Counts and weights of rollouts, small enough that one error more is not lost in rounding. */
const tick = fc.record({
  candidate: fc.integer({ min: 0, max: 5000 }),
  champion: fc.integer({ min: 0, max: 5000 }),
  share: fc.integer({ min: 1, max: 99 }).map((percent) => percent / 100),
});
const ticks = fc.array(tick, { minLength: 1, maxLength: 8 });

const withFirst = (given: readonly AtShare[], change: (first: AtShare) => AtShare): readonly AtShare[] =>
  given.map((one, index) => (index === 0 ? change(one) : one));

describe('false rollbacks', () => {
  const alpha = 0.01;
  const events = 400;
  const reaches = (level: number, times = 1) =>
    everHappens(
      events,
      0.5,
      (candidate, champion) =>
        logEvidence([{ share: 0.5, candidate: times * candidate, champion: times * champion }], 1) >=
        Math.log(1 / level),
    );

  test('of equal models, looked at after every error, are fewer than alpha, and not far fewer', () => {
    const exact = reaches(alpha);

    expect(exact).toBeLessThanOrEqual(alpha);
    expect(exact).toBeGreaterThan(alpha / 2);
  });

  test('would be more than alpha at half the threshold, and with every error counted twice', () => {
    expect(reaches(2 * alpha)).toBeGreaterThan(1.2 * alpha);
    expect(reaches(alpha, 2)).toBeGreaterThan(5 * alpha);
  });
});

describe('the evidence of an error', () => {
  test('is nothing without errors', () => {
    expect(logEvidence([], 1)).toBe(0);
    expect(logEvidence([{ candidate: 0, champion: 0, share: 0.3 }], 1.2)).toBe(0);
  });

  test('does not depend on the order of ticks, nor on how the ticks of one weight are put together', () => {
    fc.assert(
      fc.property(ticks, anyRatio, (given, ratio) => {
        const value = logEvidence(given, ratio);
        const scale = 1 + given.reduce((sum, { candidate, champion }) => sum + candidate + champion, 0);
        const [first] = given;
        const halved = first === undefined ? [] : [halfOf(first), restOf(first), ...given.slice(1)];

        expect(Math.abs(logEvidence([...given].reverse(), ratio) - value)).toBeLessThan(1e-12 * scale);
        expect(Math.abs(logEvidence(halved, ratio) - value)).toBeLessThan(1e-12 * scale);
      }),
    );
  });

  const halfOf = ({ candidate, champion, share }: AtShare): AtShare => ({
    share,
    candidate: Math.floor(candidate / 2),
    champion: Math.floor(champion / 3),
  });
  const restOf = ({ candidate, champion, share }: AtShare): AtShare => ({
    share,
    candidate: candidate - Math.floor(candidate / 2),
    champion: champion - Math.floor(champion / 3),
  });

  test('grows with each error of the candidate and falls with each of the champion', () => {
    fc.assert(
      fc.property(ticks, anyRatio, (given, ratio) => {
        const value = logEvidence(given, ratio);

        const worse = withFirst(given, (first) => ({ ...first, candidate: first.candidate + 1 }));
        const better = withFirst(given, (first) => ({ ...first, champion: first.champion + 1 }));

        expect(logEvidence(worse, ratio)).toBeGreaterThan(value);
        expect(logEvidence(better, ratio)).toBeLessThan(value);
      }),
    );
  });

  test('falls with the tolerated ratio, and that for "better" grows', () => {
    fc.assert(
      fc.property(ticks, fc.double({ min: 0.1, max: 10, noNaN: true }), (given, ratio) => {
        const slack = 1e-9 * (1 + Math.abs(logEvidence(given, ratio)));

        expect(logEvidence(given, ratio * 1.1)).toBeLessThanOrEqual(logEvidence(given, ratio) + slack);
        expect(logEvidence(given, ratio * 1.1, 'better')).toBeGreaterThanOrEqual(
          logEvidence(given, ratio, 'better') - slack,
        );
      }),
    );
  });

  test('is a finite number for all counts up to a thousand million and all shares, 0 and 1 among them', () => {
    const shares = fc.oneof(anyShare, fc.constantFrom(0, 1, 5e-324, 1 - 2 ** -53));

    fc.assert(
      fc.property(fc.array(anyTick), shares, anyRatio, (given, share, ratio) => {
        const all = [...given, { candidate: 1_000_000_000, champion: 1_000_000_000, share }];

        expect(logEvidence(all, ratio)).toSatisfy(Number.isFinite);
        expect(logEvidence(all, ratio, 'better')).toSatisfy(Number.isFinite);
      }),
    );
  });

  test('is nothing where one arm has all of the traffic and all of the errors', () => {
    for (const growth of originGrid) {
      expect(logOrigin(7, 0, 1, 1.5, growth)).toBeCloseTo(0, 12);
      expect(logOrigin(0, 7, 0, 1.5, growth)).toBe(0);
    }
  });
});
