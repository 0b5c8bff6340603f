import type { Arm } from '../../judge/compared.ts';
import { logHarm, safetyOf } from '../../judge/judge.ts';
import { rulesFor } from './evidence.ts';
import { candidateWeight, lastWeight, type Rollout } from './state.ts';

/** Evidence, and how much of it decides: natural logarithms of E. */
export interface Bar {
  readonly logE: number;
  readonly wanted: number;
}

/** What a rollout has seen so far, and how far that is from what takes it back and from what lets it pass. */
export interface Standing {
  /** The candidate's share of the traffic, in percent. */
  readonly weight: number;
  readonly candidate: Arm;
  readonly champion: Arm;
  /** Ticks that are evidence. */
  readonly ticks: number;
  /** Of the candidate's harm; absent: there is no champion to compare it with. */
  readonly harm?: Bar;
  /** That the candidate is safe, by stream: a promotion certificate wants all of them. Absent: nothing is certified. */
  readonly safety?: readonly (Bar & { readonly stream: string })[];
}

export function standingOf(rollout: Rollout): Standing {
  const { evidence, stable, kind } = rollout;
  const rules = rulesFor(rollout);
  const seen = {
    weight: candidateWeight(rollout),
    candidate: evidence.candidate,
    champion: evidence.stable,
    ticks: evidence.ticks,
  };
  if (stable === undefined || kind === 'rollback') return seen;
  const safety = safetyOf(evidence, lastWeight(rollout), rules);
  const passes = Math.log(1 / rules.beta);
  return {
    ...seen,
    harm: { logE: finite(logHarm(evidence, rules)), wanted: Math.log(1 / rules.alpha) },
    ...(safety === undefined
      ? {}
      : { safety: safety.map(({ stream, logE }) => ({ stream, logE: finite(logE), wanted: passes })) }),
  };
}

/** E is 1 before the first evidence. */
const finite = (log: number): number => (Number.isFinite(log) ? log : 0);
