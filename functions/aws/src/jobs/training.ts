import type { CreateTrainingJobRequest, TrainingInstanceType } from '@aws-sdk/client-sagemaker';
import { instanceTypes } from '@serin/clouds/aws/instance-types';
import { instanceTypeFor } from '@serin/clouds/instance-types';
import { Fault } from '@serin/core/base/fault';
import { hour } from '@serin/core/base/time';
import { plainOf } from '@serin/core/base/variables';
import { checkpointsOf, commandOf } from '@serin/core/job-contract/command';
import { variablesOf } from '@serin/core/job-contract/variables';
import type { Job } from '@serin/core/ports/jobs';
import { type Contained, diskGb, placedIn } from '@serin/platform/jobs/layout';
import { ownVariables, requestVariables } from '@serin/platform/jobs/request-variables';
import { codeChannel, startChannel, startFile, startScript } from '@serin/platform/jobs/start-script';
import { tagsOf } from '../names.ts';
import type { Asked, Input } from './inputs.ts';
import { trainingLayout } from './layout.ts';
import { type JobSettings, s3Uri, startKey, vpcConfig } from './settings.ts';
import { scriptBesideToolkit, toolkitStart } from './toolkit.ts';

/** Of a job that says nothing of it. SageMaker counts the run into the wait. */
const spotWaitMs = 24 * hour;
/** botocore: TrainingEnvironmentMap, TrainingEnvironmentValue. */
const variableLimits = { of: 'SageMaker', most: 100, characters: 512 };

/**
 * A training job as SageMaker is asked for it.
 *
 * Image and code: the image's SageMaker toolkit brings the code and runs our script, which has the hyperparameters. Image
 * alone: the command becomes the entry point, or without one the image runs as `train`. Code alone: the stock Node image
 * starts it by our script. Secrets stand in the request only, never in a script.
 */
export function trainingJob(
  job: Job,
  name: string,
  settings: JobSettings,
  inputs: readonly Input[],
  archive: string | undefined,
  secrets: Readonly<Record<string, string>>,
): Asked<CreateTrainingJobRequest> {
  if (job.outputs.length !== 1 || job.outputs[0] !== 'model')
    throw new Fault(
      'invalid',
      `the job ${job.key} has the outputs ${job.outputs.join(', ')}; use only 'model', which training on SageMaker leaves`,
    );
  const machine = instanceTypeFor(instanceTypes, 'train', job.compute.accelerator);
  const placed = placedIn(trainingLayout, job, name, settings.region, machine);
  const launch = launchOf(placed, settings, archive, secrets);
  const channels = [...inputs, ...launch.inputs].map(({ name: ChannelName, type, uri }) => ({
    ChannelName,
    DataSource: { S3DataSource: { S3DataType: type, S3Uri: uri, S3DataDistributionType: 'FullyReplicated' as const } },
  }));
  const checkpoints = checkpointsOf(job);
  const seconds = (ms: number) => Math.ceil(ms / 1000);
  const request: CreateTrainingJobRequest = {
    TrainingJobName: name,
    RoleArn: settings.jobRole,
    AlgorithmSpecification: {
      TrainingImage: job.image ?? settings.nodeImage,
      TrainingInputMode: 'File',
      ...(job.metrics.length === 0
        ? {}
        : { MetricDefinitions: job.metrics.map(({ name: Name, regex: Regex }) => ({ Name, Regex })) }),
      ...launch.entry,
    },
    HyperParameters: { ...launch.hyperparameters },
    Environment: { ...launch.variables },
    ...(channels.length === 0 ? {} : { InputDataConfig: channels }),
    OutputDataConfig: {
      S3OutputPath: s3Uri(settings.ownBucket, 'jobs'),
      ...(settings.kmsKey === undefined ? {} : { KmsKeyId: settings.kmsKey }),
    },
    ResourceConfig: {
      // The table of machines holds names of this enum alone.
      InstanceType: machine.name as TrainingInstanceType,
      InstanceCount: job.compute.nodes,
      VolumeSizeInGB: diskGb(inputs),
      ...(settings.kmsKey === undefined || hasLocalStorage(machine.name) ? {} : { VolumeKmsKeyId: settings.kmsKey }),
    },
    StoppingCondition: {
      MaxRuntimeInSeconds: seconds(job.maxRuntimeMs),
      ...(job.compute.spot ? { MaxWaitTimeInSeconds: seconds(job.maxRuntimeMs + (job.maxWaitMs ?? spotWaitMs)) } : {}),
    },
    EnableManagedSpotTraining: job.compute.spot,
    ...(checkpoints === undefined
      ? {}
      : {
          CheckpointConfig: {
            S3Uri: s3Uri(settings.ownBucket, checkpoints),
            LocalPath: trainingLayout.checkpoints,
          },
        }),
    ...vpcConfig(settings),
    Tags: jobTags(job, settings),
  };
  return { request, ...(launch.start === undefined ? {} : { start: launch.start }) };
}

/** What adoption compares is `serin:key`, and what every resource of the installation carries. */
export const jobTags = (job: Job, { installation }: JobSettings) =>
  tagsOf(
    { ...installation, project: job.project },
    { 'serin:key': job.key, 'serin:kind': job.kind, 'serin:model': job.model },
  );

interface Launch {
  readonly entry: { readonly ContainerEntrypoint?: string[] };
  readonly hyperparameters: Readonly<Record<string, string>>;
  readonly variables: Readonly<Record<string, string>>;
  readonly inputs: readonly Input[];
  readonly start?: Asked<unknown>['start'];
}

function launchOf(
  placed: Contained,
  settings: JobSettings,
  archive: string | undefined,
  secrets: Readonly<Record<string, string>>,
): Launch {
  const { job, name, places } = placed;
  if (archive === undefined) {
    const hasCommand = job.command.length > 0;
    if (!hasCommand) checkForToolkit(job);
    return {
      entry: hasCommand ? { ContainerEntrypoint: [...commandOf(job, places)] } : {},
      hyperparameters: job.hyperparameters,
      variables: requestVariables(
        job,
        hasCommand ? variablesOf(placed) : variablesOf(placed, 'toolkit'),
        { ...plainOf(job.environment), ...secrets },
        variableLimits,
      ),
      inputs: [],
    };
  }
  const key = startKey(name);
  const started: Input = { name: startChannel, type: 'S3Prefix', uri: s3Uri(settings.ownBucket, key), bytes: 0 };
  const code = s3Uri(settings.ownBucket, archive);
  if (job.image === undefined)
    return {
      entry: { ContainerEntrypoint: ['/bin/sh', `${places.channel(startChannel)}/${startFile}`] },
      hyperparameters: {},
      variables: requestVariables(job, {}, secrets, variableLimits),
      inputs: [{ name: codeChannel, type: 'S3Prefix', uri: code, bytes: 0 }, started],
      start: { key, text: startScript(placed, archive) },
    };
  return {
    entry: {},
    // The job's own would reach a shell by the toolkit's call: they are in the script.
    hyperparameters: {
      // Values are JSON: sagemaker-training-toolkit, environment.py `read_hyperparameters`, params.py for the names.
      sagemaker_program: JSON.stringify(toolkitStart.path),
      sagemaker_submit_directory: JSON.stringify(code),
      sagemaker_container_log_level: '20',
      sagemaker_job_name: JSON.stringify(name),
      sagemaker_region: JSON.stringify(settings.region),
    },
    variables: requestVariables(job, ownVariables(job, variableLimits), secrets, variableLimits),
    inputs: [started],
    start: { key, text: scriptBesideToolkit(placed) },
  };
}

/** A toolkit in the image would call its program through shells, with these in the call (process.py, `run_async`). */
function checkForToolkit({ key, hyperparameters }: Job): void {
  const risky = Object.entries(hyperparameters).find(([, text]) => !/^[\p{L}\p{N} _@%+=:,./-]*$/u.test(text));
  if (risky === undefined) return;
  throw new Fault(
    'invalid',
    `the hyperparameter ${risky[0]} of ${key} has other characters than letters, digits, spaces and _@%+=:,./-, which a shell in the image could run; set the command of the image`,
  );
}

// Of machines with disks of their own no VolumeKmsKeyId may be asked for: these disks encrypt themselves (botocore:
// ResourceConfig.VolumeKmsKeyId). Of the families with accelerators all have them but P2 and P3.
export const hasLocalStorage = (machine: string): boolean =>
  /^ml\.(g\d|p[4-9]|p3dn)/.test(machine) || /^ml\.[a-z]+\d[a-z]*d[a-z]*\./.test(machine);
