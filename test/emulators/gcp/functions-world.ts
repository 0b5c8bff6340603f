import { createHash, randomUUID } from 'node:crypto';
import { journalFields } from '@serin/clouds/gcp/journal';
import { combined, type Handlers, Refusal, serveGoogle } from './discovery.ts';
import { fakeFirestore } from './fake-firestore.ts';
import { fakeStorage } from './fake-storage.ts';
import { firestoreStore } from './firestore-store.ts';
import { pushAccount, startIssuer, withoutSignature } from './issuer.ts';

export const installation = { project: 'shop', environment: 'prod' };
export const googleProject = 'acme';
export const region = 'europe-west4';
export const names = {
  ...{ own: 'serin-own', drops: 'drops', database: `projects/${googleProject}/databases/serin` },
  ...{ topic: `projects/${googleProject}/topics/signals`, bus: `projects/${googleProject}/topics/events` },
  secrets: 'serin_shop_prod_',
} as const;

const address = `https://${region}-${googleProject}.cloudfunctions.net/`;
const token = 'srn_world';
const serviceOf = (name: string): string => `serin-shop-prod-${name.toLowerCase()}`;

/** A message of Pub/Sub, as a push has it. */
export interface Published {
  readonly data?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly orderingKey?: string;
}

interface Options {
  readonly suite: string;
  /** Beside the journal, the buckets and the topics. */
  readonly handlers?: readonly Handlers[];
}

/** What `serin deploy` would have made, in fakes that are held to Google's documents, and who may call its functions. */
export async function openInstallation({ suite, handlers = [] }: Options) {
  const store = firestoreStore({ databases: [names.database], fields: journalFields });
  const firestore = fakeFirestore(store);
  const storage = fakeStorage();
  for (const bucket of [names.own, names.drops]) storage.create(bucket);
  /** What was published, by topic. */
  const published = new Map<string, Published[]>([
    [names.topic, []],
    [names.bus, []],
  ]);
  const pubsub: Handlers = {
    'pubsub.projects.topics.publish'({ params, body }) {
      const messages: readonly Published[] = body.messages;
      published.get(params.topic ?? '')?.push(...messages);
      return { messageIds: messages.map(() => randomUUID()) };
    },
  };
  let isAway = false;
  const journal = Object.entries(firestore.handlers).map(([id, handler]): [string, Handlers[string]] => [
    id,
    (request) => {
      if (isAway) throw new Refusal('UNAVAILABLE', 'The service is currently unavailable.');
      return handler?.(request);
    },
  ]);
  const [google, issuer] = await Promise.all([
    serveGoogle(suite, combined(Object.fromEntries(journal), storage.handlers, pubsub, ...handlers)),
    startIssuer(),
  ]);

  return {
    ...{ google, issuer, storage, published },
    journalIsAway(next: boolean): void {
      isAway = next;
    },
    /** The bodies of the ticks and messages that wait in the topic of signals. */
    bodies: () => (published.get(names.topic) ?? []).map(({ data = '' }) => Buffer.from(data, 'base64').toString()),
    variables: (name: string): Readonly<Record<string, string>> => ({
      ...variables,
      ...(google.variables as Readonly<Record<string, string>>),
      CLOUDSDK_API_ENDPOINT_OVERRIDES_OAUTH2: issuer.host,
      K_SERVICE: serviceOf(name),
    }),
    /** What Google's front sends on to a function behind IAM: the token of a caller without its signature. */
    bearer: async (name: string): Promise<string> =>
      withoutSignature(await issuer.bearer(`${address}${serviceOf(name)}`)),
    audience: (name: string): string => `${address}${serviceOf(name)}`,
    async stop(): Promise<void> {
      await issuer.stop();
      await google.stop();
    },
  };
}

export type GoogleInstallation = Awaited<ReturnType<typeof openInstallation>>;

const variables = {
  SERIN_PROJECT: installation.project,
  SERIN_ENVIRONMENT: installation.environment,
  SERIN_GOOGLE_PROJECT: googleProject,
  SERIN_REGION: region,
  SERIN_DATABASE: names.database,
  SERIN_BUCKET: names.own,
  SERIN_TOPIC: names.topic,
  SERIN_BUS: names.bus,
  SERIN_PROGRAM_SECRETS: names.secrets,
  SERIN_JOB_ACCOUNT: `jobs@${googleProject}.iam.gserviceaccount.com`,
  SERIN_MODEL_ACCOUNT: `models@${googleProject}.iam.gserviceaccount.com`,
  SERIN_NODE_IMAGE: `${region}-docker.pkg.dev/${googleProject}/serin/library/node:24-slim`,
  SERIN_PUSH_ACCOUNT: pushAccount,
  SERIN_AUDIENCE: address,
  SERIN_BEHIND_IAM: 'true',
  SERIN_TIMEOUT_SECONDS: '120',
  SERIN_ADMIN_TOKEN_HASH: createHash('sha256').update(token).digest('hex'),
  SERIN_VERSION: '0.0.0',
};

/** The first administrator, for the API. */
export const administrator = { authorization: `Bearer ${token}` };

/** The request with which Pub/Sub delivers a message. https://docs.cloud.google.com/pubsub/docs/push */
export function pushOf(message: Published, attempt = 1, id: string = randomUUID()): string {
  const publishTime = new Date().toISOString();
  const sent = { ...message, messageId: id, message_id: id, publishTime, publish_time: publishTime };
  const subscription = `projects/${googleProject}/subscriptions/signals`;
  return JSON.stringify({ message: sent, subscription, deliveryAttempt: attempt });
}

export const messageOf = (body: string): Published => ({ data: Buffer.from(body).toString('base64') });
