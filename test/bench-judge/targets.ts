import { type Claim, exposureOf, figure, medianOf, shareOf, shareWithin } from './claims.ts';
import { oursName, tunedName } from './compare.ts';
import { conditions, falseName, knowledges, wrongName } from './conditions.ts';
import { errorsName, healthyName, latencyName, marginNames, qualityName } from './effects.ts';
import { enumerated, rounding } from './enumeration.ts';
import { mutantCases } from './mutant-cases.ts';
import { type mutants, mutantTexts } from './mutants.ts';
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

interface Found {
  readonly in: string;
  readonly rule: string;
  readonly atLeast?: number;
  readonly median?: number;
  readonly exposed?: number;
}

/** Of the design, for the shipped default: it had them for errors alone, without what noise of an arm's own costs. */
const detections: readonly Found[] = [
  { in: errorsName(6000, 1.5), rule: oursName.default, atLeast: 0.99, median: 27 },
  { in: errorsName(6000, 2), rule: oursName.default, median: 11, exposed: 3900 },
  { in: errorsName(6000, 3), rule: oursName.default, median: 4, exposed: 1300 },
  { in: errorsName(6000, 5), rule: oursName.default, median: 2, exposed: 550 },
  { in: errorsName(600, 3), rule: oursName.default, atLeast: 0.995, median: 24, exposed: 1200 },
  { in: latencyName(6000, 'x1.1'), rule: oursName.default, median: 12 },
  { in: latencyName(6000, 'x1.25'), rule: oursName.default, median: 3 },
  { in: qualityName(1), rule: 'this judge, paired shadow', atLeast: 1, median: 180 },
];

function found(results: Results): readonly Claim[] {
  return detections.flatMap(({ in: name, rule, atLeast, median, exposed }): readonly Claim[] => {
    const tally = results[name]?.[rule];
    if (tally === undefined) return [];
    return [
      ...(atLeast === undefined
        ? []
        : [{ what: `${name}: found`, estimate: shareOf(tally), goal: { atLeast }, unit: 'share' } as const]),
      ...(median === undefined
        ? []
        : [{ what: `${name}: median`, estimate: medianOf(tally), goal: { atMost: median }, unit: minute } as const]),
      ...(exposed === undefined
        ? []
        : [
            {
              what: `${name}: exposed`,
              estimate: exposureOf(tally),
              goal: { atMost: exposed },
              unit: 'requests',
            } as const,
          ]),
    ];
  });
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

/** The issue: at most 1 % of the innocent, and 5 % of those at the margin, whatever the weather. */
function inWeather(results: Results): readonly Claim[] {
  return knowledges.flatMap((known) =>
    ([falseName, wrongName] as const).flatMap((nameOf): readonly Claim[] => {
      const found = conditions.flatMap((condition) => {
        const name = nameOf(condition, known);
        const tally = results[name]?.judge;
        return tally === undefined ? [] : [{ name, estimate: shareOf(tally) }];
      });
      const worst = found.toSorted((a, b) => b.estimate.value - a.estimate.value)[0];
      if (worst === undefined) return [];
      const [bound, what] = nameOf === falseName ? [alpha, 'rolled back'] : [beta, 'promoted'];
      const beyond = found.filter(({ estimate }) => estimate.value > bound).length;
      const more = beyond === 0 ? '' : `, ${beyond} of them above`;
      return [
        {
          what: `${what} in each of ${found.length} kinds of weather${more}; the worst: ${worst.name}`,
          estimate: worst.estimate,
          goal: { atMost: bound },
          unit: 'share',
        },
      ];
    }),
  );
}

/** Against the tuned limit that exposes least at this effect: chosen with hindsight, and another one for each effect. */
function fewerExposed(results: Results): readonly Claim[] {
  return [2, 3, 5].flatMap((ratio): readonly Claim[] => {
    const tallies = results[errorsName(6000, ratio)] ?? {};
    const ours = tallies[oursName.errors];
    const best = bestTuned(tallies, 'safe');
    if (ours === undefined || best === undefined) return [];
    return [
      {
        what: `${errorsName(6000, ratio)}: exposed, errors alone, against the tuned limit that is best at this effect`,
        estimate: exposureOf(ours),
        goal: { atMost: exposureOf(best.tally).value },
        unit: 'requests',
      },
    ];
  });
}

function promotions(results: Results): readonly Claim[] {
  const wrong = marginNames.flatMap((name): readonly Claim[] => {
    const tally = results[name]?.promoted;
    return tally === undefined
      ? []
      : [{ what: `promoted, ${name}`, estimate: shareOf(tally), goal: { atMost: beta }, unit: 'share', strict: true }];
  });
  const fast = results[healthyName(6000)]?.errors;
  const slow = results[healthyName(600)]?.errors;
  return [
    ...wrong,
    ...(fast === undefined
      ? []
      : [
          {
            what: `${healthyName(6000)}: certified, median`,
            estimate: medianOf(fast),
            goal: { atMost: 3 },
            unit: 'ticks',
          } as const,
        ]),
    ...(slow === undefined
      ? []
      : [
          {
            what: `${healthyName(600)}: certified within 60 ticks`,
            estimate: shareWithin(slow, 60),
            goal: { atLeast: 0.95 },
            unit: 'share',
          } as const,
        ]),
  ];
}

/** Every target of the design, with what was measured of it. */
export const claimsOn = (results: Results, form: 'short' | 'full'): readonly Claim[] => [
  ...inWeather(results),
  ...parts.flatMap((part) => part.claims(results, form)),
  ...price(results),
  ...falseRollbacks(results, form),
  ...found(results),
  ...fewerExposed(results),
  ...promotions(results),
];

/** Whether the harness tells a mutant from the product. */
export interface Hunted {
  readonly letter: keyof typeof mutants;
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
  return simulated.length === 0 ? [] : [...simulated, enumeratedWeight()];
}

const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const;
const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;

function enumeratedWeight(): Hunted {
  const means = enumerated(fallingRamp);
  return {
    letter: 'b',
    what: mutantTexts.b,
    in: 'enumeration, falling ramp: the largest mean of E after one tick',
    bound: '1',
    product: means.judge.toFixed(9),
    mutant: means.b.toExponential(1),
    flagged: means.b > 1 + rounding && means.judge <= 1 + rounding,
  };
}

/** Why a target is missed, as far as it is known; with a colon before it. */
export function reasonFor({ what }: Claim): string {
  if (what.startsWith('errors') || what.startsWith('latency'))
    return ": the price of robustness. This goal is of a rule that a burst or an arm's own noise misleads";
  return '';
}
