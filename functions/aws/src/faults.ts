import type { FaultCode } from '@serin/core/base/fault';
import { callsBy, faultBy, type SdkError } from '@serin/platform/faults';

/** By the name of the error; names of several services, for they never mean different things. */
const codes: Readonly<Record<string, FaultCode>> = {
  TooManyRequestsException: 'throttled',
  RequestLimitExceeded: 'throttled',
  ProvisionedThroughputExceededException: 'throttled',
  SlowDown: 'throttled',
  TransactionInProgressException: 'throttled',
  BandwidthLimitExceeded: 'throttled',
  PriorRequestNotComplete: 'throttled',
  ServiceUnavailable: 'unavailable',
  InternalServerError: 'unavailable',
  InternalFailure: 'unavailable',
  InternalError: 'unavailable',
  TimeoutError: 'unavailable',
  AbortError: 'unavailable',
  // S3 answers these with 400 and 409: an upload that stood still, and another call on the same bucket.
  RequestTimeout: 'unavailable',
  RequestTimeoutException: 'unavailable',
  OperationAborted: 'unavailable',
  ResourceNotFound: 'notFound',
  ResourceNotFoundException: 'notFound',
  NoSuchBucket: 'notFound',
  NoSuchKey: 'notFound',
  NotFound: 'notFound',
  ConflictException: 'conflict',
  ExpiredToken: 'unavailable',
  ExpiredTokenException: 'unavailable',
};

const capacity =
  /insufficient.*capacity|not enough capacity|no capacity|capacity is (currently )?(not|un)available|CapacityError/i;
const quota = /resource limit|service limit|quota|limit.*exceeded/i;
// SQS, KMS, EC2 and others have each their own name for it.
const throttling = /throttl/i;
const denied = /AccessDenied|not authorized|UnauthorizedOperation|AuthorizationError/i;

interface AwsError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $retryable?: { readonly throttling?: boolean };
}

function read(error: unknown): SdkError {
  const { name = '', message = String(error), code = '', $metadata, $retryable } = (error ?? {}) as AwsError;
  return { name, message, code, status: $metadata?.httpStatusCode ?? 0, throttled: $retryable?.throttling ?? false };
}

export const nameOfError = (error: unknown): string => (error as AwsError | undefined)?.name ?? '';
export const messageOfError = (error: unknown): string => (error as AwsError | undefined)?.message ?? '';

const isValidation = (name: string): boolean => name === 'ValidationException' || name === 'ValidationError';

// SageMaker has no error of its own for what is not there, or is there already: only the text tells.
const isMissing = (message: string): boolean => /could not find|does not exist|not found/i.test(message);

/** Whatever a call of the SDK threw, as a `Fault`. */
export const awsFault = faultBy({
  read,
  codes,
  denied: ({ name, message }) => denied.test(name) || /not authorized to perform/.test(message),
  capacity: ({ name, message }) => capacity.test(`${name} ${message}`),
  quota: ({ name, message }) =>
    name === 'ResourceLimitExceeded' ||
    name === 'LimitExceededException' ||
    (isValidation(name) && quota.test(message) && !isMissing(message)),
  throttling: ({ name }) => throttling.test(name),
  missing: ({ name, message }) => isValidation(name) && isMissing(message),
  mends: {
    denied: 'give the role that it names this permission (`serin plan` lists all of them)',
    capacity: 'wait until AWS has such an instance free, or use another type',
    quota: 'ask AWS for a higher quota, or use another instance type',
  },
});

export const saysMissing = (error: unknown): boolean =>
  /^ResourceNotFound(Exception)?$/.test(nameOfError(error)) ||
  (isValidation(nameOfError(error)) && isMissing(messageOfError(error)));

export const saysExists = (error: unknown): boolean =>
  nameOfError(error) === 'ResourceInUse' ||
  (isValidation(nameOfError(error)) &&
    /already exist|already in use|cannot create already existing/i.test(messageOfError(error)));

/** Calls of the SDK: what they throw is a `Fault`, and what is not there may be `undefined`. */
export const { guarded, ifThere } = callsBy(awsFault, saysMissing);
