import { imageCacheOf, nodeTag, type Places } from './places.ts';
import { functionRole, logGroupOf, scheduleRole } from './roles.ts';
import type { EnvironmentValue, FunctionId, ServerlessFunction, Settings, Trigger, UrlPermission } from './shapes.ts';

interface Plan {
  readonly does: string;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly queue?: 'signals' | 'dead';
  readonly wakesItself?: boolean;
}

export const plans: Readonly<Record<FunctionId, Plan>> = {
  signals: {
    does: 'takes what happened, decides, and pays what is owed',
    memoryMb: 1024,
    timeoutSeconds: 120,
    queue: 'signals',
    // A stream that waits for less than a minute is told to itself by a delayed message, again and again while a rollout
    // bakes. Lambda ends such chains after 16 calls. https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
    wakesItself: true,
  },
  api: { does: 'answers HTTP; what it makes a stream owe is paid by the queue', memoryMb: 512, timeoutSeconds: 30 },
  clock: { does: 'queues a tick for each stream that waits for time', memoryMb: 256, timeoutSeconds: 60 },
  deadLetters: {
    does: 'writes what nobody could use into dead-letter streams',
    memoryMb: 256,
    timeoutSeconds: 60,
    queue: 'dead',
  },
};

export function functionsOf(places: Places): readonly ServerlessFunction[] {
  const environment = environmentOf(places);
  return (Object.keys(plans) as readonly FunctionId[]).map((id) => {
    const { queue, ...plan } = plans[id];
    return {
      id,
      name: places.name(id),
      does: plan.does,
      runtime: 'nodejs24.x',
      architecture: 'arm64',
      handler: 'index.handler',
      memoryMb: plan.memoryMb,
      timeoutSeconds: plan.timeoutSeconds,
      ...(id === 'api' ? reservedOf(places) : {}),
      wakesItself: plan.wakesItself ?? false,
      role: functionRole(places, id, queue),
      environment,
      trigger: triggerOf(places, id),
      logGroup: logGroupOf(places, id),
    };
  });
}

/** What AWS lets an account have that has asked for no more. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const usualQuota = 1000;
/** Of the account's, Lambda lets nobody reserve. https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html */
const unreserved = 100;

const quotaOf = ({ settings, where }: Places): number =>
  settings.lambdaConcurrency ?? where.lambdaConcurrency ?? usualQuota;

/** Calls of the API at once that are reserved; none where Lambda would refuse that: there the account's own limit is the brake. */
export function reservedOf(places: Places): { readonly reservedConcurrency?: number } {
  const { apiConcurrency = 20 } = places.settings;
  return quotaOf(places) - apiConcurrency < unreserved ? {} : { reservedConcurrency: apiConcurrency };
}

/** The account's quota that `reservedOf` wants. */
export const quotaWanted = ({ apiConcurrency = 20 }: Settings): number => unreserved + apiConcurrency;

// A public URL needs both permissions since October 2025. https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
const urlPermissions: readonly UrlPermission[] = [
  { id: 'Url', action: 'lambda:InvokeFunctionUrl', functionUrlAuthType: 'NONE' },
  { id: 'Invoke', action: 'lambda:InvokeFunction', invokedViaFunctionUrl: true },
];

function triggerOf(places: Places, id: FunctionId): Trigger {
  switch (id) {
    case 'signals':
      // Each instance holds a batch for as long as it pays; more would only queue at SageMaker's throttles.
      // In an account that may run few at once half of them are left to the API and the clock.
      return {
        kind: 'queue',
        queue: 'signals',
        batch: 10,
        maxConcurrency: Math.min(20, Math.floor(quotaOf(places) / 2)),
      };
    case 'deadLetters':
      return { kind: 'queue', queue: 'dead', batch: 10, maxConcurrency: 2 };
    case 'api':
      return places.settings.network === 'isolated'
        ? {
            kind: 'privateApi',
            apiName: places.name('api'),
            stage: 'serin',
            // https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings.html
            binaryMediaTypes: ['*/*'],
          }
        : { kind: 'url', permissions: urlPermissions };
    case 'clock': {
      const group = places.name('clock');
      return {
        kind: 'schedule',
        schedule: {
          name: places.name('clock'),
          group,
          rate: 'rate(1 minute)',
          role: scheduleRole(places, group, places.name('clock')),
          retries: 0,
          maxAgeSeconds: 60,
        },
      };
    }
  }
}

/** One environment for all four: compose.ts takes what it needs. */
function environmentOf({
  settings,
  where,
  name,
  on,
  ownBucket,
  secrets,
  programSecrets,
}: Places): Record<string, EnvironmentValue> {
  const { kmsKey, network } = settings;
  const registry = `${where.account}.dkr.ecr.${where.region}.${where.urlSuffix}`;
  return {
    SERIN_PROJECT: settings.project,
    SERIN_ENVIRONMENT: settings.environment,
    SERIN_VERSION: settings.version,
    SERIN_TABLE: name('journal'),
    SERIN_BUCKET: ownBucket,
    SERIN_QUEUE_URL: `https://sqs.${where.region}.${where.urlSuffix}/${where.account}/${name('signals')}`,
    SERIN_BUS: name('events'),
    SERIN_JOB_ROLE: on.jobRole.join(),
    SERIN_MODEL_ROLE: on.modelRole.join(),
    SERIN_NODE_IMAGE: `${registry}/${imageCacheOf(settings).repository}:${nodeTag}`,
    SERIN_SECRETS: secrets,
    SERIN_PROGRAM_SECRETS: programSecrets,
    SERIN_ADMIN_TOKEN_HASH: settings.adminTokenHash,
    ...(kmsKey === undefined ? {} : { SERIN_KMS_KEY: kmsKey }),
    ...(network === 'isolated'
      ? { SERIN_SUBNETS: { network: 'subnets' }, SERIN_SECURITY_GROUPS: { network: 'securityGroups' } }
      : network === undefined
        ? {}
        : { SERIN_SUBNETS: network.subnets.join(), SERIN_SECURITY_GROUPS: network.securityGroups.join() }),
  };
}
