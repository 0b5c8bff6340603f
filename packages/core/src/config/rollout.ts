import * as z from 'zod';
import { day, minute, second } from '../base/time.ts';
import { kitOf } from '../guardrails/kit.ts';
import { guardrailSchemas } from '../guardrails/list.ts';
import { type Forms, tenYears } from './forms.ts';

/** The fields of a rollout, their bounds and defaults. */
const share = z.number().gt(0).lt(1);

export const rolloutOf = ({ duration }: Pick<Forms, 'duration'>) =>
  z
    .strictObject({
      strategy: z.enum(['allAtOnce', 'linear', 'canary', 'blueGreen', 'shadow', 'ab']).default('canary'),
      steps: z
        .array(z.int().min(1).max(99))
        .min(1)
        .refine((steps) => steps.every((step, index) => index === 0 || step > (steps[index - 1] ?? 0)), {
          error: 'give weights in percent, each larger than the one before',
        })
        .default([5, 25, 50]),
      /** linear only: percent added by each step. */
      increment: z.int().min(1).max(50).default(20),
      /** shadow only: percent of the requests that are copied to the candidate before its first step. */
      mirror: z.int().min(1).max(100).default(20),
      /** shadow only: what happens when the predictions are systematically higher or lower than the champion's. */
      onPredictionShift: z.enum(['hold', 'note']).default('hold'),
      /** ab only: percent of the requests for the candidate. */
      split: z.int().min(1).max(99).default(50),
      bake: duration.default(15 * minute),
      tick: duration
        .refine((ms) => ms >= second && ms % second === 0, { error: 'use whole seconds, at least 1s' })
        .default(minute),
      guard: duration.default(30 * minute),
      /** Percent of the traffic that the champion keeps while the promoted candidate is guarded. */
      guardShare: z.int().min(1).max(50).default(5),
      readyWithin: duration.default(15 * minute),
      /** How long the last step may last in all to gather evidence; default: four times `bake`. */
      atMost: duration.optional(),
      onInconclusive: z.enum(['hold', 'promote', 'rollBack']).default('hold'),
      maxHold: duration.default(day),
      /** Greatest probability of rolling back a candidate that is not worse than tolerated. */
      alpha: z.number().gt(0).max(0.2).default(0.01),
      /** Greatest probability of promoting a candidate that is as bad as the margin. */
      beta: z.number().gt(0).max(0.5).default(0.05),
      guardrails: z.strictObject(guardrailSchemas(kitOf(duration))).prefault({}),
      /** The share of the traffic that the judge reckons with: the weight that was set, or the share that came. */
      routing: z.enum(['configured', 'realised']).default('configured'),
      /**
       * The first ticks after each change of weight, in which slow requests are no evidence: caches and pools are cold.
       * Default: ten, but no more than two thirds of `bake`.
       */
      warmUp: z.int().min(0).max(1000).optional(),
      /** Judges each of these values of a request header by itself, too. */
      segments: z
        .strictObject({
          by: z.string().regex(/^[a-z0-9-]+$/),
          values: z.array(z.string().min(1).max(100)).min(1).max(20),
        })
        .optional(),
      /** Failed requests beyond the champion's share that the steps may cost, in expectation. */
      harmBudget: z.number().gt(0).optional(),
      /**
       * What `serin validate` reckons with: requests a minute of all models together, and the champion's share of
       * failures.
       */
      expected: z
        .strictObject({ rpm: z.number().gt(0), errorShare: z.number().min(0).max(0.5).default(0.0001) })
        .optional(),
      limits: z
        .strictObject({
          errors: z.strictObject({ share: share.default(0.5), minRequests: z.int().min(1).default(20) }).prefault({}),
          // Stored plans of older versions do not have it.
          together: z.boolean().default(true).optional(),
        })
        .prefault({}),
    })
    .prefault({})
    .transform((rule) => {
      const longEnough = 4 * rule.bake + (rule.guardrails.labels?.maturity ?? 0);
      const warmUp = rule.warmUp ?? Math.min(10, Math.floor((2 * rule.bake) / (3 * rule.tick)));
      return { ...rule, warmUp, atMost: rule.atMost ?? Math.min(longEnough, tenYears) };
    });
