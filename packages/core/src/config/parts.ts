import type { JobCompute, ModelPlan, Program } from './config.ts';

/** What instances are wanted for. `process`: prepare and evaluate. */
export type PartUse = 'train' | 'process' | 'serve';

/** `T4`, or with the least memory that will do: `A100-80GB`. */
export type Accelerator = NonNullable<JobCompute['accelerator']>;

/** One job or deployment of a model's plan, and the instances that it wants. */
export interface Part {
  /** Where the config names it: `train`, `split.prepare`. */
  readonly path: 'train' | 'split' | 'split.prepare' | 'evaluate' | 'serve';
  readonly use: PartUse;
  readonly program: Program;
  readonly accelerator?: Accelerator;
  /** Instances at once, at most. */
  readonly instances: number;
  /** Instances that stand while nothing happens. */
  readonly atRest: number;
  readonly spot: boolean;
  /** Absent: it runs until it is taken away. */
  readonly maxRuntimeMs?: number;
}

/** Everything of a model that needs an instance, in the order in which it is needed. */
export function partsOf(plan: ModelPlan): readonly Part[] {
  const { split, train, evaluate, serve } = plan;
  const job = (path: Part['path'], use: PartUse, program: Program & { readonly compute: JobCompute }): Part => ({
    path,
    use,
    program,
    ...(program.compute.accelerator === undefined ? {} : { accelerator: program.compute.accelerator }),
    instances: program.compute.nodes,
    atRest: 0,
    spot: program.compute.spot,
    maxRuntimeMs: program.compute.maxRuntime,
  });
  return [
    ...(split?.kind === 'job' ? [job(split.rule === 'prepare' ? 'split.prepare' : 'split', 'process', split)] : []),
    job('train', 'train', train),
    ...(evaluate === undefined ? [] : [job('evaluate', 'process', evaluate)]),
    ...(serve === 'none' ? [] : [servingPart(serve)]),
  ];
}

const servingPart = (serve: Exclude<ModelPlan['serve'], 'none'>): Part => ({
  path: 'serve',
  use: 'serve',
  program: serve,
  ...(serve.compute.accelerator === undefined ? {} : { accelerator: serve.compute.accelerator }),
  instances: serve.compute.instances.max,
  atRest: serve.compute.instances.min,
  spot: false,
});
