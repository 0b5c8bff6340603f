import type { CreateProcessingJobRequest, ProcessingInstanceType } from '@aws-sdk/client-sagemaker';
import { instanceTypes } from '@serin/clouds/aws/instance-types';
import { instanceTypeFor } from '@serin/clouds/instance-types';
import { Fault } from '@serin/core/base/fault';
import { plainOf } from '@serin/core/base/variables';
import { commandOf } from '@serin/core/job-contract/command';
import { variablesOf } from '@serin/core/job-contract/variables';
import type { Job } from '@serin/core/ports/jobs';
import { diskGb, isArchive, placedIn } from '@serin/platform/jobs/layout';
import { requestVariables } from '@serin/platform/jobs/request-variables';
import { codeChannel, startChannel, startFile, startScript } from '@serin/platform/jobs/start-script';
import type { Asked, Input } from './inputs.ts';
import { processingLayout } from './layout.ts';
import { type JobSettings, jobPrefix, s3Uri, startKey, vpcConfig } from './settings.ts';
import { hasLocalStorage, jobTags } from './training.ts';

/** The output that is there for `metrics.json` alone. */
export const metricsOutput = 'serin-metrics';
/** botocore: ProcessingEnvironmentMap, ProcessingEnvironmentValue. */
const variableLimits = { of: 'SageMaker', most: 100, characters: 256 };

/**
 * A processing job as SageMaker is asked for it: prepare and evaluate.
 *
 * A script of our own, one more input, unpacks the code and the packed channels and runs the command with the variables
 * of the contract. An image with nothing to unpack is started by its command alone, and may have no shell. There is no
 * managed spot for processing: such a job is paid in full. Secrets stand in the request only, never in the script.
 */
export function processingJob(
  job: Job,
  name: string,
  settings: JobSettings,
  inputs: readonly Input[],
  archive: string | undefined,
  secrets: Readonly<Record<string, string>>,
): Asked<CreateProcessingJobRequest> {
  const machine = instanceTypeFor(instanceTypes, 'process', job.compute.accelerator);
  const { kmsKey, vpc, ownBucket } = settings;
  const placed = placedIn(processingLayout, job, name, settings.region, machine);
  const scripted = archive !== undefined || job.image === undefined || Object.values(job.channels).some(isArchive);
  if (scripted && job.command.length === 0)
    throw new Fault('invalid', `the job ${job.key} has files to unpack but no command; set one`);
  const start = scripted ? { key: startKey(name), text: startScript(placed, archive) } : undefined;
  const environment = scripted
    ? requestVariables(job, {}, secrets, variableLimits)
    : requestVariables(job, variablesOf(placed), { ...plainOf(job.environment), ...secrets }, variableLimits);
  const own: readonly Input[] = [
    ...(archive === undefined ? [] : [{ name: codeChannel, ...objectOf(ownBucket, archive) }]),
    ...(start === undefined ? [] : [{ name: startChannel, ...objectOf(ownBucket, start.key) }]),
  ];
  const request: CreateProcessingJobRequest = {
    ProcessingJobName: name,
    RoleArn: settings.jobRole,
    AppSpecification: {
      ImageUri: job.image ?? settings.nodeImage,
      ...(scripted
        ? { ContainerEntrypoint: ['/bin/sh', `${processingLayout.channel(startChannel)}/${startFile}`] }
        : entryOf(commandOf(job, processingLayout))),
    },
    ...(Object.keys(environment).length === 0 ? {} : { Environment: environment }),
    ProcessingInputs: [...inputs, ...own].map(({ name: InputName, type, uri }) => ({
      InputName,
      S3Input: {
        S3Uri: uri,
        LocalPath: processingLayout.channel(InputName),
        S3DataType: type,
        S3InputMode: 'File',
        S3DataDistributionType: 'FullyReplicated',
      },
    })),
    ProcessingOutputConfig: {
      Outputs: outputsOf(job).map(({ output, path }) => ({
        OutputName: output,
        S3Output: {
          S3Uri: s3Uri(ownBucket, `${jobPrefix(name)}/${output}`),
          LocalPath: path,
          S3UploadMode: 'EndOfJob',
        },
      })),
      ...(kmsKey === undefined ? {} : { KmsKeyId: kmsKey }),
    },
    ProcessingResources: {
      ClusterConfig: {
        // The table of machines holds names of this enum alone.
        InstanceType: machine.name as ProcessingInstanceType,
        InstanceCount: job.compute.nodes,
        VolumeSizeInGB: diskGb(inputs),
        ...(kmsKey === undefined || hasLocalStorage(machine.name) ? {} : { VolumeKmsKeyId: kmsKey }),
      },
    },
    StoppingCondition: { MaxRuntimeInSeconds: Math.ceil(job.maxRuntimeMs / 1000) },
    ...(vpc === undefined ? {} : { NetworkConfig: vpcConfig(settings) }),
    Tags: jobTags(job, settings),
  };
  return { request, ...(start === undefined ? {} : { start }) };
}

const entryOf = (command: readonly string[]) => (command.length === 0 ? {} : { ContainerEntrypoint: [...command] });

function outputsOf({ outputs }: Job): readonly { readonly output: string; readonly path: string }[] {
  const promised = outputs.map((output) => ({ output, path: processingLayout.outputOf(output) }));
  // Two outputs cannot share a directory: `output` is where the metrics are, too.
  return outputs.includes('output')
    ? promised
    : [...promised, { output: metricsOutput, path: processingLayout.outputData }];
}

const objectOf = (bucket: string, key: string) => ({ type: 'S3Prefix' as const, uri: s3Uri(bucket, key), bytes: 0 });
