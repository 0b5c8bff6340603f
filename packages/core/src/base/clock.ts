/** Where a clock gets its time from; all in milliseconds. */
export interface ClockSources {
  /** Since the epoch. It may be set, forward or back, at any moment. */
  readonly wall: () => number;
  /** Since some moment. It never goes back, and nobody can set it. */
  readonly elapsed: () => number;
  /** The newest time that was ever written down: the clock begins no earlier. */
  readonly newest: number;
}

export interface SteadyClock {
  /** Whole milliseconds since the epoch; never goes back. */
  now(): number;
  /** How far this clock is ahead of the wall clock; negative: behind it. */
  aheadMs(): number;
}

/** It goes so much faster or slower, at most, until it agrees with the wall clock again: 36 seconds in an hour. */
const slew = 1 / 100;

/**
 * A clock whose spans are right, whatever happens to the wall clock.
 *
 * It begins at the later of the wall clock and the newest time that was written down, and moves on with what has
 * elapsed. A step of the wall clock is never taken over at once: it changes every span by one hundredth at most.
 */
export function steadyClock({ wall, elapsed, newest }: ClockSources): SteadyClock {
  let at = Math.max(wall(), newest);
  let seen = elapsed();

  function move(): number {
    const passed = Math.max(0, elapsed() - seen);
    seen += passed;
    const off = wall() - (at + passed);
    const most = passed * slew;
    at += passed + Math.max(-most, Math.min(most, off));
    return at;
  }

  return {
    now: () => Math.floor(move()),
    aheadMs: () => Math.round(move() - wall()),
  };
}
