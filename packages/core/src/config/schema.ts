import * as z from 'zod';
import { day, hour, minute, second } from '../base/time.ts';
import { largestError } from '../base/truths.ts';
import { checkActions, ruleTypes } from '../drift/report.ts';
import { checkNames } from '../drift/validate.ts';
import { predictionPointer } from '../guardrails/labels.ts';
import { servingKinds } from '../ports/serving.ts';
import { authorsForms, type Forms, given, name, refusing, text } from './forms.ts';
import { hyperparameterProblem } from './hyperparameters.ts';
import { notifyOf } from './notify.ts';
import { rolloutOf } from './rollout.ts';
import { cronProblem, projectProblems, regexProblem, withRules } from './rules.ts';

/**
 * Every field of a config with its bounds and its default, once.
 *
 * The author writes durations and sizes as text and code as folders (`authorsSchema`); `POST /v1/releases` takes
 * milliseconds, bytes and digests (`compiledConfig`). The two differ in their door only, so a field, a bound or a rule
 * that holds for one holds for the other.
 */

const command = z.array(text).min(1, { error: "write a command such as ['python', 'train.py']" }).max(1000);
/** A secret is named, never written. Its text is looked up where and when the program starts. */
const variable = z.union([given, z.strictObject({ secret: name })]);
const variableName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'use letters, digits and _, a letter or _ first' });
const environment = z.record(variableName, variable).default({});
const accelerator = z.strictObject({ type: text, count: z.int().min(1).max(16).default(1) });

export const programFields = ({ code, image }: Forms) => ({
  code: code.optional(),
  command,
  image: image.optional(),
  environment,
});

export const computeOf = ({ duration }: Forms) =>
  z
    .strictObject({
      accelerator: accelerator.optional(),
      nodes: z.int().min(1).max(64).default(1),
      spot: z.boolean().default(false),
      maxRuntime: duration.refine((ms) => ms >= second, { error: 'use at least 1s' }).default(4 * hour),
      maxWait: duration.default(8 * hour),
    })
    .prefault({});

const holdout = z.discriminatedUnion('by', [
  z.strictObject({
    by: z.literal('time'),
    column: text,
    last: z.string().regex(/^(\d{1,2}(\.\d+)?%|\d{1,9}|\d{1,5}d)$/, {
      error: "write a share '20%', a number of rows '500' or a number of days '90d'",
    }),
  }),
  z.strictObject({
    by: z.literal('rows'),
    share: z.string().regex(/^\d{1,2}(\.\d+)?%$/, { error: "write a share such as '20%'" }),
    key: text.optional(),
  }),
  z.strictObject({ by: z.literal('manifest'), train: text, holdout: text }),
]);

const authorsSplit = z.union([
  z.strictObject({ holdout }),
  z.strictObject({ prepare: z.strictObject({ ...programFields(authorsForms), compute: computeOf(authorsForms) }) }),
]);

const hyperparameters = z
  .record(text, z.union([z.string(), z.number(), z.boolean()]))
  .superRefine(refusing(hyperparameterProblem));

/** What differs between the author's config and the compiled one. */
const authorsDoor = {
  ...authorsForms,
  split: authorsSplit,
  /** Fields of a model that the compiled form has besides. */
  more: {},
  /** Fields of the project that only the author's form has: they are compiled into each model. */
  shared: {
    notify: notifyOf(),
    $schema: z.string().optional(),
  },
};
export type Door = typeof authorsDoor;

const eventType = z.string().min(1).max(1024);
const alerts = z
  .strictObject({
    onAlert: z.enum(['rollback', 'run', 'notify']).default('rollback'),
    whileFiring: z
      .enum(['hold', 'ignore'])
      .optional()
      .describe("while an alert fires nothing starts to roll out (default 'hold'; with onAlert 'run' it is 'ignore')"),
    types: z
      .array(z.union([eventType, z.strictObject({ raised: eventType, resolved: eventType })]))
      .max(100)
      .default([])
      .describe('types of CloudEvents that are alarms of this model, besides those that Serin knows'),
  })
  .prefault({})
  // An alert that started a run is mended by the version that comes of it.
  .transform((rule) => ({
    ...rule,
    whileFiring: rule.whileFiring ?? (rule.onAlert === 'run' ? ('ignore' as const) : ('hold' as const)),
  }));

/** A model holds them up to three times, and a store holds 390 KB of it, gzipped. */
const mostInNames = 200_000;

const criterion = z
  .strictObject({
    direction: z.enum(['up', 'down']),
    atLeast: z.number().optional(),
    atMost: z.number().optional(),
    noWorseBy: z.number().min(0).optional(),
  })
  .refine((rule) => rule.atLeast !== undefined || rule.atMost !== undefined || rule.noWorseBy !== undefined, {
    error: 'a criterion needs a bound: give at least one of atLeast, atMost, noWorseBy',
  });

const validation = z.strictObject({
  checks: z.partialRecord(z.enum(checkNames), z.enum(checkActions)).default({}),
  label: text.optional(),
  key: text.optional(),
  time: text.optional(),
  columns: z
    .record(
      text,
      z.strictObject({
        type: z.enum(ruleTypes).optional(),
        missing: z.strictObject({ atMost: z.number().min(0).max(1) }).optional(),
        min: z.number().optional(),
        max: z.number().optional(),
        values: z.array(z.string().max(128)).min(1).max(128).optional(),
      }),
    )
    .default({}),
});

const modelOf = (door: Door) =>
  withRules(
    z.strictObject({
      ...door.more,
      data: z.strictObject({
        bucket: name,
        prefix: z.string().max(512).default(''),
        settle: z
          .strictObject({
            quiet: door.duration.default(2 * minute),
            atMost: door.duration.default(hour),
            marker: text.optional(),
            manifest: text.optional(),
          })
          .prefault({}),
        minObjects: z.int().min(1).default(1),
        minBytes: door.size.default(1),
        maxBytes: door.size.optional(),
        columns: z.array(text).optional().describe('required columns of CSV headers and NDJSON heads'),
        rescan: door.duration.refine((ms) => ms >= second, { error: 'use at least 1s' }).default(day),
      }),
      on: z
        .strictObject({
          data: z.boolean().default(true),
          schedule: z
            .strictObject({ cron: text, zone: text.default('UTC') })
            .superRefine(refusing(({ cron, zone }) => cronProblem(cron, zone)))
            .optional(),
          ci: z
            .strictObject({
              github: z
                .strictObject({
                  repository: z.string().regex(/^[^/\s]+\/[^/\s]+$/),
                  ref: z.string().startsWith('refs/'),
                })
                .optional(),
              webhook: z.strictObject({ repository: text, ref: text }).optional(),
            })
            .optional(),
        })
        .prefault({}),
      validate: validation.optional(),
      split: door.split.optional(),
      train: z.strictObject({
        ...programFields(door),
        hyperparameters: hyperparameters.default({}),
        compute: computeOf(door),
        checkpoints: z.boolean().default(false),
        attempts: z.int().min(1).max(10).default(3),
        metrics: z.array(z.strictObject({ name: text, regex: text.superRefine(refusing(regexProblem)) })).default([]),
      }),
      /** Files of labels that are dropped into a bucket: one JSON object a line, as `POST /v1/labels` takes them. */
      labels: z.strictObject({ bucket: name, prefix: z.string().min(1).max(512) }).optional(),
      evaluate: z.strictObject({ ...programFields(door), compute: computeOf(door) }).optional(),
      gate: z.record(text, criterion).optional(),
      approval: z
        .strictObject({
          required: z.boolean().default(true),
          fourEyes: z.boolean().default(false),
          expires: door.duration.default(7 * day),
        })
        .optional(),
      serve: z
        .union([
          z.literal('none'),
          z.strictObject({
            ...programFields(door),
            compute: z
              .strictObject({
                accelerator: accelerator.optional(),
                instances: z
                  .strictObject({ min: z.int().min(1).default(1), max: z.int().min(1).default(1) })
                  .prefault({}),
              })
              .prefault({}),
            on: z
              .enum(servingKinds)
              .optional()
              .describe('what it is served on; every platform has endpoint, which is the default'),
            stickyBy: z
              .string()
              .regex(/^[a-z0-9-]+$/)
              .optional()
              .describe('a request header, lower case'),
            timeout: door.duration
              .refine((ms) => ms >= second && ms <= hour, { error: 'use 1s to 1h' })
              .optional()
              .describe('how long a request may go without a byte of its answer, on one machine; 30s'),
          }),
        ])
        .default('none'),
      rollout: rolloutOf(door),
      monitor: z
        .strictObject({
          onDrift: z.enum(['run', 'rollback', 'notify']).default('notify'),
          onPerformance: z.enum(['run', 'rollback', 'notify']).default('notify'),
          cooldown: door.duration.default(6 * hour),
          retrainBudget: z
            .strictObject({ runs: z.int().min(0), per: door.duration })
            .default({ runs: 4, per: 7 * day }),
          capture: z
            .strictObject({
              share: z
                .string()
                .regex(/^(100|\d{1,2}(\.\d+)?)%$/, { error: "write a share of the requests such as '10%'" }),
              fields: z
                .array(text)
                .min(1)
                .max(10_000)
                .refine((names) => names.join('').length <= mostInNames, {
                  error: `the names have more than ${mostInNames} characters in all: list fewer fields`,
                }),
              id: text
                .optional()
                .describe(
                  'one of fields: on a cloud, labels name a request by its value instead of the id of the request',
                ),
              keep: door.duration
                .refine((ms) => ms >= day && ms <= 90 * day, { error: 'use 1d to 90d' })
                .default(14 * day),
              atMost: door.size.default(1_000_000_000),
            })
            .optional(),
          drift: z
            .strictObject({
              window: door.duration.refine((ms) => ms >= second, { error: 'use at least 1s' }).default(day),
              notice: z.number().gt(0).lt(1).default(0.03),
              major: z.number().gt(0).lt(1).default(0.1),
              quietFor: z.int().min(50).max(100_000).default(365),
              columns: z.record(text, z.enum(['number', 'category', 'plain', 'off'])).default({}),
              time: z.union([text, z.literal(false)]).optional(),
            })
            .optional(),
          estimate: z
            .strictObject({
              probability: z
                .string()
                .max(256)
                .regex(/^(\/[^/]*)*$/, {
                  error:
                    "write a JSON pointer into the answer to one row such as '/1', or '' where that is the probability",
                }),
              cutoff: z.number().gt(0).lt(1).default(0.5),
            })
            .optional(),
          performance: z
            .strictObject({
              window: door.duration.refine((ms) => ms >= 10 * second, { error: 'use at least 10s' }).default(day),
              maturity: door.duration.optional(),
              tolerance: z.number().min(0).lt(1).default(0.02),
              limit: z.number().gt(0).lt(1).optional(),
              quietFor: z.int().min(50).max(100_000).default(365),
              prediction: predictionPointer({ string: z.string }).optional(),
              positive: z
                .string({ error: "write the class as text, such as 'fraud', 'true' or '1'" })
                .min(1)
                .max(256)
                .optional(),
              scale: z.number().gt(0).max(largestError).optional(),
            })
            .optional(),
        })
        .prefault({}),
      alerts,
    }),
  );

export const projectOf = (door: Door) =>
  z
    .strictObject({
      project: name,
      environment: name.default('dev'),
      /** Runs of the whole project that may have a job at the same time. */
      concurrentRuns: z.int().min(1).max(1000).default(4),
      models: z
        .record(name, modelOf(door))
        .refine((models) => Object.keys(models).length > 0, { error: 'give at least one model' }),
      ...door.shared,
    })
    .superRefine((config, context) => {
      for (const { path, message } of projectProblems(config))
        context.addIssue({ code: 'custom', path: [...path], message });
    });

/** What an author writes. */
export const authorsSchema = () => projectOf(authorsDoor);
export type ParsedConfig = z.output<ReturnType<typeof authorsSchema>>;
export type ParsedModel = ParsedConfig['models'][string];
