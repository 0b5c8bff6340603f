import { randomUUID } from 'node:crypto';
import { journalFields } from '@serin/clouds/gcp/journal';
import { sha256Hex } from '@serin/core/base/json';
import { topology } from '../../../infra/gcp/topology.ts';
import { combined, type Handlers, Refusal, serveGoogle } from './discovery.ts';
import { fakeFirestore } from './fake-firestore.ts';
import { fakeSecrets } from './fake-secrets.ts';
import { fakeStorage } from './fake-storage.ts';
import { firestoreStore } from './firestore-store.ts';
import { pushAccount, startGoogle, withoutSignature } from './issuer.ts';

export const installation = { project: 'shop', environment: 'prod' };
export const googleProject = 'acme';
export const region = 'europe-west4';
const drops = 'drops';
/** As `serin deploy` would make it: the names, and the variables of the functions. */
export const deployed = topology(
  { ...installation, version: '0.0.0', adminTokenHash: sha256Hex('srn_world'), dataBuckets: [drops] },
  { account: googleProject, region, number: '123456789012' },
);
const functionOf = (name: string) => {
  const found = deployed.functions.find(({ id }) => id === name);
  if (found === undefined) throw new Error(`no function is called ${name}`);
  return found;
};
const { environment: ofSignals } = functionOf('signals');
export const names = {
  drops,
  own: `${ofSignals.SERIN_BUCKET}`,
  database: `${ofSignals.SERIN_DATABASE}`,
  topic: `${ofSignals.SERIN_TOPIC}`,
  bus: `${ofSignals.SERIN_BUS}`,
  secrets: `${ofSignals.SERIN_PROGRAM_SECRETS}`,
} as const;

const address = `${ofSignals.SERIN_AUDIENCE}`;
const token = 'srn_world';
const serviceOf = (name: string): string => functionOf(name).name;

/** A message of Pub/Sub, as a push has it. */
export interface Published {
  readonly data?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly orderingKey?: string;
}

interface Options {
  readonly suite: string;
  /** Beside the journal, the buckets and the topics; absent: secrets of which there are none. */
  readonly handlers?: readonly Handlers[];
  /** Looks at each request before it is answered. */
  readonly watched?: (handlers: Handlers) => Handlers;
}

/** What `serin deploy` would have made, in fakes that are held to Google's documents, and who may call its functions. */
export async function openInstallation({
  suite,
  handlers = [fakeSecrets().handlers],
  watched = (all) => all,
}: Options) {
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
    serveGoogle(suite, watched(combined(Object.fromEntries(journal), storage.handlers, pubsub, ...handlers))),
    startGoogle(),
  ]);

  return {
    ...{ google, issuer, storage, published },
    journalIsAway(next: boolean): void {
      isAway = next;
    },
    /** The bodies of the ticks and messages that wait in the topic of signals. */
    bodies: () => (published.get(names.topic) ?? []).map(({ data = '' }) => Buffer.from(data, 'base64').toString()),
    variables: (name: string): Readonly<Record<string, string>> => ({
      ...functionOf(name).environment,
      // The issuer of these suites is of one account.
      SERIN_PUSH_ACCOUNT: pushAccount,
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
