import { betOnHarm, noBets } from '../../packages/core/src/judge/betting.ts';
import type { Tick } from '../../packages/core/src/ports/telemetry.ts';
import { judged, warmUp } from './compare.ts';
import { lastHour, lastStep } from './effects.ts';
import { mutants } from './mutants.ts';
import { numberOf } from './names.ts';
import { fillSaturated, saturated } from './nulls.ts';
import {
  candidate,
  champion,
  type Family,
  promotion,
  rollback,
  rollbackByEvidence,
  rulesFor,
  tickMs,
  ticksOf,
} from './ours.ts';
import { calmAt, daysBefore, historyAfter } from './past.ts';
import { type Random, random as seeded } from './random.ts';
import { type ArmCounts, countsOf } from './rollout.ts';
import { fill, newStream, ramp, steps } from './stream.ts';
import { type Case, note } from './tally.ts';
import { stickyTicks } from './unlike.ts';
import { type Weather, weathered } from './weather.ts';

/** Each mutant beside the product, on the same numbers, in the null that shows it. (b) is enumerated: the numbers of requests show a wrong weight. */
const full = 10_000;

const saturatedCase = (letter: 'a' | 'e', runs: Case['runs']): Case => ({
  name: `mutant (${letter}), N0 saturated`,
  runs,
  begin() {
    const stream = saturated(300);
    // As labels are judged: the only ticks of which alpha is nearly used up.
    const rules = rulesFor('errors', {}, 'exact');
    return (random, tallies) => {
      fillSaturated(stream, random, 1);
      const ticks = ticksOf(stream, 'errors');
      judged(tallies, 'judge', rollback(ticks, stream.weights, rules), stream);
      judged(tallies, letter, mutants[letter](ticks, stream.weights, rules), stream);
    };
  },
});
// A threshold of half the size doubles a share of about 0.7 %: it takes many runs to tell.
const halfThreshold = saturatedCase('a', { short: 9000, full });
const tickTwice = saturatedCase('e', { short: 1000, full: 5000 });

const sticky: Case = {
  name: 'mutant (c), N5 sticky users',
  runs: { short: 200, full: 5000 },
  begin() {
    const rules = rulesFor('default', { unit: 'user' });
    return (random, tallies) => {
      const ticks = stickyTicks(random, ramp);
      note(tallies, 'judge', rollback(ticks, ramp, rules).rolledBack);
      note(tallies, 'c', mutants.c(ticks, ramp, rules).rolledBack);
    };
  },
};

/** Losses of equal distribution in both arms: the bet may only look back. */
const bets: Case = {
  name: 'mutant (d), equal losses on split traffic',
  runs: { short: 1500, full },
  begin: () => (random, tallies) => {
    note(tallies, 'judge', firstBeyond(random, betOnHarm));
    note(tallies, 'd', firstBeyond(random, mutants.d));
  },
};

function firstBeyond(random: Random, bet: typeof betOnHarm): number | undefined {
  let bets = noBets;
  for (let label = 1; label <= 1000; label += 1) {
    bets = bet(
      bets,
      {
        candidate: random.next() < 0.5,
        share: 0.5,
        loss: random.next() < 0.5 ? 1 : 0,
      },
      0,
    );
    if (bets.logK >= Math.log(100)) return label;
  }
  return undefined;
}

const empty: Case = {
  name: 'mutant (f), N7 held at 5 %, 20 rpm',
  runs: { short: 300, full: 5000 },
  begin() {
    const weights = steps([5], 240);
    const stream = newStream(weights);
    const rules = rulesFor('errors', {}, calmAt(4));
    return (random, tallies) => {
      fill(stream, random, { rpm: 20, share: 0.2 });
      const ticks = ticksOf(stream, 'errors');
      judged(tallies, 'judge', rollbackByEvidence(ticks, weights, rules), stream);
      judged(tallies, 'f', mutants.f(ticks, weights, rules), stream);
    };
  },
};

/** One guardrail of eight is three times as bad, and the others are well. */
const outvoted: Case = {
  name: 'mutant (g), one of eight guardrails at three times',
  runs: { short: 150, full: 2000 },
  begin() {
    const stream = newStream(lastHour);
    const rules = rulesFor('eight');
    return (random, tallies) => {
      fill(stream, random, { rpm: 6000, share: 0.005 });
      const [, , third] = stream.others;
      for (let tick = 0; tick < lastHour.length; tick += 1)
        if (third !== undefined) {
          const requests = stream.requests.candidate[tick] ?? 0;
          const free = requests - (third.candidate[tick] ?? 0);
          // The base share of this signal is about 0.75 %: half of the errors, and its own causes.
          third.candidate[tick] = (third.candidate[tick] ?? 0) + random.binomial(free, 0.017);
        }
      const ticks = ticksOf(stream, 'eight');
      note(tallies, 'judge', promotion(ticks, lastHour, rules));
      note(tallies, 'g', promotion(ticks, lastHour, rules, { promotes: mutants.g }));
    };
  },
};

/** Clean until the last step, then as bad as the margin. */
const lateOnset: Case = {
  name: 'mutant (h), as bad as the margin from the last step on',
  runs: { short: 300, full: 5000 },
  begin() {
    const stream = newStream(lastHour);
    const rules = rulesFor('errors');
    return (random, tallies) => {
      fill(stream, random, {
        rpm: 6000,
        share: 0.005,
        ratio: (tick) => (tick >= lastStep ? 2 : 1),
      });
      const ticks = ticksOf(stream, 'errors');
      note(tallies, 'judge', promotion(ticks, lastHour, rules));
      note(tallies, 'h', mutants.h(ticks, lastHour, rules));
    };
  },
};

interface InWeather {
  readonly letter: 'i' | 'j' | 'k' | 'l';
  readonly name: string;
  readonly family: Family;
  readonly weather: Weather;
  readonly runs: Case['runs'];
  /** Absent: those of the ramp. */
  readonly weights?: readonly number[];
  /** With the history of this weather; absent: nothing is known of the champion. */
  readonly isKnown?: true;
}

/** Innocent candidates in weather that the mutant does not reckon with. */
const inWeather = ({ letter, name, family, weather, runs, weights = ramp, isKnown }: InWeather): Case => ({
  name: `mutant (${letter}), ${name}`,
  runs,
  begin() {
    const past = weathered(seeded(numberOf(name)), weather);
    const rules = rulesFor(family, {}, isKnown ? historyAfter(daysBefore(past.alone), past.alone) : undefined);
    return (random, tallies) => {
      const source = weathered(random, weather);
      const ticks = weights.map((weight, index) => namedTick(index * tickMs, source.next(weight)));
      note(tallies, 'judge', rollback(ticks, weights, rules, warmUp).rolledBack);
      note(tallies, letter, mutants[letter](ticks, weights, rules).rolledBack);
    };
  },
});

const namedTick = (start: number, arms: Readonly<Record<'candidate' | 'champion', ArmCounts>>): Tick => ({
  start,
  counts: {
    [candidate]: countsOf(arms.candidate),
    [champion]: countsOf(arms.champion),
  },
});

const bursts: Weather = { rpm: 600, errors: 0.005, bursts: [10, 100] };
const noisy: Weather = {
  rpm: 6000,
  errors: 0.005,
  slowNoise: { sd: 0.2, ar: 0.8 },
};
const weatherCases = [
  inWeather({
    letter: 'i',
    name: 'bursts of 10 to 100, held at 5 %',
    family: 'errors',
    weather: bursts,
    weights: steps([5], 105),
    runs: { short: 400, full: 4000 },
  }),
  inWeather({
    letter: 'j',
    name: 'bursts of 10',
    family: 'errors',
    weather: { ...bursts, rpm: 6000, bursts: [10, 10] },
    runs: { short: 400, full: 4000 },
  }),
  inWeather({
    letter: 'k',
    name: "latency of an arm's own, sd 20 %, AR 0.8",
    family: 'latency',
    weather: noisy,
    isKnown: true,
    runs: { short: 200, full: 2000 },
  }),
  inWeather({
    letter: 'l',
    name: 'cold caches, slow x2 after each change of weight',
    family: 'latency',
    weather: { rpm: 600, errors: 0.005, cold: 2 },
    isKnown: true,
    runs: { short: 400, full: 2000 },
  }),
];

export const mutantCases: readonly Case[] = [
  halfThreshold,
  sticky,
  bets,
  tickTwice,
  empty,
  outvoted,
  lateOnset,
  ...weatherCases,
];
