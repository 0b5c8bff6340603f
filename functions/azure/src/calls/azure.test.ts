import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type Azure, azureClient, type Call, hostsOf } from './azure.ts';
import { mlCall, workspaceId } from './ml.ts';

const get: Call = { service: 'blob', name: 'acme', method: 'GET', path: 'data/x' };

interface World {
  readonly azure: Azure;
  /** What tokens were asked for. */
  readonly resources: readonly string[];
}

/** A client of a service that answers one after the other, the last one from then on. */
async function worldOf(...answers: readonly RequestListener[]): Promise<World> {
  let asked = 0;
  const resources: string[] = [];
  const server = createServer((request, response) =>
    answers[Math.min(asked++, answers.length - 1)]?.(request, response),
  );
  server.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const azure = azureClient({
    hosts: () => `http://127.0.0.1:${port}`,
    tokens: (resource) => async () => `token-${resources.push(resource)}`,
    patience: { wholeMs: 20_000, onceMs: 8000, pausesMs: [1, 1] },
  });
  return { azure, resources };
}

const json =
  (status: number, body: unknown, headers = {}): RequestListener =>
  (_, response) =>
    void response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));

test.each<[Call['service'], string]>([
  ['management', 'https://management.azure.com/'],
  ['blob', 'https://storage.azure.com/'],
  ['table', 'https://storage.azure.com/'],
  ['vault', 'https://vault.azure.net'],
  ['logs', 'https://api.loganalytics.io'],
])('a call of %s has a token for %s', async (service, resource) => {
  const { azure, resources } = await worldOf(json(200, {}));

  await azure.json({ ...get, service });

  expect(resources).toEqual([resource]);
});

test('each service has its host, and a variable names another, for each account and vault', () => {
  const hosts = hostsOf({});
  const here = hostsOf({
    SERIN_ENDPOINT_MANAGEMENT: 'http://127.0.0.1:1/',
    SERIN_ENDPOINT_VAULT: 'http://127.0.0.1:1/vaults/{name}',
  });

  expect(hosts('management', '')).toBe('https://management.azure.com');
  expect(hosts('blob', 'acme')).toBe('https://acme.blob.core.windows.net');
  expect(hosts('table', 'acme')).toBe('https://acme.table.core.windows.net');
  expect(hosts('vault', 'kv')).toBe('https://kv.vault.azure.net');
  expect(hosts('logs', '')).toBe('https://api.loganalytics.azure.com');
  expect(here('management', '')).toBe('http://127.0.0.1:1');
  expect(here('vault', 'kv')).toBe('http://127.0.0.1:1/vaults/kv');
  expect(here('blob', 'acme')).toBe('https://acme.blob.core.windows.net');
});

// Forms as others have reported them.
test.each<[string, RequestListener, object]>([
  [
    'of Azure Resource Manager',
    json(404, { error: { code: 'ResourceNotFound', message: 'It was not found.' } }),
    { status: 404, code: 'ResourceNotFound', message: 'It was not found.' },
  ],
  [
    // https://github.com/MicrosoftLearning/mslearn-azure-ml/issues/30
    'of Azure ML, whose reason is in the details',
    json(400, {
      error: {
        ...{ code: 'BadRequest', message: 'The request is invalid.', additionalInfo: [] },
        details: [
          {
            code: 'InferencingClientCreateDeploymentFailed',
            message: '{"errors":{"VmSize":["Not enough quota available for Standard_F4s_v2"]}}',
            details: [],
          },
        ],
      },
    }),
    {
      code: 'BadRequest',
      message: 'The request is invalid.: {"errors":{"VmSize":["Not enough quota available for Standard_F4s_v2"]}}',
    },
  ],
  [
    // https://github.com/microsoft/foundry-dev-tools/issues/762
    'whose details say the same again',
    json(409, {
      error: {
        ...{ code: 'MissingSubscriptionRegistration', message: 'It is not registered.' },
        details: [{ code: 'MissingSubscriptionRegistration', message: 'It is not registered.', target: 'x' }],
      },
    }),
    { code: 'MissingSubscriptionRegistration', message: 'It is not registered.' },
  ],
  [
    // https://github.com/piyushsachdeva/Terraform_AKS/issues/2
    'of Key Vault, which says more within',
    json(403, { error: { code: 'Forbidden', message: 'No.', innererror: { code: 'ForbiddenByRbac' } } }),
    { status: 403, code: 'ForbiddenByRbac', message: 'No.' },
  ],
  [
    // https://github.com/CDCgov/prime-reportstream/issues/11773
    'of Log Analytics, which says more far within',
    json(400, {
      error: {
        ...{ code: 'BadArgumentError', message: 'The request had some invalid properties' },
        innererror: {
          ...{ code: 'SemanticError', message: 'A semantic error occurred.' },
          innererror: { code: 'SEM0100', message: "'where' operator: Failed to resolve table" },
        },
      },
    }),
    {
      code: 'SemanticError',
      message:
        "The request had some invalid properties: A semantic error occurred.: 'where' operator: Failed to resolve table",
    },
  ],
  [
    // https://github.com/hashicorp/terraform-provider-azurerm/issues/21161
    'of Azure Monitor, without an error around it',
    json(409, { code: 'Conflict', message: 'It is used.' }),
    { status: 409, code: 'Conflict', message: 'It is used.' },
  ],
  [
    'of Table Storage',
    json(412, {
      'odata.error': { code: 'UpdateConditionNotSatisfied', message: { lang: 'en-US', value: 'It has moved on.' } },
    }),
    { status: 412, code: 'UpdateConditionNotSatisfied', message: 'It has moved on.' },
  ],
  [
    // https://github.com/microsoft/AzureStorageExplorer/issues/3767
    'of Blob Storage, in XML',
    json(
      403,
      '\uFEFF<?xml version="1.0" encoding="utf-8"?><Error><Code>AuthorizationPermissionMismatch</Code><Message>This request is not authorized.\nRequestId:4f40</Message></Error>',
    ),
    { code: 'AuthorizationPermissionMismatch', message: 'This request is not authorized.\nRequestId:4f40' },
  ],
  [
    'of Blob Storage, to a HEAD',
    json(404, '', { 'x-ms-error-code': 'BlobNotFound' }),
    { status: 404, code: 'BlobNotFound', message: 'HTTP 404 BlobNotFound' },
  ],
  ['of a proxy', json(403, 'no way out'), { status: 403, code: '', message: 'HTTP 403 no way out' }],
  ['that is null', json(403, 'null'), { status: 403, code: '', message: 'HTTP 403 null' }],
  ['whose details are null', json(400, { error: { message: 'a', details: null } }), { message: 'a' }],
])('a refusal says what it is: one %s', async (_, answer, said) => {
  const { azure } = await worldOf(answer);

  await expect(azure.json(get)).rejects.toMatchObject({ name: 'AzureError', ...said });
});

test('a refusal that goes on and on is cut', async () => {
  const { azure } = await worldOf(json(400, { error: { code: 'a', message: 'x'.repeat(100_000) } }));

  const error = await azure.json(get).catch((thrown: Error) => thrown);

  expect((error as Error).message).toHaveLength(1500);
});

test.each<[string, object, number | undefined]>([
  ['in seconds', { 'retry-after': '17' }, 17],
  ['as a date, which is not read', { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }, undefined],
  ['not at all', {}, undefined],
])('a refusal says when Azure wants to be asked again: %s', async (_, headers, seconds) => {
  const { azure } = await worldOf(json(409, {}, headers));

  const error = await azure.json(get).catch((thrown: unknown) => thrown);

  expect(error).toMatchObject({ status: 409, retryAfterSeconds: seconds });
});

test('a page that is not found does not say that a thing is not there', async () => {
  const page = json(404, '\n<!DOCTYPE html><title>404 - Not Found</title>');
  const away = await worldOf(page);
  const back = await worldOf(page, json(200, {}));

  await expect(away.azure.json(get)).rejects.toMatchObject({ status: 502, message: expect.stringContaining('404') });
  expect(await back.azure.json(get)).toEqual({});
});

test('a blob that is not found does, though it is said in XML', async () => {
  const { azure } = await worldOf(json(404, '<?xml version="1.0"?><Error><Code>BlobNotFound</Code></Error>'));

  await expect(azure.json(get)).rejects.toMatchObject({ status: 404, code: 'BlobNotFound' });
});

test('no answer is an error of Azure', async () => {
  const { azure } = await worldOf((_, response) => void response.destroy());

  await expect(azure.json(get)).rejects.toMatchObject({ name: 'AzureError', status: 0, code: '' });
});

test('a call of Azure ML is of one workspace and one version of the API, and has a query of its own', () => {
  const place = { subscription: 's-1', resourceGroup: 'ml', workspace: 'acme' };

  const call = mlCall(place, 'jobs', { method: 'GET', query: { tag: 'a' } });

  expect(call).toEqual({
    service: 'management',
    method: 'GET',
    path: `${workspaceId(place).slice(1)}/jobs`,
    query: { 'api-version': '2025-12-01', tag: 'a' },
  });
  expect(workspaceId(place)).toBe(
    '/subscriptions/s-1/resourceGroups/ml/providers/Microsoft.MachineLearningServices/workspaces/acme',
  );
});
