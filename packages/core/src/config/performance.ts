import { day } from '../base/time.ts';
import type { TruthRule } from '../base/truths.ts';
import type { ModelPlan } from './config.ts';
import type { ParsedModel } from './schema.ts';

/** How long after its request a label counts for the performance of a model: what rollouts wait is the default. */
export const maturityOf = ({
  monitor: { performance },
  rollout: { guardrails },
}: {
  readonly monitor: { readonly performance?: { readonly maturity?: number | undefined } | undefined };
  readonly rollout: Pick<ParsedModel['rollout'], 'guardrails'>;
}): number => performance?.maturity ?? guardrails.labels?.maturity ?? 7 * day;

/** Where the prediction is in an answer, for whatever reads labels; absent: in the usual places. */
export const predictionIn = ({ monitor, rollout }: Pick<ModelPlan, 'monitor' | 'rollout'>): string | undefined =>
  rollout.guardrails?.labels?.prediction ?? monitor.performance?.prediction;

/** How whatever reads labels compares truths; `undefined`: as text. */
export function truthRuleOf({
  positive,
  scale,
}: {
  readonly positive?: string | undefined;
  readonly scale?: number | undefined;
}): TruthRule | undefined {
  if (positive !== undefined) return { positive };
  return scale === undefined ? undefined : { scale };
}
