import { hour, minute } from '@serin/core/base/time';
import type { Config } from '@serin/core/config/config';
import { compiled, openWorld, type World } from '../api/world.ts';
import type { People } from '../simulation/fakes/people.ts';
import type { TelemetryOptions } from '../simulation/fakes/telemetry.ts';

/** What a rollout is judged by beside the errors and the latency of its requests. */
export type JudgedBy = 'users' | 'segments' | 'labels' | 'worst' | 'losses' | 'pairs';

type Rollout = NonNullable<Config['models'][string]['rollout']>;
interface Kind {
  readonly people?: Partial<People>;
  readonly traffic?: Partial<TelemetryOptions>;
  readonly rollout?: Rollout;
  readonly sticky?: true;
  /** What is wrong with a bad candidate. */
  readonly bad: { readonly people?: Partial<People>; readonly traffic?: Partial<TelemetryOptions> };
}

const shares =
  (ours: number, theirs: number) =>
  (deployment: string): number =>
    deployment === 'v2' ? ours : theirs;
const countries = { de: 0.4, fr: 0.3, us: 0.2 };
/** 2 % of the users meet a failure in a fifth of their requests. */
const unlucky =
  (ours: number, theirs: number): NonNullable<People['failing']> =>
  (deployment, { trait }) =>
    trait < shares(ours, theirs)(deployment) ? 0.2 : 0.0005;
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
const quiet = { guardrails: { latency: false } } as const;

const kinds: Readonly<Record<JudgedBy, Kind>> = {
  users: {
    sticky: true,
    people: { sticky: true, failing: unlucky(0.02, 0.02) },
    bad: { people: { failing: unlucky(0.2, 0.02) } },
  },
  segments: {
    people: { segments: countries, failing: failsIn('fr', 0.005) },
    rollout: { segments: { by: 'x-country', values: Object.keys(countries) } },
    bad: { people: { failing: failsIn('fr', 0.03) } },
  },
  labels: {
    traffic: { labelled, wrong: () => 0.1 },
    rollout: { strategy: 'ab', guardrails: { labels } },
    bad: { traffic: { wrong: shares(0.2, 0.1) } },
  },
  worst: {
    traffic: { labelled: { share: 0.98, takeMs: 5 * minute }, wrong: () => 0.1 },
    rollout: { guardrails: { labels: { ...labels, missing: 'worst' } } },
    bad: { traffic: { wrong: shares(0.3, 0.1) } },
  },
  losses: {
    people: { loss: lossOf(0.1, 0.1) },
    traffic: { labelled, perMinute: 1200 },
    rollout: { strategy: 'ab', guardrails: { latency: false, labels: { ...labels, kind: 'loss', marginLoss: 0.2 } } },
    bad: { people: { loss: lossOf(0.4, 0.1) } },
  },
  pairs: {
    people: { sharedFailures: 0.5 },
    traffic: { failing: () => 0.005 },
    rollout: { ...quiet, strategy: 'shadow', mirror: 20 },
    bad: { traffic: { failing: shares(0.05, 0.005) } },
  },
};

/** A champion, and a second version whose rollout has ended, or goes on after so long. */
export async function judged(by: JudgedBy, candidate: 'healthy' | 'bad' = 'healthy', forMs = 3 * hour): Promise<World> {
  const { people, traffic, rollout, sticky, bad } = kinds[by];
  const others = candidate === 'bad' ? bad : {};
  const drawn: People = { seed: 7, users: 4000, ...people, ...others.people };
  let auc = 0.8;
  const world = await openWorld({
    auc: ({ key }) => (key.includes('/champion/') ? 0.8 : auc),
    traffic: { failing: () => 0.005, perMinute: 3000, ...traffic, ...others.traffic, people: () => drawn },
  });
  await world.release(
    compiled({
      rollout: { steps: [10, 50], bake: '10m', guard: '5m', ...rollout },
      ...(sticky === undefined ? {} : { serve: { command: ['node', 'serve.mjs'], stickyBy: 'x-user' } }),
    }),
  );
  await world.drop('fraud/1.csv', 'day,amount\n2026-01-01,1\n', 30 * minute);
  auc = 0.82;
  await world.drop('fraud/2.csv', 'day,amount\n2026-01-01,2\n', forMs);
  return world;
}
