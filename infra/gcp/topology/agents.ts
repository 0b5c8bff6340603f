import type { Grantee } from './grants.ts';
import type { Places } from './places.ts';
import type { Binding, Target } from './shapes.ts';

/** Of a service, as its agent is named. */
export const agents = {
  pubsub: 'gcp-sa-pubsub',
  scheduler: 'gcp-sa-cloudscheduler',
  storage: 'gs-project-accounts',
  monitoring: 'gcp-sa-monitoring-notification',
  vertex: 'gcp-sa-aiplatform',
  firestore: 'gcp-sa-firestore',
  registry: 'gcp-sa-artifactregistry',
  functions: 'gcf-admin-robot',
  run: 'serverless-robot-prod',
  secrets: 'gcp-sa-secretmanager',
} as const;

/** Those that a project has only once they are asked for. */
export const agentApis = [
  'aiplatform.googleapis.com',
  'artifactregistry.googleapis.com',
  'cloudfunctions.googleapis.com',
  'cloudscheduler.googleapis.com',
  'firestore.googleapis.com',
  'pubsub.googleapis.com',
  'run.googleapis.com',
  'secretmanager.googleapis.com',
];

interface AgentNames {
  readonly signalsSubscription: string;
}

/** What Google's own services do for an installation, and may do only on what is named here. */
export function agentGrants(places: Places, { signalsSubscription }: AgentNames): readonly Grantee[] {
  const { agentOf, topic, emailOf, where, captures } = places;
  const on = (kind: Target['kind'], of: string): Target => ({ kind, name: of });
  const grantee = (
    id: keyof typeof agents,
    ...grants: readonly (readonly [why: string, action: string, target: Target])[]
  ): Grantee => ({
    id: `agent-${id}`,
    member: agentOf(agents[id]),
    grants: grants.map(([why, action, target]) => ({ call: id, why, action, target, resources: [target.name] })),
  });
  const pusher = on('account', `projects/${where.account}/serviceAccounts/${emailOf('push')}`);
  const signs = ['signs the ID tokens of what it calls', 'iam.serviceAccounts.getOpenIdToken', pusher] as const;
  const publishes = (why: string) => [why, 'pubsub.topics.publish', on('topic', topic('signals'))] as const;
  return [
    grantee(
      'pubsub',
      signs,
      // https://docs.cloud.google.com/pubsub/docs/handling-failures#grant_forwarding_permissions
      ['moves what could not be used', 'pubsub.topics.publish', on('topic', topic('dead'))],
      [
        'takes it off the subscription',
        'pubsub.subscriptions.consume',
        on('subscription', `projects/${where.account}/subscriptions/${signalsSubscription}`),
      ],
    ),
    grantee('scheduler', signs),
    // https://docs.cloud.google.com/vertex-ai/docs/predictions/online-prediction-logging
    grantee(
      'vertex',
      ...['bigquery.datasets.get', 'bigquery.tables.get', 'bigquery.tables.updateData'].map(
        (action) =>
          ['writes copies of requests that a model wants captured', action, on('dataset', captures.dataset)] as const,
      ),
    ),
    // https://docs.cloud.google.com/storage/docs/reporting-changes#prereqs
    ...(places.dataBuckets.length === 0 ? [] : [grantee('storage', publishes('tells of new objects'))]),
    // https://docs.cloud.google.com/monitoring/support/notification-options#pubsub
    grantee('monitoring', publishes('tells of alerts')),
  ];
}

/** What a key is used by: https://docs.cloud.google.com/kms/docs/compatible-services */
const keyUsers = ['pubsub', 'storage', 'vertex', 'firestore', 'registry', 'functions', 'run', 'secrets'] as const;

/** The key may lie in another project, on which a role of this one cannot be given: the role is Google's own. */
export const keyBindings = ({ settings: { kmsKey }, agentOf, where }: Places): readonly Binding[] =>
  kmsKey === undefined
    ? []
    : [
        ...keyUsers.map((id) => [id, agentOf(agents[id])] as const),
        // https://docs.cloud.google.com/bigquery/docs/customer-managed-encryption#grant_permission
        ['bigquery', `serviceAccount:bq-${where.number}@bigquery-encryption.iam.gserviceaccount.com`] as const,
      ].map(([id, member]) => ({
        id: `agent-${id}-key`,
        member,
        role: 'roles/cloudkms.cryptoKeyEncrypterDecrypter',
        target: { kind: 'key', name: kmsKey },
        why: 'encrypts what it holds under the key',
      }));

/** What builds the functions, and who may call them. */
export function serviceBindings(
  { emailOf, where, name, codeBucket, settings: { api = 'public' } }: Places,
  services: { readonly pushed: readonly string[]; readonly api: string },
): readonly Binding[] {
  const build = `serviceAccount:${emailOf('build')}`;
  // Of what this role of Google's has a service knows only `run.routes.invoke`.
  const invokes = { role: 'roles/run.invoker' } as const;
  return [
    {
      id: 'build-code',
      member: build,
      role: 'roles/storage.objectViewer',
      target: { kind: 'bucket', name: codeBucket },
      why: 'reads the code of the functions',
    },
    // Cloud Run functions copies the code into a bucket that it makes with the first function, and builds from there.
    // https://github.com/hashicorp/terraform-provider-google/issues/20571
    {
      id: 'build-copies',
      member: build,
      role: 'roles/storage.objectViewer',
      target: { kind: 'project', name: where.account },
      when: {
        title: 'copies of the code',
        expression: `resource.name.startsWith("projects/_/buckets/gcf-v2-sources-${where.number}-${where.region}/")`,
      },
      why: 'reads the copies of the code that Cloud Run functions makes',
    },
    {
      id: 'build-images',
      member: build,
      role: 'roles/artifactregistry.writer',
      target: {
        kind: 'repository',
        name: `projects/${where.account}/locations/${where.region}/repositories/${name('functions')}`,
      },
      why: 'writes the images of the functions',
    },
    ...services.pushed.map(
      (service): Binding => ({
        id: `push-${service}`,
        member: `serviceAccount:${emailOf('push')}`,
        ...invokes,
        target: { kind: 'service', name: service },
        why: 'pushes messages, or the clock',
      }),
    ),
    {
      id: 'anybody-api',
      member: 'allUsers',
      ...invokes,
      target: { kind: 'service', name: services.api },
      why:
        api === 'public'
          ? 'the API asks for tokens of its own, and tells nobody anything without one'
          : 'the API asks for tokens of its own, and only networks of the project reach it',
    },
  ];
}
