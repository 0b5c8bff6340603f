import type { ModelPlan } from './config.ts';

export type Criteria = NonNullable<ModelPlan['gate']>;
export type Metrics = Readonly<Record<string, number>>;

/** One metric against one bound, with every number that decided. */
export interface Check {
  readonly metric: string;
  readonly rule: 'atLeast' | 'atMost' | 'noWorseBy';
  readonly bound: number;
  readonly challenger?: number;
  readonly champion?: number;
  readonly passed: boolean;
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
 * Both metrics must come from the same hold-out. Without a champion only absolute bounds speak. A metric that was not
 * measured fails its criterion. With `direction: 'up'` the challenger passes when `challenger >= champion - noWorseBy`,
 * with `'down'` when `challenger <= champion + noWorseBy`.
 */
export function judgeGate(
  criteria: Criteria,
  challenger: Metrics,
  champion?: { readonly version: number; readonly metrics: Metrics },
): GateVerdict {
  const checks = Object.entries(criteria).flatMap(([metric, rule]): Check[] => {
    const value = challenger[metric];
    const measured = value === undefined ? {} : { challenger: value };
    const check = (
      name: Check['rule'],
      bound: number | undefined,
      passes: (value: number, bound: number) => boolean,
    ): Check[] =>
      bound === undefined
        ? []
        : [{ metric, rule: name, bound, ...measured, passed: value !== undefined && passes(value, bound) }];
    return [
      ...check('atLeast', rule.atLeast, (found, bound) => found >= bound),
      ...check('atMost', rule.atMost, (found, bound) => found <= bound),
      ...(champion === undefined || rule.noWorseBy === undefined
        ? []
        : [compare(metric, rule, value, champion.metrics[metric], rule.noWorseBy)]),
    ];
  });
  return {
    passed: checks.every((check) => check.passed),
    checks,
    ...(champion === undefined ? {} : { against: champion.version }),
  };
}

function compare(
  metric: string,
  rule: Criteria[string],
  challenger: number | undefined,
  champion: number | undefined,
  bound: number,
): Check {
  const worse =
    challenger === undefined || champion === undefined
      ? Number.NaN
      : rule.direction === 'up'
        ? champion - challenger
        : challenger - champion;
  return {
    metric,
    rule: 'noWorseBy',
    bound,
    ...(challenger === undefined ? {} : { challenger }),
    ...(champion === undefined ? {} : { champion }),
    passed: worse <= bound,
  };
}

/** A verdict in one line: the failing checks, or all of them. */
export function gateText(verdict: GateVerdict): string {
  const shown = verdict.passed ? verdict.checks : verdict.checks.filter((check) => !check.passed);
  if (shown.length === 0) return verdict.passed ? 'passed: no criterion applied' : 'refused';
  return `${verdict.passed ? 'passed' : 'refused'}: ${shown.map((check) => checkText(check, verdict.against)).join('; ')}`;
}

function checkText({ metric, rule, bound, challenger, champion, passed }: Check, against: number | undefined): string {
  const found = challenger === undefined ? `${metric} was not measured` : `${metric} ${number(challenger)}`;
  if (rule !== 'noWorseBy') return `${found}, ${rule === 'atLeast' ? 'at least' : 'at most'} ${number(bound)} wanted`;
  const other = champion === undefined ? 'was not measured' : number(champion);
  return `${found} against ${other} of the champion v${against}, ${passed ? 'within' : 'not within'} ${number(bound)}`;
}

const number = (value: number): string => String(Number(value.toPrecision(6)));
