import type { Config } from '@serin/core/config/config';
import type { People } from './fakes/people.ts';
import type { TelemetryOptions } from './fakes/telemetry.ts';

/** What a rollout is judged by beside the errors and the latency of its requests. */
export type JudgedBy = 'users' | 'segments' | 'labels' | 'worst' | 'losses' | 'pairs';

type Model = Config['models'][string];
interface Side {
  readonly people?: Partial<Omit<People, 'seed'>>;
  readonly models?: Partial<Pick<TelemetryOptions, 'failing' | 'wrong' | 'perMinute'>>;
}

/** Requests that are drawn one by one, and the plan under which they are looked at. */
export interface Crowd extends Side {
  readonly labelled?: TelemetryOptions['labelled'];
  readonly rollout?: NonNullable<Model['rollout']>;
  readonly sticky?: true;
  /** What is wrong with a bad candidate, and the guardrail that finds it. */
  readonly bad: Side;
  readonly blamed: 'errors' | 'labels';
}

const minute = 60_000;
const shares =
  (ours: number, theirs: number) =>
  (deployment: string): number =>
    deployment === 'v2' ? ours : theirs;
const countries = { de: 0.4, fr: 0.3, us: 0.2 };
/** Some users meet a failure in a fifth of their requests, and the others now and then. */
const unlucky =
  (ours: number, theirs: number): NonNullable<People['failing']> =>
  (deployment, { trait }) =>
    trait < shares(ours, theirs)(deployment) ? 0.2 : 0.005;
const failsIn =
  (of: string, share: number): NonNullable<People['failing']> =>
  (deployment, { segment }) =>
    deployment === 'v2' && segment === of ? share : 0.005;
/** Most requests cost little, and a few cost everything. */
const lossOf =
  (ours: number, theirs: number): NonNullable<People['loss']> =>
  (deployment, drawn) =>
    drawn < shares(ours, theirs)(deployment) ? 1 : drawn / 4;
const labels = { maturity: '10m' } as const;
const labelled = { share: 0.8, takeMs: 12 * minute };

export const crowds: Readonly<Record<JudgedBy, Crowd>> = {
  users: {
    sticky: true,
    people: { sticky: true, failing: unlucky(0.02, 0.02) },
    bad: { people: { failing: unlucky(0.4, 0.02) } },
    blamed: 'errors',
  },
  segments: {
    people: { segments: countries, failing: failsIn('fr', 0.005) },
    rollout: { segments: { by: 'x-country', values: Object.keys(countries) } },
    bad: { people: { failing: failsIn('fr', 0.05) } },
    blamed: 'errors',
  },
  labels: {
    models: { wrong: () => 0.1 },
    labelled,
    rollout: { strategy: 'ab', guardrails: { labels } },
    bad: { models: { wrong: shares(0.3, 0.1) } },
    blamed: 'labels',
  },
  worst: {
    models: { wrong: () => 0.1 },
    labelled: { share: 0.98, takeMs: 5 * minute },
    // Labels of the candidate lack more often, and it is not to gain by that.
    people: { labelled: shares(0.97, 0.98) },
    rollout: { guardrails: { labels: { ...labels, missing: 'worst' } } },
    bad: { models: { wrong: shares(0.3, 0.1) } },
    blamed: 'labels',
  },
  losses: {
    people: { loss: lossOf(0.1, 0.1) },
    models: { perMinute: 1200 },
    labelled,
    rollout: { guardrails: { latency: false, labels: { ...labels, kind: 'loss', marginLoss: 0.2 } } },
    bad: { people: { loss: lossOf(0.4, 0.1) } },
    blamed: 'labels',
  },
  pairs: {
    people: { sharedFailures: 0.5 },
    rollout: { guardrails: { latency: false }, strategy: 'shadow', mirror: 20 },
    bad: { models: { failing: shares(0.05, 0.005) } },
    blamed: 'errors',
  },
};

/** What a fake telemetry is made of, with this candidate. */
export function crowdOf(by: JudgedBy, candidate: 'healthy' | 'bad', users = 4000) {
  const { people, models, labelled: told, bad } = crowds[by];
  const side = candidate === 'bad' ? bad : {};
  return {
    people: { users, ...people, ...side.people },
    models: { failing: () => 0.005, perMinute: 3000, ...models, ...side.models },
    ...(told === undefined ? {} : { labelled: told }),
  };
}

/** The plan of a model that is judged so, on top of what it has besides. */
export const planBy = (by: JudgedBy, rollout: NonNullable<Model['rollout']>): Partial<Model> => ({
  rollout: { ...rollout, ...crowds[by].rollout },
  ...(crowds[by].sticky === undefined
    ? {}
    : { serve: { command: ['node', 'serve.mjs'] as const, stickyBy: 'x-user' } }),
});
