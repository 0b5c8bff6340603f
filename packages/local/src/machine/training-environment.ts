import { join } from 'node:path';
import { Fault } from '@serin/core/fault';
import { canonical } from '@serin/core/json';
import type { Job } from '@serin/core/ports';
import { outputDirectory, type Placed, type Tree, treeAt } from './jobs/tree.ts';

const host = 'algo-1';

/** `--name value` for each hyperparameter, as SageMaker's toolkit passes them: sorted, one dash before a single letter. */
function userArguments(job: Job): readonly string[] {
  return sorted(job.hyperparameters).flatMap(([name, value]) => [`${name.length > 1 ? '--' : '-'}${name}`, value]);
}

/**
 * The command of a job: Azure ML's `${{inputs.x}}` and `${{outputs.y}}` filled in, and for a trainer the arguments.
 * A placeholder that names nothing is `invalid`.
 */
export function commandOf(job: Job, tree: Tree): readonly string[] {
  const fill = (whole: string, kind: string, name: string): string => {
    const value = kind === 'inputs' ? inputOf(job, tree, name) : outputOf(job, tree, name);
    if (value !== undefined) return value;
    throw new Fault(
      'invalid',
      `the command of ${job.key} names ${whole}, which the job does not have; correct the command`,
    );
  };
  const command = job.command.map((part) => part.replace(/\$\{\{\s*(inputs|outputs)\.([\w.-]+)\s*\}\}/g, fill));
  return job.kind === 'train' ? [...command, ...userArguments(job)] : command;
}

const inputOf = (job: Job, tree: Tree, name: string): string | undefined =>
  Object.hasOwn(job.channels, name) ? join(tree.data, name) : own(job.hyperparameters, name);

const outputOf = (job: Job, tree: Tree, name: string): string | undefined =>
  job.outputs.includes(name) ? outputDirectory(tree, name) : undefined;

/**
 * The whole environment of a job: SageMaker's, Vertex AI's, Azure ML's, MLflow's and PyTorch's names at once, over one
 * tree of directories, and nothing of the server's but what is `inherited`. The job's own `environment` wins.
 */
export function trainingEnvironment(placed: Placed): Readonly<Record<string, string>> {
  const { job, machine } = placed;
  const tree = treeAt(placed.root);
  return {
    LANG: 'C.UTF-8',
    ...machine.inherited,
    HOME: tree.home,
    TMPDIR: tree.temporary,
    // Standard output is a pipe: without this the last lines of a job that is killed are lost.
    PYTHONUNBUFFERED: '1',
    ...sageMaker(placed, tree),
    ...vertex(placed, tree),
    ...azureAndMlflow(placed, tree),
    ...distributed,
    ...Object.fromEntries(
      job.outputs.map((name) => [`SERIN_OUTPUT_${name.toUpperCase()}`, outputDirectory(tree, name)]),
    ),
    ...job.environment,
  };
}

// https://github.com/aws/sagemaker-training-toolkit: ENVIRONMENT_VARIABLES.md, environment.py, mapping.py
function sageMaker(placed: Placed, tree: Tree): Record<string, string> {
  const { job, id, machine } = placed;
  const { input, config } = configFiles(placed);
  const entry = entryPoint(job);
  const facts = {
    channels: Object.keys(job.channels).sort(),
    current_host: host,
    current_instance_type: 'local',
    framework_params: {},
    hosts: [host],
    hps: decoded(job.hyperparameters),
    input_config_dir: tree.config,
    input_data_config: input,
    input_dir: tree.input,
    log_level: 20,
    model_dir: tree.model,
    module_dir: tree.code,
    module_name: entry.replace(/\.[^.]*$/, ''),
    network_interface_name: 'lo',
    num_cpus: machine.cpus,
    num_gpus: machine.gpus,
    output_data_dir: tree.outputData,
    output_dir: tree.output,
    output_intermediate_dir: tree.intermediate,
    resource_config: config,
    user_args: userArguments(job),
    user_entry_point: entry,
  };
  const channels = Object.fromEntries(facts.channels.map((name) => [name, join(tree.data, name)]));
  const { hps, channels: _, user_args: __, ...rest } = facts;
  const trainingEnv = { ...rest, channel_input_dirs: channels, hyperparameters: hps, is_master: true, job_name: id };
  return {
    ...prefixed('SM_', facts),
    ...prefixed('SM_CHANNEL_', channels),
    ...prefixed('SM_HP_', job.hyperparameters),
    SM_TRAINING_ENV: canonical(trainingEnv),
    SAGEMAKER_BASE_DIR: tree.root,
    SAGEMAKER_JOB_NAME: id,
    SAGEMAKER_PROGRAM: entry,
    SAGEMAKER_REGION: 'local',
    TRAINING_JOB_NAME: id,
  };
}

// https://cloud.google.com/vertex-ai/docs/training/code-requirements#environment-variables
function vertex({ job, id, checkpoints }: Placed, tree: Tree): Record<string, string> {
  const address = ['127.0.0.1:2222'];
  const of = (name: string, variable: string) =>
    Object.hasOwn(job.channels, name) ? { [variable]: join(tree.data, name) } : {};
  return {
    AIP_MODEL_DIR: tree.model,
    AIP_CHECKPOINT_DIR: checkpoints,
    AIP_TENSORBOARD_LOG_DIR: tree.logs,
    ...of('train', 'AIP_TRAINING_DATA_URI'),
    ...of('validation', 'AIP_VALIDATION_DATA_URI'),
    ...of('test', 'AIP_TEST_DATA_URI'),
    CLOUD_ML_JOB_ID: id,
    CLUSTER_SPEC: canonical({
      cluster: { workerpool0: address },
      environment: 'cloud',
      task: { type: 'workerpool0', index: 0 },
    }),
    TF_CONFIG: canonical({ cluster: { chief: address }, environment: 'cloud', task: { type: 'chief', index: 0 } }),
  };
}

/** No MLFLOW_RUN_ID: a script that is given one fails unless a tracking server knows that run. */
function azureAndMlflow({ job, id }: Placed, tree: Tree): Record<string, string> {
  return {
    ...Object.fromEntries(Object.keys(job.channels).map((name) => [`AZURE_ML_INPUT_${name}`, join(tree.data, name)])),
    ...Object.fromEntries(job.outputs.map((name) => [`AZURE_ML_OUTPUT_${name}`, outputDirectory(tree, name)])),
    AZUREML_RUN_ID: id,
    MLFLOW_TRACKING_URI: `file:${tree.tracking}`,
    MLFLOW_EXPERIMENT_NAME: job.model,
  };
}

const distributed = { WORLD_SIZE: '1', RANK: '0', LOCAL_RANK: '0', MASTER_ADDR: '127.0.0.1', MASTER_PORT: '29500' };

/** The contents of `input/config`; hyperparameters are strings there. */
export function configFiles({ job, checkpoints }: Placed) {
  const group = { instance_group_name: 'homogeneousCluster', instance_type: 'local', hosts: [host] };
  return {
    input: Object.fromEntries(
      Object.keys(job.channels).map((name) => [
        name,
        { TrainingInputMode: 'File', S3DistributionType: 'FullyReplicated', RecordWrapperType: 'None' },
      ]),
    ),
    config: {
      current_host: host,
      current_instance_type: 'local',
      current_group_name: 'homogeneousCluster',
      hosts: [host],
      instance_groups: [group],
      network_interface_name: 'lo',
    },
    output: job.checkpoints === undefined ? undefined : { LocalPath: checkpoints },
  };
}

/** The script, or the module after `-m`: what SageMaker calls the program. */
const entryPoint = ({ command }: Job): string =>
  command.slice(1).find((part) => !part.startsWith('-')) ?? command[0] ?? '';

/** Values as the toolkit decodes them: `'10'` is the number 10, what is no JSON stays text. */
function decoded(hyperparameters: Job['hyperparameters']): Record<string, unknown> {
  return Object.fromEntries(Object.entries(hyperparameters).map(([name, text]) => [name, decode(text)]));
}

function decode(text: string): unknown {
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

function prefixed(prefix: string, values: Readonly<Record<string, unknown>>): Record<string, string> {
  const text = (value: unknown) => (typeof value === 'string' ? value : canonical(value));
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name.toUpperCase(), text(value)]));
}

const sorted = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
const own = (values: Readonly<Record<string, string>>, name: string) =>
  Object.hasOwn(values, name) ? values[name] : undefined;
