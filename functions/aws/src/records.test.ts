import type { LogLines } from '@serin/platform/log-lines';
import { expect, test } from 'vitest';
import { recordsOf } from './records.ts';

const counted = (event: unknown) => {
  const what: unknown[] = [];
  const log: LogLines = { say: () => {}, fault: () => {}, count: (metric, more) => what.push([metric, more.what]) };
  const messages = recordsOf(event, log);
  return { messages, what };
};

test.each([
  ['S3', { Records: [{ eventSource: 'aws:s3' }] }, 'aws:s3'],
  ['SNS', { Records: [{ EventSource: 'aws:sns' }] }, 'aws:sns'],
  ['Kinesis', { Records: [{ eventSource: 'aws:kinesis' }] }, 'aws:kinesis'],
  ['EventBridge', { source: 'aws.events', 'detail-type': 'Scheduled Event' }, 'aws.events'],
  ['Firehose', { invocationId: 'i', records: [] }, 'an event of an unknown kind'],
  ['nobody', null, 'an event of an unknown kind'],
  ['no text', { source: { toString: '' } }, 'an object'],
  ['records of nothing', { Records: [null] }, 'an event of an unknown kind'],
])('what a trigger of %s sends is counted, and done', (_, event, what) => {
  expect(counted(event)).toEqual({ messages: [], what: [['ForeignSignals', `not of the queue: ${what}`]] });
});

test('messages of the queue are taken, beside what is not of it', () => {
  const message = { eventSource: 'aws:sqs', messageId: 'm', body: '{}' };

  expect(counted({ Records: [{ eventSource: 'aws:s3' }, message] })).toMatchObject({
    messages: [message],
    what: [['ForeignSignals', 'not of the queue: aws:s3']],
  });
});
