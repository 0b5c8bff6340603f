import {
  type CallOf,
  callOf,
  type NeedOn,
  type OwnFolder,
  ownFolders,
  type PortName,
  portsOf,
} from '../../shared/calls.ts';

/**
 * Each call that the ports make of Azure, the permission it needs, and on what. The roles of the functions are made from
 * it alone, `serin plan` prints it, and the emulator suite compares it with the calls that were really sent.
 */

export { type OwnFolder, ownFolders };

/** A thing that a permission is about; places.ts knows its scope. */
export type On =
  | 'journal'
  | 'ownContainer'
  | `own/${OwnFolder}`
  | 'dataContainers'
  | 'signals'
  | 'bus'
  | 'webhooks'
  | 'programSecrets'
  | 'jobIdentity'
  | 'modelIdentity'
  | 'workspace'
  | 'workspaceGroup'
  | 'subscription'
  | 'workspaceStorage'
  | 'logWorkspace'
  /** The workspace, where logs are kept. */
  | 'loggedWorkspace'
  | 'insights';

export interface Need extends NeedOn<On> {
  /** Of `blobs/read`: names are listed, and nothing is read. */
  readonly only?: 'list';
}
/** `call`: the operation as its REST reference names it. */
export type Call = CallOf<Need>;

const call = callOf<Need>;
const need = (action: string, ...on: readonly On[]): Need => ({ action, on });
const own = (...folders: readonly OwnFolder[]) => folders.map((folder) => `own/${folder}` as const);

/** What is done with data, and not with what holds them. https://learn.microsoft.com/azure/role-based-access-control/role-definitions#control-and-data-actions */
export const isDataAction = (action: string): boolean =>
  /\/(blobs|entities|messages)\/|\/secrets\/getSecret\/|Insights\/(Telemetry|Metrics)\/Write$/.test(action);

const storage = 'Microsoft.Storage/storageAccounts';
export const blobs = (verb: 'read' | 'write' | 'delete' | 'add/action'): string =>
  `${storage}/blobServices/containers/blobs/${verb}`;
const entities = (verb: 'read' | 'add/action' | 'update/action' | 'delete'): string =>
  `${storage}/tableServices/tables/entities/${verb}`;
const messages = (verb: 'send' | 'receive'): string => `Microsoft.ServiceBus/namespaces/messages/${verb}/action`;
export const sends = messages('send');
export const receives = messages('receive');
export const getsSecret = 'Microsoft.KeyVault/vaults/secrets/getSecret/action';

const ml = (call: string, why: string, ...rights: readonly string[]): Call => ({
  call,
  why,
  needs: rights.map((right) => need(`Microsoft.MachineLearningServices/workspaces/${right}`, 'workspace')),
});
/**
 * What Microsoft asks of whoever starts a job, beside the job itself. Its page says every `read` of a workspace: these are
 * of what a job of ours names, and each is a permission by itself.
 *
 * https://learn.microsoft.com/azure/machine-learning/how-to-assign-roles#common-scenarios
 */
const submits: readonly Need[] = [
  'read',
  'computes/read',
  'datastores/read',
  'environments/read',
  'environments/write',
  'environments/build/action',
  'environments/readSecrets/action',
  'environments/versions/read',
  'metadata/artifacts/write',
].map((right) => need(`Microsoft.MachineLearningServices/workspaces/${right}`, 'workspace'));

/** What runs under an identity of ours: whoever starts it must be allowed to give it that identity. */
const assigns = (identity: 'jobIdentity' | 'modelIdentity'): Need =>
  need('Microsoft.ManagedIdentity/userAssignedIdentities/assign/action', identity);

/** The history of a workspace has a host of its own, and the permissions of the workspace. */
const runDetails = (why: string): Call => ml('GET history:/runs/{name}/details', why, 'experiments/runs/read');

/** What data looks like: written once by runs and by the watch over drift, and shown by the API. */
const seen = own('drift', 'profiles', 'references', 'reports');
const readFolders = [
  ...own('captured', 'code', 'configs', 'datasets', 'jobs', 'labels', 'registry', 'serving', 'starts'),
  ...seen,
];

/** Names of all that is in a container: no permission and no condition says less without a prefix. */
const lists: Call = {
  call: 'List Blobs',
  why: 'lists what was dropped and what jobs left',
  needs: [{ action: blobs('read'), on: ['ownContainer', 'dataContainers'], only: 'list' }],
};
// https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory#permissions-for-blob-service-operations
const queriesEntities = (why: string): Call => call('Query Entities', why, need(entities('read'), 'journal'));

export const callsOf = {
  journal: [
    queriesEntities('reads heads, entries and the indexes'),
    call(
      'Entity Group Transaction',
      'appends an entry and moves the head and its rows in the indexes, at once',
      need(entities('add/action'), 'journal'),
      need(entities('update/action'), 'journal'),
      need(entities('delete'), 'journal'),
    ),
  ],
  /** What the clock needs of the journal. */
  due: [queriesEntities('finds the streams that wait for time')],
  bucket: [
    lists,
    call(
      'Get Blob',
      'reads configs, code, manifests, what jobs left, markers, labels, captured requests and notes of what was begun',
      need(blobs('read'), ...readFolders, 'dataContainers'),
    ),
    call(
      'Get Blob Properties',
      'looks whether a blob that must not be replaced is there, and whether one has no byte',
      need(blobs('read'), ...readFolders, 'own/events', 'dataContainers'),
    ),
    call(
      'Put Blob',
      'writes manifests, archives of code, starts of jobs, large events, labels, what was read of them and notes of what is begun',
      need(blobs('add/action'), ...own('code', 'datasets', 'events'), ...seen),
      need(blobs('write'), ...own('labels', 'registry', 'serving', 'starts')),
    ),
  ],
  /** What the API needs of containers: it takes code, configs and labels, and reads no data. */
  releases: [
    lists,
    call(
      'Get Blob',
      'reads configs, code, manifests, what data looked like and labels that are there already',
      need(blobs('read'), ...own('code', 'configs', 'datasets', 'labels'), ...seen),
    ),
    call(
      'Get Blob Properties',
      'looks whether what must not be replaced is there',
      need(blobs('read'), ...own('code', 'configs', 'datasets', 'events', 'labels')),
    ),
    call(
      'Put Blob',
      'writes configs, code, labels and large events, and nothing that is there',
      need(blobs('add/action'), ...own('code', 'configs', 'events', 'labels')),
    ),
  ],
  jobs: [
    ml('PUT environments/{name}/versions/{version}', 'the image of a job', 'environments/versions/write'),
    call(
      'PUT jobs/{name}',
      'starts a job',
      need('Microsoft.MachineLearningServices/workspaces/jobs/write', 'workspace'),
      ...submits,
      assigns('jobIdentity'),
    ),
    ml('GET jobs/{name}', 'reads how it ended', 'jobs/read'),
    ml('POST jobs/{name}/cancel', 'stops it', 'jobs/cancel/action'),
    ml('GET computes/{name}', 'looks how large the machines of a cluster are', 'computes/read'),
    runDetails('reads when it ran, why it failed, and the end of its log'),
  ],
  /** The log of a job, for whoever asks the API. */
  jobLogs: [
    ml('GET jobs/{name}', 'finds the job whose log is asked for', 'jobs/read'),
    runDetails('finds its log, which has an address with a right of its own'),
  ],
  registry: [
    ml(
      'PUT models/{name}/versions/{version}',
      'registers a version, and mirrors the approval',
      'models/versions/write',
    ),
    ml('GET models/{name}/versions/{version}', 'reads whether it is there', 'models/versions/read'),
  ],
  serving: [
    call(
      'PUT onlineEndpoints/{name}',
      'the endpoint of a model, and its traffic',
      need('Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write', 'workspace'),
      assigns('modelIdentity'),
    ),
    ml('GET onlineEndpoints/{name}', 'reads what really serves', 'onlineEndpoints/read'),
    ml('PUT environments/{name}/versions/{version}', 'the image of a deployment', 'environments/versions/write'),
    ml('PUT data/{name}/versions/{version}', 'where a deployment puts copies of requests', 'data/versions/write'),
    ml('PUT onlineEndpoints/{endpoint}/deployments/{name}', 'deploys a version', 'onlineEndpoints/deployments/write'),
    ml('GET onlineEndpoints/{endpoint}/deployments', 'reads how that goes', 'onlineEndpoints/deployments/read'),
    ml('DELETE onlineEndpoints/{endpoint}/deployments/{name}', 'retires it', 'onlineEndpoints/deployments/delete'),
    // It lies beside the workspaces, below the subscription.
    // https://learn.microsoft.com/azure/role-based-access-control/permissions/ai-machine-learning
    call(
      'GET Microsoft.MachineLearningServices/locations/{location}/mfeOperationsStatus/{id}',
      'reads why an operation failed',
      need('Microsoft.MachineLearningServices/locations/mfeOperationsStatus/read', 'subscription'),
    ),
    call(
      'PUT Microsoft.Insights/diagnosticSettings/{name}',
      'has the requests of an endpoint logged',
      need('Microsoft.Insights/diagnosticSettings/write', 'loggedWorkspace'),
      // Azure asks it of whoever names a log workspace, whose keys open nothing: they are off in ours.
      need('Microsoft.OperationalInsights/workspaces/sharedKeys/action', 'logWorkspace'),
    ),
    ...(['GET', 'PUT', 'DELETE'] as const).map((verb) =>
      call(
        `${verb} Microsoft.Insights/autoscalesettings/{name}`,
        'has the instances of a deployment follow its load',
        need(
          `Microsoft.Insights/autoscalesettings/${{ GET: 'read', PUT: 'write', DELETE: 'delete' }[verb]}`,
          'workspaceGroup',
        ),
      ),
    ),
  ],
  telemetry: [
    call(
      'GET Microsoft.Insights/metrics',
      'requests, errors and latencies of each version',
      need('Microsoft.Insights/metrics/read', 'workspace'),
    ),
    call(
      'POST workspaces/{id}/query',
      'the time and the duration of each request',
      need('Microsoft.OperationalInsights/workspaces/query/read', 'logWorkspace'),
      need('Microsoft.OperationalInsights/workspaces/query/AmlOnlineEndpointTrafficLog/read', 'logWorkspace'),
    ),
    ml('GET onlineEndpoints/{name}', 'which versions there are', 'onlineEndpoints/read'),
    ml(
      'GET onlineEndpoints/{endpoint}/deployments',
      'the share of their requests that each collects',
      'onlineEndpoints/deployments/read',
    ),
  ],
  bus: [call('send to the topic', 'publishes what happened', need(sends, 'bus'))],
  send: [call('send to the queue', 'tells that a stream owes something', need(sends, 'signals'))],
  secrets: [call('Get Secret', 'the secrets of incoming webhooks', need(getsSecret, 'webhooks'))],
  /** Only for the function that notifies sinks, and that looks before a program is started. */
  programSecrets: [
    call('Get Secret', 'the secrets that a config names, when they are used', need(getsSecret, 'programSecrets')),
  ],
} satisfies Readonly<Record<PortName, readonly Call[]>>;

export { type PortName, portsOf };
