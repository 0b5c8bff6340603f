import type { Effect } from './effect.ts';

/** One order that the state owes. Who took it has it until then; answers name the append that took it. */
export interface Debt {
  /** Sequence number of the append that took it; absent: nobody has. */
  readonly taken?: number;
  readonly by?: string;
  /** Nobody else may take it before. */
  readonly until: number;
  readonly failures: number;
  /** Why it failed last. */
  readonly because?: string;
}

export type Debts = Readonly<Record<string, Debt>>;

/** Who appends, and how: a payer takes what is owed; one that answers HTTP leaves it for the next. */
export interface Taker {
  readonly self: string;
  readonly pays: boolean;
  /** The only engine there is (one machine, under its lock): what others took is free. */
  readonly alone: boolean;
}

export const leaseMs = 90_000;
const longestPauseMs = 15 * 60_000;
/** A message that was delivered is sent again if its answer does not show within this time. */
const retellMs = 10 * 60_000;

/** The debts after an append: what is no longer owed is gone; what is new, or free, is taken by a payer. */
export function reconcile(
  debts: Debts,
  owed: readonly Effect[],
  at: number,
  seq: number,
  taker: Taker,
): { readonly debts: Debts; readonly taken: readonly Effect[] } {
  const taken: Effect[] = [];
  const next = owed.map((effect): [string, Debt] => {
    const debt = debts[effect.key];
    if (taker.pays && (debt === undefined || isFree(debt, effect, at, taker))) {
      taken.push(effect);
      return [effect.key, { taken: seq, by: taker.self, until: at + leaseMs, failures: debt?.failures ?? 0 }];
    }
    return [effect.key, debt ?? { until: at, failures: 0 }];
  });
  const same = next.length === Object.keys(debts).length && next.every(([key, debt]) => debts[key] === debt);
  return { debts: same ? debts : Object.fromEntries(next), taken };
}

function isFree(debt: Debt, effect: Effect, at: number, taker: Taker): boolean {
  if (debt.until <= at) return true;
  const byAnother = debt.by !== undefined && debt.by !== taker.self;
  return byAnother && (taker.alone || (effect.kind === 'change' && effect.falling));
}

/** After a failure that nothing but time can mend: tried again, as slowly as can be. */
export const slowly = (key: string, at: number, because: string): Debt =>
  putOff({ until: at, failures: 11 }, key, at, because);

/** After a failure that is worth another try: exponential, to 15 minutes at most, spread by the key. */
function putOff(debt: Debt, key: string, at: number, because: string): Debt {
  const failures = debt.failures + 1;
  const pause = Math.min(longestPauseMs, 1000 * 2 ** Math.min(failures, 12));
  return {
    until: at + Math.round(pause * (0.75 + spread(`${key}#${failures}`) / 2)),
    failures,
    because: because.slice(0, 500),
  };
}

/** A number in [0, 1) from a text: the same for everybody, different for each key. */
function spread(text: string): number {
  let hash = 2166136261;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 16777619);
  return (hash >>> 0) / 2 ** 32;
}

/** What an answer does to its debt: ends it, puts it off, or nothing because it is stale. */
export function answerDebt(debts: Debts, answer: AnswerTo): Debts | { readonly ignored: string } {
  const debt = debts[answer.key];
  if (debt === undefined || debt.taken !== answer.taken)
    return { ignored: `a late answer: '${answer.key}' is not owed any more` };
  if (answer.type === 'effectFailed')
    return { ...debts, [answer.key]: putOff(debt, answer.key, answer.at, answer.because ?? '') };
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
}

export const isStale = (answered: Debts | { readonly ignored: string }): answered is { readonly ignored: string } =>
  typeof answered.ignored === 'string';
