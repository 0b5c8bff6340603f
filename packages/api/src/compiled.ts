import { nextCron } from '@serin/core/cron';
import { ownBucket } from '@serin/core/ports';
import * as z from 'zod';

/**
 * The compiled config as it comes over HTTP: every field checked again, because the core trusts it for ever.
 *
 * The author's schema (core/config) has texts where this one has milliseconds and bytes; a test holds that whatever
 * `compile` answers passes here unchanged.
 */
const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/);
const ms = z
  .int()
  .min(0)
  .max(10 * 366 * 24 * 3_600_000);
const text = z.string().min(1).max(4096);
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const environment = z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string());

const accelerator = z.strictObject({ type: text, count: z.int().min(1).max(16) });
const compute = z.strictObject({
  accelerator: accelerator.optional(),
  nodes: z.int().min(1).max(64),
  spot: z.boolean(),
  maxRuntime: ms,
  maxWait: ms,
});
const program = {
  code: z.strictObject({ digest }).optional(),
  image: text.optional(),
  command: z.array(text).min(1).max(1000),
  environment,
};

const data = z.strictObject({
  bucket: name.refine((bucket) => bucket !== ownBucket, {
    error: `'${ownBucket}' is where the pipeline itself writes`,
  }),
  prefix: z.string().max(512),
  settle: z.strictObject({ quiet: ms, atMost: ms, marker: text.optional(), manifest: text.optional() }),
  minObjects: z.int().min(1),
  minBytes: z.int().min(0),
  maxBytes: z.int().min(0).optional(),
  columns: z.array(text).optional(),
  rescan: ms.min(1000),
});

const schedule = z.strictObject({ cron: text, zone: text }).refine(({ cron, zone }) => isCron(cron, zone), {
  error: 'not a cron expression with a time zone',
});

const on = z.strictObject({
  data: z.boolean(),
  schedule: schedule.optional(),
  ci: z
    .strictObject({
      github: z.strictObject({ repository: text, ref: z.string().startsWith('refs/') }).optional(),
      webhook: z.strictObject({ repository: text, ref: text }).optional(),
    })
    .optional(),
});

const train = z.strictObject({
  ...program,
  hyperparameters: z.record(text, z.union([z.string(), z.number(), z.boolean()])),
  compute,
  checkpoints: z.boolean(),
  attempts: z.int().min(1).max(10),
  metrics: z.array(z.strictObject({ name: text, regex: text })),
});

const split = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('manifest'), train: text, holdout: text }),
  z.strictObject({ kind: z.literal('job'), rule: text, ...program, compute }),
]);

const criterion = z.strictObject({
  direction: z.enum(['up', 'down']),
  atLeast: z.number().optional(),
  atMost: z.number().optional(),
  noWorseBy: z.number().min(0).optional(),
});

const serve = z.union([
  z.literal('none'),
  z.strictObject({
    ...program,
    compute: z.strictObject({
      accelerator: accelerator.optional(),
      instances: z.strictObject({ min: z.int().min(1), max: z.int().min(1) }),
    }),
    stickyBy: z
      .string()
      .regex(/^[a-z0-9-]+$/)
      .optional(),
  }),
]);

const part = z.number().gt(0).lt(1);
const guardrailFields = {
  toleratedRatio: z.number().gt(0).max(100),
  margin: z.number().min(1.2).max(100),
  floor: part,
  maxBurst: z.number().min(1).max(10_000),
  alphaShare: part.optional(),
  dryRun: z.boolean(),
};
const isBelowMargin = (rule: { toleratedRatio: number; margin: number }) => rule.toleratedRatio < rule.margin;
const guardrail = z.union([z.literal(false), z.strictObject(guardrailFields).refine(isBelowMargin)]);
const labelsGuardrail = z
  .strictObject({
    ...guardrailFields,
    maturity: ms,
    kind: z.enum(['wrong', 'loss']),
    tolerated: z.number().min(0).lt(1),
    marginLoss: z.number().gt(0).max(1),
    missing: z.enum(['leftOut', 'worst']),
    prediction: text.optional(),
  })
  .refine(isBelowMargin)
  .refine((rule) => rule.tolerated < rule.marginLoss);

const rollout = z.strictObject({
  strategy: z.enum(['allAtOnce', 'linear', 'canary', 'blueGreen', 'shadow', 'ab']),
  steps: z.array(z.int().min(1).max(99)).min(1).max(99),
  increment: z.int().min(1).max(50),
  mirror: z.int().min(1).max(100),
  onPredictionShift: z.enum(['hold', 'note']),
  split: z.int().min(1).max(99),
  bake: ms,
  tick: ms.min(1000).multipleOf(1000),
  guard: ms,
  guardShare: z.int().min(1).max(50),
  readyWithin: ms,
  atMost: ms,
  onInconclusive: z.enum(['hold', 'promote', 'rollBack']),
  maxHold: ms,
  alpha: z.number().gt(0).max(0.2),
  beta: z.number().gt(0).max(0.5),
  guardrails: z.strictObject({ errors: guardrail, latency: guardrail, labels: labelsGuardrail.optional() }),
  routing: z.enum(['configured', 'realised']),
  warmUp: z.int().min(0).max(1000),
  segments: z.strictObject({ by: text, values: z.array(text).min(1).max(20) }).optional(),
  harmBudget: z.number().gt(0).optional(),
  expected: z.strictObject({ rpm: z.number().gt(0), errorShare: z.number().min(0).max(0.5) }).optional(),
  limits: z.strictObject({ errors: z.strictObject({ share: part, minRequests: z.int().min(1) }) }),
});

const model = z.strictObject({
  project: name,
  data,
  on,
  train,
  split: split.optional(),
  evaluate: z.strictObject({ ...program, compute }).optional(),
  gate: z.record(text, criterion).optional(),
  approval: z.strictObject({ required: z.boolean(), fourEyes: z.boolean(), expires: ms }).optional(),
  labels: z.strictObject({ bucket: name, prefix: text }).optional(),
  serve,
  rollout,
  monitor: z.strictObject({
    onDrift: z.enum(['run', 'notify']),
    cooldown: ms,
    retrainBudget: z.strictObject({ runs: z.int().min(0), per: ms }),
  }),
  alerts: z.strictObject({ onAlert: z.enum(['rollback', 'run', 'notify']) }),
});

export const compiledConfig = z.strictObject({
  project: name,
  environment: name,
  concurrentRuns: z.int().min(1).max(1000),
  models: z.record(name, model).refine((models) => Object.keys(models).length > 0, { error: 'at least one model' }),
});

function isCron(cron: string, zone: string): boolean {
  try {
    nextCron(cron, zone, 0);
    return true;
  } catch {
    return false;
  }
}
