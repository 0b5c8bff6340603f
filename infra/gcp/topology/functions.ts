import { functionAccount } from './accounts.ts';
import { audiencePrefix, nodeImageOf, type Places } from './places.ts';
import type { FunctionId, ServerlessFunction, Trigger } from './shapes.ts';

interface Plan {
  /** Of its name: Cloud Run takes no capitals. */
  readonly thing: string;
  readonly does: string;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly maxInstances: number;
}

export const plans: Readonly<Record<FunctionId, Plan>> = {
  signals: {
    thing: 'signals',
    does: 'takes what happened, decides, and performs what is owed',
    memoryMb: 1024,
    timeoutSeconds: 120,
    // Each holds a message for as long as it performs; more would only queue at the quotas of Vertex AI.
    maxInstances: 20,
  },
  api: {
    thing: 'api',
    does: 'answers HTTP; what it makes a stream owe is performed by signals',
    memoryMb: 512,
    timeoutSeconds: 60,
    maxInstances: 20,
  },
  clock: {
    thing: 'clock',
    does: 'publishes a tick for each stream that waits for time',
    memoryMb: 512,
    timeoutSeconds: 60,
    maxInstances: 2,
  },
  deadLetters: {
    thing: 'dead-letters',
    does: 'writes what nobody could use into dead-letter streams',
    memoryMb: 512,
    timeoutSeconds: 60,
    maxInstances: 2,
  },
};

export const functionIds = Object.keys(plans) as readonly FunctionId[];
export const functionName = ({ name }: Places, id: FunctionId): string => name(plans[id].thing);

export function functionsOf(places: Places): readonly ServerlessFunction[] {
  const shared = environmentOf(places);
  return functionIds.map((id) => {
    const { thing, ...plan } = plans[id];
    const { api = 'public', apiInstances = plan.maxInstances } = places.settings;
    return {
      id,
      name: functionName(places, id),
      ...plan,
      ...(id === 'api' ? { maxInstances: apiInstances } : {}),
      runtime: 'nodejs24',
      concurrency: 1,
      // Pub/Sub and Cloud Scheduler of the same project come from inside.
      // https://docs.cloud.google.com/run/docs/securing/ingress
      ingress: id === 'api' && api === 'public' ? 'ALLOW_ALL' : 'ALLOW_INTERNAL_ONLY',
      role: functionAccount(places, id, { thing, does: plan.does }),
      environment: { ...shared, SERIN_TIMEOUT_SECONDS: String(plan.timeoutSeconds) },
      trigger: triggerOf(places, id),
    };
  });
}

const day = 24 * 60 * 60;

function triggerOf(places: Places, id: FunctionId): Trigger {
  const name = functionName(places, id);
  const audience = places.audienceOf(name);
  const { timeoutSeconds } = plans[id];
  const pushed = {
    name,
    audience,
    // Of a message whose request got no answer at all: one that the function refuses comes again after the backoff.
    ackDeadlineSeconds: Math.min(600, 2 * timeoutSeconds + 60),
    backoffSeconds: [10, 600],
  } as const;
  switch (id) {
    case 'signals':
      return {
        kind: 'push',
        queue: 'signals',
        subscription: {
          ...pushed,
          topic: 'signals',
          retentionSeconds: 4 * day,
          // Two hours of a store that cannot be reached; a push that found all instances busy counts as well.
          deadAfter: { attempts: 20, topic: 'dead' },
        },
      };
    case 'deadLetters':
      return {
        kind: 'push',
        queue: 'dead',
        subscription: { ...pushed, topic: 'dead', retentionSeconds: 14 * day },
      };
    case 'api':
      return { kind: 'https' };
    case 'clock':
      return {
        kind: 'schedule',
        schedule: {
          name,
          cron: '* * * * *',
          rate: 'each minute',
          audience,
          deadlineSeconds: timeoutSeconds,
          retries: 0,
        },
      };
  }
}

/** One environment for all four, but for the time that each has: compose.ts takes what it needs. */
function environmentOf(places: Places): Readonly<Record<string, string>> {
  const { settings, where, topic, emailOf } = places;
  const { kmsKey, network, sharedEndpoints = false } = settings;
  return {
    SERIN_PROJECT: settings.project,
    SERIN_ENVIRONMENT: settings.environment,
    SERIN_VERSION: settings.version,
    SERIN_GOOGLE_PROJECT: where.account,
    SERIN_REGION: where.region,
    SERIN_DATABASE: places.database,
    SERIN_BUCKET: places.ownBucket,
    SERIN_CAPTURE_TABLE: `${where.account}.${places.captures.dataset}.${places.captures.table}`,
    SERIN_TOPIC: topic('signals'),
    SERIN_BUS: topic('events'),
    SERIN_JOB_ACCOUNT: emailOf('jobs'),
    SERIN_MODEL_ACCOUNT: emailOf('models'),
    SERIN_NODE_IMAGE: nodeImageOf(places),
    SERIN_SECRETS: places.secrets,
    SERIN_PROGRAM_SECRETS: places.secretsPrefix,
    SERIN_ADMIN_TOKEN_HASH: settings.adminTokenHash,
    SERIN_PUSH_ACCOUNT: emailOf('push'),
    SERIN_AUDIENCE: audiencePrefix(where),
    // IAM lets nobody but the pushing account call the functions that take pushes, and takes the signature away.
    // https://docs.cloud.google.com/run/docs/troubleshooting#signature-removed
    SERIN_BEHIND_IAM: 'true',
    ...(kmsKey === undefined ? {} : { SERIN_KMS_KEY: kmsKey }),
    ...(network === undefined ? {} : { SERIN_NETWORK: network.network }),
    ...(sharedEndpoints ? { SERIN_SHARED_ENDPOINTS: 'yes' } : {}),
  };
}
