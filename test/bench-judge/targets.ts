import { type Claim, exposureOf, figure, medianOf, shareOf, shareWithin } from './claims.ts';
import { oursName, tunedName } from './compare.ts';
import { conditions, falseName, furtherConditions, knowledges, wrongName } from './conditions.ts';
import { errorsName, healthyName, latencyName, marginNames, qualityName } from './effects.ts';
import { enumerated, largestMeanWithBursts, rounding } from './enumeration.ts';
import { type Row, table } from './markdown.ts';
import { mutantCases } from './mutant-cases.ts';
import { mutantTexts, untaxed } from './mutants.ts';
import { nulls } from './nulls.ts';
import { alpha, beta } from './ours.ts';
import { parts } from './parts.ts';
import { fallingRamp } from './stream.ts';
import { merge, newTally, type Tallies, type Tally } from './tally.ts';
import { shapes } from './tuned.ts';

/** What was measured, by case. */
export type Results = Readonly<Record<string, Tallies>>;

const minute = 'minutes';

/** The judge in a null: the eight guardrails where other rules are there as well. */
export const judgeIn = (tallies: Tallies): Tally | undefined => tallies[oursName.eight] ?? tallies.judge;

function falseRollbacks(results: Results, form: 'short' | 'full'): readonly Claim[] {
  const all: Tallies = {};
  const each = nulls.flatMap(({ name }): readonly Claim[] => {
    const tally = judgeIn(results[name] ?? {});
    if (tally === undefined) return [];
    merge(all, { all: { ...tally, minutes: [] } });
    // Few runs leave an upper limit above 1 % whatever the rule does: there, only a share that is plainly higher counts.
    return [
      {
        what: `false rollback, ${name}`,
        estimate: shareOf(tally),
        goal: { atMost: alpha },
        unit: 'share',
        strict: true,
      },
    ];
  });
  if (form === 'full' || all.all === undefined) return each;
  const pooled = shareOf({ ...all.all, minutes: [] });
  return [
    ...each,
    {
      what: 'false rollback, all of these nulls together',
      estimate: pooled,
      goal: { atMost: alpha },
      unit: 'share',
      strict: true,
    },
  ];
}

/**
 * What was wanted of the rule before, which did not reckon with weather, and what it reached: a figure of the shipped
 * default on these streams (600 rollouts each, commit 48a082da), or of docs/judge.md before.
 */
interface Price {
  readonly what: string;
  readonly goal: string;
  readonly before: string;
  readonly now: string;
}

type Figure = 'median' | 'exposed' | 'found';
const read: Readonly<Record<Figure, (tally: Tally) => string>> = {
  median: (tally) => figure(medianOf(tally).value, 'minutes'),
  exposed: (tally) => figure(exposureOf(tally).value, 'requests'),
  found: (tally) => figure(shareOf(tally).value, 'share'),
};

const wanted: readonly (readonly [name: string, figure: Figure, goal: string, before: string])[] = [
  [errorsName(6000, 1.5), 'found', '>= 99 %', '99.5 %'],
  [errorsName(6000, 1.5), 'median', '<= 27 min', '25 min'],
  [errorsName(6000, 2), 'median', '<= 11 min', '14 min'],
  [errorsName(6000, 2), 'exposed', '<= 3,900', '5,599'],
  [errorsName(6000, 3), 'median', '<= 4 min', '5 min'],
  [errorsName(6000, 3), 'exposed', '<= 1,300', '1,647'],
  [errorsName(6000, 5), 'median', '<= 2 min', '3 min'],
  [errorsName(6000, 5), 'exposed', '<= 550', '877'],
  [errorsName(600, 3), 'found', '>= 99.5 %', '100 %'],
  [errorsName(600, 3), 'median', '<= 24 min', '23 min'],
  [errorsName(600, 3), 'exposed', '<= 1,200', '1,748'],
  [latencyName(6000, 'x1.1'), 'median', '<= 12 min', '13 min'],
  [latencyName(6000, 'x1.25'), 'median', '<= 3 min', '3 min'],
];

/** What robustness costs: nobody drops these goals in silence. */
export function prices(results: Results): readonly Price[] {
  const detected = wanted.flatMap(([name, kind, goal, before]): readonly Price[] => {
    const tally = results[name]?.[oursName.default];
    return tally === undefined ? [] : [{ what: `${name}: ${kind}`, goal, before, now: read[kind](tally) }];
  });
  const certified = [
    { rpm: 6000, goal: '<= 3 ticks', before: '3 ticks', now: (tally: Tally) => figure(medianOf(tally).value, 'ticks') },
    {
      rpm: 600,
      goal: '>= 95 % in 60',
      before: '95.1 %',
      now: (tally: Tally) => figure(shareWithin(tally, 60).value, 'share'),
    },
  ].flatMap(({ rpm, now, ...rest }): readonly Price[] => {
    const tally = results[healthyName(rpm)]?.errors;
    return tally === undefined
      ? []
      : [
          {
            what: `${healthyName(rpm)}: certified by errors alone, in ticks of the last step`,
            ...rest,
            now: now(tally),
          },
        ];
  });
  const tuned = [2, 3, 5].flatMap((ratio): readonly Price[] => {
    const name = errorsName(6000, ratio);
    const ours = results[name]?.[oursName.errors];
    const best = bestTuned(results[name] ?? {}, 'safe');
    if (ours === undefined || best === undefined) return [];
    const goal = `<= ${figure(exposureOf(best.tally).value, 'requests')}, the tuned limit that is best at this effect`;
    return [{ what: `${name}: exposed, errors alone`, goal, before: '', now: read.exposed(ours) }];
  });
  return [...detected, ...certified, ...tuned];
}

function found(results: Results): readonly Claim[] {
  const tally = results[qualityName(1)]?.['this judge, paired shadow'];
  if (tally === undefined) return [];
  const what = qualityName(1);
  return [
    { what: `${what}: found`, estimate: shareOf(tally), goal: { atLeast: 1 }, unit: 'share' },
    { what: `${what}: median`, estimate: medianOf(tally), goal: { atMost: 180 }, unit: minute },
  ];
}

/** The tuned shape that exposes least, of those with the same false rollback in N1, N2 and N3 (`safe`), or N1 (`iid`). */
export function bestTuned(
  tallies: Tallies,
  tuning: string,
): { readonly shape: string; readonly tally: Tally } | undefined {
  return shapes
    .flatMap(({ name }) => {
      const tally = tallies[tunedName(tuning, name)];
      return tally === undefined ? [] : [{ shape: name, tally }];
    })
    .toSorted((a, b) => exposureOf(a.tally).value - exposureOf(b.tally).value)[0];
}

/**
 * What the default exposed before noise of an arm's own was part of the rule: 600 rollouts each of these streams, with
 * edition 2 of the rules (commit 48a082da), the weights of the default and its warm-up of latency alone.
 */
export const exposedBefore: Readonly<Record<string, number>> = {
  [errorsName(6000, 2)]: 5599,
  [errorsName(6000, 3)]: 1647,
  [errorsName(6000, 5)]: 877,
  [errorsName(600, 2)]: 6640,
  [errorsName(600, 3)]: 1748,
  [errorsName(600, 5)]: 533,
  [errorsName(60, 3)]: 1672,
  [errorsName(60, 5)]: 723,
};
const mostOfBefore = 1.4;

function price(results: Results): readonly Claim[] {
  return Object.entries(exposedBefore).flatMap(([name, before]): readonly Claim[] => {
    const tally = results[name]?.[oursName.default];
    return tally === undefined
      ? []
      : [
          {
            what: `${name}: exposed, against ${mostOfBefore} times the ${figure(before, 'requests')} of edition 2`,
            estimate: exposureOf(tally),
            goal: { atMost: mostOfBefore * before },
            unit: 'requests',
          },
        ];
  });
}

/** Each with its ratio: the one target that a better protection was allowed to cost. */
export function exposureTable(results: Results): string {
  const rows = Object.entries(exposedBefore).flatMap(([name, before]): readonly Row[] => {
    const tally = results[name]?.[oursName.default];
    if (tally === undefined) return [];
    const { value, low, high } = exposureOf(tally);
    const times = (exposed: number) => (exposed / before).toFixed(2);
    return [
      [
        name,
        figure(before, 'requests'),
        figure(value, 'requests'),
        `${times(value)} (${times(low)} to ${times(high)})`,
        value <= mostOfBefore * before ? 'met' : '**missed**',
        tally.runs.toLocaleString('en-GB'),
      ],
    ];
  });
  return table(['candidate', 'edition 2', 'today', 'times as many', `goal <= ${mostOfBefore}`, 'rollouts'], rows);
}

/** At most 1 % of the innocent, and 5 % of those at the margin, whatever the weather. */
function inWeather(results: Results): readonly Claim[] {
  return knowledges.flatMap((known) =>
    [...conditions, ...furtherConditions].flatMap((condition): readonly Claim[] => {
      if (condition.isUnprotected) return [];
      const claim = (what: string, name: string, atMost: number): readonly Claim[] => {
        const tally = results[name]?.judge;
        return tally === undefined
          ? []
          : [{ what: `${what} in weather, ${name}`, estimate: shareOf(tally), goal: { atMost }, unit: 'share' }];
      };
      return [
        ...claim('rolled back', falseName(condition, known), alpha),
        ...claim('promoted', wrongName(condition, known), beta),
      ];
    }),
  );
}

function promotions(results: Results): readonly Claim[] {
  return marginNames.flatMap((name): readonly Claim[] => {
    const tally = results[name]?.promoted;
    return tally === undefined
      ? []
      : [{ what: `promoted, ${name}`, estimate: shareOf(tally), goal: { atMost: beta }, unit: 'share', strict: true }];
  });
}

/** Every target that binds, with what was measured of it. */
export const claimsOn = (results: Results, form: 'short' | 'full'): readonly Claim[] => [
  ...inWeather(results),
  ...parts.flatMap((part) => part.claims(results, form)),
  ...price(results),
  ...falseRollbacks(results, form),
  ...found(results),
  ...promotions(results),
];

/** Whether the harness tells a mutant from the product. */
export interface Hunted {
  readonly letter: keyof typeof mutantTexts;
  readonly what: string;
  readonly in: string;
  readonly bound: string;
  readonly product: string;
  readonly mutant: string;
  /** The mutant breaks the bound beyond chance, and the product does not. */
  readonly flagged: boolean;
}

export function hunt(results: Results): readonly Hunted[] {
  const simulated = mutantCases.flatMap(({ name }): readonly Hunted[] => {
    const tallies = results[name];
    if (tallies === undefined) return [];
    return letters
      .filter((letter) => tallies[letter] !== undefined)
      .map((letter) => {
        const bound = letter === 'g' || letter === 'h' ? beta : alpha;
        const [product, mutant] = [shareOf(tallies.judge ?? newTally()), shareOf(tallies[letter] ?? newTally())];
        return {
          letter,
          what: mutantTexts[letter],
          in: name,
          bound: percent(bound),
          product: percent(product.value),
          mutant: percent(mutant.value),
          flagged: mutant.low > bound && product.low <= bound && (tallies.judge?.runs ?? 0) > 0,
        };
      });
  });
  return simulated.length === 0 ? [] : [...simulated, ...enumeratedMeans()];
}

const letters = ['a', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'] as const;
const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;

function enumeratedMeans(): readonly Hunted[] {
  const means = enumerated(fallingRamp);
  const [taxed, free] = [largestMeanWithBursts(), largestMeanWithBursts(untaxed)];
  const hunted = (letter: 'b' | 'm', place: string, product: number, mutant: number): Hunted => ({
    letter,
    what: mutantTexts[letter],
    in: `enumeration, ${place}: the largest mean of E after one tick`,
    bound: '1',
    product: product.toFixed(9),
    mutant: mutant > 100 ? mutant.toExponential(1) : mutant.toFixed(9),
    flagged: mutant > 1 + rounding && product <= 1 + rounding,
  });
  return [hunted('b', 'falling ramp', means.judge, means.b), hunted('m', 'a burst in one tick of 400', taxed, free)];
}
