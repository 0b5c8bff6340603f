import { join } from 'node:path';
import { canonical } from '@serin/core/base/json';
import { plainOf } from '@serin/core/base/variables';
import { commandOf as commandIn, entryPoint, userArguments } from '@serin/core/job-contract/command';
import { channelVariables, decodedHyperparameters, prefixed } from '@serin/core/job-contract/variables';
import type { Job } from '@serin/core/ports/jobs';
import { outputDirectory, type Placed, type Tree, treeAt } from './jobs/tree.ts';

const host = 'algo-1';

/** The command of a job in its tree; what it may name: core/job-contract. */
export const commandOf = (job: Job, tree: Tree): readonly string[] =>
  commandIn(job, {
    input: (name) => (Object.hasOwn(job.channels, name) ? join(tree.data, name) : undefined),
    output: (name) => (job.outputs.includes(name) ? outputDirectory(tree, name) : undefined),
  });

/**
 * The whole environment of a job: SageMaker's, Vertex AI's, Azure ML's, MLflow's and PyTorch's names at once, over one
 * tree of directories, and nothing of the server's but what is `inherited`. The job's own `environment` wins; its secrets
 * are not among it, for this is written down.
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
    ...plainOf(job.environment),
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
    hps: decodedHyperparameters(job),
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
    ...channelVariables(channels),
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
