import { noEvidence, withLabels } from '../../packages/core/src/judge/evidence.ts';
import { verdictOf } from '../../packages/core/src/judge/judge.ts';
import type { Rules } from '../../packages/core/src/judge/rules.ts';
import type { LabelTick } from '../../packages/core/src/ports/telemetry.ts';
import { compare, comparedRpms, comparedShare } from './compare.ts';
import { candidate, ofLabels, placeAt, promotion, rulesFor, tickMs, ticksOf } from './ours.ts';
import { historyIn } from './past.ts';
import type { Random } from './random.ts';
import { fill, newStream, ramp, type Slowness, type Stream, steps, type Traffic } from './stream.ts';
import { type Case, note } from './tally.ts';

const full = 2000;
const allFamilies = ['default', 'errors', 'eight'] as const;

export const errorRatios = [1.25, 1.5, 2, 3, 5] as const;
export const errorsName = (rpm: number, ratio: number): string => `errors x${ratio}, ${rpm} rpm`;

const errors = comparedRpms.flatMap((rpm) =>
  errorRatios.map((ratio) =>
    compare({
      name: errorsName(rpm, ratio),
      traffic: { rpm, share: comparedShare, ratio: () => ratio },
      ratio,
      runs: {
        short: rpm === 6000 ? (ratio < 2 ? 400 : 1000) : ratio === 3 ? 600 : 0,
        full,
      },
      families: allFamilies,
      tuned: true,
    }),
  ),
);

/** Also where traffic is thin and where it is thick. */
const elsewhere = [60, 60_000].flatMap((rpm) =>
  [2, 3, 5].map((ratio) =>
    compare({
      name: errorsName(rpm, ratio),
      traffic: { rpm, share: comparedShare, ratio: () => ratio },
      ratio,
      runs: { short: 0, full: rpm === 60 ? full : 1000 },
      families: allFamilies,
    }),
  ),
);

const onsets = [
  { name: 'errors x3 from minute 21 on, 6000 rpm', from: 20 },
  { name: 'errors x3 from the last step on, 6000 rpm', from: ramp.indexOf(50) },
].map(({ name, from }) =>
  compare({
    name,
    traffic: {
      rpm: 6000,
      share: comparedShare,
      ratio: (tick) => (tick >= from ? 3 : 1),
    },
    runs: { short: 0, full },
    families: allFamilies,
  }),
);

const slownesses: readonly (Slowness & { readonly text: string })[] = [
  { text: 'x1.1', factor: 1.1, tail: 0 },
  { text: 'x1.25', factor: 1.25, tail: 0 },
  { text: 'x1.5', factor: 1.5, tail: 0 },
  { text: 'a second more for 2 %', factor: 1, tail: 0.02 },
];
export const latencyName = (rpm: number, text: string): string => `latency ${text}, ${rpm} rpm`;
export const latencyTexts = slownesses.map(({ text }) => text);

const latency = comparedRpms.flatMap((rpm) =>
  slownesses.map(({ text, ...slowness }) =>
    compare({
      name: latencyName(rpm, text),
      traffic: { rpm, share: comparedShare, latency: slowness },
      runs: {
        short: rpm === 6000 && slowness.factor > 1 && slowness.factor < 1.5 ? 60 : 0,
        full: rpm === 6000 ? 1000 : full,
      },
      families: ['default', 'latency', 'eight'],
    }),
  ),
);

// Quality: both models answer the same requests, and labels say which of them were wrong.

/** The champion is wrong in 5 %; half of its mistakes are the candidate's as well, which has its own beside them. */
const onlyChampion = 0.025;
const pairsPerMinute = 60;
export const qualityPoints = [1, 2, 5, 10] as const;
export const qualityName = (points: number): string => `quality +${points} points, paired shadow`;

export function qualityRules(): Rules {
  const rules = rulesFor('errors');
  return { ...rules, mirrored: true, guardrails: rules.guardrails.map(ofLabels) };
}

const day = 24 * 60;

function minutesToFind(random: Random, points: number, rules: Rules): number | undefined {
  let evidence = noEvidence(0);
  const place = { ...placeAt(0), lastWeight: 50 };
  for (let minute = 0; minute < day; minute += 1) {
    const mirror = random.binomial(pairsPerMinute, onlyChampion + points / 100);
    const served = random.binomial(pairsPerMinute - mirror, onlyChampion / (1 - onlyChampion - points / 100));
    const tick: LabelTick = {
      start: minute * tickMs,
      rows: [],
      losses: [],
      pairs: { [candidate]: { mirror, served } },
    };
    evidence = withLabels(evidence, tick, tickMs, place, rules);
    if (verdictOf(evidence, place, rules).kind === 'harm') return minute + 1;
  }
  return undefined;
}

const quality = [0, ...qualityPoints].map(
  (points): Case => ({
    name: qualityName(points),
    runs: { short: points === 1 ? 200 : 0, full },
    begin() {
      const rules = qualityRules();
      return (random, tallies) => note(tallies, 'this judge, paired shadow', minutesToFind(random, points, rules));
    },
  }),
);

// Promotion: how soon a healthy candidate has its certificate, and how often one as bad as the margin gets it.

/** Where the last step of the ramp begins. */
export const lastStep = ramp.indexOf(50);
export const lastHour = [...ramp.slice(0, lastStep), ...steps([50], 60)];
export const healthyName = (rpm: number): string => `healthy, ${rpm} rpm`;

const healthy = [60, 600, 6000].map(
  (rpm): Case => ({
    name: healthyName(rpm),
    runs: {
      short: rpm === 60 ? 0 : rpm === 600 ? 1200 : 200,
      full: rpm === 600 ? 6000 : full,
    },
    begin() {
      const weights = steps([50], 60);
      const stream = newStream(weights);
      const history = historyIn({ rpm, share: comparedShare }, healthyName(rpm));
      const rules = allFamilies.map((family) => ({
        family,
        rules: rulesFor(family, {}, history),
      }));
      return (random, tallies) => {
        fill(stream, random, { rpm, share: comparedShare });
        for (const { family, rules: given } of rules)
          note(tallies, family, promotion(ticksOf(stream, family), weights, given));
      };
    },
  }),
);

interface Margin {
  readonly name: string;
  readonly traffic: Traffic;
  readonly short?: number;
  /** Sets what the traffic cannot say. */
  readonly overwrite?: (stream: Stream, random: Random) => void;
}

const onset = (tick: number): number => (tick >= lastStep ? 2 : 1);
const margins: readonly Margin[] = [
  {
    name: 'twice the errors, 6000 rpm',
    traffic: { rpm: 6000, share: 0.005, ratio: () => 2 },
    short: 600,
  },
  {
    name: 'twice the errors, 600 rpm',
    traffic: { rpm: 600, share: 0.005, ratio: () => 2 },
    short: 600,
  },
  {
    name: 'twice the errors, 60 rpm',
    traffic: { rpm: 60, share: 0.05, ratio: () => 2 },
  },
  {
    name: 'twice the errors, both rare, at the floor, 6000 rpm',
    traffic: { rpm: 6000, share: 0.0005, ratio: () => 2 },
    short: 600,
  },
  {
    name: 'at the floor beside a champion without errors, 6000 rpm',
    traffic: { rpm: 6000, share: 0 },
    overwrite: atTheFloor,
  },
  {
    name: 'twice the errors from the last step on, 6000 rpm',
    traffic: { rpm: 6000, share: 0.005, ratio: onset },
    short: 600,
  },
  {
    name: 'twice the errors from the last step on, 600 rpm',
    traffic: { rpm: 600, share: 0.005, ratio: onset },
  },
];

function atTheFloor(stream: Stream, random: Random): void {
  for (let tick = 0; tick < stream.weights.length; tick += 1)
    stream.errors.candidate[tick] = random.binomial(stream.requests.candidate[tick] ?? 0, 0.001);
}

export const marginName = (name: string): string => `as bad as the margin: ${name}`;

const wrong = margins.map(
  ({ name, traffic, overwrite, short = 0 }): Case => ({
    name: marginName(name),
    runs: { short, full: 4000 },
    begin() {
      const stream = newStream(lastHour);
      const rules = rulesFor('errors', {}, historyIn(traffic, name));
      return (random, tallies) => {
        fill(stream, random, traffic);
        overwrite?.(stream, random);
        note(tallies, 'promoted', promotion(ticksOf(stream, 'errors'), lastHour, rules));
      };
    },
  }),
);

export const marginNames = wrong.map(({ name }) => name);

export const effects: readonly Case[] = [...errors, ...elsewhere, ...onsets, ...latency, ...quality];
export const promotions: readonly Case[] = [...healthy, ...wrong];
