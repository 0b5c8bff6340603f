import {
  type Crowd,
  type Labelled,
  labelledSource,
  lossySource,
  mirroredSource,
  noisyMirrorSource,
  segmentedSource,
  stickySource,
} from './others-streams.ts';
import type { Random } from './random.ts';
import { follow, planFor, type Source } from './rollout.ts';
import { type Case, note } from './tally.ts';

/**
 * Rollouts that are judged by their users, segments, labels, losses or pairs, through the product's own table. In the
 * nulls the candidate is as good as its champion; in the effects it is worse in this one thing.
 */
type Given = NonNullable<Parameters<typeof planFor>[0]>;
interface Scene {
  readonly name: string;
  readonly given: Given;
  readonly sticky?: true;
  readonly source: (random: Random) => Source;
  /** Minutes after which nobody looks any more. */
  readonly until?: number;
  readonly short?: number;
}

const maturity = '30m';
const labels = { maturity } as const;
const rpm = 6000;

/** Three labels in ten never come, and of the others 78 % within the half hour, whichever model answered. */
const delayed = 0.7 * (1 - Math.exp(-30 / 20));
const alike = { right: delayed, wrong: delayed };
const bothAlike: Labelled['comes'] = { candidate: alike, champion: alike };
/** Of the candidate's wrong predictions a fifth is never told, and of the champion's a tenth of all. */
const hidden: Labelled['comes'] = {
  candidate: { right: 1, wrong: 0.8 },
  champion: { right: 0.9, wrong: 0.9 },
};

const labelled = (points: number, comes = bothAlike, wrong = 0.1): Scene['source'] => {
  const shares = { candidate: wrong + points / 100, champion: wrong };
  return (random) => labelledSource(random, { rpm, wrong: shares, comes });
};

const labelNulls: readonly Scene[] = [
  ...[0.02, 0.1].map((wrong) => ({
    name: `labels that come late or never, ${100 * wrong} % wrong`,
    given: { guardrails: { labels } },
    source: labelled(0, bothAlike, wrong),
    short: wrong === 0.02 ? 40 : 0,
  })),
  {
    name: 'labels whose lack depends on the arm and on the answer, taken at their worst',
    given: { guardrails: { labels: { ...labels, missing: 'worst' } } },
    source: labelled(0, hidden),
  },
];

const segments = Array.from({ length: 20 }, (_, index) => `s${index}`);
const segmented = (share: number, ratio: number): Pick<Scene, 'given' | 'source'> => ({
  given: { segments: { by: 'x-country', values: segments } },
  source: (random) =>
    segmentedSource(random, rpm, segments, (arm, segment) =>
      arm === 'candidate' && segment === 's0' ? share * ratio : share,
    ),
});

const crowd = { users: 3000, rpm: 3000, unlucky: { candidate: 0.02, champion: 0.02 }, failing: 0.1 } as const;
const sticky = (changes: Partial<Crowd> = {}): Pick<Scene, 'given' | 'sticky' | 'source'> => ({
  given: {},
  sticky: true,
  source: (random) => stickySource(random, { ...crowd, ...changes }),
});

/** Distributions of losses with the same mean for `more` = 0; how much more the candidate loses. */
const losses = {
  'of 1 in a hundred requests': (random: Random, more: number) => (random.next() < 0.01 + more ? 1 : 0),
  'small and spread, and a few of 1': (random: Random, more: number) =>
    random.next() < 0.02 + more ? 1 : random.next() ** 3 / 4,
  'even in [0, 1]': (random: Random, more: number) => Math.min(1, random.next() * (1 + 2 * more)),
} as const;
const lossy = (kind: keyof typeof losses, more: number): Pick<Scene, 'given' | 'source'> => ({
  given: { guardrails: { labels: { ...labels, kind: 'loss', marginLoss: 0.05 } } },
  source: (random) => lossySource(random, 600, (arm) => losses[kind](random, arm === 'candidate' ? more : 0)),
});

const mirrorPercent = 50;
const mirrored = (candidate: number, both: number): Pick<Scene, 'given' | 'source'> => ({
  given: { strategy: 'shadow', mirror: mirrorPercent },
  source: (random) => mirroredSource(random, mirrorPercent, { rpm: 600, champion: 0.02, candidate, both }),
});

/** Both models have noise of their own while one of them answers copies, and afterwards. */
const noisyMirror = (sd: number, p90 = 1): Pick<Scene, 'given' | 'source'> => ({
  given: { strategy: 'shadow', mirror: mirrorPercent },
  source: (random) => noisyMirrorSource(random, mirrorPercent, { rpm: 600, errors: 0.02, noise: { sd, ar: 0.8 }, p90 }),
});
const mirrorNoises = [0.05, 0.1, 0.2] as const;
const mirrorName = (sd: number): string => `pairs, and noise of each model's own, sd ${100 * sd} %, AR 0.8`;

export const otherNulls: readonly Scene[] = [
  ...labelNulls,
  { name: 'sticky users, few of whom send most and have all errors', ...sticky(), short: 20 },
  { name: 'sticky users, and bursts of 10 to 100 in one arm', ...sticky({ bursts: [10, 100] }) },
  { name: '20 segments', ...segmented(0.005, 1), short: 20 },
  { name: '20 segments with many errors', ...segmented(0.05, 1) },
  ...(Object.keys(losses) as (keyof typeof losses)[]).map((kind) => ({
    ...{ name: `losses ${kind}`, ...lossy(kind, 0) },
    short: kind === 'even in [0, 1]' ? 40 : 0,
  })),
  { name: 'pairs without shared errors', ...mirrored(0.02, 0.0004) },
  { name: 'pairs, nine errors in ten shared', ...mirrored(0.02, 0.018) },
  ...mirrorNoises.map((sd) => ({ name: mirrorName(sd), ...noisyMirror(sd), short: sd === 0.2 ? 60 : 0 })),
];

export const otherEffects: readonly Scene[] = [
  ...[1, 2, 5].map((points) => ({
    name: `labels: +${points} points beside 10 %`,
    given: { guardrails: { labels } },
    source: labelled(points),
    until: 180,
  })),
  ...[2, 3].map((ratio) => ({
    name: `sticky users: x${ratio} as many with errors`,
    ...sticky({ unlucky: { candidate: 0.02 * ratio, champion: 0.02 } }),
  })),
  ...[0.005, 0.05].map((share) => ({
    name: `one segment of 20: x3 beside ${100 * share} %`,
    ...segmented(share, 3),
    until: 180,
  })),
  ...[0.02, 0.05].map((more) => ({
    name: `losses small and spread: +${100 * more} points`,
    ...lossy('small and spread, and a few of 1', more),
    until: 180,
  })),
  ...[0.018, 0].map((both) => ({
    name: `pairs: +1 point beside 2 %, ${both === 0 ? 'no' : 'nine in ten'} errors shared`,
    ...mirrored(0.03, both),
  })),
];

/** Two hours: to the end of the guard behind a last step that took all of its time. */
const usualMinutes = 140;
/** So little that no evidence reaches it: the bound of the promotion is measured by itself. */
const neverBack = 1e-12;

export const innocentName = ({ name }: Pick<Scene, 'name'>): string => `innocent, ${name}`;

const caseOf = (scene: Scene, name: string, full: number): Case => ({
  name,
  runs: { short: scene.short ?? 0, full },
  begin() {
    const plan = planFor(scene.given);
    return (random, tallies) => {
      const { end, minutes, exposed } = follow(plan, scene.source(random), {
        until: scene.until ?? usualMinutes,
        sticky: scene.sticky === true,
      });
      note(tallies, 'judge', end === 'evidence' ? minutes : undefined, exposed);
      note(tallies, `ended: ${end}`, minutes);
    };
  },
});

/** As bad as the margin, where the labels of its wrong predictions are the ones that never come. */
export const otherMargins: readonly Scene[] = [
  {
    name: 'twice as many wrong, and half of these have no label, taken at their worst',
    given: { alpha: neverBack, guard: '0s', guardrails: { labels: { ...labels, missing: 'worst' } } },
    source: (random) =>
      labelledSource(random, {
        ...{ rpm: 600, wrong: { candidate: 0.2, champion: 0.1 } },
        comes: { candidate: { right: 1, wrong: 0.5 }, champion: { right: 1, wrong: 1 } },
      }),
  },
  {
    name: 'losses 0.05 above the champion',
    short: 40,
    ...lossy('small and spread, and a few of 1', 0.05 / 0.93),
    given: { ...lossy('small and spread, and a few of 1', 0).given, alpha: neverBack, guard: '0s' },
  },
  ...mirrorNoises.map((sd) => ({
    name: `twice as many slower than the p90: ${mirrorName(sd)}`,
    ...noisyMirror(sd, 2),
    given: { ...noisyMirror(sd).given, alpha: neverBack, guard: '0s' },
  })),
];

export const otherMarginName = ({ name }: Pick<Scene, 'name'>): string => `at the margin, ${name}`;
const wrongCaseOf = (scene: Scene): Case => ({
  name: otherMarginName(scene),
  runs: { short: scene.short ?? 0, full: 1000 },
  begin() {
    const plan = planFor(scene.given);
    return (random, tallies) => {
      const { end, promotedAt } = follow(plan, scene.source(random), { until: 180 });
      note(tallies, 'judge', end === 'certified' ? promotedAt : undefined);
    };
  },
});

export const otherCases: readonly Case[] = [
  ...otherNulls.map((scene) => caseOf(scene, innocentName(scene), 2000)),
  ...otherEffects.map((scene) => caseOf(scene, `worse, ${scene.name}`, 500)),
  ...otherMargins.map(wrongCaseOf),
];
