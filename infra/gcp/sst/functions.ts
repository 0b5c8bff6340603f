import { resourceId } from '../topology/places.ts';
import type { Schedule, ServerlessFunction, Subscription } from '../topology/shapes.ts';
import { renderBindings } from './access.ts';
import type { Around, Gcp, Pulumi } from './pulumi.ts';

/** The functions, then who may call them, then what calls them. Answers the address of the API. */
export function renderFunctions(around: Around): Pulumi.Output<string> {
  const { topology, pulumi } = around;
  const made = topology.functions.map((each) => ({ each, rendered: renderFunction(around, each) }));
  const all = made.map(({ rendered }) => rendered);
  const invokers = renderBindings({ ...around, after: all }, 'service');
  const after = [...around.after, ...invokers];
  const subscriptions = made.flatMap(({ each: { id, trigger }, rendered }) => {
    const uri = uriOf(pulumi, rendered);
    if (trigger.kind === 'push')
      return [
        renderSubscription({ ...around, after }, { id: resourceId(id), uri, subscription: trigger.subscription }),
      ];
    if (trigger.kind === 'schedule') renderSchedule({ ...around, after }, { uri, schedule: trigger.schedule });
    return [];
  });
  renderBindings({ ...around, after: [...around.after, ...subscriptions] }, 'subscription');
  const api = made.find(({ each }) => each.trigger.kind === 'https');
  return api === undefined ? pulumi.output('') : uriOf(pulumi, api.rendered);
}

/** Where Cloud Run serves it: Pub/Sub and Cloud Scheduler come from inside at this address only. */
const uriOf = (pulumi: Around['pulumi'], { serviceConfig }: Gcp.cloudfunctionsv2.Function): Pulumi.Output<string> =>
  pulumi.output(serviceConfig).apply((config) => config?.uri ?? '');

function renderFunction(around: Around, each: ServerlessFunction): Gcp.cloudfunctionsv2.Function {
  const { gcp, pulumi, topology, code, after } = around;
  const { where, settings, labels, buckets } = topology;
  const id = resourceId(each.id);
  const { folder, digest } = code[each.id];
  // A new digest is a new object, and only that makes a new revision. https://github.com/hashicorp/terraform-provider-google/issues/1938
  const source = new gcp.storage.BucketObject(
    `Code-${id}`,
    {
      bucket: buckets.find(({ id }) => id === 'Code')?.name ?? '',
      name: `${each.name}-${digest}.zip`,
      source: new pulumi.asset.FileArchive(folder),
    },
    { dependsOn: [...after] },
  );
  const repository = topology.repositories.find(({ id }) => id === 'Functions')?.name;
  const { network, kmsKey } = settings;
  return new gcp.cloudfunctionsv2.Function(
    id,
    {
      name: each.name,
      project: where.account,
      location: where.region,
      description: each.does,
      labels: { ...labels },
      buildConfig: {
        runtime: each.runtime,
        entryPoint: each.id,
        serviceAccount: `projects/${where.account}/serviceAccounts/${topology.buildAccount}`,
        dockerRepository: `projects/${where.account}/locations/${where.region}/repositories/${repository}`,
        source: { storageSource: { bucket: source.bucket, object: source.name } },
      },
      serviceConfig: {
        availableMemory: `${each.memoryMb}Mi`,
        timeoutSeconds: each.timeoutSeconds,
        minInstanceCount: 0,
        maxInstanceCount: each.maxInstances,
        maxInstanceRequestConcurrency: each.concurrency,
        ingressSettings: each.ingress,
        allTrafficOnLatestRevision: true,
        serviceAccountEmail: each.role.email,
        environmentVariables: { ...each.environment },
        ...(network === undefined
          ? {}
          : { vpcConnector: network.connector, vpcConnectorEgressSettings: 'PRIVATE_RANGES_ONLY' }),
      },
      ...(kmsKey === undefined ? {} : { kmsKeyName: kmsKey }),
    },
    { dependsOn: [...after] },
  );
}

interface Pushed {
  readonly id: string;
  readonly uri: Pulumi.Output<string>;
  readonly subscription: Subscription;
}

function renderSubscription({ gcp, topology, after }: Around, { id, uri, subscription }: Pushed): Pulumi.Resource {
  const { ackDeadlineSeconds, retentionSeconds, backoffSeconds, deadAfter, audience } = subscription;
  const topicOf = (of: string): string =>
    `projects/${topology.where.account}/topics/${topology.topics.find((each) => each.id === of)?.name}`;
  const [least, most] = backoffSeconds;
  return new gcp.pubsub.Subscription(
    id,
    {
      name: subscription.name,
      topic: topicOf(subscription.topic),
      labels: { ...topology.labels },
      ackDeadlineSeconds,
      messageRetentionDuration: `${retentionSeconds}s`,
      // Else Pub/Sub takes it away after a month without a message.
      expirationPolicy: { ttl: '' },
      retryPolicy: { minimumBackoff: `${least}s`, maximumBackoff: `${most}s` },
      pushConfig: { pushEndpoint: uri, oidcToken: { serviceAccountEmail: topology.pushAccount, audience } },
      ...(deadAfter === undefined
        ? {}
        : {
            deadLetterPolicy: {
              deadLetterTopic: topicOf(deadAfter.topic),
              maxDeliveryAttempts: deadAfter.attempts,
            },
          }),
    },
    { dependsOn: [...after] },
  );
}

function renderSchedule(
  { gcp, topology, after }: Around,
  { uri, schedule }: { readonly uri: Pulumi.Output<string>; readonly schedule: Schedule },
): void {
  const { name, cron, audience, deadlineSeconds, retries } = schedule;
  new gcp.cloudscheduler.Job(
    'Clock',
    {
      name,
      project: topology.where.account,
      region: topology.where.region,
      schedule: cron,
      timeZone: 'Etc/UTC',
      attemptDeadline: `${deadlineSeconds}s`,
      retryConfig: { retryCount: retries },
      httpTarget: {
        uri,
        httpMethod: 'POST',
        oidcToken: { serviceAccountEmail: topology.pushAccount, audience },
      },
    },
    { dependsOn: [...after] },
  );
}
