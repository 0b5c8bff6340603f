import { endpointName } from '../../functions/azure/src/names.ts';
import { read } from '../../functions/azure/src/signals.ts';
import { payloadsOf } from '../events/happenings.ts';
import { inboundContract } from './inbound.contract.ts';

const { fixture, changed } = payloadsOf('azure');
const container = '/blobServices/default/containers/';

const installation = { project: 'shop', environment: 'prod' };
const ours = 'prod-shop-fraud-train-0123456789ab';

inboundContract('Azure', {
  read,
  owners: {
    installation,
    modelOfEndpoint: async (name) => (name === endpointName(installation, 'fraud') ? 'fraud' : undefined),
    modelOfJob: async (job) => (job === ours ? 'fraud' : undefined),
    versionOf: async () => undefined,
  },
  object: {
    key: 'fraud/2026/11/20/part 0001+ä%2F.csv',
    bodies: [
      'blob-created',
      'blob-created-eventgrid',
      'blob-created-batch',
      'blob-closed',
      'blob-sftp',
      'blob-renamed',
    ].map(fixture),
  },
  // As tools of Hadoop write it where there are no folders; where there are, DirectoryCreated tells of it.
  folderMarker: changed('blob-created', (event) => {
    event.subject = `${container}drops/blobs/fraud/2026/`;
    event.data.contentLength = 0;
  }),
  deletedObject: fixture('blob-deleted'),
  finishedJob: fixture('run-completed'),
  alarm: { sender: 'azure-monitor', startedAt: '2026-11-20T14:04:24.371Z', bodies: [fixture('alert')] },
  alarmEnd: fixture('alert-resolved'),
  strangers: [
    changed('blob-created', (event) => Object.assign(event, { subject: `${container}theirs/blobs/a.csv` })),
    changed('run-completed', ({ data }) => Object.assign(data, { runId: 'theirs' })),
    ...[
      ...['alert-of-others', 'alert-test', 'alert-legacy', 'model-registered', 'directory-created'],
      ...['blob-opened', 'blob-tier-changed', 'capture', 'no-data', 'subscription-validation'],
    ].map(fixture),
  ],
  broken: changed('blob-created', (event) => delete event.subject),
});
