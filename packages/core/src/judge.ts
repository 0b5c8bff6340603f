import type { ModelPlan } from './config.ts';
import type { Tick } from './ports.ts';

export interface Arm {
  readonly requests: number;
  readonly errors: number;
}

/** What a rollout has seen of its two arms. Each tick counts once: those that start before `readTo` were counted. */
export interface Evidence {
  readonly readTo: number;
  /** Since the rollout began. */
  readonly candidate: Arm;
  readonly stable: Arm;
  /** Requests to the candidate in the step under way: below the plan's minimum the step has no data. */
  readonly stepRequests: number;
}

export type Judgement = { readonly evidence: Evidence; readonly harm?: string };

const none: Arm = { requests: 0, errors: 0 };

export const noEvidence = (readTo: number): Evidence => ({ readTo, candidate: none, stable: none, stepRequests: 0 });

/**
 * The one place where ticks come in and a verdict goes out.
 *
 * Today the verdict is the hard limit of the plan: the share of failed requests of the candidate since the rollout
 * began, once there were enough of them. Ticks before `evidence.readTo` and ticks without both arms' counts are skipped.
 */
export function judge(
  evidence: Evidence,
  ticks: readonly Tick[],
  readTo: number,
  arms: { readonly candidate: string; readonly stable?: string },
  plan: ModelPlan['rollout'],
): Judgement {
  const fresh = ticks.filter((tick) => tick.start >= evidence.readTo && tick.start < readTo);
  const candidate = sum(evidence.candidate, fresh, arms.candidate);
  const next: Evidence = {
    readTo: Math.max(evidence.readTo, readTo),
    candidate,
    stable: arms.stable === undefined ? evidence.stable : sum(evidence.stable, fresh, arms.stable),
    stepRequests: evidence.stepRequests + candidate.requests - evidence.candidate.requests,
  };
  const { share, minRequests } = plan.limits.errors;
  const harmful = candidate.requests >= minRequests && candidate.errors / candidate.requests > share;
  return harmful
    ? {
        evidence: next,
        harm: `${candidate.errors} of ${candidate.requests} requests to the candidate failed, more than the limit of ${percent(share)}`,
      }
    : { evidence: next };
}

const sum = (arm: Arm, ticks: readonly Tick[], deployment: string): Arm =>
  ticks.reduce(
    ({ requests, errors }, { counts }) => ({
      requests: requests + (counts[deployment]?.requests ?? 0),
      errors: errors + (counts[deployment]?.errors ?? 0),
    }),
    arm,
  );

export const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;
