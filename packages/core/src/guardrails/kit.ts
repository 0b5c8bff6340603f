import * as z from 'zod';

/**
 * What the parts of a config are made of. A guardrail gets it as an argument and imports only its types, so that the
 * functions that judge do not carry a schema library.
 */
const share = z.number().gt(0).lt(1);

const fields = {
  /** Roll back only what is worse than this many times the champion. */
  toleratedRatio: z.number().gt(0).max(100).default(1),
  /** Promote only what is shown to be less than this many times as bad as the champion. */
  margin: z
    .number()
    .min(1.2, { error: 'use at least 1.2: the requests of a rollout are too few to show a smaller margin' })
    .max(100)
    .default(2),
  /** A bad share below this is good enough, whatever the champion's is. */
  floor: share.default(0.001),
  /** Bad requests of one tick and arm that one cause may bring about together. */
  maxBurst: z.number().min(1).max(10_000).default(1),
  /** Its part of alpha; what is left is split evenly over the guardrails without one. */
  alphaShare: share.optional(),
  /** Counted and shown, but decides nothing. */
  dryRun: z.boolean().default(false),
};
const isBelowMargin = (rule: { readonly toleratedRatio: number; readonly margin: number }): boolean =>
  rule.toleratedRatio < rule.margin;
const aboveMargin = {
  path: ['toleratedRatio'],
  error: 'use a number below margin: otherwise a candidate that bad would have to be promoted and rolled back at once',
};

/** The bounds that the config sets a guardrail. */
const bounds = z.strictObject(fields).refine(isBelowMargin, aboveMargin);
export type Bounds = z.output<typeof bounds>;

// These only: every function that reads a config would carry the whole of `z`.
const schemas = {
  union: z.union,
  literal: z.literal,
  strictObject: z.strictObject,
  number: z.number,
  string: z.string,
  enum: z.enum,
};

/** `duration`: a duration of the config, in milliseconds once it is parsed. */
export const kitOf = (duration: z.ZodType<number, string>) => ({
  z: schemas,
  duration,
  fields,
  bounds,
  isBelowMargin,
  aboveMargin,
});
export type Kit = ReturnType<typeof kitOf>;
