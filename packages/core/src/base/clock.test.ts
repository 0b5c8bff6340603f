import { describe, expect, test } from 'vitest';
import { steadyClock } from './clock.ts';

const [minute, hour] = [60_000, 3_600_000];
const noon = Date.UTC(2026, 0, 5, 12);

/** A wall clock that goes right until it is set, and a clock that follows it. */
function clocks({ newest = 0 }: { readonly newest?: number } = {}) {
  let [elapsed, step] = [0, 0];
  const clock = steadyClock({ wall: () => noon + elapsed + step, elapsed: () => elapsed, newest });
  return {
    clock,
    pass(ms: number) {
      elapsed += ms;
    },
    set(ms: number) {
      step += ms;
    },
  };
}

describe('the steady clock', () => {
  test('agrees with a wall clock that nobody sets', () => {
    const { clock, pass } = clocks();

    for (let turn = 0; turn < 100; turn += 1) {
      pass(minute / 7);
      expect(Math.abs(clock.aheadMs())).toBeLessThanOrEqual(1);
    }
  });

  test.each([hour, -hour, 26 * 365 * 24 * hour])(
    'measures a quarter of an hour to one hundredth when the wall clock is set by %d ms',
    (step) => {
      const { clock, pass, set } = clocks();
      const begun = clock.now();

      pass(7 * minute);
      set(step);
      pass(8 * minute);

      const span = clock.now() - begun;
      expect(span).toBeGreaterThan(15 * minute * 0.99 - 2);
      expect(span).toBeLessThan(15 * minute * 1.01 + 2);
    },
  );

  test.each([10_000, -10_000])('comes back to the wall clock in time, and stays there (%d ms)', (step) => {
    const { clock, pass, set } = clocks();
    set(step);

    for (let turn = 0; turn < 30; turn += 1) {
      pass(minute);
      clock.now();
    }

    expect(Math.abs(clock.aheadMs())).toBeLessThanOrEqual(1);
  });

  test('begins no earlier than what was written down, and never goes back', () => {
    const { clock, pass, set } = clocks({ newest: noon + hour });
    const seen = [clock.now()];

    for (const step of [-hour, hour, -2 * hour, 1]) {
      set(step);
      pass(10);
      seen.push(clock.now());
    }

    expect(seen[0]).toBe(noon + hour);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  test('says how far it is ahead of the wall clock, or behind', () => {
    const { clock, set } = clocks();

    set(-hour);
    const ahead = clock.aheadMs();
    set(3 * hour);

    expect([ahead, clock.aheadMs()]).toEqual([hour, -2 * hour]);
  });
});
