import { Fault } from '@serin/core/base/fault';
import { day, hour, minute } from '@serin/core/base/time';
import type { CompiledConfig, ModelPlan, Program } from '@serin/core/config/config';
import { brokenLimits, type Limit, ofModels, whenPart } from '@serin/core/config/limits';
import { type JobPath, type Part, partsOf } from '@serin/core/config/parts';
import { maturityOf } from '@serin/core/config/performance';
import type { ConfigProblem } from '@serin/core/config/problems';
import { capturedDays } from './captured.ts';
import type { Cloud } from './facts.ts';
import { type InstanceType, type InstanceTypes, instanceTypeFor } from './instance-types.ts';

/** A limit with where it was read. */
export interface CloudLimit extends Limit {
  /** A page, or a machine-readable model and the name in it. */
  readonly source: string;
}

const served =
  (isSo: (plan: ModelPlan) => boolean): Limit['broken'] =>
  (plan) =>
    plan.serve !== 'none' && isSo(plan);

/** What a config may ask for that not every cloud can do. */
const asks = {
  ticksWithinMinutes: { path: 'rollout.tick', broken: served(({ rollout }) => rollout.tick % minute !== 0) },
  shadow: { path: 'rollout.strategy', broken: served(({ rollout }) => rollout.strategy === 'shadow') },
  segments: { path: 'rollout.segments', broken: served(({ rollout }) => rollout.segments !== undefined) },
  stickyUsers: {
    path: 'serve.stickyBy',
    broken: ({ serve }: ModelPlan) => serve !== 'none' && serve.stickyBy !== undefined,
  },
  metricsByRegex: { path: 'train.metrics', broken: ({ train }: ModelPlan) => train.metrics.length > 0 },
} satisfies Readonly<Record<string, Pick<Limit, 'path' | 'broken'>>>;

/** A cloud cannot do what a config asks for. */
export const cannot = (ask: keyof typeof asks, because: string, source: string): CloudLimit => ({
  ...asks[ask],
  because,
  source,
});

export const longestRun = (path: JobPath, ms: number, because: string, source: string): CloudLimit => ({
  path: `${path}.compute.maxRuntime`,
  broken: whenPart(path, ({ maxRuntimeMs = 0 }) => maxRuntimeMs > ms),
  because,
  source,
});

/** The least time that a deployment must be given to become ready. */
export const slowDeployments = (ms: number, because: string, source: string): CloudLimit => ({
  path: 'rollout.readyWithin',
  broken: served(({ rollout }) => rollout.readyWithin < ms),
  because,
  source,
});

/** What holds for the captured requests of every cloud; `where` says what holds them. */
export const captured = (where: string, source: string): readonly CloudLimit[] => [
  {
    path: 'monitor.capture.keep',
    broken: ({ monitor: { capture } }) => capture !== undefined && capture.keep !== capturedDays * day,
    because: `${where} forgets what is captured after ${capturedDays}d, for all models: leave out keep`,
    source,
  },
  {
    path: 'monitor.drift.window',
    broken: ({ monitor: { drift } }) => drift !== undefined && drift.window % hour !== 0,
    because: `${where} has what is captured by the hour: use a multiple of '1h'`,
    source,
  },
];

/** What asks for the labels of a model, by its place in the config. */
const askForLabels: readonly Pick<Limit, 'path' | 'broken'>[] = [
  { path: 'rollout.guardrails.labels', broken: ({ rollout }) => rollout.guardrails.labels !== undefined },
  { path: 'monitor.performance', broken: ({ monitor }) => monitor.performance !== undefined },
  { path: 'labels', broken: ({ labels }) => labels !== undefined },
];

/** What asks for labels, under a plan that lacks what they need. */
export const labelsWant = (lacks: Limit['broken'], because: string, source: string): readonly CloudLimit[] =>
  askForLabels.map(({ path, broken }) => ({ path, broken: (plan) => broken(plan) && lacks(plan), because, source }));

/** What holds for the labels of every cloud, which are joined to captured requests; `where` says what holds those. */
export const labelled = (where: string, source: string): readonly CloudLimit[] => [
  ...labelsWant(
    ({ monitor: { capture } }) => capture === undefined || Number.parseFloat(capture.share) === 0,
    'a label is joined to a captured request: give monitor.capture with a share and the fields that may be kept',
    source,
  ),
  {
    path: 'rollout.guardrails.labels.maturity',
    broken: ({ rollout: { guardrails } }) => (guardrails.labels?.maturity ?? 0) > (capturedDays - 1) * day,
    because: `${where} forgets what is captured after ${capturedDays}d, and a label after that finds no request: use at most '${capturedDays - 1}d'`,
    source,
  },
  {
    path: 'monitor.performance.maturity',
    broken: (plan) => {
      const { performance } = plan.monitor;
      return performance !== undefined && performance.window + maturityOf(plan) > (capturedDays - 1) * day;
    },
    because: `${where} forgets what is captured after ${capturedDays}d, and a window is read when its labels have matured: use at most '${capturedDays - 1}d' together with window`,
    source,
  },
];

/** What the cloud takes as the name of a bucket, of those that a config can name. */
export const bucketNames = (isTaken: (name: string) => boolean, because: string, source: string) =>
  [
    { path: 'data.bucket', broken: ({ data }: ModelPlan) => !isTaken(data.bucket), because, source },
    {
      path: 'labels.bucket',
      broken: ({ labels }: ModelPlan) => labels !== undefined && !isTaken(labels.bucket),
      because,
      source,
    },
  ] satisfies readonly CloudLimit[];

/** What the start of a job with an image and no code says in the request itself; with code a script says it. */
export const inRequest =
  (path: JobPath, isTooMuch: (program: Program, plan: ModelPlan) => boolean): Limit['broken'] =>
  (plan) =>
    whenPart(
      path,
      ({ program }) => program.image !== undefined && program.code === undefined && isTooMuch(program, plan),
    )(plan);

/** What a cloud cannot do with a config: its limits for each model, and what holds for all clouds. */
export const problemsWith = (
  { limits, instanceTypes }: { readonly limits: readonly Limit[]; readonly instanceTypes: InstanceTypes },
  config: CompiledConfig,
): readonly ConfigProblem[] =>
  ofModels(config, (plan) => [
    ...brokenLimits(limits, plan),
    ...partsOf(plan).flatMap((part) => partProblems(part, instanceTypes)),
  ]);

function partProblems(part: Part, instanceTypes: InstanceTypes): readonly ConfigProblem[] {
  const { path, accelerator } = part;
  const image = imageProblem(part, instanceTypes.cloud);
  const found = instanceTypeOf(part, instanceTypes);
  return [
    ...(image === undefined ? [] : [{ path: `${path}.image`, message: image }]),
    ...('problem' in found
      ? [{ path: `${path}.compute.accelerator`, message: found.problem, value: accelerator }]
      : []),
  ];
}

/** Without an image a job runs on a stock one of Node, as the built-in splitter does; an endpoint has none. */
function imageProblem({ use, program: { image, command } }: Part, cloud: Cloud): string | undefined {
  if (image !== undefined) return undefined;
  if (use === 'serve') return `there is no image for ${cloud}: give one, an endpoint only serves containers`;
  const [program = ''] = command;
  return program === 'node'
    ? undefined
    : `there is no image for ${cloud}: give one that has '${program}', which the stock image of Node may lack`;
}

/** The instance type of a part, or why there is none. */
export function instanceTypeOf(
  { use, accelerator }: Part,
  instanceTypes: InstanceTypes,
): { readonly type: InstanceType } | { readonly problem: string } {
  try {
    return { type: instanceTypeFor(instanceTypes, use, accelerator) };
  } catch (error) {
    if (error instanceof Fault && error.code === 'invalid') return { problem: error.message };
    throw error;
  }
}
