import type { Binding, Target } from '../topology/shapes.ts';
import type { Around, Pulumi } from './pulumi.ts';

/** Service accounts, without a key: what runs as one gets its tokens from Google. */
export function renderAccounts({ gcp, topology, after }: Around): readonly Pulumi.Resource[] {
  const project = topology.where.account;
  const { project: ours, environment } = topology.settings;
  return topology.accounts.map(
    ({ id, does }) =>
      new gcp.serviceaccount.Account(
        `Account-${id}`,
        // https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts: 100 and 256 bytes
        {
          project,
          accountId: id,
          displayName: `Serin ${ours} ${environment}: ${does}`.slice(0, 100),
          description: does,
        },
        { dependsOn: [...after] },
      ),
  );
}

export function renderRoles({ gcp, topology, after }: Around): readonly Pulumi.Resource[] {
  const project = topology.where.account;
  return topology.customRoles.map(
    ({ id, title, permissions }) =>
      new gcp.projects.IAMCustomRole(
        `Role-${id}`,
        { project, roleId: id, title, permissions: [...permissions], stage: 'GA' },
        { dependsOn: [...after] },
      ),
  );
}

/** The bindings on targets of these kinds, which stand by now. Each adds one member, and takes away nobody's. */
export const renderBindings = (around: Around, ...kinds: readonly Target['kind'][]): readonly Pulumi.Resource[] =>
  around.topology.bindings
    .filter(({ target }) => kinds.includes(target.kind))
    .map((binding) => renderBinding(around, binding));

function renderBinding({ gcp, topology, after }: Around, { id, member, role, target, when }: Binding): Pulumi.Resource {
  const { account: project, region: location } = topology.where;
  const name = `Grant-${id}`;
  const common = { role, member, ...(when === undefined ? {} : { condition: { ...when } }) };
  const options = { dependsOn: [...after] };
  switch (target.kind) {
    case 'project':
      return new gcp.projects.IAMMember(name, { project: target.name, ...common }, options);
    case 'bucket':
      return new gcp.storage.BucketIAMMember(name, { bucket: target.name, ...common }, options);
    case 'dataset':
      return new gcp.bigquery.DatasetIamMember(name, { project, datasetId: target.name, ...common }, options);
    case 'topic':
      return new gcp.pubsub.TopicIAMMember(name, { topic: target.name, ...common }, options);
    case 'subscription':
      return new gcp.pubsub.SubscriptionIAMMember(name, { subscription: target.name, ...common }, options);
    case 'account':
      return new gcp.serviceaccount.IAMMember(name, { serviceAccountId: target.name, ...common }, options);
    case 'repository':
      return new gcp.artifactregistry.RepositoryIamMember(name, { repository: target.name, ...common }, options);
    case 'service':
      return new gcp.cloudrunv2.ServiceIamMember(name, { project, location, name: target.name, ...common }, options);
    case 'key':
      return new gcp.kms.CryptoKeyIAMMember(name, { cryptoKeyId: target.name, ...common }, options);
  }
}

/** Cloud Storage tries whether it may publish before it takes a notification. */
export function renderNotifications({ gcp, topology, after }: Around): void {
  for (const { id, bucket, topic } of topology.notifications)
    new gcp.storage.Notification(
      `Tells-${id}`,
      {
        bucket,
        topic: `projects/${topology.where.account}/topics/${topology.topics.find((each) => each.id === topic)?.name}`,
        payloadFormat: 'JSON_API_V1',
        eventTypes: ['OBJECT_FINALIZE'],
      },
      { dependsOn: [...after] },
    );
}
