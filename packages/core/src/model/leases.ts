import type { Effect } from './protocol.ts';

/** One effect that the state owes, and its lease. Who took it performs it; answers name the append that took it. */
export interface Pending {
  /** Sequence number of the append that took it; absent: nobody has. */
  readonly taken?: number;
  readonly by?: string;
  /** Nobody else may take it before. */
  readonly until: number;
  readonly failures: number;
  /** Why it failed last. */
  readonly because?: string;
}

/** By the key of the effect. A state keeps them in its field `debts`. */
export type PendingEffects = Readonly<Record<string, Pending>>;

/** Who appends, and how: whoever dispatches takes what is owed; whoever answers HTTP leaves it for the next. */
export interface Dispatcher {
  readonly self: string;
  readonly dispatches: boolean;
  /** The only engine there is (one machine, under its lock): what others took is free. */
  readonly alone: boolean;
}

export const leaseMs = 90_000;
const longestPauseMs = 15 * 60_000;
/** A provider may ask for a longer pause than that, within bounds. */
const longestRetryAfterMs = 60 * 60_000;
/** A message that was delivered is sent again if its answer does not show within this time. */
const retellMs = 10 * 60_000;

/** What is pending after an append: what is no longer owed is gone; what is new, or free, is taken to be performed. */
export function reconcile(
  debts: PendingEffects,
  owed: readonly Effect[],
  at: number,
  seq: number,
  dispatcher: Dispatcher,
): { readonly debts: PendingEffects; readonly taken: readonly Effect[] } {
  const taken: Effect[] = [];
  const next = owed.map((effect): [string, Pending] => {
    const pending = debts[effect.key];
    if (dispatcher.dispatches && (pending === undefined || isFree(pending, effect, at, dispatcher))) {
      taken.push(effect);
      return [effect.key, { taken: seq, by: dispatcher.self, until: at + leaseMs, failures: pending?.failures ?? 0 }];
    }
    return [effect.key, pending ?? { until: at, failures: 0 }];
  });
  const same = next.length === Object.keys(debts).length && next.every(([key, pending]) => debts[key] === pending);
  return { debts: same ? debts : Object.fromEntries(next), taken };
}

function isFree(pending: Pending, effect: Effect, at: number, dispatcher: Dispatcher): boolean {
  if (pending.until <= at) return true;
  const byAnother = pending.by !== undefined && pending.by !== dispatcher.self;
  return byAnother && (dispatcher.alone || (effect.kind === 'change' && effect.falling));
}

/** After a failure that nothing but time can mend: tried again, as retrySlowly as can be. */
export const retrySlowly = (key: string, at: number, because: string): Pending =>
  putOff({ until: at, failures: 11 }, { key, at, because });

/** After a failure that is worth another try: exponential, to 15 minutes at most, with a jitter that the key decides. */
function putOff(
  pending: Pending,
  { key, at, because = '', retryAfterMs = 0 }: Omit<AnswerTo, 'type' | 'taken'>,
): Pending {
  const failures = pending.failures + 1;
  const pause = Math.min(longestPauseMs, 1000 * 2 ** Math.min(failures, 12));
  const own = Math.round(pause * (0.75 + jitter(`${key}#${failures}`) / 2));
  return {
    until: at + Math.max(own, Math.min(retryAfterMs, longestRetryAfterMs)),
    failures,
    because: because.slice(0, 500),
  };
}

/** A number in [0, 1) from a text: the same for everybody, different for each key. */
function jitter(text: string): number {
  let hash = 2166136261;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 16777619);
  return (hash >>> 0) / 2 ** 32;
}

/** What an answer does to its effect: ends it, puts it off, or nothing because the answer is stale. */
export function answerPending(debts: PendingEffects, answer: AnswerTo): PendingEffects | { readonly ignored: string } {
  const pending = debts[answer.key];
  if (pending === undefined || pending.taken !== answer.taken)
    return { ignored: `a late answer: '${answer.key}' is not owed any more` };
  if (answer.type === 'effectFailed') return { ...debts, [answer.key]: putOff(pending, answer) };
  if (answer.type === 'told') return { ...debts, [answer.key]: { until: answer.at + retellMs, failures: 0 } };
  const { [answer.key]: _, ...rest } = debts;
  return rest;
}

interface AnswerTo {
  readonly type: string;
  readonly at: number;
  readonly key: string;
  readonly taken: number;
  readonly because?: string;
  readonly retryAfterMs?: number;
}

export const isStale = (
  answered: PendingEffects | { readonly ignored: string },
): answered is { readonly ignored: string } => typeof answered.ignored === 'string';
