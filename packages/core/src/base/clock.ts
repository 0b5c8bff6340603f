/** Where a clock gets its time from; all in milliseconds. */
export interface ClockSources {
  /** Since the epoch. Somebody may set it forward or back at any moment. */
  readonly wall: () => number;
  /** Since a moment that does not matter. It never goes back, and nobody can set it. */
  readonly elapsed: () => number;
  /** The newest time that was written down: the clock does not begin before it. */
  readonly newest: number;
}

export interface SteadyClock {
  /** Whole milliseconds since the epoch; never goes back. */
  now(): number;
  /** How far this clock is ahead of the wall clock; negative: behind it. */
  aheadMs(): number;
}

/** How much faster or slower the clock goes, at most, until it agrees with the wall clock: 36 seconds in an hour. */
const slew = 1 / 100;

/**
 * A clock that measures spans correctly, also when the wall clock is set.
 *
 * It begins at the later of the wall clock and the newest time that was written down. It then moves on with the time
 * that has elapsed. When the wall clock steps, this clock follows slowly: a span changes by one hundredth at most.
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
