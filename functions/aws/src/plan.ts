import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { Fault } from '@serin/core/base/fault';
import { secretsOf } from '@serin/core/base/variables';
import { type Bucket, ownBucket } from '@serin/core/ports/bucket';
import type { Job } from '@serin/core/ports/jobs';
import type { RegisteredVersion } from '@serin/core/ports/registry';
import type { Deployment } from '@serin/core/ports/serving';
import type { Variables } from '@serin/platform/settings';
import { archiveKey } from './code-archive.ts';
import { artifactAt } from './jobs/artifacts.ts';
import type { Buckets } from './jobs/settings.ts';
import { sageMakerJobs } from './ports/jobs.ts';
import { sageMakerRegistry } from './ports/registry.ts';
import { sageMakerServing } from './ports/serving.ts';
import type { ProgramSecrets } from './program-secrets.ts';
import { sageMakerEndpoints } from './serving/described.ts';
import { settingsOf } from './settings.ts';
import type { Supplies } from './supplies.ts';

/** What core asks of the ports for a model: its first run, and its first deployment. */
type Ask =
  | { readonly kind: 'job'; readonly job: Job }
  | { readonly kind: 'version'; readonly version: RegisteredVersion }
  | { readonly kind: 'deploy'; readonly deployment: Deployment };

interface Request {
  readonly call: string;
  readonly when: string;
  readonly request: unknown;
}

/**
 * The requests that the ports send to SageMaker for this, in order: the ports themselves run here, over clients that
 * write down what they would send. Nothing leaves this machine, and nothing is there when they ask.
 *
 * `variables` are those of the functions; one that is known only after a deployment is no text, and stands as its name in
 * angle brackets, and so does a secret. What is written to S3 before a job starts is not among them.
 */
export async function requestsFor(what: {
  readonly region: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly models: readonly {
    readonly model: string;
    readonly asks: readonly Ask[];
  }[];
}): Promise<readonly Request[]> {
  const requests: Request[] = [];
  const variables = { ...textsOf(what.variables), AWS_REGION: what.region };
  for (const { model, asks } of what.models) {
    let when = '';
    const ports = portsOver(
      variables,
      () => imagined,
      (call, request) => requests.push({ call, when, request }),
    );
    for (const ask of asks) {
      when = `${model}: ${titleOf(ask)}`;
      await ports.asked(model, ask);
    }
  }
  return requests;
}

const titleOf = (ask: Ask): string => {
  if (ask.kind === 'job') return `the ${ask.job.kind} job of its first run`;
  return ask.kind === 'version' ? 'its first version is registered' : 'its first deployment';
};

const textsOf = (variables: Readonly<Record<string, unknown>>): Variables =>
  Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, typeof value === 'string' ? value : `<${name}>`]),
  );

function portsOver(variables: Variables, buckets: Buckets, take: (call: string, request: unknown) => void) {
  const settings = settingsOf(variables);
  const { region, ownBucket: real } = settings;
  const sagemaker = new SageMakerClient({ region });
  const autoscaling = new ApplicationAutoScalingClient({ region });
  record(sagemaker, 'sagemaker', take);
  record(autoscaling, 'application-autoscaling', take);
  const shared = { sagemaker, secrets, ...settings };
  const cloudwatchLogs = new CloudWatchLogsClient({ region });
  const jobs = sageMakerJobs({ ...shared, cloudwatchLogs, buckets, supplies });
  const endpoints = sageMakerEndpoints({ sagemaker, now: Date.now });
  const serving = sageMakerServing({ ...shared, endpoints, supplies, autoscaling, bucket: buckets(ownBucket) });
  const registry = sageMakerRegistry(shared);
  return {
    async asked(model: string, ask: Ask): Promise<void> {
      if (ask.kind === 'job') await jobs.start(await placed(ask.job, real, buckets));
      if (ask.kind === 'version') {
        const version = await placedIn(ask.version, real, buckets);
        await registered(() => registry.register(version));
      }
      if (ask.kind === 'deploy')
        await serving.change(model, {
          kind: 'deploy',
          deployment: await placedIn(ask.deployment, real, buckets),
        });
    },
  };
}

/** The artifacts of earlier jobs, where S3 would have them. */
async function placed(job: Job, real: string, buckets: Buckets): Promise<Job> {
  const channels = await Promise.all(
    Object.entries(job.channels).map(async ([name, source]) => {
      if (source.kind === 'manifest') return [name, source] as const;
      const artifact = await artifactAt(realUri(source.artifact.uri, real), buckets);
      return [name, artifact === undefined ? source : { ...source, artifact }] as const;
    }),
  );
  return { ...job, channels: Object.fromEntries(channels) };
}

async function placedIn<Made extends Deployment | RegisteredVersion>(
  made: Made,
  real: string,
  buckets: Buckets,
): Promise<Made> {
  const uri = realUri(made.artifact.uri, real);
  return { ...made, artifact: (await artifactAt(uri, buckets)) ?? { ...made.artifact, uri } };
}

/** The registry waits until the version is listed, and here nothing ever is: what it had to send is sent by then. */
async function registered(register: () => Promise<void>): Promise<void> {
  try {
    await register();
  } catch (error) {
    if (!(error instanceof Fault && error.code === 'unavailable')) throw error;
  }
}

const realUri = (uri: string, real: string): string => uri.replace(`s3://${ownBucket}/`, `s3://${real}/`);

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

/** Secrets are for whoever starts a program: here their names are shown. */
const secrets: ProgramSecrets = async (variables) => secretsOf(variables, (name) => `<secret ${name}>`);

/** What is named by its content has no name before it is made. */
const supplies: Supplies = {
  archive: async (digest) => archiveKey(digest),
  manifest: async () => ({ key: 'datasets/manifests/<digest>.json', bytes: 1 }),
};

/** A bucket in which everything is there that jobs leave. */
const imagined: Bucket = {
  list: async (prefix) => ({
    items: [{ key: prefix.endsWith('/') ? `${prefix}<file>` : prefix, version: '<version>', bytes: 1 }],
  }),
  read: async () => undefined,
  write: async () => 'written',
};
