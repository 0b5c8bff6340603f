import { Fault } from '@serin/core/base/fault';
import { canonical } from '@serin/core/base/json';
import { plainOf } from '@serin/core/base/variables';
import { entryPoint, userArguments } from '@serin/core/job-contract/command';
import { channelVariables, decodedHyperparameters, prefixed } from '@serin/core/job-contract/variables';
import type { Job } from '@serin/core/ports/jobs';
import type { Layout } from './layout.ts';

export interface Placed {
  readonly job: Job;
  readonly name: string;
  readonly layout: Layout;
  readonly region: string;
  readonly machine: { readonly name: string; readonly vcpus: number; readonly gpus: number };
}

type Variables = Readonly<Record<string, string>>;

/**
 * The variables that no part of SageMaker sets: Vertex AI's, Azure ML's, MLflow's, PyTorch's and our own, over the
 * directories of the container. The job's own `environment` wins. Of several nodes `RANK` is known to the container alone.
 */
function familiesOf({ job, name, layout }: Placed): Variables {
  return {
    // Standard output is a pipe: without this the last lines of a job that is killed are lost.
    PYTHONUNBUFFERED: '1',
    ...vertex(job, name, layout),
    ...azureAndMlflow(job, name, layout),
    ...distributed(job),
    ...Object.fromEntries(
      job.outputs.map((output) => [`SERIN_OUTPUT_${output.toUpperCase()}`, layout.outputOf(output)]),
    ),
    ...plainOf(job.environment),
  };
}

/** The variables of SageMaker's toolkit, for containers in which it does not run. */
function toolkitVariables(placed: Placed): Variables {
  const { job, name, layout, machine, region } = placed;
  const hosts = Array.from({ length: job.compute.nodes }, (_, index) => `algo-${index + 1}`);
  const entry = entryPoint(job);
  const isAlone = job.compute.nodes === 1;
  // https://github.com/aws/sagemaker-training-toolkit: ENVIRONMENT_VARIABLES.md, environment.py, mapping.py
  const facts = {
    // Which of several hosts it is, each knows by itself.
    ...(isAlone ? { current_host: 'algo-1' } : {}),
    current_instance_type: machine.name,
    framework_params: {},
    hosts,
    input_config_dir: layout.config,
    input_dir: layout.input,
    log_level: 20,
    model_dir: layout.model,
    module_dir: layout.code,
    module_name: entry.replace(/\.[^.]*$/, ''),
    network_interface_name: 'eth0',
    num_cpus: machine.vcpus,
    num_gpus: machine.gpus,
    output_data_dir: layout.outputData,
    output_dir: layout.output,
    output_intermediate_dir: `${layout.output}/intermediate`,
    user_entry_point: entry,
  };
  const training = {
    ...facts,
    channel_input_dirs: channelPaths(job, layout),
    hyperparameters: decodedHyperparameters(job),
    ...(isAlone ? { is_master: true } : {}),
    job_name: name,
  };
  return {
    ...prefixed('SM_', facts),
    ...ofJob(placed),
    SM_TRAINING_ENV: canonical(training),
    SAGEMAKER_JOB_NAME: name,
    SAGEMAKER_PROGRAM: entry,
    SAGEMAKER_REGION: region,
    TRAINING_JOB_NAME: name,
  };
}

/** What of them is of this very job, and nothing of the machine. */
const ofJob = ({ job, layout }: Placed): Variables => ({
  SM_CHANNELS: canonical(Object.keys(job.channels).sort()),
  ...channelVariables(channelPaths(job, layout)),
  SM_HPS: canonical(decodedHyperparameters(job)),
  ...prefixed('SM_HP_', job.hyperparameters),
  SM_USER_ARGS: canonical(userArguments(job)),
});

/** Where SageMaker's toolkit runs, and is not given the hyperparameters. */
export const variablesBesideToolkit = (placed: Placed): Variables =>
  besideSecrets(placed.job, { ...ofJob(placed), ...familiesOf(placed) });

export const allVariables = (placed: Placed): Variables =>
  besideSecrets(placed.job, { ...toolkitVariables(placed), ...familiesOf(placed) });

/** A variable whose text is a secret is given by the request only: a script that set it would take it away. */
const besideSecrets = ({ environment }: Job, variables: Variables): Variables =>
  Object.fromEntries(Object.entries(variables).filter(([name]) => typeof environment[name] !== 'object'));

/**
 * The variables as a request can name them: one of a family that it cannot is left out, one of the user's `own` is
 * `invalid`, and its text is never told. The limits are those of botocore: TrainingEnvironmentMap,
 * ProcessingEnvironmentMap, EnvironmentMap.
 */
export function requestVariables(
  job: Job,
  variables: Variables,
  own: Variables,
  maxLength: number,
): Record<string, string> {
  const odd = Object.entries(own).find((variable) => !fits(variable, maxLength));
  const all = Object.entries({ ...variables, ...own }).filter((variable) => fits(variable, maxLength));
  // Each hyperparameter is an argument as well, and all of them are in SM_HPS.
  const fitting = all.length <= maxVariables ? all : all.filter(([name]) => !isOfHyperparameter(name, job));
  if (odd === undefined && fitting.length <= maxVariables) return Object.fromEntries(fitting);
  const what = odd === undefined ? `${fitting.length} variables` : `a variable ${odd[0]}`;
  throw new Fault(
    'invalid',
    `the job ${job.key} has ${what}; SageMaker takes ${maxVariables}, with names of letters, digits and _ and values of at most ${maxLength} characters`,
  );
}

const maxVariables = 100;
const fits = ([name, value]: readonly [string, string], maxLength: number): boolean =>
  /^[a-zA-Z_]\w*$/.test(name) && value.length <= maxLength;
const isOfHyperparameter = (name: string, { environment }: Job): boolean =>
  name.startsWith('SM_HP_') && !Object.hasOwn(environment, name);

/** The user's own, for what runs in a container before the command, as far as a request can name them. */
export const ownVariables = ({ environment }: Job, maxLength: number): Record<string, string> =>
  Object.fromEntries(Object.entries(plainOf(environment)).filter((variable) => fits(variable, maxLength)));

// https://cloud.google.com/vertex-ai/docs/training/code-requirements#environment-variables
function vertex(job: Job, name: string, layout: Layout): Variables {
  const of = (channel: string, variable: string): Variables => {
    const path = channelPaths(job, layout)[channel];
    return path === undefined ? {} : { [variable]: path };
  };
  return {
    AIP_MODEL_DIR: layout.model,
    AIP_CHECKPOINT_DIR: layout.checkpoints,
    AIP_TENSORBOARD_LOG_DIR: `${layout.outputData}/logs`,
    ...of('train', 'AIP_TRAINING_DATA_URI'),
    ...of('validation', 'AIP_VALIDATION_DATA_URI'),
    ...of('test', 'AIP_TEST_DATA_URI'),
    CLOUD_ML_JOB_ID: name,
  };
}

/** No MLFLOW_RUN_ID: a script that is given one fails unless a tracking server knows that run. */
function azureAndMlflow(job: Job, name: string, layout: Layout): Variables {
  const inputs = Object.entries(channelPaths(job, layout)).map(([channel, path]) => [
    `AZURE_ML_INPUT_${channel}`,
    path,
  ]);
  const outputs = job.outputs.map((output) => [`AZURE_ML_OUTPUT_${output}`, layout.outputOf(output)]);
  return {
    ...Object.fromEntries([...inputs, ...outputs]),
    AZUREML_RUN_ID: name,
    MLFLOW_TRACKING_URI: `file:${layout.outputData}/mlruns`,
    MLFLOW_EXPERIMENT_NAME: job.model,
  };
}

/** `TF_CONFIG` and `CLUSTER_SPEC` name one machine; with several, TensorFlow's containers make them themselves. */
function distributed({ compute }: Job): Variables {
  const alone = ['127.0.0.1:2222'];
  const text = (cluster: object, type: string) =>
    canonical({ cluster, environment: 'cloud', task: { type, index: 0 } });
  const world = { WORLD_SIZE: String(compute.nodes), MASTER_PORT: '29500' };
  if (compute.nodes > 1) return { ...world, MASTER_ADDR: 'algo-1' };
  return {
    ...world,
    RANK: '0',
    LOCAL_RANK: '0',
    MASTER_ADDR: '127.0.0.1',
    CLUSTER_SPEC: text({ workerpool0: alone }, 'workerpool0'),
    TF_CONFIG: text({ chief: alone }, 'chief'),
  };
}

const channelPaths = (job: Job, layout: Layout): Variables =>
  Object.fromEntries(Object.entries(job.channels).map(([name, source]) => [name, layout.found(name, source)]));
