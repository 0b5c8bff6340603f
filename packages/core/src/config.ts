import { z } from 'zod';
import { nextCron } from './cron.ts';
import { day, hour, minute, parseDuration, parseSize, second } from './time.ts';

/**
 * The config: one schema for the author, the machine and the documentation.
 *
 * The author writes durations and sizes as text; the compiled form (`ModelPlan`) has milliseconds, bytes and code
 * digests, and every default written out.
 */

/** The bucket that the pipeline writes to: code, manifests, compiled configs. Never a trigger. */
export const ownBucket = 'serin';

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

const rollout = z
  .strictObject({
    strategy: z.enum(['allAtOnce', 'linear', 'canary', 'blueGreen']).default('canary'),
    steps: z
      .array(z.int().min(1).max(99))
      .min(1)
      .refine((steps) => steps.every((step, index) => index === 0 || step > (steps[index - 1] ?? 0)), {
        error: 'weights in percent that grow',
      })
      .default([5, 25, 50]),
    /** linear only: percent added by each step. */
    increment: z.int().min(1).max(50).default(20),
    bake: duration(15 * minute),
    tick: durationText
      .refine((ms) => ms >= second && ms % second === 0, { error: 'whole seconds, one at least' })
      .default(minute),
    guard: duration(30 * minute),
    readyWithin: duration(15 * minute),
    /** Longest extension of the last step when it had no data. */
    atMost: durationText.optional(),
    onInconclusive: z.enum(['hold', 'promote', 'rollBack']).default('hold'),
    maxHold: duration(day),
    minRequests: z.int().min(1).default(20).describe('requests to the candidate below which a step has no data'),
    limits: z
      .strictObject({
        errors: z.strictObject({ share: share.default(0.1), minRequests: z.int().min(1).default(20) }).prefault({}),
      })
      .prefault({}),
  })
  .prefault({})
  .transform((rule) => ({ ...rule, atMost: rule.atMost ?? 4 * rule.bake }));

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
    rollout,
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
    (rule) => rule.data?.bucket !== ownBucket,
    always(['data', 'bucket'], `'${ownBucket}' is where the pipeline itself writes: it would trigger itself for ever`),
  );

/** Checked also when other fields have problems, so that all problems are reported at once. */
function always(path: string[], error: string) {
  return { path, error, when: ({ value }: { readonly value: unknown }) => typeof value === 'object' && value !== null };
}

export const configSchema = z.strictObject({
  project: name,
  environment: name.default('dev'),
  /** Runs of the whole project that may hold a machine at the same time. */
  concurrentRuns: z.int().min(1).max(1000).default(4),
  models: z.record(name, model).refine((models) => Object.keys(models).length > 0, { error: 'at least one model' }),
});

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
