import { byMeasure, errors, slowerThan } from '../base/measures.ts';
import type { Counts, Discordant, FirstBad, PairCounts, Tick, UserCounts } from '../ports/telemetry.ts';

/** Ticks as older code recorded them: errors by name, and what is slow in the order of the thresholds. */

interface Old<Value> {
  readonly errors: Value;
  readonly slow: readonly Value[] | 'unmeasured';
}
type OldCounts = Omit<Counts, 'bad'> & Old<number>;
type OldUsers = Omit<UserCounts, 'bad'> & Old<FirstBad>;
type OldPairs = Omit<PairCounts, 'bad'> & Old<Discordant>;
type ByName<Value> = Readonly<Record<string, Value>>;

export interface RecordedTick extends Omit<Tick, 'counts' | 'segments' | 'users' | 'pairs'> {
  readonly counts: ByName<Counts | OldCounts>;
  readonly segments?: ByName<ByName<Counts | OldCounts>>;
  readonly users?: ByName<UserCounts | OldUsers>;
  readonly pairs?: ByName<PairCounts | OldPairs>;
}

/** A recorded tick in the form of today. `thresholds` are those that it was asked with, in milliseconds. */
export function tickOf(recorded: RecordedTick, thresholds: readonly number[]): Tick {
  const { counts, segments, users, pairs, ...tick } = recorded;
  if (!hasOld(counts) && !hasOld(users) && !hasOld(pairs)) return recorded as Tick;
  const badOf = <Value>({ errors: failed, slow }: Old<Value>) => ({
    [errors]: failed,
    ...byMeasure(thresholds.map(slowerThan), (measure) =>
      slow === 'unmeasured' ? undefined : slow[thresholds.findIndex((ms) => slowerThan(ms) === measure)],
    ),
  });
  const countsOf = (all: RecordedTick['counts']) =>
    mapped(all, (own) => (isOld(own) ? { requests: own.requests, bad: badOf(own) } : own));
  return {
    ...tick,
    counts: countsOf(counts),
    ...(segments === undefined ? {} : { segments: mapped(segments, countsOf) }),
    ...(users === undefined
      ? {}
      : { users: mapped(users, (own) => (isOld(own) ? { assigned: own.assigned, bad: badOf(own) } : own)) }),
    ...(pairs === undefined
      ? {}
      : {
          pairs: mapped(pairs, (own) => {
            if (!isOld(own)) return own;
            const { pairs, dropped, predictions } = own;
            return { pairs, dropped, bad: badOf(own), predictions };
          }),
        }),
  };
}

const isOld = <Mine extends object, Theirs extends Old<unknown>>(own: Mine | Theirs): own is Theirs => 'slow' in own;

function hasOld(all: ByName<object> | undefined): boolean {
  for (const name in all) if ('slow' in (all[name] ?? {})) return true;
  return false;
}

const mapped = <From, To>(all: ByName<From>, map: (value: From) => To): ByName<To> =>
  Object.fromEntries(Object.entries(all).map(([name, value]) => [name, map(value)]));
