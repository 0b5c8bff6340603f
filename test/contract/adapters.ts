// The one screen: which adapter is held to which contract, by which suite, and what stands behind it there. The suites
// take their names and their gaps from here; the table of docs/fidelity.md is made of it (`node scripts/docs.ts`). A new adapter
// is its file, a row here, and the call of its contract.

/** By contract: the parts that an adapter, or what stands behind it, may be unable to show. Nothing else is left out. */
export const contracts = {
  journal: {},
  registry: {},
  bus: {},
  bucket: {
    lineBreaks: 'keys with a line break',
    dots: 'the keys `.` and `..`',
    backslashes: 'keys with a backslash',
  },
  jobs: { commands: 'what a running command shows', stop: 'a stop' },
  serving: { mirrors: 'mirrors', wholeMirrors: 'a mirror of all requests' },
  telemetry: { routed: 'a request counts in the tick in which it was routed' },
  captured: { routed: 'a captured request belongs to the time at which it was routed' },
  segments: {},
  users: {},
  pairs: {},
  labels: {
    unknown: 'whether a request is known, and its label late',
    weights: 'the weight by which a request was routed',
    errors: 'an answer that was an error',
    routed: 'a request counts in the tick in which it was routed',
    mirrors: 'mirrors',
    totals: 'totals of answers',
  },
  notify: { concealed: 'a reason without the texts of secrets' },
  inbound: { approval: 'an approval' },
} as const;

export type Contract = keyof typeof contracts;

/** Where the adapters of a platform stand. */
export const platforms = {
  simulator: { title: "the simulator's fakes", folder: 'test/simulation/fakes', live: '' },
  machine: { title: 'one machine', folder: 'packages/local/src', live: 'it is what you run' },
  aws: { title: 'AWS', folder: 'functions/aws/src', live: '**unproven**' },
  gcp: { title: 'Google Cloud', folder: 'functions/gcp/src', live: '**unproven**' },
  azure: { title: 'Azure', folder: 'functions/azure/src', live: '**unproven**' },
} as const;

export type Platform = keyof typeof platforms;

export interface Adapter {
  readonly contract: Contract;
  /** As its suite calls it. */
  readonly name: string;
  readonly platform: Platform;
  /** Below the folder of the platform, unless it stands with what all platforms share. */
  readonly file: string;
  /** Below `test`. Those in `emulators` run by `npm run test:emulators`, all others by `npm test`. */
  readonly suite: string;
  /** What really takes the calls when the suite runs. */
  readonly behind: string;
  /** By part of the contract: why it cannot be shown. */
  readonly gaps?: Readonly<Record<string, string>>;
}

// biome-ignore format: a row is read from left to right
export const adapters = [
  { platform: 'simulator', contract: 'journal', name: 'memory', file: 'journal.ts', suite: 'contract/fakes.test.ts', behind: 'memory' },
  { platform: 'simulator', contract: 'journal', name: 'memory in shards', file: 'packages/platform/src/sharded-journal.ts', suite: 'contract/fakes.test.ts', behind: 'memory' },
  { platform: 'simulator', contract: 'registry', name: 'memory', file: 'registry.ts', suite: 'contract/fakes.test.ts', behind: 'memory' },
  { platform: 'simulator', contract: 'bus', name: 'memory', file: 'bus.ts', suite: 'contract/fakes.test.ts', behind: 'memory' },
  { platform: 'simulator', contract: 'bucket', name: 'memory', file: 'bucket.ts', suite: 'contract/fakes.test.ts', behind: 'memory' },
  { platform: 'simulator', contract: 'jobs', name: 'memory', file: 'jobs.ts', suite: 'contract/fakes.test.ts', behind: 'memory',
    gaps: { commands: 'the memory provider runs no command' } },
  { platform: 'simulator', contract: 'jobs', name: 'memory without keys', file: 'labelled-jobs.ts', suite: 'contract/fakes.test.ts', behind: 'memory, shaped like Vertex AI',
    gaps: { commands: 'the memory provider runs no command' } },
  { platform: 'simulator', contract: 'jobs', name: 'memory by name', file: 'put-jobs.ts', suite: 'contract/fakes.test.ts', behind: 'memory, shaped like Azure ML',
    gaps: { commands: 'the memory provider runs no command' } },
  { platform: 'simulator', contract: 'serving', name: 'memory', file: 'serving.ts', suite: 'contract/fakes.test.ts', behind: 'memory' },
  { platform: 'simulator', contract: 'serving', name: 'memory like aws', file: 'shapes.ts', suite: 'contract/fakes.test.ts', behind: 'memory, shaped like SageMaker' },
  { platform: 'simulator', contract: 'serving', name: 'memory like vertex', file: 'shapes.ts', suite: 'contract/fakes.test.ts', behind: 'memory, shaped like Vertex AI',
    gaps: { mirrors: 'Vertex AI mirrors nothing', wholeMirrors: 'Vertex AI mirrors nothing' } },
  { platform: 'simulator', contract: 'serving', name: 'memory like azure', file: 'put-serving.ts', suite: 'contract/fakes.test.ts', behind: 'memory, shaped like Azure ML',
    gaps: { wholeMirrors: 'Azure ML mirrors half of the requests at most' } },
  { platform: 'simulator', contract: 'notify', name: 'memory', file: 'sinks.ts', suite: 'contract/fakes.test.ts', behind: 'memory',
    gaps: { concealed: 'its receivers answer with the reason itself' } },

  { platform: 'machine', contract: 'journal', name: 'sqlite', file: 'ports/journal.ts', suite: 'contract/local-store.test.ts', behind: 'SQLite' },
  { platform: 'machine', contract: 'registry', name: 'files', file: 'ports/registry.ts', suite: 'contract/local-store.test.ts', behind: 'files' },
  { platform: 'machine', contract: 'bus', name: 'sqlite', file: 'ports/bus.ts', suite: 'contract/local-store.test.ts', behind: 'SQLite' },
  { platform: 'machine', contract: 'bucket', name: 'folder', file: 'ports/bucket.ts', suite: 'contract/local-store.test.ts', behind: 'files' },
  { platform: 'machine', contract: 'jobs', name: 'child processes', file: 'ports/jobs.ts', suite: 'contract/local-jobs.test.ts', behind: 'child processes' },
  { platform: 'machine', contract: 'serving', name: 'localServing', file: 'ports/serving.ts', suite: 'contract/local-serving.test.ts', behind: 'child processes, sockets' },
  { platform: 'machine', contract: 'telemetry', name: 'gatewayTelemetry', file: 'ports/telemetry.ts', suite: 'contract/local-serving.test.ts', behind: 'SQLite' },
  { platform: 'machine', contract: 'captured', name: 'gatewayTelemetry', file: 'ports/telemetry.ts', suite: 'contract/local-capture.test.ts', behind: 'SQLite' },
  { platform: 'machine', contract: 'segments', name: 'gatewayTelemetry', file: 'ports/telemetry.ts', suite: 'contract/local-serving.test.ts', behind: 'SQLite' },
  { platform: 'machine', contract: 'users', name: 'gatewayTelemetry', file: 'ports/telemetry.ts', suite: 'contract/local-serving.test.ts', behind: 'SQLite' },
  { platform: 'machine', contract: 'pairs', name: 'gatewayTelemetry', file: 'ports/telemetry.ts', suite: 'contract/local-serving.test.ts', behind: 'SQLite' },
  { platform: 'machine', contract: 'labels', name: 'labelStore', file: 'machine/labels.ts', suite: 'contract/local-labels.test.ts', behind: 'SQLite' },
  { platform: 'machine', contract: 'notify', name: 'notifier', file: 'packages/platform/src/notifier.ts', suite: 'contract/notify.test.ts', behind: 'an HTTP server' },

  { platform: 'aws', contract: 'journal', name: 'DynamoDB Local', file: 'ports/journal.ts', suite: 'emulators/aws/store.test.ts', behind: 'DynamoDB Local' },
  { platform: 'aws', contract: 'registry', name: 'SageMaker (moto)', file: 'ports/registry.ts', suite: 'emulators/aws/registry.test.ts', behind: 'moto' },
  { platform: 'aws', contract: 'bus', name: 'EventBridge to SQS (moto)', file: 'ports/bus.ts', suite: 'emulators/aws/store.test.ts', behind: 'moto' },
  { platform: 'aws', contract: 'bucket', name: 'S3 (moto)', file: 'ports/bucket.ts', suite: 'emulators/aws/store.test.ts', behind: 'moto',
    gaps: { lineBreaks: 'the router of moto takes no line break in a path' } },
  { platform: 'aws', contract: 'jobs', name: 'SageMaker (moto)', file: 'ports/jobs.ts', suite: 'emulators/aws/jobs-moto.test.ts', behind: 'moto',
    gaps: { commands: 'moto runs no container', stop: 'moto has no StopTrainingJob' } },
  { platform: 'aws', contract: 'jobs', name: 'SageMaker (fake)', file: 'ports/jobs.ts', suite: 'emulators/aws/jobs.test.ts', behind: 'a fake of ours, checked by botocore',
    gaps: { commands: 'the fake SageMaker runs no container' } },
  { platform: 'aws', contract: 'serving', name: 'sageMakerServing', file: 'ports/serving.ts', suite: 'emulators/aws/serving.test.ts', behind: 'a fake of ours, checked by botocore' },
  { platform: 'aws', contract: 'telemetry', name: 'cloudWatchTelemetry', file: 'ports/telemetry.ts', suite: 'emulators/aws/telemetry.test.ts', behind: 'a fake of ours, checked by botocore',
    gaps: { routed: 'nothing says that CloudWatch has the time at which a request was routed' } },
  { platform: 'aws', contract: 'captured', name: 'cloudWatchTelemetry', file: 'ports/telemetry.ts', suite: 'emulators/aws/telemetry.test.ts', behind: 'files of ours in memory, as the developer guide has them',
    gaps: { routed: 'nothing says whether a copy has the time of its request or of its answer' } },
  { platform: 'aws', contract: 'labels', name: 'capturedLabels on AWS', file: 'packages/platform/src/captured-labels.ts', suite: 'emulators/aws/telemetry.test.ts', behind: 'files of ours in memory, as the developer guide has them',
    gaps: labelGaps('nothing says whether a copy has the time of its request or of its answer') },
  { platform: 'aws', contract: 'notify', name: 'notifier', file: 'packages/platform/src/notifier.ts', suite: 'contract/notify.test.ts', behind: 'an HTTP server' },
  { platform: 'aws', contract: 'inbound', name: 'AWS', file: 'signals.ts', suite: 'contract/inbound-aws.test.ts', behind: "samples of AWS's documentation" },

  { platform: 'gcp', contract: 'journal', name: 'Firestore', file: 'ports/journal.ts', suite: 'emulators/gcp/journal.test.ts', behind: "a fake of ours, checked by Google's documents and its own client" },
  { platform: 'gcp', contract: 'bus', name: 'Pub/Sub (pstest)', file: 'ports/bus.ts', suite: 'emulators/gcp/bus.test.ts', behind: "Google's pstest" },
  { platform: 'gcp', contract: 'bucket', name: 'Cloud Storage (fake-gcs-server)', file: 'ports/bucket.ts', suite: 'emulators/gcp/bucket.test.ts', behind: 'fake-gcs-server',
    gaps: { lineBreaks: 'Cloud Storage takes no line break in a name', dots: 'Cloud Storage takes no such name' } },
  { platform: 'gcp', contract: 'bucket', name: 'Cloud Storage (fake)', file: 'ports/bucket.ts', suite: 'emulators/gcp/bucket.test.ts', behind: "a fake of ours, checked by Google's documents",
    gaps: { lineBreaks: 'Cloud Storage takes no line break in a name', dots: 'Cloud Storage takes no such name' } },
  { platform: 'gcp', contract: 'jobs', name: 'vertexJobs', file: 'ports/jobs.ts', suite: 'emulators/gcp/jobs.test.ts', behind: "a fake of ours, checked by Google's documents",
    gaps: { commands: 'the fake Vertex AI runs no container' } },
  { platform: 'gcp', contract: 'telemetry', name: 'monitoringTelemetry', file: 'ports/telemetry.ts', suite: 'emulators/gcp/telemetry.test.ts', behind: "a fake of ours, checked by Google's documents",
    gaps: { routed: 'nothing says that Cloud Monitoring has the time at which a request was routed' } },
  { platform: 'gcp', contract: 'captured', name: 'monitoringTelemetry', file: 'ports/telemetry.ts', suite: 'emulators/gcp/telemetry.test.ts', behind: "a fake of ours, held to Google's discovery documents",
    gaps: { routed: 'nothing says whether a copy has the time of its request or of its answer' } },
  { platform: 'gcp', contract: 'labels', name: 'capturedLabels on Google Cloud', file: 'packages/platform/src/captured-labels.ts', suite: 'emulators/gcp/telemetry.test.ts', behind: "a fake of ours, held to Google's discovery documents",
    gaps: labelGaps('nothing says whether a copy has the time of its request or of its answer') },
  { platform: 'gcp', contract: 'notify', name: 'notifier', file: 'packages/platform/src/notifier.ts', suite: 'contract/notify.test.ts', behind: 'an HTTP server' },
  { platform: 'gcp', contract: 'inbound', name: 'Google Cloud', file: 'signals.ts', suite: 'contract/inbound-gcp.test.ts', behind: "samples of Google's documentation",
    gaps: { approval: "Vertex AI's registry tells of no approval" } },
  { platform: 'gcp', contract: 'registry', name: 'vertexRegistry', file: 'ports/registry.ts', suite: 'emulators/gcp/registry.test.ts', behind: "a fake of ours, checked by Google's documents" },
  { platform: 'gcp', contract: 'serving', name: 'vertexServing', file: 'ports/serving.ts', suite: 'emulators/gcp/serving.test.ts', behind: "a fake of ours, checked by Google's documents",
    gaps: { mirrors: 'Vertex AI mirrors nothing', wholeMirrors: 'Vertex AI mirrors nothing' } },

  { platform: 'azure', contract: 'journal', name: 'Table Storage (Azurite)', file: 'ports/journal.ts', suite: 'emulators/azure/journal.test.ts', behind: 'Azurite' },
  { platform: 'azure', contract: 'registry', name: 'mlRegistry', file: 'ports/registry.ts', suite: 'emulators/azure/registry.test.ts', behind: "a fake of ours, checked by Microsoft's models" },
  { platform: 'azure', contract: 'serving', name: 'mlServing', file: 'ports/serving.ts', suite: 'emulators/azure/serving.test.ts', behind: "a fake of ours, checked by Microsoft's models",
    gaps: { wholeMirrors: 'Azure ML mirrors half of the requests at most' } },
  { platform: 'azure', contract: 'labels', name: 'capturedLabels on Azure', file: 'packages/platform/src/captured-labels.ts', suite: 'emulators/azure/telemetry.test.ts', behind: "files of ours in memory, as Microsoft's page has them",
    gaps: labelGaps('nothing says whether a copy has the time of its request or of its answer') },
  { platform: 'azure', contract: 'notify', name: 'notifier', file: 'packages/platform/src/notifier.ts', suite: 'contract/notify.test.ts', behind: 'an HTTP server' },
  { platform: 'azure', contract: 'inbound', name: 'Azure', file: 'signals.ts', suite: 'contract/inbound-azure.test.ts', behind: "samples of Microsoft's documentation",
    gaps: { approval: "Azure ML's registry tells of no approval" } },
  { platform: 'azure', contract: 'jobs', name: 'mlJobs', file: 'ports/jobs.ts', suite: 'emulators/azure/jobs.test.ts', behind: "a fake of ours, checked by Microsoft's models",
    gaps: { commands: 'the fake Azure ML runs no container' } },
  { platform: 'azure', contract: 'telemetry', name: 'monitorTelemetry (traffic log)', file: 'ports/telemetry.ts', suite: 'emulators/azure/telemetry.test.ts', behind: "a fake of ours, checked by Microsoft's client; it runs no KQL" },
  { platform: 'azure', contract: 'telemetry', name: 'monitorTelemetry (metrics)', file: 'ports/telemetry.ts', suite: 'emulators/azure/telemetry.test.ts', behind: "a fake of ours, checked by Microsoft's client",
    gaps: { routed: 'nothing says that a metric of Azure Monitor has the time at which a request was routed' } },
  { platform: 'azure', contract: 'captured', name: 'monitorTelemetry', file: 'ports/telemetry.ts', suite: 'emulators/azure/telemetry.test.ts', behind: "files of ours in memory, as Microsoft's page has them",
    gaps: { routed: 'nothing says whether a copy has the time of its request or of its answer' } },
  { platform: 'azure', contract: 'bus', name: 'Service Bus (fake)', file: 'ports/bus.ts', suite: 'emulators/azure/bus.test.ts', behind: "an AMQP server of ours, called by Microsoft's client" },
  { platform: 'azure', contract: 'bucket', name: 'Blob Storage (Azurite)', file: 'ports/bucket.ts', suite: 'emulators/azure/bucket.test.ts', behind: 'Azurite',
    gaps: { dots: 'a URL cannot hold such a name', backslashes: 'Blob Storage takes a backslash for a slash' } },
] as const satisfies readonly Adapter[];

/** What labels of captured requests lack on every cloud. */
function labelGaps(routed: string) {
  const copies = 'labels are joined to copies of requests, which come later';
  return {
    unknown: copies,
    weights: 'a copy of a request does not say the weight, which the rollout remembers',
    errors: 'a copy of a request does not say whether it failed',
    routed,
    mirrors: 'copies of a mirrored request are left out',
    totals: copies,
  };
}

const byVariant = 'CloudWatch counts by variant and minute, nothing else';
const byDeployedModel = 'Cloud Monitoring counts by deployed model and minute, nothing else';
const byDeployment = 'the traffic log has no header of a request, and nothing that joins a mirrored one to its answer';
const noRequests = 'its counts follow from the weights, and no single request is told to it';

/** What a platform does not have at all, and why. A platform that stands here has a row or a reason for every contract. */
export const absent: Readonly<Partial<Record<Platform, Readonly<Partial<Record<Contract, string>>>>>> = {
  simulator: {
    telemetry: noRequests,
    captured: noRequests,
    segments: noRequests,
    users: noRequests,
    pairs: noRequests,
    labels: noRequests,
    inbound: 'its world says facts',
  },
  machine: { inbound: 'what comes in comes through the API (test/api)' },
  aws: { segments: byVariant, users: byVariant, pairs: byVariant },
  azure: { segments: byDeployment, users: byDeployment, pairs: byDeployment },
  gcp: {
    segments: byDeployedModel,
    users: byDeployedModel,
    pairs: byDeployedModel,
  },
};

/** The adapters that stand on the screen for a contract. */
export type AdapterOf<C extends Contract> = Extract<(typeof adapters)[number], { readonly contract: C }>['name'];

/** Where the code of an adapter stands. */
export const sourceOf = ({ platform, file }: Adapter): string =>
  file.startsWith('packages/') ? file : `${platforms[platform].folder}/${file}`;

/** What an adapter cannot show of a contract, with the reasons. */
export function gapsOf(contract: Contract, name: string): Readonly<Record<string, string>> {
  const row: Adapter | undefined = adapters.find((adapter) => adapter.contract === contract && adapter.name === name);
  if (row === undefined)
    throw new Error(`'${name}' is not in test/contract/adapters.ts: add its row for '${contract}'`);
  return row.gaps ?? {};
}
