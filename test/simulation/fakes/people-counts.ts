import { byMeasure, errors } from '@serin/core/base/measures';
import type { Counts, LabelTick, PairCounts, Tick, UserCounts } from '@serin/core/ports/telemetry';
import { type Answer, isBad, type Request } from './people.ts';

/** What a platform counts of single requests. */
export interface Counting {
  readonly measures: readonly string[];
  /** Of the champion's requests the share that is slower than a threshold. */
  readonly shareSlower: (measure: string) => number;
}

export function countsIn(requests: readonly Request[], counting: Counting): Readonly<Record<string, Counts>> {
  return mapped(grouped(requests, byDeployment), (own) => ({
    requests: own.length,
    bad: byMeasure(counting.measures, (measure) => badOf(own, measure, counting).length),
  }));
}

export const segmentsIn = (requests: readonly Request[], counting: Counting): NonNullable<Tick['segments']> =>
  mapped(grouped(requests.filter(hasSegment), bySegment), (own) => countsIn(own, counting));

/** Those who had a bad request before a tick, by measure, and all who were there. */
export interface Met {
  readonly seen: ReadonlySet<number>;
  readonly bad: Readonly<Record<string, ReadonlySet<number>>>;
}

export const nobody: Met = { seen: new Set(), bad: {} };

export function metIn(before: Met, requests: readonly Request[], counting: Counting): Met {
  const usersOf = (own: readonly Request[]): readonly number[] => own.map(({ user }) => user);
  return {
    seen: new Set([...before.seen, ...usersOf(requests)]),
    bad: byMeasure(
      counting.measures,
      (measure) => new Set([...(before.bad[measure] ?? []), ...usersOf(badOf(requests, measure, counting))]),
    ),
  };
}

export function usersIn(
  before: Met,
  requests: readonly Request[],
  counting: Counting,
): Readonly<Record<string, UserCounts>> {
  const isNew = ({ user }: Request): boolean => !before.seen.has(user);
  return mapped(grouped(requests, byDeployment), (own) => ({
    assigned: countUsers(own.filter(isNew)),
    bad: byMeasure(counting.measures, (measure) => {
      const atRisk = own.filter(({ user }) => before.bad[measure]?.has(user) !== true);
      return { atRisk: countUsers(atRisk), bad: countUsers(badOf(atRisk, measure, counting)) };
    }),
  }));
}

/** A pair with an error counts for errors only. */
export function pairsIn(requests: readonly Request[], counting: Counting): Readonly<Record<string, PairCounts>> {
  const copied = requests.flatMap(({ mirror, ...served }) => (mirror === undefined ? [] : [{ mirror, served }]));
  return mapped(
    grouped(copied, ({ mirror }) => mirror.deployment),
    (own) => {
      const apart = (of: typeof own, bad: (answer: Answer) => boolean) => ({
        mirror: of.filter(({ mirror, served }) => bad(mirror) && !bad(served)).length,
        served: of.filter(({ mirror, served }) => bad(served) && !bad(mirror)).length,
      });
      const whole = own.filter(({ mirror, served }) => !mirror.fails && !served.fails);
      const wrong = apart(own, (answer) => answer.wrong);
      return {
        ...{ pairs: own.length, dropped: 0 },
        bad: byMeasure(counting.measures, (measure) =>
          apart(measure === errors ? own : whole, (answer) => isBad(answer, measure, counting.shareSlower)),
        ),
        predictions: { higher: wrong.mirror, lower: wrong.served, equal: own.length - wrong.mirror - wrong.served },
      };
    },
  );
}

/** The labels that were told before `until`. */
export function labelsIn(start: number, requests: readonly Request[], until: number): LabelTick {
  const inTime = requests.filter(({ labelAt }) => labelAt !== undefined && labelAt < until);
  const rows = [...grouped(requests, byRow).values()].map((own) => {
    const [{ deployment, weight } = { deployment: '', weight: 0 }] = own;
    return { deployment, weight, requests: own.length, ...labelledIn(judgedIn(own, until)) };
  });
  const losses = inTime.flatMap(({ deployment, weight, loss }) =>
    loss === undefined ? [] : [{ deployment, weight, loss }],
  );
  const copied = judgedIn(requests, until).flatMap(({ mirror, wrong }) =>
    mirror === undefined ? [] : [{ mirror, wrong }],
  );
  const pairs = mapped(
    grouped(copied, ({ mirror }) => mirror.deployment),
    (own) => ({
      mirror: own.filter(({ mirror, wrong }) => mirror.wrong && !wrong).length,
      served: own.filter(({ mirror, wrong }) => wrong && !mirror.wrong).length,
    }),
  );
  return { start, rows, losses, pairs };
}

/** Labels that say right or wrong. */
const judgedIn = (requests: readonly Request[], until: number): readonly Request[] =>
  requests.filter(({ loss, labelAt }) => loss === undefined && labelAt !== undefined && labelAt < until);

const labelledIn = (labelled: readonly Request[]) => ({
  labelled: labelled.length,
  wrong: labelled.filter(({ wrong }) => wrong).length,
});

const byRow = ({ deployment, weight }: Request): string => `${weight} ${deployment}`;
const byDeployment = ({ deployment }: Request): string => deployment;
const bySegment = ({ segment }: Request): string => segment ?? '';
const hasSegment = ({ segment }: Request): boolean => segment !== undefined;
const countUsers = (requests: readonly Request[]): number => new Set(requests.map(({ user }) => user)).size;

const badOf = (requests: readonly Request[], measure: string, { shareSlower }: Counting): readonly Request[] =>
  requests.filter((request) => isBad(request, measure, shareSlower));

function grouped<Item>(items: readonly Item[], by: (item: Item) => string): ReadonlyMap<string, readonly Item[]> {
  const found = new Map<string, Item[]>();
  for (const item of items) {
    const own = found.get(by(item)) ?? [];
    if (own.length === 0) found.set(by(item), own);
    own.push(item);
  }
  return found;
}

const mapped = <From, To>(groups: ReadonlyMap<string, From>, to: (group: From) => To): Readonly<Record<string, To>> =>
  Object.fromEntries([...groups].map(([name, group]) => [name, to(group)]));
