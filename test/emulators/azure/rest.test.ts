import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ManagedIdentityCredential } from '@azure/identity';
import type { AzureError, Call } from '@serin/azure/calls/azure';
import { mlCall } from '@serin/azure/calls/ml';
import { afterEach, expect, test } from 'vitest';
import { emulatedAzure } from '../emulated.ts';
import { paths } from '../installed.ts';
import { modelsOfAzureMl } from './models.ts';
import { combined, LostAnswer, Refusal, Reply, type Routes, type Served, serveAzure } from './rest.ts';

const suite = 'azure-checks';
const place = { subscription: 's-1', resourceGroup: 'ml', workspace: 'acme' };

let served: Served | undefined;

async function serve(routes: Routes): Promise<Served> {
  served = await serveAzure(suite, routes);
  return served;
}

/** What the server has against a call, or against the answer of a fake to it. */
async function violationOf(routes: Routes, call: Call): Promise<string> {
  const { azure, check } = await serve(routes);
  const answer = await azure.bytes(call).catch((error: AzureError) => error);
  expect(answer).toMatchObject({ name: 'AzureError', status: 400, code: 'AgainstMicrosoft' });
  try {
    check();
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing';
}

afterEach(async () => {
  await served?.stop();
  served = undefined;
});

const job = {
  properties: {
    jobType: 'Command',
    command: 'python train.py',
    environmentId: '/subscriptions/s-1/environments/e/versions/1',
    inputs: { data: { jobInputType: 'uri_folder', uri: 'azureml://datastores/raw/paths/x/', mode: 'ReadOnlyMount' } },
    outputs: { model: { jobOutputType: 'uri_folder', mode: 'Upload', uri: 'azureml://datastores/serin/paths/y/' } },
    distribution: { distributionType: 'PyTorch', processCountPerInstance: 4 },
    limits: { jobLimitsType: 'Command', timeout: 'PT10H' },
    queueSettings: { jobTier: 'Spot' },
    resources: { instanceCount: 2, instanceType: 'Standard_NC96ads_A100_v4' },
    identity: { identityType: 'Managed', clientId: 'c-1' },
    environmentVariables: { RUN: 'r1' },
    tags: { run: 'r1' },
  },
};

const endpoint = {
  location: 'westeurope',
  identity: { type: 'UserAssigned', userAssignedIdentities: { '/subscriptions/s-1/identities/i': {} } },
  properties: { authMode: 'AADToken', traffic: { v1: 95, v2: 5 }, mirrorTraffic: { v3: 10 } },
};

const deployment = {
  location: 'westeurope',
  sku: { name: 'Default', capacity: 2 },
  properties: {
    endpointComputeType: 'Managed',
    environmentId: '/subscriptions/s-1/environments/e/versions/1',
    instanceType: 'Standard_DS3_v2',
    scaleSettings: { scaleType: 'Default' },
    requestSettings: { requestTimeout: 'PT30S', maxConcurrentRequestsPerInstance: 4 },
    livenessProbe: { initialDelay: 'PT30S', period: 'PT10S', failureThreshold: 30 },
    dataCollector: {
      collections: { inputs: { dataCollectionMode: 'Enabled', samplingRate: 0.5 } },
      rollingRate: 'Hour',
    },
  },
};

/** A body with one value replaced (by path), or taken away (`undefined`). */
function changed<Body extends object>(body: Body, path: string, value: unknown): object {
  const copy = structuredClone(body);
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  let at = copy as unknown as Record<string, unknown>;
  for (const key of keys) at = at[key] as Record<string, unknown>;
  at[last] = value;
  return copy;
}

const putJob = (body: object, name = 'train-1'): Call => mlCall(place, `jobs/${name}`, { method: 'PUT', body });
const putEndpoint = (body: object, name = 'churn'): Call =>
  mlCall(place, `onlineEndpoints/${name}`, { method: 'PUT', body });
const putDeployment = (body: object, name = 'v1'): Call =>
  mlCall(place, `onlineEndpoints/churn/deployments/${name}`, { method: 'PUT', body });

const echo: Routes = {
  'PUT jobs/{name}': ({ body }) => body,
  'PUT onlineEndpoints/{endpoint}': ({ body }) => body,
  'PUT onlineEndpoints/{endpoint}/deployments/{deployment}': ({ body }) => body,
};

emulatedAzure("Microsoft's models of Azure ML", () => {
  test('are those of the api-version that is called', () => {
    const { version, operations } = modelsOfAzureMl();

    expect(version).toBe('2025-12-01');
    expect(operations.length).toBeGreaterThan(200);
  });

  test('pass good bodies and their answers, and hand over what is in them, decoded', async () => {
    const { azure, calls } = await serve({
      ...echo,
      'GET jobs/{name}': ({ params }) => ({ ...job, name: params.name }),
    });

    await azure.json(putJob(job));
    await azure.json(putEndpoint(endpoint));
    await azure.json(putDeployment(deployment, 'v12'));
    const answer = await azure.json(mlCall(place, 'jobs/a%20b', { method: 'GET' }));

    expect(answer).toMatchObject({ name: 'a b' });
    expect(calls.map(({ id, status }) => [id, status])).toEqual([
      ['PUT jobs/{id}', 200],
      ['PUT onlineEndpoints/{endpointName}', 200],
      ['PUT onlineEndpoints/{endpointName}/deployments/{deploymentName}', 200],
      ['GET jobs/{id}', 200],
    ]);
    expect(calls[2]?.params).toEqual({ ...place, endpoint: 'churn', deployment: 'v12' });
    expect(calls[0]?.client).toBe('client-of-the-function');
  });

  test.each([
    ['an unknown key', 'properties.retries', 3, /properties\.retries: CommandJob has no such key/],
    ['an unknown key deep inside', 'properties.resources.gpus', 1, /gpus: JobResourceConfiguration has no such key/],
    ['a key that only Azure writes', 'properties.status', 'Running', /status: read-only in CommandJob/],
    ['a missing key', 'properties.command', undefined, /command: missing in CommandJob/],
    ['a missing object', 'properties', undefined, /properties: missing in JobBase/],
    ['a required key that is null', 'properties.environmentId', null, /environmentId: null, and it is required/],
    ['a wrong enum', 'properties.queueSettings.jobTier', 'spot', /"spot" is none of Null, Spot/],
    ['a wrong discriminator', 'properties.jobType', 'command', /jobType: "command" is none of AutoML, Command/],
    ['a missing discriminator', 'properties.jobType', undefined, /jobType: undefined is none of/],
    ['a wrong inner discriminator', 'properties.distribution.distributionType', 'Horovod', /"Horovod" is none of/],
    ['a number as text', 'properties.resources.instanceCount', '2', /"2" is not of type integer/],
    ['a fraction', 'properties.resources.instanceCount', 1.5, /1.5 is not of type integer/],
    ['a number in a map of text', 'properties.tags.run', 7, /7 is not of type string/],
    ['a list for a map', 'properties.tags', ['a'], /is not an object/],
    ['text for an object', 'properties.limits', 'PT1H', /"PT1H" is not an object/],
    ['a duration in seconds', 'properties.limits.timeout', '3600', /"3600" is not of type duration/],
    ['a duration without its T', 'properties.limits.timeout', 'P10H', /is not of type duration/],
    ['an empty duration', 'properties.limits.timeout', 'PT', /is not of type duration/],
    ['limits of another kind', 'properties.limits.jobLimitsType', 'Sweep', /"Sweep" is not "Command"/],
    ['text for a list', 'properties.notificationSetting', { emails: 'a' }, /emails: "a" is not a list/],
    ['a wrong item', 'properties.notificationSetting', { emailOn: ['Never'] }, /emailOn\[0\]: "Never" is none of/],
    ['more than a week on Spot', 'properties.limits.timeout', 'P7DT1S', /P7DT1S is more than 7 days/],
    ['no instance', 'properties.resources.instanceCount', 0, /instanceCount: 0, below 1/],
    ['a long name to show', 'properties.displayName', 'x'.repeat(257), /displayName: 257 characters, more than 256/],
    ['a long tag', 'properties.tags.run', 'x'.repeat(1001), /tags.run: longer than 100 \(key\) or 1000 \(value\)/],
    [
      'too many tags',
      'properties.tags',
      Object.fromEntries([...Array(51).keys()].map((at) => [`t${at}`, ''])),
      /51, more/,
    ],
    [
      'too many outputs',
      'properties.outputs',
      Object.fromEntries([...Array(21).keys()].map((at) => [`o${at}`, { jobOutputType: 'uri_folder' }])),
      /outputs: more than 20/,
    ],
  ])('refuse %s', async (_what, path, value, says) => {
    expect(await violationOf(echo, putJob(changed(job, path, value)))).toMatch(says);
  });

  test.each([
    ['a sum that is not 100', 'traffic', { v1: 90 }, /the sum is 90, not 0 or 100/],
    ['a share below 0', 'traffic', { v1: 110, v2: -10 }, /is not 0 to 100/],
    ['a fraction of a share', 'traffic', { v1: 99.5, v2: 0.5 }, /99.5 is not of type integer/],
    ['more than half mirrored', 'mirrorTraffic', { v3: 60 }, /the sum is 60, more than 50/],
    ['two that are mirrored to', 'mirrorTraffic', { v3: 10, v4: 10 }, /2 deployments, more than one/],
    ['one that is live and mirrored to', 'mirrorTraffic', { v2: 10 }, /v2 has traffic of its own/],
    ['an auth mode in other letters', 'authMode', 'aadToken', /"aadToken" is none of AMLToken, Key, AADToken/],
  ])('refuse an endpoint with %s', async (_what, key, value, says) => {
    expect(await violationOf(echo, putEndpoint(changed(endpoint, `properties.${key}`, value)))).toMatch(says);
  });

  test('pass an endpoint without traffic', async () => {
    const { azure } = await serve(echo);

    await azure.json(putEndpoint(changed(endpoint, 'properties.traffic', {})));
    await azure.json(putEndpoint(changed(endpoint, 'properties.traffic', { v1: 0, v3: 0 })));
  });

  test.each([
    ['a request of more than 180 s', 'properties.requestSettings.requestTimeout', 'PT3M1S', /more than 180 s/],
    ['no instance', 'sku.capacity', 0, /0 is not 1 to 50/],
    ['a state of its own', 'properties.provisioningState', 'Succeeded', /read-only in ManagedOnlineDeployment/],
    ['a tag that is too long', 'tags', { a: 'x'.repeat(257) }, /longer than 512 \(name\) or 256 \(value\)/],
    ['a tag with a slash', 'tags', { 'a/b': 'x' }, /the name has one of/],
    ['too many tags', 'tags', Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`t${at}`, ''])), /51, more/],
  ])('refuse a deployment with %s', async (_what, path, value, says) => {
    expect(await violationOf(echo, putDeployment(changed(deployment, path, value)))).toMatch(says);
  });

  test.each([
    ['an endpoint', putEndpoint(endpoint, '1churn')],
    ['a long endpoint', putEndpoint(endpoint, `c${'x'.repeat(32)}`)],
    ['a deployment', putDeployment(deployment, 'v_1')],
    ['a job', putJob(job, 'a.b')],
    ['a long job', putJob(job, 'x'.repeat(256))],
  ])('refuse the name of %s', async (_what, call) => {
    expect(await violationOf(echo, call)).toMatch(/path: the name ".*" is not/);
  });

  test.each([
    ['no api-version', { 'api-version': undefined }, /\?api-version=null: must be 2025-12-01/],
    ['another api-version', { 'api-version': '2024-04-01' }, /must be 2025-12-01/],
    ['an unknown parameter', { force: 'true' }, /\?force: it has no such parameter/],
  ])('refuse a query with %s', async (_what, query, says) => {
    expect(await violationOf(echo, mlCall(place, 'jobs/j1', { method: 'PUT', body: job, query }))).toMatch(says);
  });

  test('refuse a call without a parameter that it must have', async () => {
    const drop = mlCall(place, 'computes/gpu', { method: 'DELETE' });

    expect(await violationOf({ 'DELETE computes/{name}': () => new Reply(200) }, drop)).toMatch(
      /\?underlyingResourceAction: missing/,
    );
  });

  test('refuse a call without a fake, and one whose body is missing, is no JSON, or is not taken', async () => {
    const get = mlCall(place, 'jobs/j1', { method: 'GET' });
    const routes = { ...echo, 'POST jobs/{name}/cancel': () => new Reply(202) };

    expect(await violationOf(routes, get)).toMatch(/no fake has GET management/);
    expect(await violationOf(routes, mlCall(place, 'jobs/j1', { method: 'PUT' }))).toMatch(/body: missing/);
    const bytes = { content: Buffer.from('{'), type: 'application/json' };
    expect(await violationOf(routes, mlCall(place, 'jobs/j1', { method: 'PUT', bytes }))).toMatch(/it is not JSON/);
    const cancel = mlCall(place, 'jobs/j1/cancel', { method: 'POST', body: { force: true } });
    expect(await violationOf(routes, cancel)).toMatch(/body: it takes none/);
  });

  test('have no call that Azure ML does not have: a fake for it cannot be served', async () => {
    await expect(serveAzure(suite, { 'PUT jobs/{name}/restart': () => ({}) })).rejects.toThrow(/have no PUT jobs/);
    await expect(serveAzure(suite, { 'PATCH jobs/{name}': () => ({}) })).rejects.toThrow(/have no PATCH jobs/);
    await expect(serveAzure(suite, { 'GET /{x}/y': () => ({}) })).rejects.toThrow(/apis.ts has no GET/);
  });
});

emulatedAzure('an answer of a fake of Azure ML', () => {
  const get = mlCall(place, 'jobs/j1', { method: 'GET' });
  const list = mlCall(place, 'jobs', { method: 'GET' });

  test.each([
    ['an unknown key', changed(job, 'properties.exitCode', 1), /exitCode: CommandJob has no such key/],
    ['an unknown status', changed(job, 'properties.status', 'Cancelled'), /"Cancelled" is none of NotStarted/],
    ['a missing key', { id: '/x' }, /properties: missing in JobBase/],
    ['no body', undefined, /the body is missing/],
    ['a status that the call does not have', new Reply(202, job), /202: it answers 200/],
    ['a place to look', new Reply(200, job, { location: 'x' }), /Location: a 200 does not have it/],
  ])('is refused with %s', async (_what, answer, says) => {
    expect(await violationOf({ 'GET jobs/{name}': () => answer }, get)).toMatch(says);
  });

  test.each([
    ['no list', job, /value: it is not a list/],
    ['a count', { value: [], count: 0 }, /count: a page has value and nextLink/],
    ['a bad item', { value: [{ id: '/x' }] }, /properties: missing/],
    ['a number for the next page', { value: [], nextLink: 2 }, /nextLink: it is not text/],
  ])('is refused as a page with %s', async (_what, answer, says) => {
    expect(await violationOf({ 'GET jobs': () => answer }, list)).toMatch(says);
  });

  test('is refused where it is no endpoint that could be: the traffic is held to its rules as well', async () => {
    const read = mlCall(place, 'onlineEndpoints/churn', { method: 'GET' });
    const answer = changed(endpoint, 'properties.traffic', { v1: 90 });

    expect(await violationOf({ 'GET onlineEndpoints/{e}': () => answer }, read)).toMatch(/the sum is 90/);
  });

  test.each([
    ['says nowhere to look', new Reply(202), /202: the header Location is missing/],
    ['has the other form', new Reply(202, undefined, { 'Azure-AsyncOperation': 'x' }), /Azure-AsyncOperation: a 202/],
    ['has a body', new Reply(200, { done: true }), /it has no body/],
  ])('is refused when a call that takes time %s', async (_what, answer, says) => {
    const cancel = mlCall(place, 'jobs/j1/cancel', { method: 'POST' });

    expect(await violationOf({ 'POST jobs/{name}/cancel': () => answer }, cancel)).toMatch(says);
  });

  test('may have what only Azure writes, and not the keys of an endpoint', async () => {
    const { azure } = await serve({ 'GET jobs/{name}': () => changed(job, 'properties.status', 'Running') });

    expect(await azure.json(get)).toMatchObject({ properties: { status: 'Running' } });

    await served?.stop();
    const withKeys = changed(endpoint, 'properties.keys', { primaryKey: 'k' });
    const read = mlCall(place, 'onlineEndpoints/churn', { method: 'GET' });
    expect(await violationOf({ 'GET onlineEndpoints/{e}': () => withKeys }, read)).toMatch(/keys: never answered/);
  });

  test('fails the suite when its fake has a mistake', async () => {
    const broken = () => {
      throw new Error('no such map');
    };

    expect(await violationOf({ 'GET jobs/{name}': broken }, get)).toMatch(/the fake of GET jobs.*failed.*no such map/s);
  });
});

emulatedAzure('the server of Azure', () => {
  const get = mlCall(place, 'jobs/j1', { method: 'GET' });

  test('answers refusals in the words of Azure, with their headers', async () => {
    const { azure, calls } = await serve({
      'GET jobs/{name}': () => {
        throw new Refusal(409, 'Conflict', 'it is being updated', { headers: { 'retry-after': '7' } });
      },
    });

    const error = await azure.json(get).catch((thrown: unknown) => thrown);

    const says = { status: 409, code: 'Conflict', message: 'it is being updated', retryAfterSeconds: 7 };
    expect(error).toMatchObject(says);
    expect(calls.map(({ status }) => status)).toEqual([409]);
  });

  test('loses an answer after the work is done', async () => {
    const { azure, calls } = await serve({
      'PUT jobs/{name}': () => {
        throw new LostAnswer();
      },
    });

    await expect(azure.json(putJob(job))).rejects.toMatchObject({ status: 0 });
    expect(calls.map(({ status }) => status)).toEqual([0]);
  });

  test('answers nothing with 204 where a call knows it', async () => {
    const { azure, calls } = await serve({ 'DELETE jobs/{name}': () => undefined });

    expect(await azure.json(mlCall(place, 'jobs/j1', { method: 'DELETE' }))).toEqual({});
    expect(calls.map(({ status }) => status)).toEqual([204]);
  });

  test('hands a wrong call to nobody', async () => {
    const asked: unknown[] = [];
    const routes: Routes = { 'PUT jobs/{name}': ({ body }) => asked.push(body) };

    await violationOf(routes, putJob(changed(job, 'properties.command', undefined)));

    expect(asked).toEqual([]);
  });

  test('throws at its end for what was not looked at', async () => {
    const { azure, stop } = await serve({});
    await azure.json(get).catch(() => undefined);

    await expect(stop()).rejects.toThrow(/no fake has GET/);
  });

  test('has each call of two fakes once', () => {
    expect(() => combined(echo, { 'PUT jobs/{name}': () => ({}) })).toThrow(/two fakes have PUT jobs/);
  });

  test('writes which calls were answered, and who has checked them, when it is stopped', async () => {
    const { azure, stop } = await serve({ 'GET jobs': () => ({ value: [] }) });
    await azure.json(mlCall(place, 'jobs', { method: 'GET' }));

    await stop();

    const { calls, checkedBy } = JSON.parse(readFileSync(join(paths.calls, `${suite}.rest.json`), 'utf8'));
    expect(calls['GET jobs']).toEqual({ 'a fake of ours': { answered: 1, refused: 0 } });
    expect(checkedBy['GET jobs']).toBe('azure-ai-ml, 2025-12-01');
  });
});

emulatedAzure('the identity endpoint', () => {
  const metrics = (resource: string): Call => ({
    service: 'management',
    method: 'GET',
    path: `${resource}/providers/Microsoft.Insights/metrics`,
    query: { 'api-version': '2024-02-01', metricnames: 'RequestsPerMinute' },
  });
  const routes: Routes = {
    'GET /{resource+}/providers/Microsoft.Insights/metrics': ({ client }) => ({ timespan: client, value: [] }),
    'GET vault:/secrets/{secret}': ({ params, client }) => ({ value: `${params.vault}/${params.secret}`, id: client }),
    'POST logs:/v1/workspaces/{id}/query': ({ client }) => ({ tables: [], statistics: { client } }),
  };
  const secret: Call = {
    service: 'vault',
    name: 'kv',
    method: 'GET',
    path: 'secrets/a',
    query: { 'api-version': '7.6' },
  };
  const query: Call = { service: 'logs', method: 'POST', path: 'v1/workspaces/w/query', body: { query: 'T' } };

  test('gives our client a token for each service, once', async () => {
    const { azure } = await serve(routes);

    expect(await azure.json(metrics('subscriptions/s-1'))).toMatchObject({ timespan: 'client-of-the-function' });
    expect(await azure.json(secret)).toEqual({ value: 'kv/a', id: 'client-of-the-function' });
    expect(await azure.json(query)).toMatchObject({ statistics: { client: 'client-of-the-function' } });
  });

  test.each([
    ['no token', undefined, /no bearer token/],
    ['a token of nobody', 'Bearer x', /was not given by the identity endpoint/],
  ])('makes a request with %s a mistake', async (_what, authorization, says) => {
    const { url, check } = await serve(routes);

    await fetch(`${url}/~vault/kv/secrets/a?api-version=7.6`, { headers: authorization ? { authorization } : {} });

    expect(check).toThrow(says);
  });

  /** With Microsoft's own client: it finds the endpoint by the same variables. */
  async function tokenOfMicrosoft(scope: string): Promise<string> {
    const { IDENTITY_ENDPOINT = '', IDENTITY_HEADER = '' } = served?.variables ?? {};
    Object.assign(process.env, { IDENTITY_ENDPOINT, IDENTITY_HEADER });
    try {
      const { token, expiresOnTimestamp } = await new ManagedIdentityCredential({ clientId: 'c-2' }).getToken(scope);
      expect(expiresOnTimestamp).toBeGreaterThan(Date.now());
      return token;
    } finally {
      for (const name of ['IDENTITY_ENDPOINT', 'IDENTITY_HEADER']) delete process.env[name];
    }
  }

  test("gives Microsoft's client a token, which is taken for this service and for no other", async () => {
    const { url, check } = await serve(routes);
    const token = await tokenOfMicrosoft('https://vault.azure.net/.default');
    const ask = (path: string) => fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });

    const right = await (await ask('/~vault/kv/secrets/a?api-version=7.6')).json();
    check();
    await ask('/subscriptions/s-1/providers/Microsoft.Insights/metrics?api-version=2024-02-01');

    expect(right).toMatchObject({ id: 'c-2' });
    expect(check).toThrow(/the token is for https:\/\/vault.azure.net, not for https:\/\/management.azure.com/);
  });
});
