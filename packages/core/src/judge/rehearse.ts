import { errors } from '../base/measures.ts';
import { defined } from '../base/objects.ts';
import { minute } from '../base/time.ts';
import type { ModelPlan } from '../config/config.ts';
import type { Counts, Tick } from '../ports/telemetry.ts';
import { type Draws, drawsOf } from './draws.ts';
import { type Evidence, noEvidence, type Place } from './evidence.ts';
import { type History, historyMs, historyOf, historyTickMs, recentMs } from './history.ts';
import { expectedShare, type Traffic } from './idle.ts';
import { judge, type Safety, shortfalls, type Verdict } from './judge.ts';
import { measuresOf, type Rules } from './rules.ts';

/**
 * Rollouts that are played through before there are any, with counts that are drawn at random: the judge that will judge
 * the real ones judges them. So what is forecast holds for whatever the rules are. The same seed gives the same rollout.
 */
export interface Rehearsal {
  readonly plan: Pick<ModelPlan['rollout'], 'tick' | 'bake' | 'warmUp' | 'atMost' | 'maxHold' | 'mirror'>;
  readonly rules: Rules;
  /** Weights in percent, 0 being a mirror. */
  readonly steps: readonly number[];
  readonly traffic: Traffic;
  /** How many times as often as the champion's the candidate's requests are bad, by stream; else it is like it. */
  readonly worse?: Readonly<Record<string, number>>;
}

export interface Rehearsed {
  /** Since it began. */
  readonly ticks: number;
  /** Ticks of the last step. Absent: the evidence for a promotion was not there in time. */
  readonly certified?: { readonly ofLast: number };
  /** Requests that the candidate had had. */
  readonly takenBack?: { readonly candidate: number };
  /** The stream whose evidence for a promotion was waited for last; absent: none was. */
  readonly last?: string;
}

const [candidate, champion] = ['candidate', 'champion'];

/** `ticks`: how many it may last in all. */
export function rehearse(given: Rehearsal, seed: number, most: number): Rehearsed {
  const { plan, rules, steps } = given;
  const draws = drawsOf(seed);
  const baked = Math.ceil(plan.bake / plan.tick);
  let evidence: Evidence = noEvidence(0);
  let ticks = 0;
  let last: string | undefined;
  for (const [index, weight] of steps.entries()) {
    const isLast = index === steps.length - 1;
    const place: Place = { weight, lastWeight: steps.at(-1) ?? 0, candidate, champion };
    evidence = { ...evidence, from: (ticks + plan.warmUp) * plan.tick };
    for (let ofStep = 0; (isLast || ofStep < baked) && ticks < most; ) {
      // In a long wait, whether it is over is looked at every 3 % of it.
      const count = Math.min(most - ticks, ofStep < baked ? baked - ofStep : Math.ceil(ofStep / 30));
      const read = Array.from({ length: count }, (_, tick) =>
        drawTick(given, weight, (ticks + tick) * plan.tick, draws),
      );
      ticks += count;
      ofStep += count;
      const judged = judge(evidence, { ticks: read, to: ticks * plan.tick, tickMs: plan.tick }, place, rules);
      evidence = judged.evidence;
      // A hold is not an end: it is left out, as it comes to one healthy rollout in a hundred.
      if (isEnd(judged.verdict))
        return {
          ticks: evidence.readTo / plan.tick,
          ...defined({ last }),
          takenBack: { candidate: evidence.candidate.requests },
        };
      if (!isLast) continue;
      const missing = shortfalls(evidence, weight, rules) ?? [];
      if (missing.length === 0) return { ticks, ...defined({ last }), certified: { ofLast: ofStep } };
      last = slowestOf(missing);
    }
  }
  return { ticks, ...defined({ last }) };
}

const isEnd = ({ kind }: Verdict): boolean => kind === 'harm' || kind === 'limit' || kind === 'harmAsCame';

const slowestOf = (missing: readonly Safety[]): string => missing.reduce((a, b) => (b.logE < a.logE ? b : a)).stream;

/** One tick at this weight, from `start` on. */
function drawTick({ plan, rules, traffic, worse = {} }: Rehearsal, weight: number, start: number, draws: Draws): Tick {
  const requests = (traffic.rpm * plan.tick) / minute;
  const arm = (mean: number, factors: NonNullable<Rehearsal['worse']> = {}) =>
    drawCounts({ mean, rules, errorShare: traffic.errorShare, factors }, draws);
  if (weight > 0) {
    const part = weight / 100;
    return { start, counts: { [candidate]: arm(requests * part, worse), [champion]: arm(requests * (1 - part)) } };
  }
  const mirrored = (requests * plan.mirror) / 100;
  const [ours, theirs] = [arm(mirrored, worse), arm(mirrored)];
  const pairs = Math.max(ours.requests, theirs.requests);
  // Failures that have nothing to do with each other: hardly any request fails for both.
  const bad = Object.entries(ours.bad).map(([measure, mirror]) => {
    const served = Math.min(theirs.bad[measure] ?? 0, pairs - mirror);
    return [measure, { mirror, served }] as const;
  });
  const predictions = { higher: 0, lower: 0, equal: pairs };
  return {
    start,
    counts: { [champion]: arm(requests) },
    pairs: { [candidate]: { pairs, dropped: 0, bad: Object.fromEntries(bad), predictions } },
  };
}

interface Drawn {
  /** Requests that are expected. */
  readonly mean: number;
  readonly rules: Rules;
  readonly errorShare: number;
  readonly factors: NonNullable<Rehearsal['worse']>;
}

function drawCounts({ mean, rules, errorShare, factors }: Drawn, draws: Draws): Counts {
  const requests = draws.poisson(mean);
  const bad: Record<string, number> = { [errors]: 0 };
  for (const { clock, streams } of rules.guardrails)
    for (const stream of clock === 'ticks' ? streams : []) {
      if (stream.segment !== undefined) continue;
      const share = Math.min(1, expectedShare(stream, errorShare) * (factors[stream.id] ?? 1));
      bad[stream.measure] = Math.min(requests, draws.poisson(mean * share));
    }
  return { requests, bad };
}

/** The history of a champion that had this traffic for a week. */
export function historyUnder({ rpm, errorShare }: Traffic, rules: Rules, tick: number): History | undefined {
  const draws = drawsOf(0);
  const alone = (tickMs: number, from: number): readonly Tick[] =>
    Array.from({ length: Math.floor((historyMs - from) / tickMs) }, (_, index) => {
      const counts = drawCounts({ mean: (rpm * tickMs) / minute, rules, errorShare, factors: {} }, draws);
      return { start: from + index * tickMs, counts: { [champion]: counts } };
    });
  const recent = alone(tick, historyMs - recentMs(tick));
  const measures = measuresOf(rules);
  const long = alone(historyTickMs, 0);
  return historyOf({ deployment: champion, measures, tickMs: tick, start: historyMs, recent, long });
}
