import { Fault, type FaultCode } from '@serin/core/base/fault';
import { callsBy, faultBy, type SdkError } from '@serin/platform/faults';
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
  /stockout|(does not|do not|not) have enough (resources|capacity)|insufficient (resources|capacity)|no (capacity|resources) available/i;
const quota = /quota metrics exceed|quota.*(exceeded|limit)|exceeds? .*quota/i;

/** A pool of requests a minute, which fills up again by itself. */
const isRate = /per (minute|second|user)|requests? per|rate/i;

function read(error: unknown): SdkError {
  if (!(error instanceof GoogleError)) {
    const { name = '', message = String(error), code = '' } = (error ?? {}) as Partial<SdkError>;
    return { name, message, code, status: 0, throttled: false };
  }
  const { rpc, message, status } = error;
  return { name: rpc, message, status, code: status === 0 ? 'ECONNRESET' : '', throttled: false };
}

const faultOf = faultBy({
  read,
  codes,
  denied: ({ name, status }) => name === 'PERMISSION_DENIED' || status === 403,
  capacity: ({ message }) => capacity.test(message),
  quota: ({ name, status, message }) =>
    (name === 'RESOURCE_EXHAUSTED' || status === 429) && quota.test(message) && !isRate.test(message),
  throttling: () => false,
  missing: ({ status }) => status === 404,
  mends: {
    denied: 'give the service account of the function this permission (`serin plan --cloud gcp` lists all of them)',
    capacity: 'wait until Google has such a machine free, or use another type or region',
    quota: 'ask Google for a higher quota, or use another machine type',
  },
});

/** Whatever a call of Google threw, as a `Fault`. */
export function gcpFault(error: unknown, doing: string): Fault {
  const api = error instanceof GoogleError ? disabledApi(error) : undefined;
  if (api === undefined) return faultOf(error, doing);
  return new Fault(
    'invalid',
    `${doing} failed: the API is not enabled in the project; run \`gcloud services enable ${api}\`, and wait some minutes`,
    { cause: error },
  );
}

// "Vertex AI API has not been used in project 123 before or it is disabled. Enable it by visiting
// https://console.developers.google.com/apis/api/aiplatform.googleapis.com/overview?project=123 then retry."
function disabledApi({ reason, message }: GoogleError): string | undefined {
  if (reason !== 'SERVICE_DISABLED' && !/has not been used in project|it is disabled/.test(message)) return undefined;
  return /([a-z]+\.googleapis\.com)/.exec(message)?.[1] ?? 'with the API that is named here';
}

export const saysMissing = (error: unknown): boolean => error instanceof GoogleError && error.status === 404;
export const saysExists = (error: unknown): boolean =>
  error instanceof GoogleError && (error.rpc === 'ALREADY_EXISTS' || (error.status === 409 && error.rpc === ''));

/** Calls that throw nothing but a `Fault`. */
export const { guarded, ifThere } = callsBy(gcpFault, saysMissing);
