import { resourceId } from '../topology/places.ts';
import type { Bucket, Repository, Topic } from '../topology/shapes.ts';
import type { Around, Pulumi } from './pulumi.ts';

/** What holds data stays when the stage is removed. */
const kept = { retainOnDelete: true };
/** The same for what may have stayed of an earlier installation. Once it is in SST's state, this changes nothing. */
const keptOf = ({ topology: { settings } }: Around, id: string) => ({
  ...kept,
  ...(settings.adopt ? { import: id } : {}),
});

const day = 24 * 60 * 60;

/** The APIs, and the agents of their services, to whom policies give something before they have done anything. */
export function renderApis({ gcp, topology }: Omit<Around, 'after'>): readonly Pulumi.Resource[] {
  const project = topology.where.account;
  const apis = topology.apis.map(
    // Others of the project may use them as well.
    (service) => new gcp.projects.Service(`Api-${service}`, { project, service, disableOnDestroy: false }),
  );
  const agents = topology.agents.map(
    (service) => new gcp.projects.ServiceIdentity(`Agent-${service}`, { project, service }, { dependsOn: apis }),
  );
  return [...apis, ...agents];
}

export function renderStores(around: Around): readonly Pulumi.Resource[] {
  const { buckets, repositories, topics } = around.topology;
  return [
    ...renderDatabase(around),
    ...buckets.map((bucket) => renderBucket(around, bucket)),
    ...renderCaptures(around),
    ...repositories.map((repository) => renderRepository(around, repository)),
    ...topics.map((topic) => renderTopic(around, topic)),
  ];
}

function renderDatabase(around: Around): readonly Pulumi.Resource[] {
  const { gcp, topology, after } = around;
  const { database, settings, where } = topology;
  const made = new gcp.firestore.Database(
    'Journal',
    {
      name: database.name,
      locationId: where.region,
      type: 'FIRESTORE_NATIVE',
      deleteProtectionState: 'DELETE_PROTECTION_ENABLED',
      pointInTimeRecoveryEnablement: 'POINT_IN_TIME_RECOVERY_ENABLED',
      ...(settings.kmsKey === undefined ? {} : { cmekConfig: { kmsKeyName: settings.kmsKey } }),
    },
    { ...keptOf(around, `projects/${where.account}/databases/${database.name}`), dependsOn: [...after] },
  );
  const fields = database.fields.map(
    ({ collectionGroup, field, order }) =>
      new gcp.firestore.Field(
        `Journal-${collectionGroup}-${field}`,
        {
          database: database.name,
          collection: collectionGroup,
          field,
          indexConfig: { indexes: order === 'none' ? [] : [{ order, queryScope: 'COLLECTION' }] },
        },
        { ...kept, dependsOn: [made] },
      ),
  );
  return [made, ...fields];
}

function renderBucket(around: Around, described: Bucket): Pulumi.Resource {
  const { gcp, topology, after } = around;
  const { kmsKey } = topology.settings;
  const { id, name, oldVersionsDays, unfinishedUploadsDays, forgotten = [] } = described;
  return new gcp.storage.Bucket(
    id,
    {
      name,
      location: topology.where.region,
      uniformBucketLevelAccess: true,
      publicAccessPrevention: 'enforced',
      versioning: { enabled: described.versioned },
      labels: { ...topology.labels },
      forceDestroy: !described.kept,
      lifecycleRules: [
        { action: { type: 'AbortIncompleteMultipartUpload' }, condition: { age: unfinishedUploadsDays } },
        ...(oldVersionsDays === undefined
          ? []
          : [
              {
                action: { type: 'Delete' },
                condition: { daysSinceNoncurrentTime: oldVersionsDays, withState: 'ARCHIVED' },
              },
            ]),
        ...forgotten.flatMap(({ prefix, days }) =>
          [
            { age: days, withState: 'LIVE' },
            { daysSinceNoncurrentTime: 1, withState: 'ARCHIVED' },
          ].map((condition) => ({
            action: { type: 'Delete' },
            condition: { ...condition, matchesPrefixes: [prefix] },
          })),
        ),
      ],
      softDeletePolicy: { retentionDurationSeconds: described.kept ? 7 * day : 0 },
      ...(kmsKey === undefined ? {} : { encryption: { defaultKmsKeyName: kmsKey } }),
    },
    { ...(described.kept ? keptOf(around, name) : {}), dependsOn: [...after] },
  );
}

function renderCaptures({ gcp, topology, after }: Around): readonly Pulumi.Resource[] {
  const { captures, settings, labels, where } = topology;
  const { dataset: datasetId, table: tableId, days, columns } = captures;
  const project = where.account;
  const dataset = new gcp.bigquery.Dataset(
    'Captures',
    {
      ...{ project, datasetId, location: where.region, labels: { ...labels } },
      // Nothing of it is wanted once nobody reads it.
      deleteContentsOnDestroy: true,
      ...(settings.kmsKey === undefined ? {} : { defaultEncryptionConfiguration: { kmsKeyName: settings.kmsKey } }),
    },
    { dependsOn: [...after] },
  );
  const table = new gcp.bigquery.Table(
    'Captures-Requests',
    {
      ...{ project, datasetId, tableId, deletionProtection: false, labels: { ...labels } },
      schema: JSON.stringify(columns),
      // Counted from the begin of its day, at whose end a request would be kept for a day less.
      timePartitioning: { type: 'DAY', field: 'logging_time', expirationMs: (days + 1) * day * 1000 },
      requirePartitionFilter: true,
      clusterings: ['endpoint'],
      ...(settings.kmsKey === undefined ? {} : { encryptionConfiguration: { kmsKeyName: settings.kmsKey } }),
    },
    { dependsOn: [dataset] },
  );
  return [dataset, table];
}

function renderTopic({ gcp, topology, after }: Around, { id, name }: Topic): Pulumi.Resource {
  const { kmsKey } = topology.settings;
  return new gcp.pubsub.Topic(
    resourceId(id),
    { name, labels: { ...topology.labels }, ...(kmsKey === undefined ? {} : { kmsKeyName: kmsKey }) },
    { dependsOn: [...after] },
  );
}

function renderRepository({ gcp, topology, after }: Around, { id, name, does, upstream }: Repository): Pulumi.Resource {
  const { kmsKey } = topology.settings;
  return new gcp.artifactregistry.Repository(
    id,
    {
      repositoryId: name,
      location: topology.where.region,
      format: 'DOCKER',
      description: does,
      labels: { ...topology.labels },
      ...(upstream === undefined
        ? {}
        : {
            mode: 'REMOTE_REPOSITORY',
            remoteRepositoryConfig: { description: does, dockerRepository: { publicRepository: upstream } },
          }),
      ...(kmsKey === undefined ? {} : { kmsKeyName: kmsKey }),
    },
    { dependsOn: [...after] },
  );
}
