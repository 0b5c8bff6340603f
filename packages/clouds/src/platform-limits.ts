import { Fault } from '@serin/core/base/fault';
import { canonical, encodeText } from '@serin/core/base/json';
import { day, minute } from '@serin/core/base/time';
import { secretNames } from '@serin/core/base/variables';
import type { CompiledConfig, ModelPlan, Program } from '@serin/core/config/config';
import type { ConfigProblem } from '@serin/core/config/problems';
import { type Accelerator, type Cloud, type Machine, type MachineUse, machineFor } from './accelerators.ts';
import { awsNameProblems } from './aws/names.ts';

/** One job or deployment of a model's plan, and the machines that it wants. */
export interface Part {
  /** Where the config names it: `train`, `split.prepare`. */
  readonly path: 'train' | 'split' | 'split.prepare' | 'evaluate' | 'serve';
  readonly use: MachineUse;
  readonly program: Program;
  readonly accelerator?: Accelerator;
  /** Machines at once, at most. */
  readonly machines: number;
  /** Machines that stand while nothing happens. */
  readonly atRest: number;
  readonly spot: boolean;
  /** Absent: it runs until it is taken away. */
  readonly maxRuntimeMs?: number;
}

/** Everything of a model that needs a machine of the cloud, in the order in which it is needed. */
export function partsOf(plan: ModelPlan): readonly Part[] {
  const { split, train, evaluate, serve } = plan;
  const job = (path: Part['path'], use: MachineUse, program: Program & Pick<ModelPlan['train'], 'compute'>): Part => ({
    path,
    use,
    program,
    ...(program.compute.accelerator === undefined ? {} : { accelerator: program.compute.accelerator }),
    machines: program.compute.nodes,
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
  machines: serve.compute.instances.max,
  atRest: serve.compute.instances.min,
  spot: false,
});

/** What a platform cannot do with a plan: where the config says it, whether it does, and why it cannot be. */
interface Limit {
  readonly path: string;
  readonly broken: (plan: ModelPlan) => boolean;
  readonly because: string;
}

const served = (plan: ModelPlan): boolean => plan.serve !== 'none';
const longest = (path: Part['path'], ms: number) => (plan: ModelPlan) =>
  partsOf(plan).some((part) => part.path === path && (part.maxRuntimeMs ?? 0) > ms);
const onSpot = (path: Part['path']) => (plan: ModelPlan) =>
  partsOf(plan).some((part) => part.path === path && part.spot);

// CreateProcessingJob: MaxRuntimeInSeconds is at most 777600 (botocore), and there is no spot.
const processingLimit = 9 * day;
const noSpot = 'processing jobs of SageMaker have no spot machines: leave spot out';
const tooLong = 'a processing job of SageMaker runs for 9d at most';

/** What the start of a job with an image and no code says in the request itself; with code a script says it. */
const inRequest =
  (path: Part['path'], isTooMuch: (program: Program, plan: ModelPlan) => boolean) => (plan: ModelPlan) =>
    partsOf(plan).some(
      (part) =>
        part.path === path &&
        part.program.image !== undefined &&
        part.program.code === undefined &&
        isTooMuch(part.program, plan),
    );

// botocore: TrainingContainerEntrypoint and ContainerEntrypoint have 100 words of 256 characters, in one line.
const tooManyWords = (words: readonly string[]): boolean =>
  words.length > 100 || words.some((word) => word.length > 256 || /[\r\n]/.test(word));
const wordsInRequest =
  'without code SageMaker takes 100 words of 256 characters in one line, hyperparameters included: bring a folder of code';

// botocore: TrainingEnvironmentMap, ProcessingEnvironmentMap, EnvironmentMap have 100 variables; half of them may be ours.
const tooManyVariables = (environment: Readonly<Record<string, unknown>>, longest: number): boolean =>
  Object.keys(environment).length > 50 ||
  Object.values(environment).some((value) => typeof value === 'string' && value.length > longest);
const variablesInRequest = (longest: number) =>
  `SageMaker takes 50 variables of ${longest} characters beside ours: put what is larger into a file`;

const aws: readonly Limit[] = [
  {
    path: 'rollout.tick',
    broken: (plan) => served(plan) && plan.rollout.tick % minute !== 0,
    because: "CloudWatch counts SageMaker's requests by the minute: a multiple of '1m'",
  },
  {
    path: 'rollout.strategy',
    broken: (plan) => served(plan) && plan.rollout.strategy === 'shadow',
    because:
      'CloudWatch has no pairs of a mirrored request and its answer, and a shadow step waits for them: use canary, linear or blueGreen',
  },
  {
    path: 'rollout.segments',
    broken: (plan) => served(plan) && plan.rollout.segments !== undefined,
    because: 'CloudWatch counts by variant, not by a header of the request',
  },
  {
    path: 'rollout.guardrails.labels',
    broken: (plan) => plan.rollout.guardrails.labels !== undefined,
    because: 'SageMaker does not keep who answered which request, so a label cannot be told to a version',
  },
  {
    path: 'labels',
    broken: (plan) => plan.labels !== undefined,
    because: 'SageMaker does not keep who answered which request, so a label cannot be told to a version',
  },
  {
    path: 'serve.stickyBy',
    broken: ({ serve }) => serve !== 'none' && serve.stickyBy !== undefined,
    because: 'SageMaker draws a variant for each request and takes no header into account',
  },
  {
    path: 'train.compute.maxRuntime',
    broken: longest('train', 28 * day),
    because: 'a training job of SageMaker runs for 28d at most',
  },
  // botocore: MetricDefinitionList has at most 40.
  {
    path: 'train.metrics',
    broken: ({ train }) => train.metrics.length > 40,
    because: 'a training job of SageMaker has 40 metrics at most',
  },
  // botocore: MetricRegex, MetricName.
  {
    path: 'train.metrics',
    broken: ({ train }) => train.metrics.some(({ name, regex }) => name.length > 255 || regex.length > 500),
    because: 'SageMaker takes names of metrics of 255 characters, and regular expressions of 500',
  },
  {
    path: 'train.command',
    broken: inRequest('train', ({ command }, { train }) =>
      tooManyWords([
        ...command,
        ...Object.entries(train.hyperparameters).flatMap(([name, value]) => [name, `${value}`]),
      ]),
    ),
    because: wordsInRequest,
  },
  {
    path: 'split.prepare.command',
    broken: inRequest('split.prepare', ({ command }) => tooManyWords(command)),
    because: wordsInRequest,
  },
  // botocore: TrainingEnvironmentValue, ProcessingEnvironmentValue, EnvironmentValue.
  {
    path: 'train.environment',
    broken: inRequest('train', ({ environment }) => tooManyVariables(environment, 512)),
    because: variablesInRequest(512),
  },
  {
    path: 'split.prepare.environment',
    broken: inRequest('split.prepare', ({ environment }) => tooManyVariables(environment, 256)),
    because: variablesInRequest(256),
  },
  {
    path: 'serve.environment',
    broken: ({ serve }) => serve !== 'none' && tooManyVariables(serve.environment, 1024),
    because: variablesInRequest(1024),
  },
  {
    path: 'serve.command',
    broken: ({ serve }) => serve !== 'none' && JSON.stringify(serve.command).length > 1024,
    because: 'a container of SageMaker is told its command in a variable of 1024 characters: shorten it',
  },
  { path: 'split.prepare.compute.maxRuntime', broken: longest('split.prepare', processingLimit), because: tooLong },
  { path: 'split.prepare.compute.spot', broken: onSpot('split.prepare'), because: noSpot },
  { path: 'evaluate.compute.maxRuntime', broken: longest('evaluate', processingLimit), because: tooLong },
  { path: 'evaluate.compute.spot', broken: onSpot('evaluate'), because: noSpot },
];

const severalNodes = (path: Part['path']) => (plan: ModelPlan) =>
  partsOf(plan).some((part) => part.path === path && part.machines > 1);

const local: readonly Limit[] = (['train', 'split.prepare', 'evaluate'] as const).map((path) => ({
  path: `${path}.compute.nodes`,
  broken: severalNodes(path),
  because: 'this is one machine: 1 node',
}));

/** `gcp` and `azure` have no row yet: their adapters will bring them. */
const limits: Readonly<Record<Cloud | 'local', readonly Limit[]>> = { aws, gcp: [], azure: [], local };

/**
 * Everything in a config that this platform cannot do, each with its place and the reason; empty: nothing is known.
 *
 * What is valid here and fails there is found before anything is paid for. The config is the one compiled for the platform.
 */
export function platformProblems(config: CompiledConfig, platform: Cloud | 'local'): readonly ConfigProblem[] {
  const ofModels = Object.entries(config.models).flatMap(([model, plan]) =>
    [
      ...limits[platform]
        .filter(({ broken }) => broken(plan))
        .map(({ path, because }) => ({ path, message: because, value: valueAt(plan, path) })),
      ...(platform === 'local' ? [] : partsOf(plan).flatMap((part) => partProblems(part, platform))),
    ].map(({ path, message, value }) => ({
      path: `models.${model}.${path}`,
      message,
      ...(value === undefined ? {} : { value }),
    })),
  );
  return [...(platform === 'aws' ? [...awsNameProblems(config), ...awsSizeProblems(config)] : []), ...ofModels];
}

// A request of Lambda has 6 MB. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const releaseBytes = 5_900_000;

function awsSizeProblems(config: CompiledConfig): readonly ConfigProblem[] {
  const bytes = encodeText(canonical(config)).length;
  if (bytes <= releaseBytes) return [];
  const message = `the config has ${bytes} bytes, and a release on AWS takes ${releaseBytes}: make several projects of it`;
  return [{ path: 'models', message }];
}

function partProblems(part: Part, platform: Cloud): { path: string; message: string; value?: unknown }[] {
  const { path, accelerator } = part;
  const image = { path: `${path}.image`, message: imageProblem(part, platform) };
  const machine = machineOf(part, platform);
  const compute = { path: `${path}.compute.accelerator`, value: accelerator };
  const [secret] = secretNames(part.program.environment);
  const bySecret = {
    path: `${path}.environment`,
    message: `'${secret}' is a secret by name, which is looked up on one machine and on aws only: let the program read it from the secrets of ${platform} itself`,
  };
  return [
    ...(secret === undefined || platform === 'aws' ? [] : [bySecret]),
    ...(image.message === undefined ? [] : [{ ...image, message: image.message }]),
    ...('problem' in machine ? [{ ...compute, message: machine.problem }] : []),
  ];
}

/** Without an image a job runs on a stock one of Node, as the built-in splitter does; an endpoint has none. */
function imageProblem({ use, program: { image, command } }: Part, platform: Cloud): string | undefined {
  if (image !== undefined) return undefined;
  if (use === 'serve') return `no image for ${platform}: an endpoint serves a container, and nothing else`;
  const [program = ''] = command;
  return program === 'node'
    ? undefined
    : `no image for ${platform}: without one a job runs on a stock image of Node, which may not have '${program}'`;
}

/** The machine of a part, or why there is none. */
export function machineOf(
  { use, accelerator }: Part,
  platform: Cloud,
): { readonly machine: Machine } | { readonly problem: string } {
  try {
    return { machine: machineFor(platform, use, accelerator) };
  } catch (error) {
    if (error instanceof Fault && error.code === 'invalid') return { problem: error.message };
    throw error;
  }
}

/** Times are milliseconds in a compiled config, and text in the author's: they are left out. */
function valueAt(plan: ModelPlan, path: string): unknown {
  const value = path
    .split('.')
    .reduce<unknown>(
      (inner, key) =>
        typeof inner === 'object' && inner !== null ? (inner as Readonly<Record<string, unknown>>)[key] : undefined,
      plan,
    );
  return typeof value === 'string' || typeof value === 'boolean' ? value : undefined;
}
