import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import * as gcp from '@pulumi/gcp';
import * as pulumi from '@pulumi/pulumi';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { paths, whyPartsMissing } from '../../../test/emulators/installed.ts';
import { folder, forgetFolders, repository } from '../../aws/test/copy.ts';
import { installed } from '../sst/installed.ts';
import type { Binding } from '../topology/shapes.ts';
import { type Settings, topology } from '../topology.ts';
import { projectWith, type Registered, registeredBy } from './registered.ts';
import { all, bare, closed, plain, where } from './settings.ts';

type Rendered = Awaited<ReturnType<typeof registeredBy>>;
const rendered = new Map<Settings, Rendered>();

beforeAll(async () => {
  for (const settings of Object.values(all)) rendered.set(settings, await registeredBy(settings));
  forgetFolders();
});
afterEach(forgetFolders);

/** In the order of their names: Pulumi registers each when what it depends on is there. */
const of = (settings: Settings, type: string): readonly Registered[] =>
  (rendered.get(settings)?.registered ?? [])
    .filter((each) => each.type === type)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
const one = (settings: Settings, type: string, name: string): Registered => {
  const [found] = of(settings, type).filter((each) => each.name === name);
  if (found === undefined) throw new Error(`${type} ${name} was not registered`);
  return found;
};
const installations = Object.entries(all);

/** How each kind of policy names what it stands on. */
const members: Readonly<Record<Binding['target']['kind'], readonly [type: string, target: string]>> = {
  project: ['projects/iAMMember:IAMMember', 'project'],
  bucket: ['storage/bucketIAMMember:BucketIAMMember', 'bucket'],
  dataset: ['bigquery/datasetIamMember:DatasetIamMember', 'datasetId'],
  topic: ['pubsub/topicIAMMember:TopicIAMMember', 'topic'],
  subscription: ['pubsub/subscriptionIAMMember:SubscriptionIAMMember', 'subscription'],
  account: ['serviceaccount/iAMMember:IAMMember', 'serviceAccountId'],
  repository: ['artifactregistry/repositoryIamMember:RepositoryIamMember', 'repository'],
  service: ['cloudrunv2/serviceIamMember:ServiceIamMember', 'name'],
  key: ['kms/cryptoKeyIAMMember:CryptoKeyIAMMember', 'cryptoKeyId'],
};

test.each(installations)('%s: SST grants what the topology says, and nothing more', (_, settings) => {
  const granted = Object.entries(members).flatMap(([kind, [type, target]]) =>
    of(settings, type).map(({ inputs }) => ({
      // The keys of a table are those of its type.
      target: { kind: kind as Binding['target']['kind'], name: inputs[target] },
      member: inputs.member,
      role: inputs.role,
      ...(inputs.condition === undefined ? {} : { when: inputs.condition }),
    })),
  );

  const said = topology(settings, where).bindings.map(({ id: _id, why: _why, ...binding }) => binding);
  const text = ({ target, member, role, when }: Omit<Binding, 'id' | 'why'>): string =>
    [member, role, target.kind, target.name, when?.title, when?.expression].join(' ');
  expect(granted.map(text).toSorted()).toEqual(said.map(text).toSorted());
});

test.each(installations)(
  '%s: no key of an account is made, no list of members is replaced, and nothing runs while nothing happens',
  (_, settings) => {
    const types = rendered.get(settings)?.registered.map(({ type }) => type) ?? [];

    // A policy or a binding takes away whoever was there; a member is added.
    expect(
      types.filter((type) =>
        /serviceaccount\/key|IAMPolicy|IAMBinding|IamPolicy|IamBinding|AccessControl|acl/i.test(type),
      ),
    ).toEqual([]);
    expect(types.filter((type) => /instance|cluster|router|loadBalanc|forwardingRule|connector/i.test(type))).toEqual(
      [],
    );
    for (const { inputs } of of(settings, 'cloudfunctionsv2/function:Function'))
      expect(inputs.serviceConfig.minInstanceCount).toBe(0);
  },
);

test.each(installations)('%s: the roles have the permissions of the topology', (_, settings) => {
  const roles = of(settings, 'projects/iAMCustomRole:IAMCustomRole').map(
    ({ inputs: { roleId, title, permissions } }) => ({
      id: roleId,
      title,
      permissions,
    }),
  );

  expect(roles.toSorted(byId)).toEqual(topology(settings, where).customRoles.toSorted(byId));
});
const byId = (a: { readonly id: string }, b: { readonly id: string }): number => (a.id < b.id ? -1 : 1);

test.each(installations)(
  '%s: each push and the clock carry a token of the pushing account, made out to the function',
  (_, settings) => {
    const { functions, pushAccount } = topology(settings, where);
    const audience = (id: string) => {
      const found = functions.find((each) => each.id === id);
      return `${found?.environment.SERIN_AUDIENCE}${found?.name}`;
    };
    const pushes = of(settings, 'pubsub/subscription:Subscription').map(({ name, inputs }) => [
      name,
      inputs.pushConfig,
    ]);
    const clock = one(settings, 'cloudscheduler/job:Job', 'Clock').inputs;

    const pushed = (id: string, thing: string) => ({
      pushEndpoint: `https://serin-shop-${settings.environment}-${thing}-x.a.run.app`,
      oidcToken: { serviceAccountEmail: pushAccount, audience: audience(id) },
    });
    expect(Object.fromEntries(pushes)).toEqual({
      Signals: pushed('signals', 'signals'),
      DeadLetters: pushed('deadLetters', 'dead-letters'),
    });
    expect(clock.httpTarget).toEqual({
      uri: `https://serin-shop-${settings.environment}-clock-x.a.run.app`,
      httpMethod: 'POST',
      oidcToken: { serviceAccountEmail: pushAccount, audience: audience('clock') },
    });
    expect([clock.schedule, clock.retryConfig]).toEqual(['* * * * *', { retryCount: 0 }]);
  },
);

test.each(installations)('%s: the functions are what the topology says, each under its own account', (_, settings) => {
  const made = of(settings, 'cloudfunctionsv2/function:Function').map(
    ({ inputs: { name, buildConfig, serviceConfig, ...rest } }) => ({
      name,
      entryPoint: buildConfig.entryPoint,
      runtime: buildConfig.runtime,
      builtAs: buildConfig.serviceAccount,
      account: serviceConfig.serviceAccountEmail,
      environment: serviceConfig.environmentVariables,
      ingress: serviceConfig.ingressSettings,
      limits: [
        serviceConfig.availableMemory,
        serviceConfig.timeoutSeconds,
        serviceConfig.maxInstanceCount,
        serviceConfig.maxInstanceRequestConcurrency,
      ],
      network: [serviceConfig.vpcConnector, serviceConfig.vpcConnectorEgressSettings],
      key: rest.kmsKeyName,
    }),
  );

  const { functions, buildAccount } = topology(settings, where);
  const { connector } = settings.network ?? {};
  expect(made).toEqual(
    functions.toSorted(byId).map((each) => ({
      name: each.name,
      entryPoint: each.id,
      runtime: 'nodejs24',
      builtAs: `projects/acme-ml/serviceAccounts/${buildAccount}`,
      account: each.role.email,
      environment: each.environment,
      ingress: each.ingress,
      limits: [`${each.memoryMb}Mi`, each.timeoutSeconds, each.maxInstances, 1],
      network: [connector, connector === undefined ? undefined : 'PRIVATE_RANGES_ONLY'],
      key: settings.kmsKey,
    })),
  );
});

test('a function is deployed anew when its code changed, and only then: the object is named by its content', () => {
  for (const { inputs } of of(plain, 'cloudfunctionsv2/function:Function')) {
    const { bucket, object } = inputs.buildConfig.source.storageSource;
    expect([bucket, object]).toEqual([
      expect.stringMatching(/^serin-[0-9a-f]{8}-code-acme-ml$/),
      `${inputs.name}-0123456789abcdef.zip`,
    ]);
  }
});

test('a message that could not be used goes to the dead topic, and no subscription ends by itself', () => {
  const signals = one(plain, 'pubsub/subscription:Subscription', 'Signals').inputs;

  expect(signals).toMatchObject({
    topic: 'projects/acme-ml/topics/serin-shop-prod-signals',
    ackDeadlineSeconds: 300,
    messageRetentionDuration: '345600s',
    retryPolicy: { minimumBackoff: '10s', maximumBackoff: '600s' },
    deadLetterPolicy: { deadLetterTopic: 'projects/acme-ml/topics/serin-shop-prod-dead', maxDeliveryAttempts: 20 },
  });
  for (const { inputs } of of(plain, 'pubsub/subscription:Subscription'))
    expect(inputs.expirationPolicy).toEqual({ ttl: '' });
});

test('buckets are private, versioned and kept, but for the one of the code', () => {
  for (const settings of [plain, closed])
    for (const { name, inputs, retained } of of(settings, 'storage/bucket:Bucket')) {
      expect([name, inputs.uniformBucketLevelAccess, inputs.publicAccessPrevention]).toEqual([name, true, 'enforced']);
      expect([name, inputs.versioning.enabled, retained, inputs.forceDestroy]).toEqual(
        name === 'Code' ? [name, false, false, true] : [name, true, true, false],
      );
      expect(inputs.encryption?.defaultKmsKeyName).toBe(settings.kmsKey);
    }
  expect(of(closed, 'storage/bucket:Bucket').map(({ inputs }) => inputs.name)).toEqual(
    expect.arrayContaining(['acme-ml-data', 'acme-ml-labels', 'serin-shop-closed-acme-ml']),
  );
  expect(one(plain, 'storage/bucket:Bucket', 'Own').inputs.lifecycleRules).toEqual([
    { action: { type: 'AbortIncompleteMultipartUpload' }, condition: { age: 7 } },
    { action: { type: 'Delete' }, condition: { daysSinceNoncurrentTime: 90, withState: 'ARCHIVED' } },
    ...[
      ['labels/_requests/', 15],
      ['profiles/unfinished/', 14],
      ['drift/unfinished/', 14],
      ['drift/windows/', 100],
    ].flatMap(([prefix, age]) =>
      [
        { age, withState: 'LIVE' },
        { daysSinceNoncurrentTime: 1, withState: 'ARCHIVED' },
      ].map((condition) => ({ action: { type: 'Delete' }, condition: { ...condition, matchesPrefixes: [prefix] } })),
    ),
  ]);
});

test('copies of requests are forgotten by the day, and are read by days only', () => {
  const { inputs, retained } = one(plain, 'bigquery/table:Table', 'Captures-Requests');
  const dataset = one(closed, 'bigquery/dataset:Dataset', 'Captures').inputs;

  expect(inputs).toMatchObject({
    ...{ datasetId: 'serin_shop_prod_captures', tableId: 'requests', requirePartitionFilter: true },
    timePartitioning: { type: 'DAY', field: 'logging_time', expirationMs: 15 * 24 * 60 * 60 * 1000 },
  });
  expect(JSON.parse(inputs.schema).map(({ name }: { name: string }) => name)).toContain('logging_time');
  expect(retained).toBe(false);
  expect(dataset.defaultEncryptionConfiguration).toEqual({ kmsKeyName: closed.kmsKey });
});

test('the journal is a database of its own, protected, kept, and with no index that nobody asks', () => {
  const { inputs, retained } = one(plain, 'firestore/database:Database', 'Journal');

  expect([inputs, retained]).toEqual([
    {
      name: 'serin-shop-prod-journal',
      locationId: 'europe-west4',
      type: 'FIRESTORE_NATIVE',
      deleteProtectionState: 'DELETE_PROTECTION_ENABLED',
      pointInTimeRecoveryEnablement: 'POINT_IN_TIME_RECOVERY_ENABLED',
    },
    true,
  ]);
  const fields = of(plain, 'firestore/field:Field').map(({ inputs: { collection, field, indexConfig } }) => [
    `${collection}.${field}`,
    indexConfig.indexes,
  ]);
  expect(fields).toContainEqual(['streams.due', [{ order: 'ASCENDING', queryScope: 'COLLECTION' }]]);
  expect(fields).toContainEqual(['entries.entry', []]);
});

test('each data bucket tells the topic of new objects, once Cloud Storage may publish there', () => {
  const tells = of(plain, 'storage/notification:Notification');

  expect(tells.map(({ inputs }) => inputs.bucket).toSorted()).toEqual(plain.dataBuckets.toSorted());
  for (const { inputs } of tells)
    expect(inputs).toMatchObject({
      topic: 'projects/acme-ml/topics/serin-shop-prod-signals',
      payloadFormat: 'JSON_API_V1',
      eventTypes: ['OBJECT_FINALIZE'],
    });
  for (const { after } of tells) expect(after.some((each) => each.includes('agent-storage-topic'))).toBe(true);
  expect(rendered.get(plain)?.asked).toContain('gcp:storage/getProjectServiceAccount:getProjectServiceAccount');
  expect(of(bare, 'storage/notification:Notification')).toEqual([]);
});

/** All that stands before a resource, directly or not. */
function before(settings: Settings, { after }: Pick<Registered, 'after'>): ReadonlySet<string> {
  const byName = new Map(rendered.get(settings)?.registered.map((each) => [`${each.type} ${each.name}`, each]));
  const found = new Set<string>();
  const open = [...after];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    open.push(...(byName.get(name)?.after ?? []));
  }
  return found;
}

test('in an empty project each thing comes after what it needs', () => {
  const needs = (type: string, name: string) => [...before(closed, one(closed, type, name))].join('\n');

  const api = needs('cloudfunctionsv2/function:Function', 'Api');
  for (const wanted of [
    'Api-run.googleapis.com',
    'Grant-build-code',
    'Grant-build-copies',
    'Grant-build-images',
    'Functions',
    'Journal',
    '-signals',
  ])
    expect(api).toContain(wanted);
  expect(needs('storage/bucket:Bucket', 'Own')).toContain('Grant-agent-storage-key');
  expect(needs('pubsub/topic:Topic', 'Signals')).toContain('Grant-agent-pubsub-key');
  expect(needs('firestore/database:Database', 'Journal')).toContain('Grant-agent-firestore-key');
  const push = needs('pubsub/subscription:Subscription', 'Signals');
  for (const wanted of ['Grant-push-serin-shop-closed-signals', 'agent-pubsub-account']) expect(push).toContain(wanted);
  for (const { name, after } of of(closed, members.topic[0]))
    if (name.includes('monitoring')) expect(after.join('\n')).toContain('Channel-Signals');
  const [consumes] = of(closed, members.subscription[0]);
  expect(consumes?.after.join('\n')).toContain('pubsub/subscription:Subscription Signals');
});

test('database and buckets that an earlier installation has left are taken over when the settings say so', async () => {
  const { registered } = await registeredBy({ ...plain, adopt: true });

  const imported = registered.flatMap((each) => each.imported ?? []);
  expect(imported).toEqual(['projects/acme-ml/databases/serin-shop-prod-journal', 'serin-shop-prod-acme-ml']);
  expect(rendered.get(plain)?.registered.filter((each) => each.imported !== undefined)).toEqual([]);
});

test('alarms are heard by whoever the settings name, and alerts on models by the topic of signals', () => {
  const heard = (settings: Settings) => [
    ...new Set(
      of(settings, 'monitoring/alertPolicy:AlertPolicy').map(({ inputs }) =>
        JSON.stringify(inputs.notificationChannels),
      ),
    ),
  ];

  expect(heard(closed)).toEqual(['["Channel-Email","projects/acme-ml/notificationChannels/42"]']);
  expect(heard(plain)).toEqual(['[]']);
  expect(one(plain, 'monitoring/notificationChannel:NotificationChannel', 'Channel-Signals').inputs).toMatchObject({
    type: 'pubsub',
    labels: { topic: 'projects/acme-ml/topics/serin-shop-prod-signals' },
  });
});

test('logs of the functions have a bucket of their own where the settings say for how long', () => {
  expect(one(closed, 'logging/projectBucketConfig:ProjectBucketConfig', 'Logs').inputs).toMatchObject({
    bucketId: 'serin-shop-closed-logs',
    retentionDays: 90,
  });
  expect(of(plain, 'logging/projectSink:ProjectSink')).toEqual([]);
});

test('the API is where Cloud Run serves it', () => {
  expect(rendered.get(plain)?.address).toBe('https://serin-shop-prod-api-x.a.run.app');
});

test('SST makes nothing of a file that is wrong, names no Google project, or has no administrator for the stage', () => {
  const deploy = (stage: string, changes: object) => {
    const root = projectWith({ ...plain, ...changes });
    const code = { folder: root, digest: '' };
    return () =>
      installed({ gcp, pulumi }, { root, stage, code: { signals: code, api: code, clock: code, deadLetters: code } });
  };

  expect(deploy('prod', { api: 'private' })).toThrow('serin.gcp.json cannot be deployed:\n  api is "private"');
  expect(deploy('prod', { region: undefined })).toThrow('googleProject or region is missing: set GOOGLE_CLOUD_PROJECT');
  expect(deploy('dev', {})).toThrow('adminTokenHash has none for dev, but for prod');
});

/** Values of enums that SST sends, against Google's discovery documents: Pulumi's mocks take any text. */
const missing = whyPartsMissing(['discovery']);
const required = (process.env.SERIN_REQUIRE ?? '').split(',').includes('emulators');
const documents = join(paths.discovery, 'googleapiclient/discovery_cache/documents');
const without = missing === undefined ? '' : ` [${missing}]`;

describe.skipIf(without !== '' && !required)(`what Google's documents say of it${without}`, () => {
  // biome-ignore lint/suspicious/noExplicitAny: a document is walked by its own references
  type Schema = any;
  const document = (name: string): Schema => JSON.parse(readFileSync(join(documents, `${name}.json`), 'utf8'));

  /** Fields that the schema does not know, and values that it does not take. */
  function problems(doc: Schema, schema: Schema, value: unknown, at = ''): readonly string[] {
    const { $ref } = schema;
    const known = $ref === undefined ? schema : doc.schemas[$ref];
    if (Array.isArray(value))
      return value.flatMap((each, index) => problems(doc, known.items ?? {}, each, `${at}[${index}]`));
    if (typeof value === 'object' && value !== null)
      return Object.entries(value).flatMap(([name, each]) => {
        const field = known.properties?.[name] ?? known.additionalProperties;
        return field === undefined ? [`${at}.${name} is unknown`] : problems(doc, field, each, `${at}.${name}`);
      });
    return known.enum !== undefined && !known.enum.includes(value) ? [`${at} is ${value}`] : [];
  }
  const problemsIn = (name: string, schema: string, value: unknown): readonly string[] => {
    const doc = document(name);
    return problems(doc, doc.schemas[schema], value);
  };
  test('the dashboard is one that Monitoring takes', () => {
    const { dashboardJson } = one(plain, 'monitoring/dashboard:Dashboard', 'Dashboard').inputs;

    expect(problemsIn('monitoring.v1', 'Dashboard', JSON.parse(dashboardJson))).toEqual([]);
  });

  test('alert policies and channels have the fields and the values of their API', () => {
    const rejected = of(closed, 'monitoring/alertPolicy:AlertPolicy').flatMap(({ inputs }) =>
      problemsIn('monitoring.v3', 'AlertPolicy', inputs),
    );

    expect(rejected).toEqual([]);
  });

  test('subscriptions, schedules and notifications have those of theirs', () => {
    for (const settings of [plain, closed]) {
      for (const { inputs } of of(settings, 'pubsub/subscription:Subscription'))
        expect(problemsIn('pubsub.v1', 'Subscription', inputs)).toEqual([]);
      for (const { inputs } of of(settings, 'cloudscheduler/job:Job')) {
        const { project: _, region: __, ...job } = inputs;
        expect(problemsIn('cloudscheduler.v1', 'Job', job)).toEqual([]);
      }
      for (const { inputs } of of(settings, 'cloudfunctionsv2/function:Function')) {
        const { project: _, location: __, serviceConfig, ...rest } = inputs;
        const { labels: ___, ...made } = { ...rest, serviceConfig };
        expect(problemsIn('cloudfunctions.v2', 'Function', made)).toEqual([]);
      }
    }
  });

  test('repositories, the database and metrics of logs have the values of theirs', () => {
    for (const { inputs } of of(plain, 'artifactregistry/repository:Repository')) {
      const { location: _, repositoryId: __, ...made } = inputs;
      expect(problemsIn('artifactregistry.v1', 'Repository', made)).toEqual([]);
    }
    for (const { inputs } of of(closed, 'firestore/database:Database'))
      expect(problemsIn('firestore.v1', 'GoogleFirestoreAdminV1Database', inputs)).toEqual([]);
    for (const { inputs } of of(plain, 'logging/metric:Metric'))
      expect(problemsIn('logging.v2', 'LogMetric', inputs)).toEqual([]);
  });
});

/** What `app` of sst.config.ts says in this folder, which is where SST calls it. */
async function appIn(root: string, env: Readonly<Record<string, string>> = { SERIN_STATE: 'fetched' }) {
  vi.stubGlobal('$config', (config: unknown) => config);
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const started = process.cwd();
  process.chdir(root);
  try {
    const { default: config } = await import('../../../sst.config.ts');
    return config.app({ stage: 'prod' });
  } finally {
    process.chdir(started);
    vi.unstubAllGlobals();
    vi.unstubAllEnvs();
  }
}

test('sst.config.ts labels all that it makes, in the Google project and region of the settings', async () => {
  expect(await appIn(projectWith(plain))).toMatchObject({
    name: 'serin-shop',
    home: 'local',
    providers: {
      gcp: { project: 'acme-ml', region: 'europe-west4', defaultLabels: topology(plain, where).labels },
    },
  });
});

test('sst.config.ts runs only with the state of the team, which serin fetches', async () => {
  await expect(appIn(projectWith(plain), {})).rejects.toThrow("run 'serin deploy --cloud gcp'");
});

test('sst.config.ts without settings names the files of all clouds', async () => {
  await expect(appIn(folder('bare'))).rejects.toThrow(
    'serin.aws.json or serin.gcp.json or serin.azure.json is missing beside sst.config.ts',
  );
});

test('the provider has one version wherever it is named', async () => {
  const app = await appIn(projectWith(plain));

  const { dependencies } = JSON.parse(readFileSync(join(repository, 'infra/package.json'), 'utf8'));
  expect(dependencies['@pulumi/gcp']).toBe((app.providers as { gcp: { version: string } }).gcp.version);
});
