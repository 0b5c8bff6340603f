import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import type { ModelAsks } from '@serin/core/ports/ask';
import { ownBucket } from '@serin/core/ports/bucket';
import type { Artifact } from '@serin/core/ports/jobs';
import { artifactAt } from '@serin/platform/jobs/artifacts';
import type { ProgramSecrets } from '@serin/platform/jobs/program-secrets';
import { imagined, imaginedSupplies, type Request, rehearse, secretNamesOf, textsOf } from '@serin/platform/rehearsal';
import { s3Objects } from './jobs/settings.ts';
import { toolkitStart } from './jobs/toolkit.ts';
import { sageMakerJobs } from './ports/jobs.ts';
import { sageMakerRegistry } from './ports/registry.ts';
import { sageMakerServing } from './ports/serving.ts';
import { sageMakerEndpoints } from './serving/described.ts';
import { settingsOf } from './settings.ts';

/**
 * The requests that the ports send to SageMaker for this, in order. `variables` are those of the functions; one that is
 * known only after a deployment is no text, and stands as its name in angle brackets, and so does a secret. What is
 * written to S3 before a job starts is not among them.
 */
export async function requestsFor(what: {
  readonly region: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly models: readonly ModelAsks[];
}): Promise<readonly Request[]> {
  const settings = settingsOf({ ...textsOf(what.variables), AWS_REGION: what.region });
  return rehearse(what.models, (take) => portsOver(settings, take));
}

function portsOver(settings: ReturnType<typeof settingsOf>, take: (call: string, request: unknown) => void) {
  const { region, ownBucket: real } = settings;
  const buckets = () => imagined;
  const supplies = imaginedSupplies(toolkitStart);
  const sagemaker = new SageMakerClient({ region });
  const autoscaling = new ApplicationAutoScalingClient({ region });
  record(sagemaker, 'sagemaker', take);
  record(autoscaling, 'application-autoscaling', take);
  const secrets: ProgramSecrets = async (variables) => secretNamesOf(variables);
  const shared = { sagemaker, secrets, ...settings };
  const cloudwatchLogs = new CloudWatchLogsClient({ region });
  const jobs = sageMakerJobs({ ...shared, cloudwatchLogs, buckets, supplies });
  const endpoints = sageMakerEndpoints({ sagemaker, now: Date.now });
  const serving = sageMakerServing({ ...shared, endpoints, now: Date.now, supplies, autoscaling, bucket: imagined });
  const registry = sageMakerRegistry(shared);
  return {
    ports: { jobs, serving: () => serving, registry },
    async placed(artifact: Artifact): Promise<Artifact> {
      const uri = artifact.uri.replace(`s3://${ownBucket}/`, `s3://${real}/`);
      return (await artifactAt(uri, s3Objects(buckets))) ?? { ...artifact, uri };
    },
  };
}

interface Middleware {
  readonly middlewareStack: {
    add(
      middleware: (
        next: unknown,
        context: { readonly commandName?: string },
      ) => (given: { readonly input: object }) => Promise<{ output: never; response: unknown }>,
      where: { readonly step: 'initialize' },
    ): void;
  };
}

/** Writes down what would change something; what is asked for is not there. */
function record(client: Middleware, service: string, take: (call: string, request: unknown) => void): void {
  const answer = (name: string): object => {
    if (!/^(Describe|Get)/.test(name)) return {};
    // SageMaker's answer for what is missing: https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html
    throw Object.assign(new Error('Could not find it'), {
      name: 'ValidationException',
      $metadata: { httpStatusCode: 400 },
    });
  };
  client.middlewareStack.add(
    (_next, { commandName = '' }) =>
      async ({ input }) => {
        const name = commandName.replace(/Command$/, '');
        if (!/^(Describe|Get|List)/.test(name)) take(`${service}:${name}`, input);
        // The ports read no more of these answers than an empty one has.
        return { output: answer(name) as never, response: undefined };
      },
    { step: 'initialize' },
  );
}
