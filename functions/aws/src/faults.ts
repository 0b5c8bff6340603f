import { Fault, type FaultCode } from '@serin/core/base/fault';

/** What an error of the SDK tells, as far as it is one. */
interface SdkError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $retryable?: { readonly throttling?: boolean };
}

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
  // A quota does not pass by waiting, and a retry of a paid job for ever helps nobody.
  ResourceLimitExceeded: 'invalid',
  LimitExceededException: 'invalid',
  ExpiredToken: 'unavailable',
  ExpiredTokenException: 'unavailable',
};

const capacity =
  /insufficient.*capacity|not enough capacity|no capacity|capacity is (currently )?(not|un)available|CapacityError/i;
const quota = /resource limit|service limit|quota|limit.*exceeded/i;
// SQS, KMS, EC2 and others have each their own name for it.
const throttling = /throttl/i;
const network = /^(ECONN|ETIMEDOUT|EPIPE|EPROTO|ENOTFOUND|EAI_|EHOST|ENET|ERR_SOCKET)/;
const denied = /AccessDenied|not authorized|UnauthorizedOperation|AuthorizationError/i;

/**
 * Whatever a call of the SDK threw, as a `Fault`, in words: which call, what AWS said, and how to mend it.
 *
 * Capacity comes back by itself (`throttled`), a quota and a permission do not (`invalid`).
 */
export function awsFault(error: unknown, doing: string): Fault {
  if (error instanceof Fault) return error;
  const { name = '', message = String(error), code = '', $metadata, $retryable } = (error ?? {}) as SdkError;
  const said = `${doing}: ${message}`;
  const fault = (as: FaultCode, text: string) => new Fault(as, text, { cause: error });
  if (denied.test(name) || /not authorized to perform/.test(message))
    return fault('invalid', `${said}; give the role that it names this permission (\`serin plan\` lists all of them)`);
  if (capacity.test(`${name} ${message}`)) return fault('throttled', `${said}; AWS has no such machine free now`);
  if (
    name === 'ResourceLimitExceeded' ||
    name === 'LimitExceededException' ||
    (isValidation(name) && quota.test(message) && !isMissing(message))
  )
    return fault('invalid', `${said}; ask AWS for a higher quota, or use another machine`);
  const known = codes[name];
  if (known !== undefined) return fault(known, said);
  const status = $metadata?.httpStatusCode ?? 0;
  if ($retryable?.throttling || status === 429 || throttling.test(name)) return fault('throttled', said);
  // What has a status of success and is an error was cut off, or is not from AWS.
  if (status >= 500 || (status >= 200 && status < 400) || network.test(code)) return fault('unavailable', said);
  if (isValidation(name) && isMissing(message)) return fault('notFound', said);
  if (status >= 400) return fault('invalid', said);
  return fault('defect', said);
}

export const nameOfError = (error: unknown): string => (error as SdkError | undefined)?.name ?? '';
export const messageOfError = (error: unknown): string => (error as SdkError | undefined)?.message ?? '';

const isValidation = (name: string): boolean => name === 'ValidationException' || name === 'ValidationError';

// SageMaker has no error of its own for what is not there, or is there already: only the text tells.
const isMissing = (message: string): boolean => /could not find|does not exist|not found/i.test(message);

export const saysMissing = (error: unknown): boolean =>
  nameOfError(error) === 'ResourceNotFound' || (isValidation(nameOfError(error)) && isMissing(messageOfError(error)));

export const saysExists = (error: unknown): boolean =>
  nameOfError(error) === 'ResourceInUse' ||
  (isValidation(nameOfError(error)) &&
    /already exist|already in use|cannot create already existing/i.test(messageOfError(error)));
