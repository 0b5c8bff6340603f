import { defined } from '../../base/objects.ts';
import type { ModelPlan } from '../../config/config.ts';

export type Criteria = NonNullable<ModelPlan['gate']>;
export type Metrics = Readonly<Record<string, number>>;

/** One metric against one bound, with every number that decided. */
export interface Check {
  readonly metric: string;
  readonly rule: 'atLeast' | 'atMost' | 'noWorseBy';
  readonly bound: number;
  readonly challenger?: number;
  readonly champion?: number;
  /** Why a number that is not there was not taken. */
  readonly unread?: string;
  readonly passed: boolean;
}

/** What was measured, and why the rest was not. */
export interface Scores {
  readonly metrics: Metrics;
  readonly unread?: Readonly<Record<string, string>> | undefined;
}

export interface GateVerdict {
  readonly passed: boolean;
  readonly checks: readonly Check[];
  /** The champion that was compared with; absent: there was none. */
  readonly against?: number;
}

/** Whether some criterion compares with the champion. */
export const comparesWithChampion = (criteria: Criteria): boolean =>
  Object.values(criteria).some((rule) => rule.noWorseBy !== undefined);

/**
 * The gate: absolute bounds, and "no worse than the champion by more than x", per metric and direction.
 *
 * Both metrics must come from the same hold-out. A metric that was not measured fails its criterion. Without a champion
 * a criterion that only compares wants its metric to be there: the next version will be compared with it. With
 * `direction: 'up'` the challenger passes when `challenger >= champion - noWorseBy`, with `'down'` when
 * `challenger <= champion + noWorseBy`; equal is enough, also where binary fractions miss it by a hair.
 */
export function judgeGate(
  criteria: Criteria,
  challenger: Scores,
  champion?: Scores & { readonly version: number },
): GateVerdict {
  const checks = Object.entries(criteria).flatMap(([metric, rule]) => checksOf(metric, rule, challenger, champion));
  return {
    passed: checks.every((check) => check.passed),
    checks,
    ...(champion === undefined ? {} : { against: champion.version }),
  };
}

const ruleNames = ['atLeast', 'atMost', 'noWorseBy'] as const;

function checksOf(
  metric: string,
  rule: Criteria[string],
  challenger: Scores,
  champion: Scores | undefined,
): readonly Check[] {
  const value = challenger.metrics[metric];
  const other = champion?.metrics[metric];
  return ruleNames.flatMap((name): Check[] => {
    const bound = rule[name];
    const compares = name === 'noWorseBy';
    if (bound === undefined || (compares && champion === undefined && value !== undefined)) return [];
    const lacks = value === undefined ? challenger : compares && other === undefined ? champion : undefined;
    return [
      {
        ...{ metric, rule: name, bound },
        ...defined({ challenger: value, champion: compares ? other : undefined, unread: whyUnread(metric, lacks) }),
        passed: value !== undefined && passes(name, rule.direction, value, bound, other),
      },
    ];
  });
}

/** A metric may be missing by itself, or with the whole file. */
function whyUnread(metric: string, scores: Scores | undefined): string | undefined {
  const unread = scores?.unread ?? {};
  const file = Object.keys(unread).find((name) => name.endsWith('.json'));
  return unread[metric] ?? (file === undefined ? undefined : `${file}: ${unread[file]}`);
}

function passes(
  rule: Check['rule'],
  direction: Criteria[string]['direction'],
  value: number,
  bound: number,
  champion: number | undefined,
): boolean {
  if (rule === 'atLeast') return reaches(value, bound);
  if (rule === 'atMost') return reaches(bound, value);
  if (champion === undefined) return false;
  const slack = hair * Math.abs(champion);
  return direction === 'up' ? reaches(value, champion - bound, slack) : reaches(champion + bound, value, slack);
}

/** What a subtraction and a mean may be off by: 0.91 - 0.9 is a little more than 0.01. */
const hair = 4 * Number.EPSILON;
const reaches = (value: number, bound: number, slack = 0): boolean =>
  value >= bound - Math.max(slack, hair * Math.max(Math.abs(value), Math.abs(bound)));

/** A verdict in one line: the failing checks, or all of them. */
export function gateText(verdict: GateVerdict): string {
  const shown = verdict.passed ? verdict.checks : verdict.checks.filter((check) => !check.passed);
  if (shown.length === 0) return verdict.passed ? 'passed: no champion to compare with yet' : 'refused';
  const texts = new Set(shown.map((check) => checkText(check, verdict.against)));
  return `${verdict.passed ? 'passed' : 'refused'}: ${[...texts].join('; ')}`;
}

function checkText(check: Check, against: number | undefined): string {
  const { metric, rule, bound, challenger, champion, unread, passed } = check;
  const because = unread === undefined ? '' : ` (${unread})`;
  if (challenger === undefined) return `${metric} was not measured${because}`;
  const text = (value: number): string => String(Number(value.toPrecision(digitsOf(check))));
  const found = `${metric} ${text(challenger)}`;
  if (rule !== 'noWorseBy') return `${found}, ${rule === 'atLeast' ? 'at least' : 'at most'} ${text(bound)} wanted`;
  if (champion === undefined) return `${found}, and of the champion v${against} it was not measured${because}`;
  return `${found} against ${text(champion)} of the champion v${against}, ${passed ? 'within' : 'not within'} ${text(bound)}`;
}

/** Six digits; all of them where six would make a refusal look as if it had passed. */
function digitsOf({ rule, bound, challenger = 0, champion = 0, passed }: Check): number {
  const compared = rule === 'noWorseBy' ? Math.abs(challenger - champion) : challenger;
  const largest = Math.max(Math.abs(challenger), Math.abs(champion), Math.abs(bound));
  return passed || Math.abs(compared - bound) > 1e-5 * largest ? 6 : 15;
}
