import { Fault } from '../base/fault.ts';
import { canonical } from '../base/json.ts';
import { plainOf } from '../base/variables.ts';
import type { Job } from '../ports/jobs.ts';
import { entryPoint, type Places, userArguments } from './command.ts';

/** What a script may know of the computer that runs it. */
export interface Computer {
  readonly instanceType: string;
  readonly region: string;
  readonly cpus: number;
  readonly gpus: number;
  readonly network: string;
}

export interface PlacedJob {
  readonly job: Job;
  /** The name that the platform gives it. */
  readonly name: string;
  readonly places: Places;
  readonly computer: Computer;
  /** Where MLflow's client logs, and what knows the run of the job there; absent: into a folder of the job. */
  readonly tracking?: { readonly uri: string; readonly experiment: string };
  /** More that `SM_TRAINING_ENV` says, where the platform itself writes the files of `config`. */
  readonly more?: Readonly<Record<string, unknown>>;
}

type Texts = Readonly<Record<string, string>>;

/** Names that scripts already read, by who gave them. */
const families = {
  toolkit,
  job: variablesOfJob,
  // Standard output is a pipe: without this the last lines of a job that is killed are lost.
  python: () => ({ PYTHONUNBUFFERED: '1' }),
  vertex,
  azureMl,
  mlflow,
  distributed,
  serin: ({ job, places }) =>
    Object.fromEntries(job.outputs.map((output) => [`SERIN_OUTPUT_${output.toUpperCase()}`, places.outputOf(output)])),
  own: ({ job }) => plainOf(job.environment),
} satisfies Readonly<Record<string, (placed: PlacedJob) => Texts>>;

/**
 * The variables of a job, the same on every platform: those of SageMaker's toolkit, Vertex AI, Azure ML, MLflow and
 * PyTorch at once, and our own. The job's own `environment` wins. A family that a container sets by itself is left out by
 * its name, and so is a variable whose text is a secret, for these are written down.
 */
export function variablesOf(placed: PlacedJob, ...without: readonly (keyof typeof families)[]): Texts {
  const { environment } = placed.job;
  const given = Object.entries(families).filter(([family]) => !without.some((name) => name === family));
  const all = given.flatMap(([, variables]) => Object.entries<string>(variables(placed)));
  return Object.fromEntries(all.filter(([name]) => typeof environment[name] !== 'object'));
}

const hostsOf = ({ compute }: Job): readonly string[] =>
  Array.from({ length: compute.nodes }, (_, index) => `algo-${index + 1}`);

/**
 * The variables of SageMaker's toolkit. Which of several hosts it is, each knows by itself.
 * https://github.com/aws/sagemaker-training-toolkit: ENVIRONMENT_VARIABLES.md, environment.py, mapping.py
 */
function toolkit(placed: PlacedJob): Texts {
  const { job, name, places, computer } = placed;
  const entry = entryPoint(job);
  const isAlone = job.compute.nodes === 1;
  const common = {
    ...(isAlone ? { current_host: 'algo-1' } : {}),
    current_instance_type: computer.instanceType,
    framework_params: {},
    hosts: hostsOf(job),
    input_config_dir: places.config,
    input_dir: places.input,
    log_level: 20,
    model_dir: places.model,
    module_dir: places.code,
    module_name: entry.replace(/\.[^.]*$/, ''),
    network_interface_name: computer.network,
    num_cpus: computer.cpus,
    num_gpus: computer.gpus,
    output_data_dir: places.outputData,
    output_dir: places.output,
    output_intermediate_dir: `${places.output}/intermediate`,
    user_entry_point: entry,
    ...placed.more,
  };
  const training = {
    ...common,
    channel_input_dirs: channelPaths(placed),
    hyperparameters: decodedHyperparameters(job),
    ...(isAlone ? { is_master: true } : {}),
    job_name: name,
  };
  return {
    ...prefixed('SM_', common),
    SM_TRAINING_ENV: canonical(training),
    SAGEMAKER_JOB_NAME: name,
    SAGEMAKER_PROGRAM: entry,
    SAGEMAKER_REGION: computer.region,
    TRAINING_JOB_NAME: name,
  };
}

/** What of the toolkit's variables is of this very job, and nothing of the computer. */
function variablesOfJob(placed: PlacedJob): Texts {
  const { job } = placed;
  return {
    SM_CHANNELS: canonical(Object.keys(job.channels).sort()),
    ...channelVariables(channelPaths(placed)),
    SM_HPS: canonical(decodedHyperparameters(job)),
    ...prefixed('SM_HP_', job.hyperparameters),
    SM_USER_ARGS: canonical(userArguments(job)),
  };
}

/**
 * The variables of a Vertex AI training. Data is named as Vertex AI names it, by a pattern that scripts give to `glob`:
 * "gs://bucket_name/path/training-*", for it "might be split into multiple files".
 * https://cloud.google.com/vertex-ai/docs/training/code-requirements#environment-variables
 * https://cloud.google.com/vertex-ai/docs/training/using-managed-datasets
 */
function vertex(placed: PlacedJob): Texts {
  const { name, places } = placed;
  const of = (channel: string, variable: string): Texts => {
    const path = channelPaths(placed)[channel];
    return path === undefined ? {} : { [variable]: `${path}/*` };
  };
  return {
    AIP_MODEL_DIR: places.model,
    AIP_CHECKPOINT_DIR: places.checkpoints,
    AIP_TENSORBOARD_LOG_DIR: places.logs,
    ...of('train', 'AIP_TRAINING_DATA_URI'),
    ...of('validation', 'AIP_VALIDATION_DATA_URI'),
    ...of('test', 'AIP_TEST_DATA_URI'),
    CLOUD_ML_JOB_ID: name,
  };
}

function azureMl(placed: PlacedJob): Texts {
  const { job, name, places } = placed;
  const inputs = Object.entries(channelPaths(placed)).map(([channel, path]) => [`AZURE_ML_INPUT_${channel}`, path]);
  const outputs = job.outputs.map((output) => [`AZURE_ML_OUTPUT_${output}`, places.outputOf(output)]);
  return { ...Object.fromEntries([...inputs, ...outputs]), AZUREML_RUN_ID: name };
}

/**
 * `MLFLOW_RUN_ID` only where a tracking server knows the run: without one a script that is given it fails. A job that
 * brings a server of its own gets neither run nor experiment of ours by their ids.
 */
function mlflow({ job, places, tracking }: PlacedJob): Texts {
  const name = { MLFLOW_EXPERIMENT_NAME: job.model };
  if (tracking === undefined || job.environment.MLFLOW_TRACKING_URI !== undefined)
    return { MLFLOW_TRACKING_URI: `file:${places.tracking}`, ...name };
  const { uri, experiment } = tracking;
  return { MLFLOW_TRACKING_URI: uri, ...name, MLFLOW_EXPERIMENT_ID: experiment, MLFLOW_RUN_ID: runOf(job) };
}

/** The run that a job is of. */
export const runOf = ({ key }: Pick<Job, 'key'>): string => key.split('/')[0] ?? '';

/**
 * PyTorch's, TensorFlow's and Vertex AI's clusters. `RANK`, `TF_CONFIG` and `CLUSTER_SPEC` name one machine: of several,
 * each finds its rank in its container, and TensorFlow's containers make theirs by themselves.
 */
function distributed({ job }: PlacedJob): Texts {
  const alone = ['127.0.0.1:2222'];
  const text = (cluster: object, type: string) =>
    canonical({ cluster, environment: 'cloud', task: { type, index: 0 } });
  const [first = '', ...others] = hostsOf(job);
  const world = { WORLD_SIZE: String(job.compute.nodes), MASTER_PORT: '29500' };
  if (others.length > 0) return { ...world, MASTER_ADDR: first };
  return {
    ...world,
    RANK: '0',
    LOCAL_RANK: '0',
    MASTER_ADDR: '127.0.0.1',
    CLUSTER_SPEC: text({ workerpool0: alone }, 'workerpool0'),
    TF_CONFIG: text({ chief: alone }, 'chief'),
  };
}

const channelPaths = ({ job, places }: PlacedJob): Texts =>
  Object.fromEntries(Object.entries(job.channels).map(([name, source]) => [name, places.found(name, source)]));

/** Values as the toolkit decodes them: `'10'` is the number 10, what is no JSON stays text. */
export const decodedHyperparameters = ({ hyperparameters }: Pick<Job, 'hyperparameters'>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(hyperparameters).map(([name, text]) => [name, decoded(text)]));

function decoded(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    const exact =
      typeof value !== 'number' ||
      (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)));
    return exact ? value : text;
  } catch {
    return text;
  }
}

/** Where each channel is. What SageMaker's SDK calls a channel without a name, `training`, is `train`, unless there is one. */
export function channelVariables(paths: Readonly<Record<string, string>>): Record<string, string> {
  const { train } = paths;
  return prefixed('SM_CHANNEL_', { ...(train === undefined ? {} : { training: train }), ...paths });
}

/** Variables of a family: names in capitals after the prefix, values as text or JSON. */
export function prefixed(prefix: string, values: Readonly<Record<string, unknown>>): Record<string, string> {
  const text = (value: unknown) => (typeof value === 'string' ? value : canonical(value));
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name.toUpperCase(), text(value)]));
}

/** A job that ended well without a promised output: which, where it was looked for, and what names that place to a program. */
export function missingOutput(name: string, place: string): Fault {
  const variables: Readonly<Record<string, string>> = { model: 'SM_MODEL_DIR', output: 'SM_OUTPUT_DATA_DIR' };
  const variable = variables[name] ?? `SERIN_OUTPUT_${name.toUpperCase()}`;
  const why = `the job ended well, but wrote no ${name} into ${place}`;
  return new Fault('invalid', `${why}; let it write into the folder that ${variable} names`);
}
