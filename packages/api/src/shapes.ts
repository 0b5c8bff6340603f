import { refusing } from '@serin/core/config/forms';
import { hyperparameterProblem } from '@serin/core/config/hyperparameters';
import * as z from 'zod';

/** Parts of requests and answers that several routes share. */
export const modelName = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/);
/** An id, or as much of its beginning as no other has, with or without `run_` and `ro_`. */
export const runId = z.string().regex(/^(?:run_)?[0-9a-z]{4,64}$/);
export const rolloutId = z.string().regex(/^(?:ro_)?[0-9a-z]{4,64}$/);
export const digestText = z.string().regex(/^[0-9a-f]{4,64}$/);
/** A version's number in a path or a query. */
export const numberText = z
  .string()
  .regex(/^[1-9]\d{0,8}$/)
  .transform(Number);
export const countText = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);
export const versionNumber = z.int().min(1).max(999_999_999);
export const because = z.string().min(1).max(500);
export const instantText = z.iso.datetime({ offset: true });

/** What a trigger may choose: the model's plan has the last word, in the core. */
export const choices = {
  force: z.boolean().optional(),
  hyperparameters: z.record(z.string(), z.string()).superRefine(refusing(hyperparameterProblem)).optional(),
};

export const inModel = z.object({ model: modelName });
export const inVersion = z.object({ model: modelName, number: numberText });

/** What came of a signal. */
export const outcome = z.object({
  outcome: z.enum(['accepted', 'ignored', 'repeated']),
  because: z.string().optional(),
  seq: z.int().optional(),
});

export const why = z.object({
  sentence: z.string(),
  numbers: z.record(z.string(), z.number()),
  story: z.array(z.object({ at: z.string(), text: z.string() })),
  certificate: z
    .looseObject({ verdict: z.enum(['rollback', 'promotion', 'none']), sentence: z.string(), logE: z.number() })
    .optional(),
});

/** What became of one label. */
export const labelAnswer = z.enum(['recorded', 'duplicate', 'conflict', 'unknown', 'late']);
export const labelTotals = z.record(labelAnswer, z.int());

export const pageOf = <Item extends z.ZodType>(name: string, item: Item) =>
  z.object({ [name]: z.array(item), next: z.string().optional() });

/** What a signal of a person is answered with. */
export const signalAnswers = {
  200: { description: 'nothing to do: ignored, or repeated, and why', schema: outcome },
  202: { description: 'committed; what it starts goes on', schema: outcome },
} as const;
/** 409: the core refused; 412: `If-Match` names an older revision. */
export const signalProblems = [409, 412] as const;
