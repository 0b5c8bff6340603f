import type { FaultCode } from '@serin/core/base/fault';
import { callsBy, faultBy, type Refusal, type SdkError } from '@serin/platform/faults';
import { GoogleError } from './calls/google.ts';

/** By the name in `google.rpc.Code`. https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
const codes: Readonly<Record<string, FaultCode>> = {
  ABORTED: 'conflict',
  ALREADY_EXISTS: 'conflict',
  CANCELLED: 'unavailable',
  DEADLINE_EXCEEDED: 'unavailable',
  INTERNAL: 'unavailable',
  NOT_FOUND: 'notFound',
  RESOURCE_EXHAUSTED: 'throttled',
  UNAUTHENTICATED: 'unavailable',
  UNAVAILABLE: 'unavailable',
  UNKNOWN: 'unavailable',
};

const capacity =
  /stockout|does not have enough resources|resources are insufficient|machine type temporarily unavailable|out of capacity/i;
const quota = /quotas?\b.* exceed/i;

/** Cloud Storage names no code. https://docs.cloud.google.com/storage/docs/json_api/v1/status-codes */
const unnamed: Readonly<Record<number, string>> = { 401: 'UNAUTHENTICATED', 408: 'DEADLINE_EXCEEDED' };

/** A pool of requests, which fills up again by itself. */
const isRate = /per[ _]?(second|minute|day|user)/i;
const isRateReason = /^(RATE_LIMIT_EXCEEDED|(user)?rateLimitExceeded)$/i;

function read(error: unknown): SdkError {
  if (!(error instanceof GoogleError)) {
    const { name = '', message = String(error), code = '' } = (error ?? {}) as Partial<SdkError>;
    return { name, message, code, status: 0, throttled: false };
  }
  const { rpc, message, status, reason } = error;
  const name = rpc || (unnamed[status] ?? '');
  return {
    name,
    message,
    status,
    code: status === 0 ? 'ECONNRESET' : '',
    throttled: isRateReason.test(reason),
    reason,
  };
}

/** What is refused for want of something else than a permission of the function's service account. */
const refusals: readonly Refusal[] = [
  {
    reason: 'SERVICE_DISABLED',
    says: /(?:has not been used in project|it is disabled).*?([a-z]+\.googleapis\.com)/,
    mend: (api) => `enable the API in the project by \`gcloud services enable ${api}\`, and wait some minutes`,
  },
  {
    reason: 'BILLING_DISABLED',
    says: /billing (?:to be enabled|disabled|account .*disabled)/,
    mend: () => 'give the project a billing account by `gcloud billing projects link`',
  },
  {
    reason: 'SECURITY_POLICY_VIOLATED',
    says: /prohibited by organization's policy/,
    mend: () => 'let the service account of the function through the perimeter of VPC Service Controls',
  },
  {
    says: /permission to act as service_?account:? ?(\S+@[\w.-]+\w)/i,
    mend: (account) => `give the service account of the function the role roles/iam.serviceAccountUser on ${account}`,
  },
  {
    says: /service account `?\[?([\w.-]+@[\w.-]+)\b.* does not have .*permission/i,
    mend: (account) => `give ${account} this permission`,
  },
];

/** Whatever a call of Google threw, as a `Fault`. */
export const gcpFault = faultBy({
  read,
  codes,
  denied: ({ name, status, throttled }) => !throttled && (name === 'PERMISSION_DENIED' || status === 403),
  capacity: ({ message }) => capacity.test(message),
  quota: ({ name, status, message, throttled }) =>
    (name === 'RESOURCE_EXHAUSTED' || status === 429) && !throttled && quota.test(message) && !isRate.test(message),
  throttling: () => false,
  missing: ({ status }) => status === 404,
  mends: {
    denied: 'give the service account of the function this permission (`serin plan --cloud gcp` lists all of them)',
    capacity: 'wait until Google has such a machine free, or use another type or region',
    quota: 'ask Google for a higher quota, or use another machine type',
  },
  refusals,
});

export const saysMissing = (error: unknown): boolean => error instanceof GoogleError && error.status === 404;
export const saysExists = (error: unknown): boolean =>
  error instanceof GoogleError && (error.rpc === 'ALREADY_EXISTS' || (error.status === 409 && error.rpc === ''));

/** Calls that throw nothing but a `Fault`. */
export const { guarded, ifThere } = callsBy(gcpFault, saysMissing);
