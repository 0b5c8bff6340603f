import * as z from 'zod';
import { nextCron } from './cron.ts';
import { ownBucket } from './ports.ts';
import { day, hour, minute, parseDuration, parseSize, second } from './time.ts';

/**
 * The config: one schema for the author, the machine and the documentation.
 *
 * The author writes durations and sizes as text; the compiled form (`ModelPlan`) has milliseconds, bytes and code
 * digests, and every default written out.
 */

const durationText = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, { error: "a duration such as '30s', '10m', '4h' or '7d'" })
  .transform((text) => parseDuration(text) ?? 0);
const size = z
  .string()
  .refine((text) => parseSize(text) !== undefined, { error: "a size such as '512MB' or '2GB'" })
  .transform((text) => parseSize(text) ?? 0);

const duration = (fallback: number) => durationText.default(fallback);

const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, { error: 'lower-case letters, digits and hyphens, 63 at most, a letter first' });
const command = z.array(z.string().min(1)).min(1, { error: "a command such as ['python', 'train.py']" });
const code = z.string().min(1).describe('a folder beside the config, hashed and stored at release');
const share = z.number().gt(0).lt(1);
const environment = z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).default({});
const image = z.union([z.string(), z.partialRecord(z.enum(['aws', 'gcp', 'azure', 'local']), z.string())]);

const accelerator = z.strictObject({ type: z.string().min(1), count: z.int().min(1).max(16).default(1) });

const jobCompute = z
  .strictObject({
    accelerator: accelerator.optional(),
    nodes: z.int().min(1).max(64).default(1),
    spot: z.boolean().default(false),
    maxRuntime: duration(4 * hour),
    maxWait: duration(8 * hour),
  })
  .prefault({});

const holdout = z.discriminatedUnion('by', [
  z.strictObject({
    by: z.literal('time'),
    column: z.string().min(1),
    last: z.string().regex(/^(\d{1,2}(\.\d+)?%|\d{1,9}|\d{1,5}d)$/, {
      error: "a share '20%', a number of rows '500' or of days '90d'",
    }),
  }),
  z.strictObject({
    by: z.literal('rows'),
    share: z.string().regex(/^\d{1,2}(\.\d+)?%$/, { error: "a share such as '20%'" }),
    key: z.string().min(1).optional(),
  }),
  z.strictObject({ by: z.literal('manifest'), train: z.string().min(1), holdout: z.string().min(1) }),
]);

const split = z.union([
  z.strictObject({ holdout }),
  z.strictObject({
    prepare: z.strictObject({
      code: code.optional(),
      command,
      image: image.optional(),
      compute: jobCompute,
      environment,
    }),
  }),
]);

const criterion = z
  .strictObject({
    direction: z.enum(['up', 'down']),
    atLeast: z.number().optional(),
    atMost: z.number().optional(),
    noWorseBy: z.number().min(0).optional(),
  })
  .refine((rule) => rule.atLeast !== undefined || rule.atMost !== undefined || rule.noWorseBy !== undefined, {
    error: 'a criterion wants at least one of atLeast, atMost, noWorseBy',
  });

const guardrailFields = {
  /** Roll back only what is worse than this many times the champion. */
  toleratedRatio: z.number().gt(0).max(100).default(1),
  /** Promote only what is shown to be less than this many times as bad as the champion. */
  margin: z
    .number()
    .min(1.2, { error: '1.2 at least: a margin nearer to 1 cannot be shown with the counts of a rollout' })
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
const ratioBelowMargin = (rule: { toleratedRatio: number; margin: number }) => rule.toleratedRatio < rule.margin;
const ratioAboveMargin = {
  path: ['toleratedRatio'],
  error: 'below margin: a candidate as bad as that would have to be promoted and rolled back at once',
};
const guardrail = z.strictObject(guardrailFields).refine(ratioBelowMargin, ratioAboveMargin);
const labelsGuardrail = z
  .strictObject({
    ...guardrailFields,
    /** How long after a request its label counts. */
    maturity: durationText
      .refine((ms) => ms <= 35 * day, { error: '35d at most: requests are forgotten then' })
      .default(day),
    /** `wrong`: labels say right or wrong. `loss`: they are losses in [0, 1], and `tolerated` is how much more is borne. */
    kind: z.enum(['wrong', 'loss']).default('wrong'),
    tolerated: z.number().min(0).lt(1).default(0),
    /** `loss` only: promote what is shown to lose less than this more than the champion. */
    marginLoss: z.number().gt(0).max(1).default(0.05),
    /** Requests without a label: left out (whether a label comes does not depend on the model), or taken at their worst. */
    missing: z.enum(['leftOut', 'worst']).default('leftOut'),
    /** Where the prediction is in the answer of the model, as JSON pointer; default: the usual places. */
    prediction: z
      .string()
      .regex(/^(\/[^/]*)+$/, { error: "a JSON pointer such as '/score'" })
      .optional(),
  })
  .refine(ratioBelowMargin, ratioAboveMargin)
  .refine((rule) => rule.tolerated < rule.marginLoss, {
    path: ['tolerated'],
    error: 'below marginLoss: a candidate that loses as much would have to be promoted and rolled back at once',
  });

/** Every guardrail that may roll back needs a part of alpha. */
function alphaLeft(
  rules: readonly ({ alphaShare?: number | undefined; dryRun: boolean } | false | undefined)[],
): boolean {
  const live = rules.flatMap((rule) => (rule === undefined || rule === false || rule.dryRun ? [] : [rule.alphaShare]));
  const given = live.reduce<number>((sum, part) => sum + (part ?? 0), 0);
  return live.includes(undefined) ? given < 1 : given <= 1 + 1e-9;
}

export const rolloutSchema = z
  .strictObject({
    strategy: z.enum(['allAtOnce', 'linear', 'canary', 'blueGreen', 'shadow', 'ab']).default('canary'),
    steps: z
      .array(z.int().min(1).max(99))
      .min(1)
      .refine((steps) => steps.every((step, index) => index === 0 || step > (steps[index - 1] ?? 0)), {
        error: 'weights in percent that grow',
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
    bake: duration(15 * minute),
    tick: durationText
      .refine((ms) => ms >= second && ms % second === 0, { error: 'whole seconds, one at least' })
      .default(minute),
    guard: duration(30 * minute),
    /** Percent of the traffic that the champion keeps while the promoted candidate is guarded. */
    guardShare: z.int().min(1).max(50).default(5),
    readyWithin: duration(15 * minute),
    /** How long the last step may last in all to gather evidence; default: four times `bake`. */
    atMost: durationText.optional(),
    onInconclusive: z.enum(['hold', 'promote', 'rollBack']).default('hold'),
    maxHold: duration(day),
    /** Greatest probability of rolling back a candidate that is no worse than tolerated. */
    alpha: z.number().gt(0).max(0.2).default(0.01),
    /** Greatest probability of promoting a candidate that is as bad as the margin. */
    beta: z.number().gt(0).max(0.5).default(0.05),
    guardrails: z
      .strictObject({
        errors: z.union([z.literal(false), guardrail]).prefault({}),
        latency: z.union([z.literal(false), guardrail]).prefault({}),
        labels: labelsGuardrail.optional(),
      })
      .refine(({ errors, latency, labels }) => alphaLeft([errors, latency, labels]), {
        error: 'the alphaShares may add up to 1 at most, and below it when a guardrail has none of its own',
      })
      .prefault({}),
    /** Which share of the traffic the candidate is taken to have: the weight that was set, or what came. */
    routing: z.enum(['configured', 'realised']).default('configured'),
    /** The first ticks, which are no evidence: caches and pools are cold. */
    warmUp: z.int().min(0).max(1000).default(2),
    /** Judges each of these values of a request header by itself, too. */
    segments: z
      .strictObject({
        by: z.string().regex(/^[a-z0-9-]+$/),
        values: z.array(z.string().min(1).max(100)).min(1).max(20),
      })
      .optional(),
    /** Failed requests beyond the champion's share that the steps may cost, in expectation. */
    harmBudget: z.number().gt(0).optional(),
    /** What `serin validate` reckons with: requests a minute of all models together, and the champion's share of failures. */
    expected: z
      .strictObject({ rpm: z.number().gt(0), errorShare: z.number().min(0).max(0.5).default(0.0001) })
      .optional(),
    limits: z
      .strictObject({
        errors: z.strictObject({ share: share.default(0.5), minRequests: z.int().min(1).default(20) }).prefault({}),
      })
      .prefault({}),
  })
  .refine(
    (rule) => rule.strategy !== 'ab' || rule.guardrails?.labels !== undefined,
    always(['guardrails', 'labels'], 'strategy ab is decided by labels: add guardrails.labels'),
  )
  .refine(
    (rule) => rule.guardrails?.labels?.kind !== 'loss' || rule.routing !== 'realised',
    always(
      ['guardrails', 'labels', 'kind'],
      'a bet on losses wants routing: configured, a fresh coin for each request',
    ),
  )
  .refine(
    (rule) => rule.guardrails?.labels?.kind !== 'loss' || rule.guardrails.labels.missing !== 'worst',
    always(['guardrails', 'labels', 'missing'], 'a loss that is missing cannot be taken at its worst'),
  )
  .prefault({})
  .transform((rule) => ({ ...rule, atMost: rule.atMost ?? 4 * rule.bake + (rule.guardrails.labels?.maturity ?? 0) }));

const model = z
  .strictObject({
    data: z.strictObject({
      bucket: name,
      prefix: z.string().max(512).default(''),
      settle: z
        .strictObject({
          quiet: duration(2 * minute),
          atMost: duration(hour),
          marker: z.string().min(1).optional(),
          manifest: z.string().min(1).optional(),
        })
        .refine((rule) => rule.marker === undefined || rule.manifest === undefined, {
          error: 'either marker or manifest, not both',
        })
        .prefault({}),
      minObjects: z.int().min(1).default(1),
      minBytes: size.default(1),
      maxBytes: size.optional(),
      columns: z.array(z.string().min(1)).optional().describe('required columns of CSV headers and NDJSON heads'),
      rescan: durationText.refine((ms) => ms >= second, { error: 'one second at least' }).default(day),
    }),
    on: z
      .strictObject({
        data: z.boolean().default(true),
        schedule: z
          .strictObject({ cron: z.string(), zone: z.string().default('UTC') })
          .superRefine((rule, context) => {
            const problem = cronProblem(rule.cron, rule.zone);
            if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
          })
          .optional(),
        ci: z
          .strictObject({
            github: z
              .strictObject({ repository: z.string().regex(/^[^/\s]+\/[^/\s]+$/), ref: z.string().startsWith('refs/') })
              .optional(),
            webhook: z.strictObject({ repository: z.string().min(1), ref: z.string().min(1) }).optional(),
          })
          .optional(),
      })
      .prefault({}),
    split: split.optional(),
    train: z
      .strictObject({
        code: code.optional(),
        command,
        image: image.optional(),
        hyperparameters: z.record(z.string().min(1), z.union([z.string(), z.number(), z.boolean()])).default({}),
        compute: jobCompute,
        checkpoints: z.boolean().default(false),
        attempts: z.int().min(1).max(10).default(3),
        metrics: z.array(z.strictObject({ name: z.string().min(1), regex: z.string().min(1) })).default([]),
        environment,
      })
      .refine(
        (rule) => !rule.compute?.spot || rule.checkpoints,
        always(['compute', 'spot'], 'spot wants checkpoints: true, or every interruption starts from nothing'),
      ),
    /** Files of labels that are dropped into a bucket: one JSON object a line, as `POST /v1/labels` takes them. */
    labels: z.strictObject({ bucket: name, prefix: z.string().min(1).max(512) }).optional(),
    evaluate: z
      .strictObject({ code: code.optional(), command, image: image.optional(), compute: jobCompute, environment })
      .optional(),
    gate: z.record(z.string().min(1), criterion).optional(),
    approval: z
      .strictObject({
        required: z.boolean().default(true),
        fourEyes: z.boolean().default(false),
        expires: duration(7 * day),
      })
      .optional(),
    serve: z
      .union([
        z.literal('none'),
        z.strictObject({
          code: code.optional(),
          command,
          image: image.optional(),
          compute: z
            .strictObject({
              accelerator: accelerator.optional(),
              instances: z
                .strictObject({ min: z.int().min(1).default(1), max: z.int().min(1).default(1) })
                .prefault({}),
            })
            .prefault({}),
          stickyBy: z
            .string()
            .regex(/^[a-z0-9-]+$/)
            .optional()
            .describe('a request header, lower case'),
          environment,
        }),
      ])
      .default('none'),
    rollout: rolloutSchema,
    monitor: z
      .strictObject({
        onDrift: z.enum(['run', 'notify']).default('notify'),
        cooldown: duration(6 * hour),
        retrainBudget: z.strictObject({ runs: z.int().min(0), per: durationText }).default({ runs: 4, per: 7 * day }),
      })
      .prefault({}),
    alerts: z.strictObject({ onAlert: z.enum(['rollback', 'run', 'notify']).default('rollback') }).prefault({}),
  })
  .refine(
    (rule) => rule.gate !== undefined || rule.approval !== undefined,
    always(['gate'], 'give a gate or an approval: something must say yes to a model'),
  )
  .refine(
    (rule) => rule.gate === undefined || rule.split !== undefined,
    always(['split'], 'a gate wants a split: a model is not judged on what it was trained on'),
  )
  .refine(
    (rule) => rule.gate === undefined || rule.evaluate !== undefined,
    always(['evaluate'], 'a gate wants an evaluate command that writes metrics.json'),
  )
  .refine(
    (rule) => rule.rollout?.guardrails?.labels === undefined || !isSticky(rule.serve),
    always(
      ['rollout', 'guardrails', 'labels'],
      'labels are of single requests; with stickyBy users stay with their model',
    ),
  )
  .refine(
    (rule) => rule.data?.bucket !== ownBucket,
    always(['data', 'bucket'], `'${ownBucket}' is where the pipeline itself writes: it would trigger itself for ever`),
  );

const isSticky = (serve: unknown): boolean =>
  typeof serve === 'object' && serve !== null && 'stickyBy' in serve && serve.stickyBy !== undefined;

/** Checked also when other fields have problems, so that all problems are reported at once. */
function always(path: string[], error: string) {
  return { path, error, when: ({ value }: { readonly value: unknown }) => typeof value === 'object' && value !== null };
}

export const configSchema = z.strictObject({
  project: name,
  environment: name.default('dev'),
  /** Runs of the whole project that may hold a machine at the same time. */
  concurrentRuns: z.int().min(1).max(1000).default(4),
  models: z
    .record(name, model)
    .refine((models) => Object.keys(models).length > 0, { error: 'at least one model' })
    .superRefine((models, context) => {
      for (const [key, message] of labelProblems(models))
        context.addIssue({ code: 'custom', path: [key, 'labels', 'prefix'], message });
    }),
});

/** Labels that lie where any model takes its data from would be trained on, and would start runs. */
function labelProblems(models: Readonly<Record<string, ParsedModel>>): readonly (readonly [string, string])[] {
  return Object.entries(models).flatMap(([key, { labels }]): (readonly [string, string])[] => {
    if (labels === undefined) return [];
    if (labels.bucket === ownBucket) return [[key, `'${ownBucket}' is where the pipeline itself writes`]];
    return Object.entries(models)
      .filter(([, { data }]) => data.bucket === labels.bucket && overlap(data.prefix, labels.prefix))
      .map(([other, { data }]) => [
        key,
        `'${labels.prefix}' and the data of ${other} under '${data.prefix}' lie in one another: a file of labels would start a run`,
      ]);
  });
}

const overlap = (one: string, other: string): boolean => one.startsWith(other) || other.startsWith(one);

export type Config = z.input<typeof configSchema>;
type ParsedModel = z.output<typeof model>;

/** Types for the author; checks nothing at run time (`compileConfig` does). */
export function defineConfig<const Given extends Config>(config: Given): Given {
  return config;
}

/** One model's part of the compiled config: frozen by a run or a rollout when it begins. */
export type ModelPlan = Omit<ParsedModel, 'train' | 'split' | 'evaluate' | 'serve' | 'data'> & {
  readonly project: string;
  readonly data: ParsedModel['data'];
  readonly train: Program &
    Pick<ParsedModel['train'], 'hyperparameters' | 'checkpoints' | 'attempts' | 'metrics' | 'compute'>;
  readonly split?:
    | { readonly kind: 'manifest'; readonly train: string; readonly holdout: string }
    | (Program & { readonly kind: 'job'; readonly rule: string; readonly compute: JobCompute });
  readonly evaluate?: Program & { readonly compute: JobCompute };
  readonly serve:
    | 'none'
    | (Program & {
        readonly compute: {
          readonly accelerator?: z.output<typeof accelerator> | undefined;
          readonly instances: { readonly min: number; readonly max: number };
        };
        readonly stickyBy?: string | undefined;
      });
};
export type JobCompute = z.output<typeof jobCompute>;
export interface Program {
  readonly code?: { readonly digest: string };
  readonly image?: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface CompiledConfig {
  readonly project: string;
  readonly environment: string;
  readonly concurrentRuns: number;
  readonly models: Readonly<Record<string, ModelPlan>>;
}

export interface ConfigProblem {
  /** `models.fraud.data.settle.quiet` */
  readonly path: string;
  readonly message: string;
  readonly value?: unknown;
}

/** Reads a config and reports every problem at once. */
export function parseConfig(
  input: unknown,
): { readonly parsed: z.output<typeof configSchema> } | { readonly problems: readonly ConfigProblem[] } {
  const result = configSchema.safeParse(input);
  return result.success
    ? { parsed: result.data }
    : { problems: result.error.issues.flatMap((issue) => problemsOf(issue, input)) };
}

/** Every code folder that a parsed config names, each once: what a release has to store before it compiles. */
export function codeFolders(parsed: z.output<typeof configSchema>): readonly string[] {
  const folders = Object.values(parsed.models).flatMap((rule) => [
    rule.train.code,
    rule.evaluate?.code,
    rule.serve === 'none' ? undefined : rule.serve.code,
    rule.split !== undefined && 'prepare' in rule.split ? rule.split.prepare.code : undefined,
  ]);
  return [...new Set(folders.filter((folder) => folder !== undefined))];
}

/** The key under which `compile` looks up the digest of the built-in splitter. */
export const splitterFolder = 'builtin:splitter';

/** The compiled form; `digests` maps each code folder (and `splitterFolder`) to the digest it was stored under. */
export function compile(
  parsed: z.output<typeof configSchema>,
  digests: ReadonlyMap<string, string>,
  platform: 'aws' | 'gcp' | 'azure' | 'local',
): CompiledConfig {
  const program = (
    from: {
      code?: string | undefined;
      command: string[];
      image?: z.output<typeof image> | undefined;
      environment: Record<string, string>;
    },
    fallback?: string,
  ): Program => {
    const digest = digests.get(from.code ?? fallback ?? '');
    const named = typeof from.image === 'string' ? from.image : from.image?.[platform];
    return {
      ...(digest === undefined ? {} : { code: { digest } }),
      ...(named === undefined ? {} : { image: named }),
      command: from.command,
      environment: from.environment,
    };
  };
  const compileModel = ({ split: cut, evaluate, serve, train, ...rest }: ParsedModel): ModelPlan => ({
    ...rest,
    project: parsed.project,
    train: {
      ...program(train),
      hyperparameters: train.hyperparameters,
      compute: train.compute,
      checkpoints: train.checkpoints,
      attempts: train.attempts,
      metrics: train.metrics,
    },
    ...(evaluate === undefined ? {} : { evaluate: { ...program(evaluate, train.code), compute: evaluate.compute } }),
    ...(cut === undefined ? {} : { split: compileSplit(cut, train.code) }),
    serve:
      serve === 'none' ? 'none' : { ...program(serve, train.code), compute: serve.compute, stickyBy: serve.stickyBy },
  });
  const compileSplit = (cut: z.output<typeof split>, fallback: string | undefined): NonNullable<ModelPlan['split']> => {
    if ('prepare' in cut)
      return { kind: 'job', rule: 'prepare', ...program(cut.prepare, fallback), compute: cut.prepare.compute };
    const rule = cut.holdout;
    if (rule.by === 'manifest') return { kind: 'manifest', train: rule.train, holdout: rule.holdout };
    const flags =
      rule.by === 'time'
        ? ['--column', rule.column, '--last', rule.last]
        : ['--share', rule.share, ...(rule.key === undefined ? [] : ['--key', rule.key])];
    const run = ['node', '--max-semi-space-size=1', 'split.mjs', '--by', rule.by, ...flags];
    return {
      kind: 'job',
      rule: run.slice(3).join(' '),
      ...program({ code: splitterFolder, command: run, environment: {} }),
      compute: jobCompute.parse({ maxRuntime: '1h' }),
    };
  };
  const models = Object.fromEntries(Object.entries(parsed.models).map(([key, rule]) => [key, compileModel(rule)]));
  return {
    project: parsed.project,
    environment: parsed.environment,
    concurrentRuns: parsed.concurrentRuns,
    models: JSON.parse(JSON.stringify(models)),
  };
}

function cronProblem(cron: string, zone: string): string | undefined {
  try {
    nextCron(cron, zone, 0);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function problemsOf(issue: z.core.$ZodIssue, input: unknown): ConfigProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: pathText([...issue.path, key]),
      message: 'is not a known field (names are exact; see `serin config schema`)',
    }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const nearest = [...issue.errors].sort((a, b) => depth(b) - depth(a))[0] ?? [];
    return nearest.flatMap((inner) =>
      problemsOf({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue, input),
    );
  }
  const value = valueAt(input, issue.path);
  return [{ path: pathText(issue.path), message: issue.message, ...(value === undefined ? {} : { value }) }];
}

const depth = (issues: readonly z.core.$ZodIssue[]): number => Math.max(0, ...issues.map((issue) => issue.path.length));
const pathText = (path: readonly PropertyKey[]): string => path.map(String).join('.') || '(the config)';

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    input,
  );
}
