import { sha256Hex } from '@serin/core/base/json';
import { blobs, sends } from './calls.ts';
import type { Grantee } from './grants.ts';
import { parsedId } from './ids.ts';
import { containerId, type Places } from './places.ts';
import type { Source, Subscription } from './shapes.ts';
import { deadEvents } from './stores.ts';

// What functions/azure/src/signals.ts reads. Others cost, and say nothing.
const blobTypes = ['BlobCreated', 'BlobRenamed', 'DirectoryRenamed'].map((each) => `Microsoft.Storage.${each}`);
const jobTypes = ['RunCompleted', 'RunStatusChanged', 'ModelDeployed'].map(
  (each) => `Microsoft.MachineLearningServices.${each}`,
);

/** The storage account of the data, if there is any, and the workspace. */
export function sourcesOf(places: Places): readonly Source[] {
  const { settings, group, name, dataAccountId, workspaceId } = places;
  const source = (id: Source['id'], of: string, topicType: string, given: string | undefined) => ({
    id,
    source: of,
    topicType,
    topic: given ?? name(id.toLowerCase()),
    // A system topic lies where its owner has made it; one that Azure makes is in the group of its source.
    group: given === undefined ? group : (parsedId(of)?.group ?? group),
    isOurs: given === undefined,
  });
  const told = (thing: string, types: readonly string[], subjectBeginsWith?: string): Subscription => ({
    name: name(sha256Hex(thing).slice(0, 8)),
    types,
    ...(subjectBeginsWith === undefined ? {} : { subjectBeginsWith }),
  });
  const data: readonly Source[] =
    settings.dataBuckets.length === 0
      ? []
      : [
          {
            ...source('Data', dataAccountId, 'Microsoft.Storage.StorageAccounts', settings.dataTopic),
            subscriptions: settings.dataBuckets.map((container) =>
              told(container, blobTypes, `/blobServices/default/containers/${container}/blobs/`),
            ),
          },
        ];
  return [
    ...data,
    {
      ...source('Workspace', workspaceId, 'Microsoft.MachineLearningServices.Workspaces', settings.workspaceTopic),
      subscriptions: [told('workspace', jobTypes)],
    },
  ];
}

/** What the identities of system topics may do: put events into the queue, and what cannot be put there aside. */
export function topicGrants(places: Places, sources: readonly Source[]): readonly Grantee[] {
  const [queue] = places.on.signals;
  const aside = containerId(places.accountId, deadEvents);
  const grant = (action: string, why: string, target: string, says: string) => ({
    call: 'Event Grid',
    why,
    action,
    target,
    resources: [says],
  });
  const says = `${places.account}/${deadEvents}/`;
  return sources.map(({ id }) => ({
    principal: { of: `Topic-${id}` },
    grants: [
      ...(queue === undefined ? [] : [grant(sends, 'puts events into the queue', queue.target, queue.says)]),
      grant(blobs('write'), 'puts aside what it could not deliver', aside, says),
      grant(blobs('add/action'), 'puts aside what it could not deliver', aside, says),
    ],
  }));
}
