import { byMeasure, slowerThan } from '../../packages/core/src/base/measures.ts';
import type { Counts, LabelTick, UserCounts } from '../../packages/core/src/ports/telemetry.ts';
import type { Random } from './random.ts';
import { type ArmCounts, type Beside, candidate, champion, type Source } from './rollout.ts';
import { thresholds } from './stream.ts';
import { atOdds, type Noise, noiseOf } from './weather.ts';

/** Requests whose users, segments, labels, losses and copies are looked at as well. */

const slowShares = [0.5, 0.1, 0.01] as const;
const measures = ['errors', ...thresholds.map(slowerThan)];
const emptyArm = (): ArmCounts => ({ requests: 0, errors: 0, slow: [0, 0, 0] });
const arms = () => ({ candidate: emptyArm(), champion: emptyArm() });
type Arms = ReturnType<typeof arms>;
const names = ['candidate', 'champion'] as const;
const nameOf = { candidate, champion };

const weightOf = (arm: keyof Arms, weight: number): number => (arm === 'candidate' ? weight : 100 - weight);

/** Independent requests, each routed by its own coin. */
function fillArms(random: Random, counts: Arms, rpm: number, weight: number, errors: number): void {
  for (const arm of names) {
    const own = counts[arm];
    own.requests = random.poisson((rpm * weightOf(arm, weight)) / 100);
    own.errors = random.binomial(own.requests, errors);
    slowIn(random, own);
  }
}

/** Nested: a request that is slower than the p99 is slower than the p90. */
function slowIn(random: Random, own: ArmCounts): void {
  let [left, of] = [own.requests, 1];
  for (const [index, share] of slowShares.entries()) {
    left = random.binomial(left, share / of);
    own.slow[index] = left;
    of = share;
  }
}

export interface Labelled {
  readonly rpm: number;
  /** The share of the predictions that are wrong, of each arm. */
  readonly wrong: Readonly<Record<keyof Arms, number>>;
  /** Of the right and of the wrong ones the share whose label has come when it matures, of each arm. */
  readonly comes: Readonly<Record<keyof Arms, { readonly right: number; readonly wrong: number }>>;
}

export function labelledSource(random: Random, { rpm, wrong, comes }: Labelled): Source {
  const counts = arms();
  return {
    next(weight) {
      fillArms(random, counts, rpm, weight, 0.005);
      const rows = names.map((arm) => {
        const { requests } = counts[arm];
        const all = random.binomial(requests, wrong[arm]);
        const told = random.binomial(all, comes[arm].wrong);
        const labelled = told + random.binomial(requests - all, comes[arm].right);
        return { deployment: nameOf[arm], weight: weightOf(arm, weight), requests, labelled, wrong: told };
      });
      return { ...counts, beside: { labels: { rows, losses: [], pairs: {} } } };
    },
  };
}

/** Losses in the order of the requests; `lossOf` draws one of an arm. */
export function lossySource(random: Random, rpm: number, lossOf: (arm: keyof Arms) => number): Source {
  const counts = arms();
  return {
    next(weight) {
      fillArms(random, counts, rpm, weight, 0.005);
      let [ours, theirs] = [counts.candidate.requests, counts.champion.requests];
      const losses: LabelTick['losses'][number][] = [];
      while (ours + theirs > 0) {
        const arm = random.next() * (ours + theirs) < ours ? 'candidate' : 'champion';
        if (arm === 'candidate') ours -= 1;
        else theirs -= 1;
        losses.push({ deployment: nameOf[arm], weight: weightOf(arm, weight), loss: lossOf(arm) });
      }
      const rows = names.map((arm) => ({
        ...{ deployment: nameOf[arm], weight: weightOf(arm, weight), requests: counts[arm].requests },
        ...{ labelled: 0, wrong: 0 },
      }));
      return { ...counts, beside: { labels: { rows, losses, pairs: {} } } };
    },
  };
}

/** The shares of errors of each segment of even size, in the order of their names. */
export function segmentedSource(
  random: Random,
  rpm: number,
  segments: readonly string[],
  errorsOf: (arm: keyof Arms, segment: string) => number,
): Source {
  const counts = arms();
  return {
    next(weight) {
      const found: Record<string, Readonly<Record<string, Counts>>> = {};
      for (const own of Object.values(counts)) Object.assign(own, emptyArm());
      for (const segment of segments) {
        const part = arms();
        for (const arm of names) {
          fillArms(random, part, rpm / segments.length, weight, 0);
          part[arm].errors = random.binomial(part[arm].requests, errorsOf(arm, segment));
          add(counts[arm], part[arm]);
          found[segment] = { ...found[segment], [nameOf[arm]]: countsOf(part[arm]) };
        }
      }
      return { ...counts, beside: { segments: found } };
    },
  };
}

function add(sum: ArmCounts, part: ArmCounts): void {
  sum.requests += part.requests;
  sum.errors += part.errors;
  for (const index of slowShares.keys()) sum.slow[index] = (sum.slow[index] ?? 0) + (part.slow[index] ?? 0);
}

const badOf = ({ errors, slow }: ArmCounts, measure: string): number =>
  measure === 'errors' ? errors : (slow[measures.indexOf(measure) - 1] ?? 0);
const countsOf = (own: ArmCounts): Counts => ({
  requests: own.requests,
  bad: byMeasure(measures, (measure) => badOf(own, measure)),
});

export interface Crowd {
  readonly users: number;
  /** Requests a minute of all of them. Few users send most. */
  readonly rpm: number;
  /** The share of users who meet errors at all, of each arm, and of how many of their requests. */
  readonly unlucky: Readonly<Record<keyof Arms, number>>;
  readonly failing: number;
  /** Once in 20 minutes, for each arm by itself, so many requests fail at once. */
  readonly bursts?: readonly [number, number];
}

/** Users with a lognormal number of requests a minute, each with the arm of its bucket at every weight. */
export function stickySource(random: Random, { users, rpm, unlucky, failing, bursts }: Crowd): Source {
  const crowd = Array.from({ length: users }, () => ({
    ...{ bucket: 100 * random.next(), trait: random.next(), mean: Math.exp(1.5 * random.normal()) },
    ...{ isSeen: false, had: [false, false, false, false] },
  }));
  const sum = crowd.reduce((all, { mean }) => all + mean, 0);
  for (const user of crowd) user.mean *= rpm / sum;
  const counts = arms();
  return {
    next(weight) {
      const told = { candidate: emptyTold(), champion: emptyTold() };
      const burst = { candidate: burstOf(random, bursts), champion: burstOf(random, bursts) };
      for (const own of Object.values(counts)) Object.assign(own, emptyArm());
      for (const user of crowd) {
        const requests = random.poisson(user.mean);
        if (requests === 0) continue;
        const arm = user.bucket < weight ? 'candidate' : 'champion';
        const one: ArmCounts = { ...emptyArm(), requests };
        one.errors = user.trait < unlucky[arm] ? random.binomial(requests, failing) : 0;
        const struck = Math.min(requests - one.errors, burst[arm]);
        one.errors += struck;
        burst[arm] -= struck;
        slowIn(random, one);
        add(counts[arm], one);
        if (!user.isSeen) told[arm].assigned += 1;
        user.isSeen = true;
        for (const [index, measure] of measures.entries()) {
          if (user.had[index]) continue;
          const isBad = badOf(one, measure) > 0;
          told[arm].atRisk[index] = (told[arm].atRisk[index] ?? 0) + 1;
          if (isBad) told[arm].bad[index] = (told[arm].bad[index] ?? 0) + 1;
          user.had[index] = isBad;
        }
      }
      const beside: Beside = {
        users: { [candidate]: usersOf(told.candidate), [champion]: usersOf(told.champion) },
      };
      for (const arm of names) counts[arm].requests = Math.max(counts[arm].requests, counts[arm].errors);
      return { ...counts, beside };
    },
  };
}

const emptyTold = () => ({ assigned: 0, atRisk: [0, 0, 0, 0], bad: [0, 0, 0, 0] });
const usersOf = ({ assigned, atRisk, bad }: ReturnType<typeof emptyTold>): UserCounts => ({
  assigned,
  bad: byMeasure(measures, (measure) => {
    const index = measures.indexOf(measure);
    return { atRisk: atRisk[index] ?? 0, bad: bad[index] ?? 0 };
  }),
});
const burstOf = (random: Random, bursts: Crowd['bursts']): number =>
  bursts === undefined || random.next() * 20 >= 1
    ? 0
    : bursts[0] + Math.floor(random.next() * (bursts[1] - bursts[0] + 1));

export interface Mirrored {
  readonly rpm: number;
  /** The share of the requests that the champion's answer fails, the candidate's, and both at once. */
  readonly champion: number;
  readonly candidate: number;
  readonly both: number;
}

/** A shadow: the champion serves all, and the candidate answers a copy of a part of it. */
export function mirroredSource(random: Random, mirrorPercent: number, { rpm, ...fails }: Mirrored): Source {
  const counts = arms();
  return {
    next(weight) {
      fillArms(random, counts, rpm, weight, fails.champion);
      if (weight > 0) {
        counts.candidate.errors = random.binomial(counts.candidate.requests, fails.candidate);
        return { ...counts };
      }
      const pairs = random.binomial(counts.champion.requests, mirrorPercent / 100);
      const mirror = random.binomial(pairs, fails.candidate - fails.both);
      const served = random.binomial(
        pairs - mirror,
        (fails.champion - fails.both) / (1 - fails.candidate + fails.both),
      );
      const bad = { errors: { mirror, served } };
      return {
        ...counts,
        beside: {
          pairs: {
            [candidate]: { pairs, dropped: 0, bad, predictions: { higher: 0, lower: 0, equal: pairs } },
          },
        },
      };
    },
  };
}

/** A shadow whose arms have noise of their own, the same for their errors and their latency. */
export interface NoisyMirror {
  readonly rpm: number;
  readonly errors: number;
  readonly noise: Noise;
  /** How many times as many of the candidate's answers are slower than the champion's p90. */
  readonly p90?: number;
}

/** Both answers to a request are independent but for the minute that they come in. */
export function noisyMirrorSource(random: Random, mirrorPercent: number, mirror: NoisyMirror): Source {
  const counts = arms();
  const [ours, theirs] = [noisyArm(random, mirror, mirror.p90 ?? 1), noisyArm(random, mirror, 1)];
  return {
    next(weight) {
      const [copied, served] = [ours(), theirs()];
      drawArm(random, counts.candidate, (mirror.rpm * weight) / 100, copied);
      drawArm(random, counts.champion, (mirror.rpm * (100 - weight)) / 100, served);
      if (weight > 0) return { ...counts };
      const pairs = random.binomial(counts.champion.requests, mirrorPercent / 100);
      const badCopies = random.binomial(pairs, copied.errors);
      const copyAlone = random.binomial(badCopies, 1 - served.errors);
      const bad: Record<string, { mirror: number; served: number }> = {
        errors: { mirror: copyAlone, served: random.binomial(pairs - badCopies, served.errors) },
        ...byMeasure(measures.slice(1), () => ({ mirror: 0, served: 0 })),
      };
      // How many thresholds the served answer is above, and then its copy.
      for (const [level, group] of levelsOf(random, pairs, served.slow).entries())
        for (const [copy, size] of levelsOf(random, group, copied.slow).entries())
          for (const [index, measure] of measures.slice(1).entries()) {
            const found = bad[measure];
            if (found === undefined) continue;
            if (copy > index && level <= index) found.mirror += size;
            if (level > index && copy <= index) found.served += size;
          }
      const told = { pairs, dropped: 0, bad, predictions: { higher: 0, lower: 0, equal: pairs } };
      return { ...counts, beside: { pairs: { [candidate]: told } } };
    },
  };
}

interface Shares {
  readonly errors: number;
  readonly slow: readonly number[];
}

/** The shares of an arm, minute after minute. */
function noisyArm(random: Random, { errors, noise }: NoisyMirror, p90: number): () => Shares {
  const [failing, slow] = [noiseOf(random, noise), noiseOf(random, noise)];
  return () => {
    const odds = slow();
    return {
      errors: atOdds(errors, failing()),
      slow: slowShares.map((share, index) => atOdds(share * (index === 1 ? p90 : 1), odds)),
    };
  };
}

function drawArm(random: Random, own: ArmCounts, mean: number, { errors, slow }: Shares): void {
  own.requests = random.poisson(mean);
  own.errors = random.binomial(own.requests, errors);
  const levels = levelsOf(random, own.requests, slow);
  for (const index of slow.keys()) own.slow[index] = levels.slice(index + 1).reduce((sum, size) => sum + size, 0);
}

/** How many of so many are slower than none, one, two and all three of the thresholds. */
function levelsOf(random: Random, all: number, shares: readonly number[]): readonly number[] {
  let [left, of] = [all, 1];
  const above = shares.map((share) => {
    left = random.binomial(left, Math.min(1, share / of));
    of = share;
    return left;
  });
  return [all, ...above].map((count, index) => count - (above[index] ?? 0));
}
