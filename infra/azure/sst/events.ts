import { parsedId } from '../topology/ids.ts';
import type { Source } from '../topology/shapes.ts';
import { type Around, idIn, type Pulumi } from './pulumi.ts';

/** The system topics, each with an identity of its own. Answers who they are. */
export interface Topics {
  readonly principals: Readonly<Record<string, Pulumi.Output<string>>>;
  readonly resources: readonly Pulumi.Resource[];
}

export function renderTopics(around: Around): Topics {
  const { azure, topology, pulumi } = around;
  const made = topology.sources.map((source) => {
    if (!source.isOurs) {
      const given = { resourceGroupName: source.group, systemTopicName: source.topic };
      const { identity } = pulumi.output(azure.eventgrid.getSystemTopic(given));
      return { id: source.id, principal: principalOf(pulumi, source, identity), resources: [] };
    }
    const topic = renderTopic(around, source);
    return { id: source.id, principal: principalOf(pulumi, source, topic.identity), resources: [topic] };
  });
  return {
    principals: Object.fromEntries(made.map(({ id, principal }) => [`Topic-${id}`, principal])),
    resources: made.flatMap(({ resources }) => resources),
  };
}

const principalOf = (
  pulumi: Around['pulumi'],
  { topic }: Source,
  identity: Pulumi.Input<{ readonly principalId?: string } | undefined>,
): Pulumi.Output<string> =>
  pulumi.output(identity).apply((found) => {
    if (found?.principalId !== undefined) return found.principalId;
    throw new Error(
      `the system topic ${topic} has no identity: run 'az eventgrid system-topic update --name ${topic} --resource-group <its group> --identity systemassigned'`,
    );
  });

function renderTopic({ azure, topology, pulumi, after }: Around, source: Source) {
  return new azure.eventgrid.SystemTopic(
    `Topic-${source.id}`,
    {
      resourceGroupName: source.group,
      systemTopicName: source.topic,
      // It lies where its source does.
      location: regionOf({ azure, topology, pulumi }, source),
      source: source.source,
      topicType: source.topicType,
      identity: { type: 'SystemAssigned' },
      tags: { ...topology.tags },
    },
    { dependsOn: [...after] },
  );
}

function regionOf(
  { azure, topology, pulumi }: Pick<Around, 'azure' | 'topology' | 'pulumi'>,
  { id, source }: Source,
): Pulumi.Input<string> {
  const { settings, where } = topology;
  const { group = '', name = '' } = parsedId(source) ?? {};
  if (id === 'Data' && settings.dataAccount !== undefined)
    return pulumi.output(azure.storage.getStorageAccount({ resourceGroupName: group, accountName: name })).location;
  if (id === 'Workspace' && settings.workspace !== undefined)
    return pulumi
      .output(azure.machinelearningservices.getWorkspace({ resourceGroupName: group, workspaceName: name }))
      .apply(({ location }) => location ?? where.region);
  return where.region;
}

/** Event Grid tries whether it may deliver before it takes a subscription. */
export function renderSubscriptions({ azure, topology, after }: Around): readonly Pulumi.Resource[] {
  const { namespace, deadEvents, sources } = topology;
  const identity = { type: 'SystemAssigned' };
  const queue = `${idIn(topology, 'Microsoft.ServiceBus/namespaces', namespace.name)}/queues/${namespace.queue.name}`;
  return sources.flatMap(({ id, topic, group, subscriptions }) =>
    subscriptions.map(
      ({ name, types, subjectBeginsWith }) =>
        new azure.eventgrid.SystemTopicEventSubscription(
          `Tells-${id}-${name}`,
          {
            resourceGroupName: group,
            systemTopicName: topic,
            eventSubscriptionName: name,
            eventDeliverySchema: 'CloudEventSchemaV1_0',
            deliveryWithResourceIdentity: {
              identity,
              destination: { endpointType: 'ServiceBusQueue', resourceId: queue },
            },
            deadLetterWithResourceIdentity: {
              identity,
              deadLetterDestination: {
                endpointType: 'StorageBlob',
                resourceId: deadEvents.account,
                blobContainerName: deadEvents.container,
              },
            },
            filter: {
              includedEventTypes: [...types],
              ...(subjectBeginsWith === undefined ? {} : { subjectBeginsWith, isSubjectCaseSensitive: true }),
            },
            retryPolicy: { eventTimeToLiveInMinutes: 1440, maxDeliveryAttempts: 30 },
          },
          { dependsOn: [...after] },
        ),
    ),
  );
}
