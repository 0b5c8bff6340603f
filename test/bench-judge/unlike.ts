import { byMeasure } from '../../packages/core/src/base/measures.ts';
import { type Evidence, noEvidence, withLabels, withTick } from '../../packages/core/src/judge/evidence.ts';
import { verdictOf } from '../../packages/core/src/judge/judge.ts';
import type { Rules } from '../../packages/core/src/judge/rules.ts';
import type { LabelTick, Tick, UserCounts } from '../../packages/core/src/ports/telemetry.ts';
import { judged } from './compare.ts';
import {
  candidate,
  champion,
  type Ended,
  isMisrouted,
  measures,
  ofLabels,
  placeAt,
  rollback,
  rulesFor,
  tickMs,
  ticksOf,
} from './ours.ts';
import { historyIn } from './past.ts';
import type { Random } from './random.ts';
import { fallingRamp, fill, newStream, ramp, type Stream } from './stream.ts';
import { type Case, note } from './tally.ts';

/** The nulls whose requests are not independent, or whose outcomes do not come with the request. */
const full = 2000;
const usual = { rpm: 6000, share: 0.005 } as const;

// N5: users stay with their model.

const users = 400;
const perTick = 15;
const carriers = 8;
const carrierShare = 0.25;

/**
 * 400 users of 15 requests a tick. In each of the four signals (errors, slower than p50, p90, p99) 2 % of the users
 * carry bad requests at 25 %, half of them in all four. A user is the candidate's while its bucket is below the weight.
 */
export function stickyTicks(random: Random, weights: readonly number[]): readonly Tick[] {
  const buckets = Float64Array.from({ length: users }, () => 100 * random.next());
  const signals = Array.from({ length: 4 }, (_, signal) => {
    const bad = new Set<number>();
    for (let index = 0; index < carriers / 2; index += 1) bad.add(index);
    for (let index = 0; index < carriers / 2; index += 1) bad.add(carriers * (signal + 1) + index);
    return { bad, had: new Set<number>() };
  });
  return weights.map((weight, index) => {
    const arms = { [candidate]: emptyArm(), [champion]: emptyArm() };
    for (let user = 0; user < users; user += 1) {
      const name = (buckets[user] ?? 0) < weight ? candidate : champion;
      const arm = arms[name];
      if (arm === undefined) continue;
      arm.requests += perTick;
      if (index === 0) arm.assigned += 1;
      for (const [signal, { bad, had }] of signals.entries()) {
        const count = bad.has(user) ? random.binomial(perTick, carrierShare) : 0;
        arm.bad[signal] = (arm.bad[signal] ?? 0) + count;
        if (had.has(user)) continue;
        arm.atRisk[signal] = (arm.atRisk[signal] ?? 0) + 1;
        if (count === 0) continue;
        arm.first[signal] = (arm.first[signal] ?? 0) + 1;
        had.add(user);
      }
    }
    return {
      start: index * tickMs,
      counts: mapArms(arms, ({ requests, bad }) => ({
        requests,
        bad: byMeasure(measures, (of) => bad[measures.indexOf(of)]),
      })),
      users: mapArms(arms, usersOf),
    };
  });
}

interface StickyArm {
  requests: number;
  assigned: number;
  readonly bad: number[];
  readonly atRisk: number[];
  readonly first: number[];
}
const emptyArm = (): StickyArm => ({
  requests: 0,
  assigned: 0,
  bad: [0, 0, 0, 0],
  atRisk: [0, 0, 0, 0],
  first: [0, 0, 0, 0],
});

const mapArms = <Of>(arms: Readonly<Record<string, StickyArm>>, map: (arm: StickyArm) => Of): Record<string, Of> =>
  Object.fromEntries(Object.entries(arms).map(([name, arm]) => [name, map(arm)]));

function usersOf({ assigned, atRisk, first }: StickyArm): UserCounts {
  const bad = byMeasure(measures, (measure) => {
    const signal = measures.indexOf(measure);
    return { atRisk: atRisk[signal] ?? 0, bad: first[signal] ?? 0 };
  });
  return { assigned, bad };
}

export const n5: readonly Case[] = [ramp, fallingRamp].map((weights) => ({
  name: `N5 sticky users, 400 users${weights === fallingRamp ? ', falling ramp' : ''}`,
  runs: { short: weights === ramp ? 600 : 0, full },
  begin() {
    // Users are not counted by segment, so there are two guardrails here: errors and latency.
    const rules = rulesFor('default', { unit: 'user' }, historyIn(usual, 'N5'));
    return (random, tallies) => {
      const { rolledBack, misrouted } = rollback(stickyTicks(random, weights), weights, rules);
      note(tallies, 'judge', rolledBack);
      if (misrouted) note(tallies, 'judge: held for wrong routing', 0);
    };
  },
}));

// N6: labels come late, or never.

const maturity = 60;
const labelled = 0.7 * (1 - Math.exp(-maturity / 20));

/** Eight guardrails on the ticks' clock share four fifths of alpha; the labels have the rest on their own. */
export function rulesWithLabels(): Rules {
  const eight = rulesFor('eight', {}, historyIn(usual, 'N6'));
  const [first] = eight.guardrails;
  if (first === undefined) return eight;
  const requests = eight.guardrails.map((given) => ({ ...given, alphaShare: 0.1 }));
  return { ...eight, guardrails: [...requests, { ...ofLabels(first), alphaShare: 0.2 }] };
}

/** A matured cohort: exponential delays of 20 minutes in the mean, three in ten labels never. */
function labelTick(stream: Stream, random: Random, index: number, share: number): LabelTick {
  const weight = stream.weights[index] ?? 0;
  const row = (deployment: 'candidate' | 'champion', own: number) => {
    const requests = stream.requests[deployment][index] ?? 0;
    const came = random.binomial(requests, labelled);
    return {
      deployment,
      weight: own,
      requests,
      labelled: came,
      wrong: random.binomial(came, share),
    };
  };
  return {
    start: index * tickMs,
    rows: [row(candidate, weight), row(champion, 100 - weight)],
    losses: [],
    pairs: {},
  };
}

function withDelay(stream: Stream, random: Random, share: number, rules: Rules): Ended {
  let evidence: Evidence = noEvidence(0);
  const ticks = ticksOf(stream, 'eight');
  for (let now = 0; now < ticks.length + maturity; now += 1) {
    const tick = ticks[now];
    const place = placeAt(stream.weights[Math.min(now, ticks.length - 1)] ?? 0);
    if (tick !== undefined) evidence = withTick(evidence, tick, tickMs, place, rules);
    const matured = now - maturity;
    if (matured >= 0) {
      const labels = labelTick(stream, random, matured, share);
      evidence = withLabels(evidence, labels, tickMs, { ...place, lastWeight: 50 }, rules);
    }
    const verdict = verdictOf(evidence, place, rules);
    if (verdict.kind === 'harm') return { rolledBack: Math.min(now, ticks.length - 1) };
    if (isMisrouted(verdict)) return { misrouted: true };
  }
  return {};
}

export const n6: readonly Case[] = [0.02, 0.1].map((share) => ({
  name: `N6 delayed labels, 6000 rpm, ${share * 100} % wrong`,
  runs: { short: share === 0.02 ? 400 : 0, full },
  begin() {
    const stream = newStream(ramp);
    const rules = rulesWithLabels();
    return (random, tallies) => {
      fill(stream, random, usual);
      judged(tallies, 'judge', withDelay(stream, random, share, rules), stream);
    };
  },
}));

// N8: one replica pauses, and ten requests of its fail at once.

const burst = 10;

/** The pause is the candidate's with its share of the traffic; half of its failures show in each other signal. */
function addPauses(stream: Stream, random: Random, perTickMean: number): void {
  for (const [tick, weight] of stream.weights.entries())
    for (let pause = random.poisson(perTickMean); pause > 0; pause -= 1) {
      const arm = 100 * random.next() < weight ? 'candidate' : 'champion';
      const free = (stream.requests[arm][tick] ?? 0) - (stream.errors[arm][tick] ?? 0);
      const failed = Math.min(burst, free);
      stream.errors[arm][tick] = (stream.errors[arm][tick] ?? 0) + failed;
      for (const signal of stream.others) {
        const before = signal[arm][tick] ?? 0;
        signal[arm][tick] = Math.min(stream.requests[arm][tick] ?? 0, before + random.binomial(failed, 0.5));
      }
    }
}

export const n8: readonly Case[] = [0.2, 2].map((mean) => ({
  name: `N8 pausing replica, ${mean} pauses a minute`,
  runs: { short: mean === 2 ? 500 : 0, full },
  begin() {
    const stream = newStream(ramp);
    // Nobody knows its pauses, and no config says how many requests fail together.
    const rules = rulesFor('eight');
    return (random, tallies) => {
      fill(stream, random, usual);
      addPauses(stream, random, mean);
      const ticks = ticksOf(stream, 'eight');
      judged(tallies, 'judge', rollback(ticks, ramp, rules), stream);
    };
  },
}));

// N9: half of the bad outcomes are known a tick after the request was routed.

/** A tick is given to the judge a tick later, whole, and once more: by then it was counted. */
function settled(stream: Stream, rules: Rules): Ended {
  let evidence: Evidence = noEvidence(0);
  const ticks = ticksOf(stream, 'eight');
  for (let now = 1; now <= ticks.length; now += 1) {
    const weight = stream.weights[now - 1] ?? 0;
    for (const tick of [ticks[now - 2], ticks[now - 1]])
      if (tick !== undefined) evidence = withTick(evidence, tick, tickMs, placeAt(weight), rules);
    const verdict = verdictOf(evidence, placeAt(weight), rules);
    if (verdict.kind === 'harm') return { rolledBack: Math.min(now, ticks.length - 1) };
    if (isMisrouted(verdict)) return { misrouted: true };
  }
  return {};
}

export const n9: readonly Case[] = [ramp, fallingRamp].map((weights) => ({
  name: `N9 late outcomes${weights === fallingRamp ? ', falling ramp' : ''}`,
  runs: { short: weights === fallingRamp ? 500 : 0, full },
  begin() {
    const stream = newStream(weights);
    const traffic = { rpm: 6000, share: 0.05 };
    const rules = rulesFor('eight', {}, historyIn(traffic, 'N9'));
    return (random, tallies) => {
      fill(stream, random, traffic);
      judged(tallies, 'judge', settled(stream, rules), stream);
    };
  },
}));

// N10: caches that are cold after each change of weight.

const coldTicks = 2;
const coldFactor = 3;

/** In the first ticks of each weight three times as many of the candidate's requests are slow. */
export function chill({ weights, requests, slow }: Stream, random: Random): void {
  for (let tick = 0; tick < weights.length; tick += 1) {
    if (weights[tick - coldTicks] === weights[tick]) continue;
    let left = requests.candidate[tick] ?? 0;
    let of = 1;
    for (const [index, column] of slow.entries()) {
      const share = Math.min(1, coldFactor * ([0.5, 0.1, 0.01][index] ?? 0));
      left = random.binomial(left, share / of);
      of = share;
      column.candidate[tick] = left;
    }
  }
}

export const n10: readonly Case[] = [600, 6000].map((rpm) => ({
  name: `N10 cold for ${coldTicks} ticks after each change of weight, ${rpm} rpm`,
  runs: { short: 1000, full },
  begin() {
    const stream = newStream(ramp);
    const traffic = { rpm, share: 0.005 };
    const rules = rulesFor('default', {}, historyIn(traffic, 'N10'));
    return (random, tallies) => {
      fill(stream, random, traffic);
      chill(stream, random);
      judged(tallies, 'judge', rollback(ticksOf(stream, 'default'), ramp, rules, coldTicks), stream);
    };
  },
}));
