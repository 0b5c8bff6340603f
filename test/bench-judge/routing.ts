import type { Random } from './random.ts';
import type { ArmCounts, Source } from './rollout.ts';

/** What happens to the numbers of requests, beside what happens to their outcomes. */
export type Disturbance = (source: Source, random: Random) => Source;

type Arm = 'candidate' | 'champion';

/** For so many minutes nothing is told of an arm, from the middle of one of the minutes `from` to `before` on. */
export const gap =
  (arm: Arm, minutes: number, [from, before]: readonly [number, number]): Disturbance =>
  (source, random) => {
    const begins = from + random.next() * (before - from);
    let minute = -1;
    return {
      next(weight) {
        const arms = source.next(weight);
        minute += 1;
        const untold = Math.min(minute + 1, begins + minutes) - Math.max(minute, begins);
        if (untold > 0) thin(arms[arm], 1 - untold, random);
        return arms;
      },
    };
  };

/** A share of the requests to an arm is never told, whatever became of them. */
export const lost =
  (arm: Arm, share: number): Disturbance =>
  (source, random) => ({
    next(weight) {
      const arms = source.next(weight);
      thin(arms[arm], 1 - share, random);
      return arms;
    },
  });

function thin(counts: ArmCounts, told: number, random: Random): void {
  const [p50, p90, p99] = counts.slow;
  const all = [counts.requests - p50, p50 - p90, p90 - p99, p99] as const;
  const kept = all.map((count) => random.binomial(Math.max(0, count), told));
  const [fast = 0, overP50 = 0, overP90 = 0, overP99 = 0] = kept;
  counts.slow[2] = overP99;
  counts.slow[1] = overP90 + overP99;
  counts.slow[0] = overP50 + counts.slow[1];
  counts.requests = fast + counts.slow[0];
  counts.errors = Math.min(counts.requests, random.binomial(counts.errors, told));
}

/** Each weight comes into force so many minutes after it was confirmed. */
export const late =
  (minutes: number): Disturbance =>
  (source) => {
    let [known, before, since] = [0, 0, 0];
    return {
      next(weight) {
        if (weight !== known) [before, known, since] = [known, weight, 0];
        since += 1;
        return source.next(since > minutes ? weight : before);
      },
    };
  };

/** So many requests a minute call an arm directly. They are answered quickly, or a share of them fails. */
export const direct =
  (arm: Arm, perMinute: number, failing = 0): Disturbance =>
  (source, random) => ({
    next(weight) {
      const arms = source.next(weight);
      arms[arm].requests += perMinute;
      arms[arm].errors += random.binomial(perMinute, failing);
      return arms;
    },
  });

/** So many real requests a minute call an arm directly, because somebody has pinned them to it. */
export const pinned =
  (arm: Arm, perMinute: number): Disturbance =>
  (source, random) => ({
    next(weight) {
      const arms = source.next(weight);
      const { slow } = arms[arm];
      const p50 = random.binomial(perMinute, 0.5);
      const p90 = random.binomial(p50, 0.2);
      slow[0] += p50;
      slow[1] += p90;
      slow[2] += random.binomial(p90, 0.1);
      arms[arm].requests += perMinute;
      arms[arm].errors += random.binomial(perMinute, 0.005);
      return arms;
    },
  });

/** The candidate gets so many times the share that is configured. */
export const skewed =
  (factor: number): Disturbance =>
  (source) => ({ next: (weight) => source.next(Math.min(100, weight * factor)) });
