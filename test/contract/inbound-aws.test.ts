import { endpointName, groupName } from '../../functions/aws/src/names.ts';
import { read } from '../../functions/aws/src/signals.ts';
import { payloadsOf } from '../events/happenings.ts';
import { inboundContract } from './inbound.contract.ts';

const { fixture, changed } = payloadsOf('aws');

const installation = { project: 'shop', environment: 'prod' };

inboundContract('AWS', {
  read,
  owners: {
    installation,
    modelOfEndpoint: async (name) => (name === endpointName(installation, 'fraud') ? 'fraud' : undefined),
    modelOfJob: async (job) => (/^\w+\/prod-shop--fraud-/.test(job) ? 'fraud' : undefined),
    versionOf: async (ref) =>
      ref.includes(`/${groupName(installation, 'fraud')}/`) ? { model: 'fraud', version: 1, by: 'arn:eve' } : undefined,
  },
  object: { key: 'fraud/2026/11/20/part 0001+ä%2F.csv', bodies: ['s3-created', 's3-notification'].map(fixture) },
  folderMarker: changed('s3-created', ({ detail }) => Object.assign(detail.object, { key: 'fraud/2026/', size: 0 })),
  deletedObject: fixture('s3-deleted'),
  finishedJob: fixture('processing-completed'),
  alarm: {
    sender: 'cloudwatch',
    startedAt: '2026-11-20T14:04:40.989Z',
    bodies: ['alarm', 'alarm-sns', 'alarm-sns-raw'].map(fixture),
  },
  alarmEnd: fixture('alarm-ok'),
  approval: { by: 'arn:eve', body: fixture('package-approved') },
  strangers: [
    changed('s3-created', ({ detail }) => Object.assign(detail.bucket, { name: 'theirs' })),
    changed('training-failed', ({ detail }) => Object.assign(detail, { TrainingJobName: 'theirs' })),
    ...['alarm-of-others', 'pipeline-execution', 's3-test-event', 'sns-text'].map(fixture),
  ],
  broken: changed('s3-created', ({ detail }) => delete detail.object.key),
});
