import type * as z from 'zod';
import { hour } from '../base/time.ts';
import type { Variables } from '../base/variables.ts';
import type { SinkPlan } from '../ports/notify.ts';
import type { ServingKind } from '../ports/serving.ts';
import { sinksOf } from './notify.ts';
import type { Platform } from './platforms.ts';
import { type ConfigProblem, problemsOf } from './problems.ts';
import { authorsSchema, type ParsedConfig, type ParsedModel } from './schema.ts';

/**
 * The config as its author writes it, and the compiled form that a run or a rollout freezes.
 *
 * The author writes durations and sizes as text; the compiled form (`ModelPlan`) has milliseconds, bytes and code
 * digests, and every default written out.
 */
export const configSchema = authorsSchema();

export type Config = z.input<typeof configSchema>;

/** Types for the author. It checks nothing at run time; `parseConfig` does. */
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
          readonly accelerator?: NonNullable<JobCompute['accelerator']> | undefined;
          readonly instances: { readonly min: number; readonly max: number };
        };
        /** Absent: `endpoint`. */
        readonly on?: ServingKind | undefined;
        readonly stickyBy?: string | undefined;
        /** Milliseconds. */
        readonly timeout?: number | undefined;
      });
  /** The sinks that hear of the model. */
  readonly notify?: readonly SinkPlan[];
};
export type JobCompute = ParsedModel['train']['compute'];
export interface Program {
  readonly code?: { readonly digest: string };
  readonly image?: string;
  readonly command: readonly string[];
  readonly environment: Variables;
}

export interface CompiledConfig {
  readonly project: string;
  readonly environment: string;
  readonly concurrentRuns: number;
  readonly models: Readonly<Record<string, ModelPlan>>;
}

/** Reads a config and reports every problem at once. */
export function parseConfig(
  input: unknown,
): { readonly parsed: ParsedConfig } | { readonly problems: readonly ConfigProblem[] } {
  const result = configSchema.safeParse(input);
  return result.success
    ? { parsed: result.data }
    : { problems: result.error.issues.flatMap((issue) => problemsOf(issue, input)) };
}

/** Every code folder that a parsed config names, each once. A release stores them before it compiles. */
export function codeFolders(parsed: ParsedConfig): readonly string[] {
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

/** What cuts the rows by time tells the time of a row. */
function timed(monitor: ParsedModel['monitor'], cut: ParsedModel['split']): ParsedModel['monitor'] {
  const rule = cut !== undefined && 'holdout' in cut ? cut.holdout : undefined;
  if (monitor.drift === undefined || monitor.drift.time !== undefined || rule?.by !== 'time') return monitor;
  return { ...monitor, drift: { ...monitor.drift, time: rule.column } };
}

/** The compiled form; `digests` maps each code folder (and `splitterFolder`) to the digest it was stored under. */
export function compile(
  parsed: ParsedConfig,
  digests: ReadonlyMap<string, string>,
  platform: Platform,
): CompiledConfig {
  const program = (
    from: {
      code?: string | undefined;
      command: string[];
      image?: ParsedModel['train']['image'] | undefined;
      environment: Variables;
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
  const compileModel = ({ split: cut, evaluate, serve, train, monitor, ...rest }: ParsedModel): ModelPlan => ({
    ...rest,
    monitor: timed(monitor, cut),
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
      serve === 'none'
        ? 'none'
        : {
            ...program(serve, train.code),
            compute: serve.compute,
            ...(serve.on === undefined ? {} : { on: serve.on }),
            stickyBy: serve.stickyBy,
            timeout: serve.timeout,
          },
  });
  const compileSplit = (
    cut: NonNullable<ParsedModel['split']>,
    fallback: string | undefined,
  ): NonNullable<ModelPlan['split']> => {
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
      compute: { nodes: 1, spot: false, maxRuntime: hour, maxWait: 8 * hour },
    };
  };
  const models = Object.fromEntries(
    Object.entries(parsed.models).map(([key, rule]) => {
      const notify = sinksOf(parsed.notify, key);
      return [key, { ...compileModel(rule), ...(notify.length === 0 ? {} : { notify }) }];
    }),
  );
  return {
    project: parsed.project,
    environment: parsed.environment,
    concurrentRuns: parsed.concurrentRuns,
    models: JSON.parse(JSON.stringify(models)),
  };
}
