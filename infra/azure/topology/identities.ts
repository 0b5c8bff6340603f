import { blobs, getsSecret, type On, type OwnFolder, portsOf, receives } from './calls.ts';
import { grantsOf, type Wanted, wantedBy } from './grants.ts';
import { type Places, thingOf } from './places.ts';
import type { FunctionId, Identity, IdentityId } from './shapes.ts';

const identity = (places: Places, id: IdentityId, does: string, wanted: readonly Wanted[]): Identity => ({
  id,
  name: places.name(thingOf(id)),
  does,
  grants: grantsOf(places, wanted),
});

const wanted = (call: string, why: string, action: string, ...on: readonly On[]): Wanted => ({ call, why, action, on });
const own = (...folders: readonly OwnFolder[]) => folders.map((folder) => `own/${folder}` as const);

/** https://learn.microsoft.com/azure/azure-monitor/app/azure-ad-authentication */
const tells = [
  wanted('telemetry', 'writes its log', 'Microsoft.Insights/Telemetry/Write', 'insights'),
  wanted('telemetry', 'writes its metrics', 'Microsoft.Insights/Metrics/Write', 'insights'),
];
const takes = wanted('queue trigger', 'takes what happened', receives, 'signals');

const triggered: Readonly<Record<FunctionId, readonly Wanted[]>> = {
  signals: [takes],
  // The queue of dead letters is a part of the queue.
  deadLetters: [wanted('queue trigger', 'takes what nobody could use', receives, 'signals')],
  api: [],
  clock: [],
};

/** What a function runs as: its port calls, its trigger and its log. */
export const functionIdentity = (places: Places, id: FunctionId, does: string): Identity =>
  identity(places, id, does, [...wantedBy(portsOf[id]), ...triggered[id], ...tells]);

/** The start of a program fetches them: their texts stand in no description of a job or a model. */
const fetchesSecrets = wanted('program', 'fetches the secrets that its config names', getsSecret, 'programSecrets');
const ml = (right: string): string => `Microsoft.MachineLearningServices/workspaces/${right}`;

/** What a job may do: read data and what the pipeline wrote, write its outputs, its checkpoints and its log. */
export const jobIdentity = (places: Places): Identity =>
  identity(places, 'jobs', 'what jobs run as', [
    { ...wanted('job', 'lists its input and data', blobs('read'), 'ownContainer', 'dataContainers'), only: 'list' },
    wanted('job', 'reads data', blobs('read'), 'dataContainers'),
    // Never `configs/` or `events/`: environments of all models are in them.
    wanted(
      'job',
      'reads its input, its code, its start and its checkpoints',
      blobs('read'),
      ...own('code', 'datasets', 'starts', 'jobs', 'checkpoints'),
    ),
    // Never `code/`, `datasets/`, `starts/` or `configs/`: a job must not change what the next one is made from or runs.
    wanted('job', 'writes outputs and checkpoints', blobs('write'), ...own('jobs', 'checkpoints')),
    wanted('job', 'takes a file of its own away', blobs('delete'), ...own('jobs', 'checkpoints')),
    fetchesSecrets,
    wanted('job', 'finds where its outputs go', ml('datastores/read'), 'workspace'),
    // Azure ML keeps there what a container prints.
    wanted('job', 'reads what Azure ML keeps of it', blobs('read'), 'workspaceStorage'),
    wanted('job', 'writes its log', blobs('write'), 'workspaceStorage'),
  ]);

/** What a served model may do: read its artifact and its code, and write what is captured. */
export const modelIdentity = (places: Places): Identity =>
  identity(places, 'models', 'what served models run as', [
    { ...wanted('endpoint', 'lists its artifact', blobs('read'), 'ownContainer'), only: 'list' },
    wanted('endpoint', 'reads its artifact and its code', blobs('read'), ...own('jobs', 'code')),
    // Never read back: what others asked is none of its business.
    // https://learn.microsoft.com/azure/machine-learning/how-to-collect-production-data: the identity of the endpoint writes.
    wanted('endpoint', 'writes copies of requests that its model wants captured', blobs('write'), ...own('captured')),
    wanted('endpoint', 'appends to them', blobs('add/action'), ...own('captured')),
    fetchesSecrets,
    // https://learn.microsoft.com/azure/machine-learning/how-to-access-resources-from-endpoints-managed-identities
    wanted('endpoint', 'reads what Azure ML keeps of it', blobs('read'), 'workspaceStorage'),
    wanted('endpoint', 'writes its metrics', ml('metrics/resource/write'), 'workspace'),
  ]);
