import type { Stream } from '../guardrails/guardrail.ts';
import { noBets } from './betting.ts';
import { type ConditionId, conditionsOf } from './conditions.ts';
import type { Cells, Evidence } from './evidence.ts';
import type { Interval } from './interval.ts';
import { intervalOf, logGuardrail, logHarm, logPairs, logRouted, logStream, unmeasured } from './judge.ts';
import { toleranceOf } from './noise.ts';
import { type Guardrail, type Rules, ruleVersion } from './rules.ts';
import { logSafe } from './safe.ts';
import { type Decided, sentenceOf } from './sentence.ts';

/** All that a reader needs to check how a rollout ended. Logarithms are natural ones. */
export interface Certificate {
  readonly rule: string;
  /** `none`: policy, a person or time ended it, and neither bound was used. */
  readonly verdict: 'rollback' | 'promotion' | 'none';
  readonly sentence: string;
  readonly alpha: number;
  readonly beta: number;
  readonly candidate: number;
  readonly champion?: number;
  /** Ticks that are evidence, and the time (ms) up to which they were read. */
  readonly ticks: number;
  /** How long a tick is, in milliseconds. */
  readonly tickMs?: number;
  readonly readTo: number;
  /** The candidate's weight (percent) in the last step: a promotion counts only the ticks of that step. */
  readonly lastWeight?: number;
  readonly routing: Rules['routing'];
  readonly unit: Rules['unit'];
  /** Of the family of guardrails; a rollback needs log(1/alpha). */
  readonly logE: number;
  readonly logSampleRatio: number;
  readonly guardrails: readonly GuardrailFinding[];
  /** What was assumed. */
  readonly conditions: readonly string[];
  /** Of each condition, in the same order: `breakOf` knows what makes it untrue. */
  readonly conditionIds?: readonly ConditionId[];
}

/** What one guardrail found. */
export interface GuardrailFinding {
  readonly name: string;
  readonly alphaShare: number;
  readonly toleratedRatio: number;
  readonly margin: number;
  readonly floor: number;
  readonly maxBurst: number;
  readonly logE: number;
  /** `certified`: it reaches 1/alpha with its own part. */
  readonly blame?: 'certified' | 'mostLikely';
  readonly streams: readonly StreamFinding[];
}

export interface StreamFinding {
  readonly id: string;
  /** What was counted as bad: `failed requests`. */
  readonly events?: string;
  readonly cells: Cells;
  /** Mirrored requests with exactly one bad answer: [the candidate's, the champion's]. */
  readonly pairs?: readonly [number, number];
  /** `log E` of these pairs against the candidate, beside that of split traffic. */
  readonly logEPairs?: number;
  readonly logE: number;
  /** Of a stream that is judged tick by tick, see `Tolerance`. */
  readonly noise?: number;
  readonly tolerated?: number;
  /** `log E'` of the last step, where a promotion needs it to reach log(1/beta). */
  readonly logSafe?: number;
  /** Candidate to champion, at level 1 - alpha, if the ratio is constant; under noise that is measured, not proved. */
  readonly ratio: Interval;
}

export interface Case {
  readonly rules: Rules;
  readonly evidence: Evidence;
  readonly candidate: number;
  readonly champion?: number | undefined;
  readonly lastWeight?: number | undefined;
  readonly warmUp: number;
  readonly tickMs: number;
  /** What is to be done now, for a person, as a clause. */
  readonly now: string;
}

/** Without bounds (`none`) `because` says what decided. */
export function certificateOf(given: Case, decided: Decided): Certificate {
  const { rules, evidence, candidate, champion, lastWeight, tickMs } = given;
  const { verdict } = decided;
  const logE = logHarm(evidence, rules);
  const guardrails = findingsOf(given, verdict === 'rollback');
  const conditions = conditionsOf({
    ...given,
    verdict,
    unmeasured: rules.guardrails.filter((guardrail) => unmeasured(evidence, guardrail)),
  });
  const certificate = {
    rule: ruleVersion,
    verdict,
    alpha: rules.alpha,
    beta: rules.beta,
    candidate,
    ...(champion === undefined ? {} : { champion }),
    ticks: evidence.ticks,
    tickMs,
    readTo: evidence.readTo,
    ...(lastWeight === undefined ? {} : { lastWeight }),
    routing: rules.routing,
    unit: rules.unit,
    logE: finite(logE),
    logSampleRatio: logRouted(evidence),
    guardrails,
    conditions: conditions.map(({ text }) => text),
    conditionIds: conditions.map(({ id }) => id),
  };
  return { ...certificate, sentence: sentenceOf(certificate, decided, given) };
}

/** Without a deciding guardrail there is no family: E is 1. */
const finite = (log: number): number => (Number.isFinite(log) ? log : 0);

function findingsOf({ rules, evidence, lastWeight }: Case, blames: boolean): readonly GuardrailFinding[] {
  const findings = rules.guardrails.map(
    (guardrail): GuardrailFinding => ({
      name: guardrail.name,
      alphaShare: guardrail.alphaShare,
      toleratedRatio: guardrail.toleratedRatio,
      margin: guardrail.margin,
      floor: guardrail.floor,
      maxBurst: guardrail.maxBurst,
      logE: logGuardrail(evidence, guardrail, rules),
      streams: guardrail.streams.map((stream) => streamOf(stream, guardrail)),
    }),
  );
  if (!blames) return findings;
  const weighed = ({ alphaShare, logE }: GuardrailFinding) =>
    alphaShare === 0 ? Number.NEGATIVE_INFINITY : Math.log(alphaShare) + logE;
  const worst = Math.max(...findings.map(weighed));
  return findings.map((guardrail): GuardrailFinding => {
    if (guardrail.alphaShare > 0 && weighed(guardrail) >= Math.log(1 / rules.alpha))
      return { ...guardrail, blame: 'certified' };
    return weighed(guardrail) === worst && worst < Math.log(1 / rules.alpha)
      ? { ...guardrail, blame: 'mostLikely' }
      : guardrail;
  });

  function streamOf(stream: Stream, guardrail: Guardrail): StreamFinding {
    const { id, promotes, events } = stream;
    // The bets are on single losses: no prediction was counted as wrong or right.
    const bets = guardrail.loss === undefined ? undefined : (evidence.labels ?? { harm: noBets, safety: noBets });
    const cells = bets === undefined ? (evidence.streams[id] ?? {}) : {};
    const pairs = evidence.pairs[id];
    const certifies = promotes && lastWeight !== undefined && !unmeasured(evidence, guardrail);
    return {
      id,
      events,
      cells,
      ...(pairs === undefined ? {} : { pairs, logEPairs: logPairs(evidence, id) }),
      logE: bets === undefined ? logStream(evidence, id, guardrail) : bets.harm.logK,
      ...toleranceOf(evidence, id, guardrail),
      ...(certifies
        ? {
            logSafe:
              bets === undefined
                ? logSafe(evidence, stream, { weight: lastWeight, guardrail, rules })
                : bets.safety.logK,
          }
        : {}),
      ratio: intervalOf(evidence, id, guardrail, rules),
    };
  }
}
