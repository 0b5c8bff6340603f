import type { JobKind } from '../ports/jobs.ts';
import type { JobCompute, ModelPlan, Program } from './config.ts';

/** What instances are used for. `process`: prepare and evaluate. */
export type PartUse = 'train' | 'process' | 'serve';

/** `T4`, or with the least memory that will do: `A100-80GB`. */
export type Accelerator = NonNullable<JobCompute['accelerator']>;

/** One job or deployment of a model's plan, and the instances that it wants. */
export interface Part {
  /** Where the config names it: `train`, `split.prepare`. */
  readonly path: JobPath | 'split' | 'serve';
  readonly use: PartUse;
  readonly program: Program;
  readonly accelerator?: Accelerator;
  /** Instances at once, at most. */
  readonly instances: number;
  /** Instances that run while nothing happens. */
  readonly atRest: number;
  readonly spot: boolean;
  /** Absent: it runs until it is taken away. */
  readonly maxRuntimeMs?: number;
}

/** Where a config names a job of its own; `split` is ours. */
export type JobPath = 'split.prepare' | 'train' | 'evaluate';

/** A step of a run, as far as its plan says. */
interface StepPlan {
  /** What a platform runs its job as. */
  readonly kind: JobKind;
  /** What the job must leave. */
  readonly outputs: readonly string[];
  /** The run's status until the job runs, and what is said of it. */
  readonly waiting: readonly [status: string, text: string];
  /** From then on. */
  readonly running: readonly [status: string, text: string];
  readonly path: JobPath;
  /** What the job runs; absent: the plan has no such step. */
  readonly program: (plan: ModelPlan) => (Program & { readonly compute: JobCompute }) | undefined;
}

const scored = {
  kind: 'evaluate',
  outputs: [],
  waiting: ['evaluating', 'waits for an evaluate job'],
  running: ['evaluating', 'waits for an evaluate job'],
  path: 'evaluate',
  program: ({ evaluate }) => evaluate,
} as const satisfies StepPlan;

/** The steps of a run, in order; model/run/steps.ts says when each is due and what comes of it. */
export const stepPlans = {
  prepare: {
    kind: 'prepare',
    outputs: ['train', 'holdout'],
    waiting: ['preparing', 'waits for its prepare job'],
    running: ['preparing', 'waits for its prepare job'],
    path: 'split.prepare',
    program: ({ split }) => (split?.kind === 'job' ? split : undefined),
  },
  train: {
    kind: 'train',
    outputs: ['model'],
    waiting: ['starting', 'waits for its training job to run'],
    running: ['training', 'trains'],
    path: 'train',
    program: ({ train }) => train,
  },
  evaluate: scored,
  champion: scored,
} as const satisfies Readonly<Record<string, StepPlan>>;

export type StepName = keyof typeof stepPlans;
/** A step by its name: what all have in common. */
export const stepPlan = (name: StepName): StepPlan => stepPlans[name];
// The keys are those of the literal above.
export const stepNames = Object.keys(stepPlans) as readonly StepName[];
/** Which instances a job wants. */
const useOf = (kind: JobKind): PartUse => (kind === 'train' ? 'train' : 'process');
/** Where a config names jobs, all of them or those that use instances so. */
export const jobPathsOf = (use?: PartUse): readonly JobPath[] => [
  ...new Set(
    stepNames.map(stepPlan).flatMap(({ path, kind }) => (use === undefined || useOf(kind) === use ? [path] : [])),
  ),
];

/** All parts of a model that need an instance, in the order in which they need it. */
export function partsOf(plan: ModelPlan): readonly Part[] {
  const jobs = jobPathsOf().flatMap((path) => {
    const step = Object.values(stepPlans).find((known) => known.path === path);
    const program = step?.program(plan);
    return step === undefined || program === undefined ? [] : [jobPart(pathOf(path, plan), useOf(step.kind), program)];
  });
  return [...jobs, ...(plan.serve === 'none' ? [] : [servingPart(plan.serve)])];
}

const pathOf = (path: JobPath, { split }: ModelPlan): Part['path'] =>
  path === 'split.prepare' && split?.kind === 'job' && split.rule !== 'prepare' ? 'split' : path;

const jobPart = (path: Part['path'], use: PartUse, program: Program & { readonly compute: JobCompute }): Part => ({
  path,
  use,
  program,
  ...(program.compute.accelerator === undefined ? {} : { accelerator: program.compute.accelerator }),
  instances: program.compute.nodes,
  atRest: 0,
  spot: program.compute.spot,
  maxRuntimeMs: program.compute.maxRuntime,
});

const servingPart = (serve: Exclude<ModelPlan['serve'], 'none'>): Part => ({
  path: 'serve',
  use: 'serve',
  program: serve,
  ...(serve.compute.accelerator === undefined ? {} : { accelerator: serve.compute.accelerator }),
  instances: serve.compute.instances.max,
  atRest: serve.compute.instances.min,
  spot: false,
});
