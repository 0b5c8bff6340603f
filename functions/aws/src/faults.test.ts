import { describe, expect, test } from 'vitest';
import { awsFault } from './faults.ts';

const refused = (name: string, message: string, httpStatusCode: number) =>
  awsFault(Object.assign(new Error(message), { name, $metadata: { httpStatusCode } }), 'asking');

describe('an error of AWS that passes by itself', () => {
  // The SDK repeats most of these itself (@smithy/core/retry, THROTTLING_ERROR_CODES and TRANSIENT_ERROR_CODES); after its
  // last attempt they are ours.
  test.each([
    ['RequestThrottled', 'Request is throttled.', 403],
    ['RequestThrottledException', 'slow down', 400],
    ['ThrottledException', 'slow down', 400],
    ['EC2ThrottledException', 'slow down', 400],
    ['BandwidthLimitExceeded', 'slow down', 400],
    ['PriorRequestNotComplete', 'slow down', 400],
    // S3 answers it with 400 (API reference, Error responses).
    ['RequestTimeout', 'Your socket connection to the server was not read from or written to in time.', 400],
    ['RequestTimeoutException', 'timed out', 400],
    // SQS on a queue with a key (API reference, SendMessage).
    ['KmsThrottled', 'Amazon Web Services KMS throttles requests for the following operations.', 400],
    ['KMSThrottlingException', 'too many', 400],
    ['OperationAborted', 'A conflicting conditional operation is currently in progress against this resource.', 409],
  ])('%s is tried again later', (name, message, status) => {
    expect(refused(name, message, status).retry).toBe('later');
  });

  test.each(['ENETUNREACH', 'ENETDOWN', 'EHOSTDOWN', 'ERR_SOCKET_CONNECTION_TIMEOUT'])(
    'a network without a way (%s) as well',
    (code) => {
      expect(awsFault(Object.assign(new Error('connect'), { code }), 'asking').retry).toBe('later');
    },
  );

  test('so is a success that cannot be read, as a proxy gives it, or a connection that was cut', () => {
    // The SDK notes the status of an answer that it could not parse (@smithy/core, deserializerMiddleware).
    const error = Object.assign(new SyntaxError('Unexpected token <'), { $metadata: { httpStatusCode: 200 } });

    expect(awsFault(error, 'asking').retry).toBe('later');
  });
});

test('a name that holds a word of ours changes nothing of what an error means', () => {
  const text = 'Could not find model "arn:aws:sagemaker:eu-west-1:123456789012:model/prod-quota-service-limit-1".';

  expect(refused('ValidationException', text, 400).code).toBe('notFound');
});

test('a right that is missing is said with how to mend it, also where only the text tells', () => {
  const { code, message } = refused('ValidationException', 'the role is not authorized to perform: iam:PassRole', 400);

  expect(code).toBe('invalid');
  expect(message).toMatch(/give the role that it names this permission .*iam:PassRole$/);
});
