import { byMeasure } from '@serin/core/base/measures';
import type { Counts, Tick } from '@serin/core/ports/telemetry';
import type { Random } from '../random.ts';
import type { ServingShape } from './serving.ts';

/** The least and the most, in milliseconds. */
export type Span = readonly [number, number];

/**
 * How a cloud differs from one machine, as far as the core can notice. What it does is documented; how long it takes, and
 * how much of it is late, lost or unmeasured, is knowledge or guessed, and rather worse than better: nothing was measured.
 */
export interface Shape {
  readonly name: 'aws' | 'vertex' | 'azure';
  readonly serving: ServingShape & {
    readonly deployMs: Span;
    /** After this the provider gives up a deployment that does not become ready. */
    readonly givesUpMs: number;
    readonly weighMs: Span;
    readonly retireMs: Span;
  };
  readonly jobs: {
    /**
     * The caller names the job, once and for ever, and it is made at once (`key`) or put (`name`: `putJobs`). Where it does
     * not, the adapter adopts by label: `labelledJobs`.
     */
    readonly by: 'key' | 'name' | 'label';
    /** How long a job that was just created is not found, by its id or by its label. */
    readonly unseenMs: Span;
  };
  readonly telemetry: {
    /** So long after its end the numbers of a minute may still grow. */
    readonly closesMs: number;
    /** Of so many minutes one never fits together: after a quarter of an hour it is told without any counts. */
    readonly blindOneIn?: number;
    /** Which counts of slow requests there are; `some`: of two thirds of the minutes of a deployment. */
    readonly slow: 'all' | 'some' | 'none';
    /** Percentiles of minutes that can be put together for a window. */
    readonly hasLatency: boolean;
    readonly hasUsersAndPairs: boolean;
  };
  readonly hints: {
    /** Shares of the hints of jobs and of endpoints that never come. */
    readonly jobs: number;
    readonly endpoints: number;
    readonly doubled: number;
    /** Share of those that come hours late. */
    readonly late: number;
    readonly tellsFailures: boolean;
  };
}

const [second, minute, hour] = [1000, 60_000, 3_600_000];

export const shapes: Readonly<Record<Shape['name'], Shape>> = {
  // SageMaker: events are best effort and come twice; names of jobs are never free again. That a job cannot be seen for
  // seconds is a guess.
  aws: {
    name: 'aws',
    serving: {
      deployIsBusy: true,
      routesTheOnlyOne: true,
      failedLeaves: 'a revert',
      emptyIsAbsent: true,
      mirrorsUpTo: 100,
      firstSteps: 0,
      isPut: false,
      deployMs: [2 * minute, 10 * minute],
      givesUpMs: 40 * minute,
      weighMs: [2 * minute, 10 * minute],
      retireMs: [2 * minute, 10 * minute],
    },
    jobs: { by: 'key', unseenMs: [0, 8 * second] },
    telemetry: { closesMs: 3 * minute, blindOneIn: 23, slow: 'some', hasLatency: true, hasUsersAndPairs: false },
    hints: { jobs: 0.1, endpoints: 0.1, doubled: 0.3, late: 0.1, tellsFailures: true },
  },
  // Vertex AI: createCustomJob takes no key, and no event tells that a job has ended. Before a first deployModel come an
  // endpoint and an uploaded model, each an operation of its own. A new split holds at once. There is no mirror.
  vertex: {
    name: 'vertex',
    serving: {
      deployIsBusy: true,
      routesTheOnlyOne: false,
      failedLeaves: 'a report',
      emptyIsAbsent: false,
      mirrorsUpTo: 0,
      firstSteps: 2,
      isPut: false,
      deployMs: [5 * minute, 20 * minute],
      givesUpMs: hour,
      weighMs: [0, 2 * second],
      retireMs: [minute, 5 * minute],
    },
    jobs: { by: 'label', unseenMs: [0, 4 * minute] },
    telemetry: { closesMs: 4 * minute, slow: 'none', hasLatency: true, hasUsersAndPairs: false },
    hints: { jobs: 1, endpoints: 1, doubled: 0, late: 0, tellsFailures: false },
  },
  // Azure ML: jobs, endpoints and deployments are put by names of ours. A PUT that was given up may land late, and that of
  // an endpoint replaces whatever weights it has by then. One operation at a time; failed ones send no event. Mirrored
  // traffic sums to 50 at most. Percentiles are of single minutes.
  azure: {
    name: 'azure',
    serving: {
      deployIsBusy: true,
      routesTheOnlyOne: false,
      failedLeaves: 'itself',
      emptyIsAbsent: false,
      mirrorsUpTo: 50,
      firstSteps: 0,
      isPut: true,
      deployMs: [8 * minute, 20 * minute],
      givesUpMs: 30 * minute,
      weighMs: [20 * second, 3 * minute],
      retireMs: [minute, 5 * minute],
    },
    jobs: { by: 'name', unseenMs: [0, 0] },
    telemetry: { closesMs: 3 * minute, slow: 'none', hasLatency: false, hasUsersAndPairs: false },
    hints: { jobs: 0.1, endpoints: 0.3, doubled: 0.2, late: 0.05, tellsFailures: false },
  },
};

/** When the receiver hears of something: not at all, at once, twice, or hours later. */
export function hintsOf(
  { hints }: Shape,
  of: 'jobs' | 'endpoints',
  failed: boolean,
  random: Random,
): readonly number[] {
  if (random.chance(hints[of]) || (failed && !hints.tellsFailures)) return [];
  const one = (): number => (random.chance(hints.late) ? random.between(hour, 5 * hour) : random.between(0, 5000));
  return random.chance(hints.doubled) ? [one(), one()] : [one()];
}

const isBlind = ({ telemetry }: Shape, start: number): boolean =>
  telemetry.blindOneIn !== undefined && (start / minute) % telemetry.blindOneIn === 0;

/** How long after its end a tick is told at the earliest. */
export const toldAfterMs = (shape: Shape, start: number): number =>
  isBlind(shape, start) ? 15 * minute : shape.telemetry.closesMs;

/** What the platform's own counts say of a tick: no users, no pairs, and of slow requests what there is. */
export function countedBy(shape: Shape, tick: Tick): Tick {
  const { users, pairs, ...rest } = tick;
  const { telemetry } = shape;
  if (isBlind(shape, tick.start)) return { ...rest, counts: {} };
  const counts = Object.entries(tick.counts).map(([name, arm]) => [
    name,
    measured(telemetry.slow, tick.start, name, arm),
  ]);
  return { ...(telemetry.hasUsersAndPairs ? tick : rest), counts: Object.fromEntries(counts) };
}

function measured(slow: Shape['telemetry']['slow'], start: number, name: string, arm: Counts): Counts {
  const isMissing =
    slow === 'none' || (slow === 'some' && (start / minute + name.length + name.charCodeAt(1)) % 3 === 0);
  return isMissing ? { ...arm, bad: byMeasure(['errors'], (measure) => arm.bad[measure]) } : arm;
}
