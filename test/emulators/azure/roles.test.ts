import type { Call } from '@serin/azure/calls/azure';
import { mlCall, workspaceId } from '@serin/azure/calls/ml';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emulatedAzure } from '../emulated.ts';
import { fakeOperations } from './operations.ts';
import { unknownIn } from './operations-of-azure.ts';
import { Reply, type Routes, type Served, serveAzure } from './rest.ts';
import { type Roles, rolesIn } from './roles.ts';
import type { StorageCall } from './storage.ts';

const place = { subscription: 's-1', resourceGroup: 'g', workspace: 'acme' };
const workspace = workspaceId(place);
const group = '/subscriptions/s-1/resourceGroups/g/providers';
const identityId = `${group}/Microsoft.ManagedIdentity/userAssignedIdentities/models`;
const logWorkspaceId = `${group}/Microsoft.OperationalInsights/workspaces/log`;
const account = `${group}/Microsoft.Storage/storageAccounts/own`;
const where = {
  logWorkspaceId,
  idOf: (service: string, name: string) =>
    `${group}/${service === 'vaults' ? 'Microsoft.KeyVault' : 'Microsoft.Storage'}/${service}/${name}`,
};

interface Given {
  readonly permissions: readonly string[];
  readonly target: string;
  readonly expression?: string;
}

/** Roles of `signals`. */
const rolesOf = (...given: readonly Given[]): Roles => ({
  customRoles: given.map(({ permissions }, at) => ({ id: `role-${at}`, actions: permissions, dataActions: [] })),
  assignments: given.map(({ target, expression }, at) => ({
    principal: { identity: 'signals' },
    role: `/subscriptions/s-1/providers/Microsoft.Authorization/roleDefinitions/role-${at}`,
    target,
    ...(expression === undefined ? {} : { when: { expression } }),
  })),
});
const looked = (...given: readonly Given[]) =>
  rolesIn(rolesOf(...given), where, (client) => (client === 'client-of-the-function' ? 'signals' : undefined));

const endpoint = {
  location: 'westeurope',
  identity: { type: 'UserAssigned', userAssignedIdentities: { [identityId]: {} } },
  properties: { authMode: 'AADToken', traffic: {} },
};

const job = {
  properties: { jobType: 'Command', command: 'train', environmentId: 'azureml:image:1', isArchived: false },
};

emulatedAzure('a call of Azure', () => {
  let served: Served;
  const operations = fakeOperations(() => 0);

  beforeEach(async () => {
    const lands = () => endpoint;
    const routes: Routes = {
      ...operations.routes,
      'PUT onlineEndpoints/{e}': (request) =>
        new Reply(201, endpoint, operations.async({ request, region: 'westeurope', takesMs: 0, lands })),
      'PUT jobs/{j}': () => new Reply(201, { id: `${workspace}/jobs/j1`, name: 'j1', ...job }),
      'POST jobs/{j}/cancel': (request) =>
        new Reply(202, undefined, operations.location({ request, region: 'r', takesMs: 0, lands })),
      'GET /{resource+}/providers/Microsoft.Insights/metrics': () => ({ timespan: 'PT1M', value: [] }),
      'GET vault:/secrets/{secret}': () => ({ id: 'x', value: 'y' }),
      'POST logs:/v1/workspaces/{id}/query': () => ({ tables: [] }),
    };
    served = await serveAzure('azure-checks-roles', routes);
  });
  afterEach(() => served.stop());

  const version = (given: string) => ({ 'api-version': given });
  const metrics: Call = {
    ...{ service: 'management', method: 'GET', query: version('2024-02-01') },
    path: `${workspace.slice(1)}/onlineEndpoints/churn/providers/Microsoft.Insights/metrics`,
  };
  const cases: readonly [string, Call, string, string][] = [
    [
      'an action, on the resource',
      mlCall(place, 'jobs/j1/cancel', { method: 'POST' }),
      'Microsoft.MachineLearningServices/workspaces/jobs/cancel/action',
      workspace,
    ],
    ['metrics, on what they are about', metrics, 'Microsoft.Insights/Metrics/Read', workspace],
    [
      'a secret, in its vault',
      { service: 'vault', name: 'kv', method: 'GET', path: 'secrets/a', query: version('7.6') },
      'Microsoft.KeyVault/vaults/secrets/getSecret/action',
      `${group}/Microsoft.KeyVault/vaults/kv`,
    ],
  ];

  test.each(cases)('needs a permission: %s', async (_what, call, permission, target) => {
    await served.azure.json(call);

    expect(looked().refused(served.calls)).toHaveLength(1);
    expect(looked({ permissions: [permission], target }).refused(served.calls)).toEqual([]);
    expect(looked({ permissions: [permission], target: `${target}x` }).refused(served.calls)).toHaveLength(1);
    expect(looked({ permissions: [`${permission}/x`], target }).refused(served.calls)).toHaveLength(1);
  });

  test('needs the identity too that it gives', async () => {
    await served.azure.json(mlCall(place, 'onlineEndpoints/churn', { method: 'PUT', body: endpoint }));
    const writes = {
      permissions: ['Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write'],
      target: workspace,
    };
    const assigns = {
      permissions: ['Microsoft.ManagedIdentity/userAssignedIdentities/assign/action'],
      target: identityId,
    };

    expect(looked(writes).refused(served.calls)).toEqual([
      `signals: Microsoft.ManagedIdentity/userAssignedIdentities/assign/action on ${identityId}`,
    ]);
    expect(looked(writes, assigns).refused(served.calls)).toEqual([]);
    expect(looked(writes, assigns).done(served.calls)).toHaveLength(2);
  });

  test('needs, to start a job, more than to write it: what Microsoft asks of whoever submits one', async () => {
    const { calls } = served;
    await served.azure.json(mlCall(place, 'jobs/j1', { method: 'PUT', body: job }));
    const ml = 'Microsoft.MachineLearningServices/workspaces';
    const writes = { permissions: [`${ml}/jobs/write`], target: workspace };

    expect(looked(writes).refused(calls)).toContain(`signals: ${ml}/environments/versions/read on ${workspace}`);
    expect(looked(writes).refused(calls)).toHaveLength(9);
  });

  test('needs, for the status of an operation, a permission that no workspace holds', async () => {
    const { headers } = await served.azure.bytes(
      mlCall(place, 'onlineEndpoints/churn', { method: 'PUT', body: endpoint }),
    );
    const { pathname, searchParams } = new URL(headers.get('azure-asyncoperation') ?? '');
    const query = Object.fromEntries(searchParams);
    await served.azure.json({ service: 'management', method: 'GET', path: pathname.slice(1), query });
    const looks = served.calls.slice(1);
    const permissions = ['Microsoft.MachineLearningServices/locations/mfeOperationsStatus/read'];

    expect(looked({ permissions, target: workspace }).refused(looks)).toHaveLength(1);
    expect(looked({ permissions, target: '/subscriptions/s-1' }).refused(looks)).toEqual([]);
  });

  test('needs, for a query of logs, to read the table as well', async () => {
    const body = { query: 'AmlOnlineEndpointTrafficLog | count' };
    await served.azure.json({ service: 'logs', method: 'POST', path: 'v1/workspaces/w/query', body });
    const query = 'Microsoft.OperationalInsights/workspaces/query';
    const some = { permissions: [`${query}/read`], target: logWorkspaceId };
    const all = { permissions: [`${query}/read`, `${query}/AmlOnlineEndpointTrafficLog/read`], target: logWorkspaceId };

    expect(looked(some).refused(served.calls)).toHaveLength(1);
    expect(looked(all).refused(served.calls)).toEqual([]);
  });
});

const stored = (id: string, path: string, headers = {}, text = ''): StorageCall => ({
  ...{ id, path, headers, account: 'own', client: 'client-of-the-function', status: 200 },
  query: new URLSearchParams(),
  bytes: Buffer.from(text),
});

describe('a call of Blob Storage', () => {
  const blobs = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs';
  const target = `${account}/blobServices/default/containers/serin`;
  const path = `@Resource[${blobs}:path]`;
  const read = stored('blob:GetBlob', '/serin/jobs/a%20b');
  const list = stored('blob:ListBlobs', '/serin');
  const add = stored('blob:PutBlob', '/serin/code/a', { 'if-none-match': '*' });
  const write = stored('blob:PutBlob', '/serin/code/a');

  test('needs a permission on its container', () => {
    expect(looked({ permissions: [`${blobs}/read`], target }).refused([read, list])).toEqual([]);
    expect(looked({ permissions: [`${blobs}/read`], target: `${target}x` }).refused([read])).toEqual([
      `signals: ${blobs}/read on ${target} jobs`,
    ]);
  });

  test('that replaces nothing needs only to add', () => {
    const adds = looked({ permissions: [`${blobs}/add/action`], target });

    expect(adds.refused([add])).toEqual([]);
    expect(adds.refused([write])).toHaveLength(1);
    expect(looked({ permissions: [`${blobs}/write`], target }).refused([add, write])).toEqual([]);
  });

  test('is held to the folders of a condition, and a list has none', () => {
    const about = `ActionMatches{'${blobs}/read'}`;
    const folders = `${path} StringStartsWith 'jobs/' OR ${path} StringStartsWith 'code/'`;
    const closed = `((!(${about})) OR (${folders}))`;
    const open = `((!(${about} AND NOT SubOperationMatches{'Blob.List'})) OR (${folders}))`;
    const none = `((!(${about} AND NOT SubOperationMatches{'Blob.List'})))`;
    const other = stored('blob:GetBlob', '/serin/labels/a');
    const under = (expression: string) => looked({ permissions: [`${blobs}/read`], target, expression });

    expect(under(closed).refused([read])).toEqual([]);
    expect(under(closed).refused([other, list])).toHaveLength(2);
    expect(under(open).refused([read, list])).toEqual([]);
    expect(under(open).refused([other])).toHaveLength(1);
    expect(under(none).refused([list])).toEqual([]);
    expect(under(none).refused([read])).toHaveLength(1);
    expect(under(`${closed} AND ((!(ActionMatches{'${blobs}/write'})))`).refused([read])).toEqual([]);
    expect(() => under('true').refused([read])).toThrow(/a condition that is not read here/);
  });
});

describe('a call of Table Storage', () => {
  const entities = 'Microsoft.Storage/storageAccounts/tableServices/tables/entities';
  const target = `${account}/tableServices/default/tables/journal`;

  test('needs for a transaction what each of its changes needs', () => {
    const text = [
      '--changeset_1\r\nContent-Type: application/http\r\n\r\nPOST http://x/own/journal HTTP/1.1\r\n\r\n{}',
      "--changeset_1\r\n\r\nPUT http://x/own/journal(PartitionKey='a',RowKey='b') HTTP/1.1\r\nIf-Match: *\r\n\r\n{}",
      "--changeset_1\r\n\r\nDELETE http://x/own/journal(PartitionKey='a',RowKey='b') HTTP/1.1\r\nIf-Match: *\r\n\r\n",
      '--changeset_1--',
    ].join('\r\n');
    const calls = [stored('table:EntityGroupTransaction', '/$batch', {}, text)];
    const permissions = ['add/action', 'update/action', 'delete'].map((name) => `${entities}/${name}`);

    expect(looked({ permissions, target }).refused(calls)).toEqual([]);
    expect(looked().refused(calls)).toHaveLength(3);
    for (const left of permissions)
      expect(looked({ permissions: permissions.filter((each) => each !== left), target }).refused(calls)).toHaveLength(
        1,
      );
  });

  test('needs to read, and both to add and to update for one that may do either', () => {
    const either = stored('table:InsertOrReplaceEntity', "/journal(PartitionKey='a',RowKey='b')");
    const adds = { permissions: [`${entities}/add/action`], target };
    const both = { permissions: [`${entities}/add/action`, `${entities}/update/action`], target };

    expect(
      looked({ permissions: [`${entities}/read`], target }).refused([stored('table:QueryEntities', '/journal()')]),
    ).toEqual([]);
    expect(looked(adds).refused([either])).toHaveLength(1);
    expect(looked(both).refused([either])).toEqual([]);
  });
});

test('a call of nobody who has roles is not looked at', () => {
  const call = { ...stored('blob:GetBlob', '/serin/a'), client: 'a test' };

  expect([...looked().refused([call]), ...looked().done([call])]).toEqual([]);
});

test('a permission that Microsoft does not document is found, and one among the wrong ones', () => {
  expect(
    unknownIn({
      actions: [
        'Microsoft.Insights/metrics/read',
        'Microsoft.Insights/metrics/list',
        'Microsoft.Insights/Telemetry/Write',
      ],
      dataActions: ['Microsoft.KeyVault/vaults/secrets/getSecret/action', 'Microsoft.Insights/metrics/read'],
    }),
  ).toEqual([
    'Microsoft.Insights/metrics/list',
    'Microsoft.Insights/Telemetry/Write',
    'Microsoft.Insights/metrics/read',
  ]);
});
