import { endpointName } from '../../functions/gcp/src/names.ts';
import { read } from '../../functions/gcp/src/signals.ts';
import { payloadsOf } from '../events/happenings.ts';
import { inboundContract } from './inbound.contract.ts';

const { fixture, changed } = payloadsOf('gcp');

const installation = { project: 'shop', environment: 'prod' };
const ours = '4215678901234567890';

inboundContract('Google Cloud', {
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
      'storage-finalized',
      'storage-notification',
      'storage-notification-bare',
      'storage-background',
      'storage-background-oldest',
    ].map(fixture),
  },
  folderMarker: changed('storage-finalized', ({ data }) => Object.assign(data, { name: 'fraud/2026/', size: '0' })),
  deletedObject: fixture('storage-notification-deleted'),
  finishedJob: fixture('job-log'),
  alarm: {
    sender: 'cloud-monitoring',
    startedAt: '2026-11-20T14:04:40.000Z',
    bodies: ['incident', 'incident-pushed', 'incident-eventarc'].map(fixture),
  },
  alarmEnd: fixture('incident-closed'),
  strangers: [
    changed('storage-finalized', ({ data }) => Object.assign(data, { bucket: 'theirs' })),
    changed('audit-job-cancelled', ({ data }) => Object.assign(data.protoPayload, { resourceName: 'p/customJobs/1' })),
    ...['incident-of-others', 'incident-test', 'audit-of-others', 'scheduler', 'build', 'pubsub-empty'].map(fixture),
  ],
  broken: changed('storage-finalized', ({ data }) => delete data.name),
});
