import type { output } from 'zod';
import { day, durationText } from '../base/time.ts';
import { largestError } from '../base/truths.ts';
import type { GuardrailKind, Setting, Stream } from './guardrail.ts';
import type { Kit } from './kit.ts';

/** Requests, and so the labels of them, are known so long. */
export const labelsKeptMs = 35 * day;

/** Where the prediction is in the answer of a model. */
export const predictionPointer = (z: Pick<Kit['z'], 'string'>) =>
  z.string().regex(/^(\/[^/]*)+$/, { error: "write a JSON pointer such as '/score'" });

const schema = ({ z, duration, fields, isBelowMargin, aboveMargin }: Kit) =>
  z
    .strictObject({
      ...fields,
      /** How long after a request its label counts. */
      maturity: duration
        .refine((ms) => ms <= labelsKeptMs, { error: 'use at most 35d: requests are kept no longer' })
        .default(day),
      /** `wrong`: labels say right or wrong. `loss`: they are losses in [0, 1], and `tolerated` is how much more is allowed. */
      kind: z.enum(['wrong', 'loss']).default('wrong'),
      tolerated: z.number().min(0).lt(1).default(0),
      /** `loss` only: promote what is shown to lose less than this more than the champion. */
      marginLoss: z.number().gt(0).max(1).default(0.05),
      /** Requests without a label: left out (whether a label comes does not depend on the model), or taken at their worst. */
      missing: z.enum(['leftOut', 'worst']).default('leftOut'),
      /** Where the prediction is in the answer of the model, as JSON pointer; default: the usual places. */
      prediction: predictionPointer(z).optional(),
      /** `loss` only: truths are numbers, and an error of so much or more is a loss of 1. */
      scale: z.number().gt(0).max(largestError).optional(),
    })
    .refine(isBelowMargin, aboveMargin)
    .refine((rule) => rule.scale === undefined || rule.kind === 'loss', {
      path: ['scale'],
      error: "an error of a number is a loss: set kind: 'loss', or leave out scale",
    })
    .refine((rule) => rule.tolerated < rule.marginLoss, {
      path: ['tolerated'],
      error:
        'use a number below marginLoss: otherwise a candidate that bad would have to be promoted and rolled back at once',
    })
    .optional();

type Rule = NonNullable<output<ReturnType<typeof schema>>>;

/** Why labels cannot be judged in this rollout; `undefined`: they can. */
export function whyNoLabels(
  { kind, missing }: Pick<Rule, 'kind' | 'missing'>,
  { sticky, routing }: Pick<Setting, 'sticky' | 'routing'>,
): string | undefined {
  if (sticky) return 'labels are of single requests, and users stay with their model';
  if (kind !== 'loss') return undefined;
  if (routing === 'realised') return 'a bet on losses wants requests that are routed by a fresh coin';
  return missing === 'worst' ? 'a loss that is missing cannot be taken at its worst' : undefined;
}

const streamOf = (kind: Rule['kind'], stream: Pick<Stream, 'id' | 'harm' | 'promotes'>): Stream => ({
  ...stream,
  measure: 'labels',
  events: kind === 'loss' ? 'losses of predictions' : 'wrong predictions',
  counted: 'predictions',
  were: 'were wrong',
});

/** Predictions that were wrong, or lost more, as labels said later. */
export const labels = {
  name: 'labels',
  clock: 'labels',
  warmsUp: false,
  schema,
  watch(rule, setting) {
    const off = whyNoLabels(rule, setting);
    if (off !== undefined) return { off };
    return {
      streams:
        rule.missing === 'leftOut'
          ? [streamOf(rule.kind, { id: 'labels', harm: true, promotes: true })]
          : [
              streamOf(rule.kind, { id: 'labels', harm: true, promotes: false }),
              streamOf(rule.kind, { id: 'labels.worst', harm: false, promotes: true }),
            ],
      ...(rule.kind === 'loss' ? { loss: { tolerated: rule.tolerated, margin: rule.marginLoss } } : {}),
    };
  },
  warnings: ({ dryRun, maturity }, { tick, atMost }) =>
    dryRun || maturity + tick <= atMost
      ? []
      : [
          `labels mature in ${durationText(maturity)}, when the last step has been given up already: raise atMost (${durationText(atMost)})`,
        ],
} as const satisfies GuardrailKind<Rule>;
