import type { FaultCode } from '@serin/core/base/fault';
import { callsBy, faultBy, type SdkError } from '@serin/platform/faults';
import { AzureError } from './calls/azure.ts';

/** By Azure's own words, which differ by service; those that mean what their status says are left out. */
const codes: Readonly<Record<string, FaultCode>> = {
  BlobAlreadyExists: 'conflict',
  ConditionNotMet: 'conflict',
  Conflict: 'conflict',
  EntityAlreadyExists: 'conflict',
  OperationNotAllowed: 'conflict',
  PreconditionFailed: 'conflict',
  UpdateConditionNotSatisfied: 'conflict',
};

const capacity =
  /out of capacity|insufficient capacity|not enough capacity|OutOfCapacity|AllocationFailed|SkuNotAvailable/i;
const quota = /OutOfQuota|quota (?:is )?(?:exceeded|not enough)|not enough quota|exceed\w*.{0,60}quota|QuotaExceeded/i;

function read(error: unknown): SdkError {
  if (error instanceof AzureError) {
    const { code: name, message, status } = error;
    return { name, message, status, code: status === 0 ? 'ECONNRESET' : '', throttled: false };
  }
  const { name = '', message = String(error), code = '' } = (error ?? {}) as Partial<SdkError>;
  return { name, message, code, status: 0, throttled: false };
}

/** Whatever a call of Azure threw, as a `Fault`. */
export const azureFault = faultBy({
  read,
  codes,
  denied: ({ status }) => status === 403,
  capacity: ({ name, message }) => capacity.test(`${name} ${message}`),
  quota: ({ name, message }) => quota.test(`${name} ${message}`),
  throttling: ({ status }) => status === 408,
  missing: ({ status }) => status === 404,
  mends: {
    denied: 'give the managed identity of the function this permission (`serin plan --cloud azure` lists all of them)',
    capacity: 'wait until Azure has such a machine free, or use another type or region',
    quota: 'ask Microsoft for a higher quota, or use another machine type',
  },
});

export const saysMissing = (error: unknown): boolean => error instanceof AzureError && error.status === 404;

export const { guarded, ifThere } = callsBy(azureFault, saysMissing);
