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
 * Every call that the ports make of Google, the permission it needs, and on what. The roles of the functions are made
 * from it alone, `serin plan` prints it, and the emulator suite compares it with the calls that were really sent.
 */

export { type OwnFolder, ownFolders };

/** A thing that a permission is about; places.ts knows how IAM names it. */
export type On =
  /** All of the Google project: only for the permissions that `projectWide` names. */
  | 'project'
  | 'database'
  | 'ownBucket'
  | `own/${OwnFolder}`
  | 'dataBuckets'
  | 'captures'
  | 'signals'
  | 'bus'
  | 'webhooks'
  | 'programSecrets'
  | 'jobAccount'
  | 'modelAccount';

export type Need = NeedOn<On>;
/** `call`: the id of the method in its discovery document. */
export type Call = CallOf<Need>;

const own = (...folders: readonly OwnFolder[]) => folders.map((folder) => `own/${folder}` as const);
const need = (action: string, ...on: readonly On[]): Need => ({ action, on });
const call = callOf<Need>;

const vertex = (method: string, why: string, ...needs: readonly Need[]): Call =>
  call(`aiplatform.projects.locations.${method}`, why, ...needs);
/** What runs under an account of ours: whoever starts it must be allowed to act as that account. */
const actAs = (account: 'jobAccount' | 'modelAccount'): Need => need('iam.serviceAccounts.actAs', account);
const entriesList = (why: string): Call =>
  call('logging.entries.list', why, need('logging.logEntries.list', 'project'));

// https://docs.cloud.google.com/firestore/docs/security/iam, "Required permissions for API methods"
const batchGet = call(
  'firestore.projects.databases.documents.batchGet',
  'reads the head of a stream',
  need('datastore.entities.get', 'database'),
);
const runQuery = (why: string): Call =>
  call(
    'firestore.projects.databases.documents.runQuery',
    why,
    need('datastore.entities.get', 'database'),
    need('datastore.entities.list', 'database'),
  );

// Without `storage.objects.list` Cloud Storage answers 403 for an object that is not there: who reads also lists.
// https://docs.cloud.google.com/storage/docs/json_api/v1/status-codes#404-not-found
const lists = call(
  'storage.objects.list',
  'lists what was dropped, and tells what is not there from what is closed',
  need('storage.objects.list', 'ownBucket', 'dataBuckets'),
);

/** One that writes over an object deletes it. https://docs.cloud.google.com/storage/docs/access-control/iam-json */
const writes = (why: string, created: readonly On[], replaced: readonly On[]): Call =>
  call(
    'storage.objects.insert',
    why,
    need('storage.objects.create', ...created),
    ...(replaced.length === 0 ? [] : [need('storage.objects.delete', ...replaced)]),
  );

/** What data looks like: written once by runs and by the watch over drift, and shown by the API. */
const seen = own('drift', 'profiles', 'references', 'reports');

export const callsOf = {
  journal: [
    batchGet,
    runQuery('reads entries and the two indexes'),
    call(
      'firestore.projects.databases.documents.commit',
      'appends an entry and moves the head, which is in both indexes, at once',
      need('datastore.entities.create', 'database'),
      need('datastore.entities.update', 'database'),
    ),
  ],
  /** What the clock needs of the journal. */
  due: [runQuery('finds the streams that wait for time')],
  bucket: [
    lists,
    call(
      'storage.objects.get',
      'reads configs, code, manifests, what jobs left, markers, labels and notes of what was begun',
      need(
        'storage.objects.get',
        ...own('code', 'configs', 'datasets', 'jobs', 'labels', 'registry', 'serving', 'starts'),
        ...seen,
        'dataBuckets',
      ),
    ),
    writes(
      'writes manifests, archives of code, starts of jobs, large events, labels, what was read of them and notes of what is begun',
      [...own('code', 'datasets', 'events', 'labels', 'registry', 'serving', 'starts'), ...seen],
      own('labels', 'registry', 'serving', 'starts'),
    ),
  ],
  /** What the API needs of buckets: it takes code, configs and labels, and reads no data. */
  releases: [
    lists,
    call(
      'storage.objects.get',
      'reads configs, code, manifests, what data looked like and labels that are there already',
      need('storage.objects.get', ...own('code', 'configs', 'datasets', 'labels'), ...seen),
    ),
    writes('writes configs, code, labels and large events', own('code', 'configs', 'events', 'labels'), []),
  ],
  jobs: [
    vertex('customJobs.create', 'starts a job', need('aiplatform.customJobs.create', 'project'), actAs('jobAccount')),
    vertex('customJobs.get', 'reads how it ended', need('aiplatform.customJobs.get', 'project')),
    vertex('customJobs.list', 'finds the job of a key', need('aiplatform.customJobs.list', 'project')),
    vertex('customJobs.cancel', 'stops it', need('aiplatform.customJobs.cancel', 'project')),
    entriesList('reads the end of the log of a job that failed'),
    call(
      'storage.objects.delete',
      'takes back the note of a job that was refused',
      need('storage.objects.delete', 'own/starts'),
    ),
  ],
  /** The log of a job, for whoever asks the API. */
  jobLogs: [
    entriesList('reads the log of a job'),
    vertex('customJobs.list', 'finds the job whose log is asked for', need('aiplatform.customJobs.list', 'project')),
  ],
  registry: [
    vertex('models.upload', 'registers a version', need('aiplatform.models.upload', 'project')),
    vertex('models.operations.get', 'reads whether it is there', need('aiplatform.models.get', 'project')),
    vertex('models.listVersions', 'finds the version of a number', need('aiplatform.models.list', 'project')),
    vertex('models.patch', 'mirrors the approval', need('aiplatform.models.update', 'project')),
    vertex(
      'models.mergeVersionAliases',
      'moves the aliases champion and challenger',
      need('aiplatform.models.update', 'project'),
    ),
  ],
  // A read of an operation needs that of what it is about.
  // https://docs.cloud.google.com/vertex-ai/docs/general/iam-permissions
  serving: [
    vertex('endpoints.create', 'the endpoint of a model', need('aiplatform.endpoints.create', 'project')),
    vertex('endpoints.get', 'reads what really serves', need('aiplatform.endpoints.get', 'project')),
    vertex(
      'endpoints.patch',
      'moves weight, and says what is logged of requests',
      need('aiplatform.endpoints.update', 'project'),
    ),
    vertex(
      'endpoints.deployModel',
      'deploys a version',
      need('aiplatform.endpoints.deploy', 'project'),
      need('aiplatform.models.get', 'project'),
      actAs('modelAccount'),
    ),
    vertex('endpoints.undeployModel', 'retires a version', need('aiplatform.endpoints.undeploy', 'project')),
    vertex('endpoints.operations.get', 'reads how that goes', need('aiplatform.endpoints.get', 'project')),
    vertex('models.upload', 'the model of a deployment', need('aiplatform.models.upload', 'project')),
    vertex('models.operations.get', 'reads whether it is there', need('aiplatform.models.get', 'project')),
    vertex('models.get', 'reads it', need('aiplatform.models.get', 'project')),
    vertex('models.list', 'finds models that nothing serves any more', need('aiplatform.models.list', 'project')),
    vertex('models.delete', 'takes them away', need('aiplatform.models.delete', 'project')),
  ],
  telemetry: [
    call(
      'monitoring.projects.timeSeries.list',
      'requests, errors and latencies of each version',
      need('monitoring.timeSeries.list', 'project'),
    ),
    vertex('endpoints.get', 'which versions there are', need('aiplatform.endpoints.get', 'project')),
    call(
      'bigquery.jobs.query',
      'reads captured requests',
      need('bigquery.jobs.create', 'project'),
      need('bigquery.tables.getData', 'captures'),
    ),
    // "Automatically granted to the creator" of a job: https://docs.cloud.google.com/bigquery/docs/access-control
    call('bigquery.jobs.getQueryResults', 'reads more of them', need('bigquery.jobs.create', 'project')),
  ],
  bus: [call('pubsub.projects.topics.publish', 'publishes what happened', need('pubsub.topics.publish', 'bus'))],
  send: [
    call(
      'pubsub.projects.topics.publish',
      'tells that a stream owes something',
      need('pubsub.topics.publish', 'signals'),
    ),
  ],
  secrets: [
    call(
      'secretmanager.projects.secrets.versions.access',
      'the secrets of incoming webhooks',
      need('secretmanager.versions.access', 'webhooks'),
    ),
  ],
  /** Only for the function that notifies sinks, and that looks before a program is started. */
  programSecrets: [
    call(
      'secretmanager.projects.secrets.versions.access',
      'the secrets that a config names, when they are used',
      need('secretmanager.versions.access', 'programSecrets'),
    ),
  ],
} satisfies Readonly<Record<PortName, readonly Call[]>>;

export { type PortName, portsOf };

const vertexWide = 'Vertex AI has no policies on jobs and models, and its names stand in no condition';

/** Permissions that are given on the whole Google project, and why nothing less can be named. Nothing else may have it. */
export const projectWide: Readonly<Record<string, string>> = {
  'aiplatform.customJobs.cancel': vertexWide,
  'aiplatform.customJobs.create': vertexWide,
  'aiplatform.customJobs.get': vertexWide,
  'aiplatform.customJobs.list': vertexWide,
  'aiplatform.endpoints.create': vertexWide,
  'aiplatform.endpoints.deploy': vertexWide,
  'aiplatform.endpoints.get': vertexWide,
  'aiplatform.endpoints.undeploy': vertexWide,
  'aiplatform.endpoints.update': vertexWide,
  'aiplatform.models.delete': vertexWide,
  'aiplatform.models.get': vertexWide,
  'aiplatform.models.list': vertexWide,
  'aiplatform.models.update': vertexWide,
  'aiplatform.models.upload': vertexWide,
  'bigquery.jobs.create': 'a query is a job of the project that pays for it',
  'logging.logEntries.create': 'a log is of the project',
  'logging.logEntries.list': 'jobs have no log bucket of their own',
  'monitoring.timeSeries.list': 'metrics are of the project',
};
