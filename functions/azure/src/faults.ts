import type { FaultCode } from '@serin/core/base/fault';
import { callsBy, faultBy, type Refusal, type SdkError } from '@serin/platform/faults';
import { AzureError } from './calls/azure.ts';

/**
 * By Azure's own words, which differ by service; those that mean what their status says are left out. Those of a
 * deployment come without a status of their own.
 *
 * https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes and
 * https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-online-endpoints
 */
const codes: Readonly<Record<string, FaultCode>> = {
  BadArgument: 'invalid',
  BlobAlreadyExists: 'conflict',
  ConditionNotMet: 'conflict',
  Conflict: 'conflict',
  ContainerBeingDeleted: 'unavailable',
  EndpointAtWork: 'unavailable',
  EntityAlreadyExists: 'conflict',
  ImageBuildFailure: 'invalid',
  InternalServerError: 'unavailable',
  // Somebody holds the blob for himself.
  LeaseIdMissing: 'unavailable',
  // Another operation of a higher priority came, or one still held the lock.
  OperationCanceled: 'unavailable',
  OperationNotAllowed: 'conflict',
  OperationTimedOut: 'unavailable',
  PreconditionFailed: 'conflict',
  RequestTimeout: 'unavailable',
  ResourceNotFound: 'notFound',
  // The container of a model ended, or did not answer its probes.
  ResourceNotReady: 'invalid',
  ResourceRequestsThrottled: 'throttled',
  SecretsInjectionError: 'invalid',
  ServerBusy: 'throttled',
  SubscriptionRequestsThrottled: 'throttled',
  TooManyRequests: 'throttled',
  Unauthorized: 'unavailable',
  UpdateConditionNotSatisfied: 'conflict',
};

const capacity =
  /(?:out of|insufficient|not enough|lack of [\w ]{0,40}|not have sufficient) ?capacity|OutOfCapacity|AllocationFailed|SkuNotAvailable/i;
const quota =
  /OutOfQuota|quota (?:is )?(?:exceeded|not enough|reached)|not (?:have )?enough quota|exceed\w*.{0,60}quota|QuotaExceeded|quota of \d+ and (?:is less than|can ?not)|ExceedsCoreQuota/i;

/** What means the same, whatever name a service has for it. */
const unnamed: Readonly<Record<number, string>> = { 401: 'Unauthorized', 408: 'RequestTimeout' };

// https://github.com/Azure/azure-sdk-for-net/issues/36961: one operation at a time for an endpoint.
const isAtWork = /because it is in \w+ provisioning state/;

function read(error: unknown): SdkError {
  if (!(error instanceof AzureError)) {
    const { name = '', message = String(error), code = '' } = (error ?? {}) as Partial<SdkError>;
    return { name, message, code, status: 0, throttled: false };
  }
  const { code: reason, message, status, retryAfterSeconds } = error;
  const name = isAtWork.test(message) ? 'EndpointAtWork' : (unnamed[status] ?? reason);
  return {
    ...{ name, message, status, reason, throttled: false, code: status === 0 ? 'ECONNRESET' : '' },
    ...(retryAfterSeconds === undefined ? {} : { retryAfterMs: retryAfterSeconds * 1000 }),
  };
}

const refusals: readonly Refusal[] = [
  {
    reason: 'MissingSubscriptionRegistration',
    says: /not registered to use namespace '([\w.]+)'/,
    mend: (provider) => `register it by \`az provider register --wait --namespace ${provider}\``,
  },
  {
    // It hides which: https://learn.microsoft.com/answers/questions/1983847
    reason: 'SubscriptionNotRegistered',
    says: /Resource provider \S+ isn't registered/,
    mend: () => 'run `az provider register --wait` for Microsoft.PolicyInsights and for Microsoft.Cdn',
  },
  {
    reason: 'LinkedAuthorizationFailed',
    says: /not have permission to perform action(?:\(s\))? '([^']+)' on the linked scope/,
    mend: (action) => `give the managed identity of the function ${action} on what is linked`,
  },
  {
    reason: 'RequestDisallowedByPolicy',
    says: /was disallowed by (?:Azure )?policy/,
    mend: () => 'ask whoever keeps the policies of the subscription to let it through',
  },
  {
    reason: 'ScopeLocked',
    says: /scope\(s\) are locked: '([^']+)'/,
    mend: (scope) => `take the lock away from ${scope} (\`az lock list\` shows it)`,
  },
  {
    reason: 'ReadOnlyDisabledSubscription',
    says: /subscription '[^']+' is disabled/,
    mend: () => 'enable the subscription again',
  },
  {
    // https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
    reason: 'ForbiddenByFirewall',
    says: /Client address is not authorized and caller is not a trusted service/,
    mend: () => 'let the function through the firewall of the vault (`az keyvault network-rule add`)',
  },
  {
    // https://learn.microsoft.com/azure/storage/common/storage-network-security: of a missing role it says more.
    reason: 'AuthorizationFailure',
    says: /^This request is not authorized to perform this operation\.(?! using)/,
    mend: () => 'let the function through the network rules of the account (`az storage account network-rule add`)',
  },
];

/** Whatever a call of Azure threw, as a `Fault`. */
export const azureFault = faultBy({
  read,
  codes,
  denied: ({ status }) => status === 403,
  capacity: ({ name, message }) => capacity.test(`${name} ${message}`),
  quota: ({ name, message }) => quota.test(`${name} ${message}`),
  throttling: () => false,
  missing: ({ status }) => status === 404,
  mends: {
    denied:
      'give the managed identity of the function this permission (`serin plan --cloud azure` lists all of them), and wait some minutes',
    capacity: 'wait until Azure has such a machine free, or use another type or region',
    quota: 'ask Microsoft for a higher quota, or use another machine type',
  },
  refusals,
});

export const saysMissing = (error: unknown): error is AzureError => error instanceof AzureError && error.status === 404;

export const { guarded, ifThere } = callsBy(azureFault, saysMissing);
