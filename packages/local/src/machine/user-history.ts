import { setImmediate as breathe } from 'node:timers/promises';
import { errors, thresholdOf } from '@serin/core/base/measures';
import type { UserCounts } from '@serin/core/ports/telemetry';
import { bucketOf } from './latency.ts';
import { bucketIn, hasError, keepUsersSeconds, type UserRow, type Users, type Worst, worse } from './users.ts';

/** Histories of endpoints that are kept in memory; of any other one, what is older than the question is read again. */
const maxHistories = 8;
const secondsAtOnce = 60;

export interface UserQuery {
  readonly endpoint: string;
  /** Seconds, as all times here. */
  readonly since: number;
  readonly from: number;
  readonly to: number;
  readonly perTick: number;
  readonly measures: readonly string[];
}

/** User counts by tick number, then deployment. */
export type UserTicks = ReadonlyMap<number, Readonly<Record<string, UserCounts>>>;

/** What is known of each user before a second: absent for one who sent no request since the beginning. */
interface History {
  readonly worst: Map<number, Worst>;
  until: number;
}

/**
 * Answers which users were new, at risk and bad in each tick.
 *
 * A user is one of the endpoint, whichever deployment answered: who had an error at the champion is not at risk at the
 * candidate. Else a growing weight would bring users whose bad luck is spent in one arm and to come in the other.
 * What lies before the question is folded once and kept, so that a rollout that asks tick after tick reads each row once
 * or twice; after a restart it is read again, in pieces, while requests go on. One question at a time.
 */
export function userHistories(users: Users): (query: UserQuery) => Promise<UserTicks> {
  const histories = new Map<string, History>();
  let asking: Promise<unknown> = Promise.resolve();

  async function historyUntil({ endpoint, since, from }: UserQuery): Promise<History> {
    const key = JSON.stringify([endpoint, since]);
    const known = histories.get(key);
    const history = known !== undefined && known.until <= from ? known : newHistory(since, from);
    histories.delete(key);
    while (history.until < from) {
      const end = Math.min(from, history.until + secondsAtOnce);
      for (const row of users.rows(endpoint, history.until, end)) remember(history.worst, row);
      history.until = end;
      await breathe();
    }
    histories.set(key, history);
    const [oldest] = histories.keys();
    if (histories.size > maxHistories && oldest !== undefined) histories.delete(oldest);
    return history;
  }

  async function answer(query: UserQuery): Promise<UserTicks> {
    const { endpoint, since, from, to, perTick, measures } = query;
    const history = await historyUntil(query);
    const kinds = measures.flatMap(badBy);
    const ticks = new Map<number, Readonly<Record<string, UserCounts>>>();
    const sinceThen = new Map<number, Worst>();
    const before = (user: number) => sinceThen.get(user) ?? history.worst.get(user);
    for (let tick = from; tick < to; tick += perTick) {
      const fold = newTick(before, kinds);
      for (const row of users.rows(endpoint, Math.max(since, tick), tick + perTick)) fold.add(row);
      ticks.set(Math.floor(tick / perTick), fold.counts());
      for (const [user, worst] of fold.met) sinceThen.set(user, join(before(user), worst));
      if (((tick - from) / perTick) % 10 === 9) await breathe();
    }
    return ticks;
  }

  return (query) => {
    const next = asking.then(() => answer(query));
    asking = next.catch(() => undefined);
    return next;
  };
}

/** Nothing is stored of what is longer ago than users are kept. */
const newHistory = (since: number, from: number): History => ({
  worst: new Map(),
  until: Math.max(since, from - keepUsersSeconds),
});

const join = (known: Worst | undefined, worst: Worst): Worst => (known === undefined ? worst : worse(known, worst));

function remember(history: Map<number, Worst>, { users }: UserRow): void {
  for (const [user, worst] of users) {
    const known = history.get(user);
    const next = join(known, worst);
    if (next !== known) history.set(user, next);
  }
}

const none = { atRisk: 0, bad: 0 };

interface Sums {
  readonly seen: Set<number>;
  assigned: number;
  readonly firsts: readonly { atRisk: number; bad: number }[];
}

/** How the worst that a user met is read. */
interface BadBy {
  readonly measure: string;
  readonly isBad: (of: Worst) => boolean;
}

/** Of any other measure nothing is known of single users. */
function badBy(measure: string): readonly BadBy[] {
  if (measure === errors) return [{ measure, isBad: hasError }];
  const threshold = thresholdOf(measure);
  if (threshold === undefined) return [];
  const bucket = bucketOf(threshold);
  return [{ measure, isBad: (of) => bucketIn(of) > bucket }];
}

/** One tick; `met` is the worst that each user met in it. */
function newTick(before: (user: number) => Worst | undefined, kinds: readonly BadBy[]) {
  const met = new Map<number, Worst>();
  const deployments = new Map<string, Sums>();

  function sumsOf(deployment: string): Sums {
    const sums = deployments.get(deployment) ?? {
      seen: new Set(),
      assigned: 0,
      firsts: kinds.map(() => ({ atRisk: 0, bad: 0 })),
    };
    deployments.set(deployment, sums);
    return sums;
  }

  function add({ deployment, users }: UserRow): void {
    const sums = sumsOf(deployment);
    for (const [user, worst] of users) {
      const known = before(user);
      const earlier = met.get(user);
      if (known === undefined && earlier === undefined) sums.assigned += 1;
      const isFirstHere = !sums.seen.has(user);
      sums.seen.add(user);
      for (const [index, { isBad }] of kinds.entries()) {
        const at = sums.firsts[index];
        if (at === undefined || (known !== undefined && isBad(known))) continue;
        if (isFirstHere) at.atRisk += 1;
        if (isBad(worst) && !(earlier !== undefined && isBad(earlier))) at.bad += 1;
      }
      met.set(user, join(earlier, worst));
    }
  }

  const counts = (): Readonly<Record<string, UserCounts>> =>
    Object.fromEntries(
      [...deployments].map(([name, { assigned, firsts }]) => [
        name,
        { assigned, bad: Object.fromEntries(kinds.map(({ measure }, index) => [measure, firsts[index] ?? none])) },
      ]),
    );

  return { met, add, counts };
}
