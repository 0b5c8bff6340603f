import { Fault } from '@serin/core/base/fault';
import { describe, expect, test } from 'vitest';
import { AzureError } from './calls/azure.ts';
import { azureFault, guarded, ifThere, saysMissing } from './faults.ts';

/** What Azure said to others, as they reported it. */
const faultOf = (status: number, code: string, message: string) =>
  azureFault(new AzureError(message, { status, code }), 'asking');

describe('what mends is said', () => {
  // https://github.com/machine-learning-apps/ml-template-azure/issues/11; it comes as 409.
  test('a resource provider that is not registered, by the command that registers it', () => {
    const text =
      "The subscription is not registered to use namespace 'Microsoft.MachineLearningServices'. See https://aka.ms/rps-not-found for how to register subscriptions.";

    expect(faultOf(409, 'MissingSubscriptionRegistration', text)).toMatchObject({
      code: 'invalid',
      message: `asking failed; register it by \`az provider register --wait --namespace Microsoft.MachineLearningServices\`: ${text}`,
    });
  });

  // https://learn.microsoft.com/answers/questions/1983847
  test('a resource provider that hides its name', () => {
    const fault = faultOf(
      400,
      'SubscriptionNotRegistered',
      "Resource provider [N/A] isn't registered with Subscription",
    );

    expect(fault).toMatchObject({ code: 'invalid', message: expect.stringContaining('Microsoft.PolicyInsights') });
  });

  // https://github.com/Azure/aad-pod-identity/issues/443
  test('a permission on something else, which the call needs as well', () => {
    const text =
      "The client '0cd52919-aaf4-4022-a022-5ed15ed0fc24' with object id '0cd52919-aaf4-4022-a022-5ed15ed0fc24' has permission to perform action 'Microsoft.Compute/virtualMachines/write' on scope '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v'; however, it does not have permission to perform action 'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action' on the linked scope(s) '/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i' or the linked scope(s) are invalid.";

    expect(faultOf(403, 'LinkedAuthorizationFailed', text).message).toContain(
      'give the managed identity of the function Microsoft.ManagedIdentity/userAssignedIdentities/assign/action on what is linked',
    );
  });

  // https://github.com/dotnet/machinelearning-modelbuilder/issues/3044
  test('a policy is no role that is missing', () => {
    const text =
      "Resource 'fullloctest02storageafh' was disallowed by policy. Reasons: 'This request was denied due to internal policy. Local authentication methods are not allowed.'. See error details for policy resource IDs.";

    expect(faultOf(403, 'RequestDisallowedByPolicy', text)).toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('ask whoever keeps the policies of the subscription'),
    });
  });

  // https://github.com/Azure-Player/azure.datafactory.devops/issues/183
  test('a lock, with what it is on', () => {
    const text =
      "The scope '/subscriptions/x/resourceGroups/rg-test/providers/Microsoft.DataFactory/factories/adf' cannot perform delete operation because following scope(s) are locked: '/subscriptions/x/resourceGroups/rg-test'. Please remove the lock and try again.";

    expect(faultOf(409, 'ScopeLocked', text)).toMatchObject({
      code: 'invalid',
      retry: 'never',
      message: expect.stringContaining(
        'take the lock away from /subscriptions/x/resourceGroups/rg-test (`az lock list`',
      ),
    });
  });

  test.each([
    // https://github.com/hashicorp/terraform-provider-azurerm/issues/4553
    [
      'ForbiddenByFirewall',
      'Client address is not authorized and caller is not a trusted service.\r\nClient address: 40.74.28.0',
      '`az keyvault network-rule add`',
    ],
    // https://github.com/microsoft/AzureStorageExplorer/issues/6185
    [
      'AuthorizationFailure',
      'This request is not authorized to perform this operation.\nRequestId:4f4010b3',
      '`az storage account network-rule add`',
    ],
  ])('a network that is closed: %s', (code, text, command) => {
    expect(faultOf(403, code, text)).toMatchObject({ code: 'invalid', message: expect.stringContaining(command) });
  });

  test.each([
    // https://github.com/machine-learning-apps/ml-template-azure/issues/17
    [
      'AuthorizationFailed',
      "The client 'xxx' with object id 'xxx' does not have authorization to perform action 'Microsoft.MachineLearningServices/workspaces/read' over scope '/subscriptions/s/resourceGroups/g' or the scope is invalid. If access was recently granted, please refresh your credentials.",
    ],
    // https://github.com/microsoft/AzureStorageExplorer/issues/3767
    [
      'AuthorizationPermissionMismatch',
      'This request is not authorized to perform this operation using this permission.\nRequestId:4f4010b3',
    ],
    // https://github.com/piyushsachdeva/Terraform_AKS/issues/2
    [
      'ForbiddenByRbac',
      "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\nAction: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'",
    ],
  ])('a permission that is missing: %s', (code, text) => {
    expect(faultOf(403, code, text)).toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/serin plan --cloud azure.*not (have authorization|authorized)/),
    });
  });
});

test('a fault says how long Azure wants no further call', () => {
  const error = new AzureError('slow down', { status: 429, code: 'TooManyRequests', retryAfterSeconds: 17 });

  expect(azureFault(error, 'asking').retryAfterMs).toBe(17_000);
});

describe('a quota that does not come back by itself ends the job', () => {
  test.each([
    // https://github.com/MicrosoftLearning/mslearn-azure-ml/issues/30
    [
      'BadRequest',
      'The request is invalid.: InferencingClient HttpRequest error, error detail: {"errors":{"VmSize":["Not enough quota available for Standard_F4s_v2 in SubscriptionId s. Current usage/limit: 0/6. Additional needed: 8"]}}',
    ],
    // https://github.com/Azure/azureml-examples/pull/1635
    [
      'InferencingClientCallFailed',
      '"Endpoint Quota reached for subscription s.Current usage/limit: 300/300.Please clean up existing endpoints and try again"',
    ],
    // https://github.com/MicrosoftDocs/azure-docs/issues/52413
    [
      'UserError',
      "The specified subscription has a total vCPU quota of 0 and is less than the requested compute training cluster and/or compute instance's min nodes of 1 which maps to 4 vCPUs",
    ],
    // https://github.com/ansible-collections/azure/pull/2209
    [
      'ClusterMinNodesExceedCoreQuota',
      'The specified subscription has a Standard DSv2 family vCPU quota of 6 and cannot accomodate for at least 1 requested managed compute nodes which maps to 8 vCPUs.',
    ],
    // https://github.com/MicrosoftLearning/mslearn-dp100/issues/35
    ['JobNodeCountExceedsCoreQuota', 'Talk to your Subscription Admin'],
    // https://github.com/huggingface/blog/issues/746
    ['Downstream', 'Subscription s does not have enough quota for Standard_DS2_v2'],
    ['OutOfQuota', 'Kubernetes unschedulable. Details:0/1 nodes are available: 1 Too many pods'],
  ])('%s: %.60s', (code, text) => {
    expect(faultOf(400, code, text)).toMatchObject({
      code: 'invalid',
      retry: 'never',
      message: expect.stringContaining('ask Microsoft for a higher quota'),
    });
  });
});

describe('capacity comes back by itself, and another type or region may have it', () => {
  test.each([
    // https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-online-endpoints
    [
      'OutOfCapacity',
      'The specified VM Size failed to provision due to a lack of Azure Machine Learning capacity. Retry later or try deploying to a different region.',
    ],
    // https://learn.microsoft.com/troubleshoot/azure/virtual-machines/linux/allocation-failure
    [
      'AllocationFailed',
      'Allocation failed. We do not have sufficient capacity for the requested VM size in this region.',
    ],
  ])('%s', (code, text) => {
    for (const [name, said] of [
      [code, 'no more is said'],
      ['BadRequest', text],
    ] as const)
      expect(faultOf(400, name, said)).toMatchObject({
        code: 'throttled',
        retry: 'later',
        message: expect.stringContaining('wait until Azure has such a machine free'),
      });
  });
});

test.each([
  // https://github.com/webdevops/azure-metrics-exporter/issues/36
  [429, 'SubscriptionRequestsThrottled', "Number of requests for subscription 's' exceeded the backend storage limit."],
  [429, 'TooManyRequests', 'The request is being throttled.'],
  [503, 'ServerBusy', 'The server is busy.\nRequestId:0'],
])('a rate comes back by itself: %d %s', (status, code, text) => {
  expect(faultOf(status, code, text)).toMatchObject({ code: 'throttled', retry: 'later' });
});

test.each([
  [409, 'Conflict', 'conflict'],
  [409, 'ContainerBeingDeleted', 'unavailable'],
  [412, 'LeaseIdMissing', 'unavailable'],
  [409, 'OperationNotAllowed', 'conflict'],
  [412, 'ConditionNotMet', 'conflict'],
  [409, 'EntityAlreadyExists', 'conflict'],
  [404, 'ResourceNotFound', 'notFound'],
  [404, '', 'notFound'],
  [400, 'UserError', 'invalid'],
  [500, 'OperationTimedOut', 'unavailable'],
  [500, 'InternalError', 'unavailable'],
  [503, '', 'unavailable'],
])('%d %s is %s', (status, code, fault) => {
  expect(faultOf(status, code, 'no more is said').code).toBe(fault);
});

// https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-online-endpoints
test.each([
  ['ImageBuildFailure', 'invalid'],
  ['OutOfQuota', 'invalid'],
  ['OutOfCapacity', 'throttled'],
  ['BadArgument', 'invalid'],
  ['ResourceNotReady', 'invalid'],
  ['ResourceNotFound', 'notFound'],
  ['OperationCanceled', 'unavailable'],
  ['SecretsInjectionError', 'invalid'],
  ['InternalServerError', 'unavailable'],
])('a deployment that failed by %s is %s, whatever the status', (code, fault) => {
  for (const status of [0, 200, 400]) expect(faultOf(status, code, 'no more is said').code).toBe(fault);
});

// https://github.com/Azure/azure-sdk-for-net/issues/36961
test('an endpoint at work refuses for a while, whatever it calls that', () => {
  const text = 'Cannot create a deployment in endpoint e10a7d7c-ept because it is in Updating provisioning state.';

  expect(faultOf(400, 'UserError', text)).toMatchObject({ code: 'unavailable', retry: 'later' });
});

test('a token and a time that ran out come by later', () => {
  for (const [status, code] of [
    [401, 'ExpiredAuthenticationToken'],
    [401, 'InvalidAuthenticationToken'],
    [408, ''],
  ] as const)
    expect(faultOf(status, code, 'no more is said')).toMatchObject({ code: 'unavailable', retry: 'later' });
});

test('no answer, and a status between us and Azure, come by later', () => {
  expect(azureFault(new AzureError('no answer from vault: ECONNRESET', {}), 'asking').code).toBe('unavailable');
  expect(faultOf(302, '', 'HTTP 302').code).toBe('unavailable');
  expect(faultOf(502, '', 'HTTP 502 <html>').code).toBe('unavailable');
});

test('a fault stays as it is, and what is not from Azure is a defect', () => {
  const fault = new Fault('unavailable', 'no access token; wait, it is tried again');

  expect(azureFault(fault, 'asking')).toBe(fault);
  expect(azureFault(new TypeError('x is not a function'), 'asking').code).toBe('defect');
});

test('a name that holds a word of ours changes nothing of what an error means', () => {
  const text = "The Resource 'onlineEndpoints/out-of-stock-quota-capacity' was not found.";

  expect(faultOf(404, 'ResourceNotFound', text).code).toBe('notFound');
});

test('calls throw nothing but faults, and what is not there is undefined where that is asked', async () => {
  const missing = () => Promise.reject(new AzureError('gone', { status: 404, code: 'BlobNotFound' }));
  const busy = () => Promise.reject(new AzureError('busy', { status: 409, code: 'Conflict' }));

  await expect(guarded('asking', missing)).rejects.toMatchObject({ name: 'Fault', code: 'notFound' });
  expect(await ifThere('asking', missing)).toBeUndefined();
  await expect(ifThere('asking', busy)).rejects.toBeInstanceOf(Fault);
  expect(saysMissing(new AzureError('', { status: 404 }))).toBe(true);
});
