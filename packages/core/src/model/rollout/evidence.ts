import { Fault } from '../../base/fault.ts';
import { affordable } from '../../judge/budget.ts';
import { type Certificate, certificateOf } from '../../judge/certificate.ts';
import { type Evidence, type Place, withLabels } from '../../judge/evidence.ts';
import { judge, shortfalls, type Verdict, verdictOf } from '../../judge/judge.ts';
import { edition, type Rules, rulesOf } from '../../judge/rules.ts';
import { clauseOf, type Decided } from '../../judge/sentence.ts';
import type { LabelTick } from '../../ports/telemetry.ts';
import type { SignalOf } from '../protocol.ts';
import { deploymentName } from '../version.ts';
import { type Base, candidateWeight, lastWeight, type Rollout } from './state.ts';

/** What the judge has to know of a rollout, and what a rollout learns from the judge. */

export const rulesFor = ({ plan, sticky, latency, history, together }: Base): Rules =>
  rulesOf({ plan, sticky, thresholds: latency, history, accepted: together === 'accepted' });

const placeOf = (rollout: Rollout): Place => ({
  weight: candidateWeight(rollout),
  lastWeight: lastWeight(rollout),
  candidate: deploymentName(rollout.candidate),
  budgeted: rollout.plan.harmBudget !== undefined,
  astray: rollout.status === 'held' && rollout.backTo !== undefined,
  ...(rollout.stable === undefined ? {} : { champion: deploymentName(rollout.stable) }),
});

/** What was known and one reading more, and what the judge says of both. */
export interface Counted {
  readonly evidence: Evidence;
  readonly verdict: Verdict;
}

/** Throws a `Fault` for a rollout that began under older rules: its evidence cannot be continued. */
export function countTicks(rollout: Rollout, { ticks, to }: SignalOf<'ticksRead'>): Counted {
  checkEdition(rollout);
  return judge(rollout.evidence, { ticks, to, tickMs: rollout.plan.tick }, placeOf(rollout), rulesFor(rollout));
}

function checkEdition({ edition: began = 1 }: Base): void {
  if (began === edition) return;
  throw new Fault(
    'invalid',
    `the rollout began under edition ${began} of the judge's rules, and this version judges by edition ${edition}; promote or abort it by hand, and release again`,
  );
}

export function countLabels(rollout: Rollout, { ticks, to }: SignalOf<'labelsRead'>): Counted {
  checkEdition(rollout);
  const rules = rulesFor(rollout);
  const place = placeOf(rollout);
  const counted = ticks.reduce(
    (evidence, tick) => withLabels(evidence, weighed(tick, rollout), rollout.plan.tick, place, rules),
    rollout.evidence,
  );
  const { labels } = counted;
  const evidence =
    labels === undefined ? counted : { ...counted, labels: { ...labels, readTo: Math.max(labels.readTo, to) } };
  return { evidence, verdict: verdictOf(evidence, place, rules) };
}

/**
 * A tick with the weights that its requests were routed by. What the platform does not say, the rollout remembers; of a
 * tick in which the weight was on its way it is not known, so rows without one are left out.
 */
function weighed(tick: LabelTick, { weighed: weights = [], candidate, stable, plan }: Rollout): LabelTick {
  const held = weights.find(
    ({ from, until = Number.POSITIVE_INFINITY }) => from <= tick.start && tick.start + plan.tick <= until,
  );
  const shares = new Map<string, number>();
  if (held !== undefined) shares.set(deploymentName(candidate), held.weight);
  if (held !== undefined && stable !== undefined) shares.set(deploymentName(stable), 100 - held.weight);
  const known = <Row extends { readonly deployment: string; readonly weight?: number }>(row: Row): readonly Row[] => {
    const weight = row.weight ?? shares.get(row.deployment);
    return weight === undefined ? [] : [{ ...row, weight }];
  };
  return { ...tick, rows: tick.rows.flatMap(known), losses: tick.losses.flatMap(known) };
}

/** What keeps the candidate from a certificate; `undefined`: nothing is certified in this rollout. */
export const missingFor = (rollout: Rollout) => shortfalls(rollout.evidence, lastWeight(rollout), rulesFor(rollout));

/** `now`: what is to be done now. */
export function certify(rollout: Rollout, decided: Decided, now: string): Certificate {
  const { evidence, candidate, stable, plan, steps } = rollout;
  return certificateOf(
    {
      rules: rulesFor(rollout),
      evidence,
      candidate,
      champion: stable,
      lastWeight: steps.at(-1),
      warmUp: plan.warmUp,
      tickMs: plan.tick,
      now,
    },
    decided,
  );
}

export const clause = ({ sentence }: Certificate): string => clauseOf(sentence);

/**
 * The weight of the next step under the harm budget, or the budget that it would need: the last step may have to gather
 * evidence up to `atMost`, so all of that time is paid for. The first step is exempt: nothing is known yet.
 */
export function affordableStep(
  rollout: Rollout,
  next: number,
): { readonly weight: number } | { readonly needs: number } {
  const { plan, steps, evidence } = rollout;
  const planned = steps[next] ?? 100;
  const now = next === 0 ? 0 : (steps[next - 1] ?? 0);
  if (plan.harmBudget === undefined || now === 0) return { weight: planned };
  const { candidate, stable, excess = 1, closed } = evidence;
  const perTick = (candidate.requests + stable.requests) / Math.max(1, closed);
  const ahead = (perTick * (next === steps.length - 1 ? plan.atMost : plan.bake)) / plan.tick;
  const weight = Math.min(planned, affordable(plan.harmBudget, excess, candidate.requests, ahead));
  if (weight > now) return { weight };
  return { needs: Math.ceil(excess * (candidate.requests + ((now + 1) / 100) * ahead)) };
}
