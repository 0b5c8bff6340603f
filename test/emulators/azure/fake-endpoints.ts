import { minute } from '@serin/core/base/time';
import { type FakeModels, fakeModels } from './fake-models.ts';
import { type FakeOperations, fakeOperations } from './operations.ts';
import { LostAnswer, Refusal, Reply, type Request, type Routes } from './rest.ts';

/** Documented durations do not exist; these are in their proportion. */
const createMs = minute;
const weighMs = minute;
const deployMs = 10 * minute;
const retireMs = 2 * minute;

type Shares = Readonly<Record<string, number>>;

interface Deployment {
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: a body that Microsoft's models have passed
  readonly body: any;
  state: string;
  /** Where what made it is looked at. */
  operation: string;
}

interface Endpoint {
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: a body that Microsoft's models have passed
  body: any;
  state: string;
  operation: string;
  traffic: Shares;
  mirror: Shares;
  readonly deployments: Map<string, Deployment>;
}

const region = 'westeurope';
const changing = ['Creating', 'Updating', 'Deleting', 'Scaling'];
const wrong = (message: string) => new Refusal(400, 'BadRequest', message);

export const neverReady = new Refusal(400, 'ResourceNotReady', 'User container has crashed or terminated.');
export const noQuota = new Refusal(400, 'OutOfQuota', 'Not enough quota available for Standard_DS3_v2.');

/**
 * Managed online endpoints of Azure ML. What is refused is documented in how-to-troubleshoot-online-endpoints,
 * how-to-safely-rollout-online-endpoints and how-to-manage-quotas; the words are those that issues quote.
 *
 * Guesses: the status of each refusal; that the traffic shows once the operation has ended; that a deployment which failed
 * stays; that the autoscaling of a deployment holds up its endpoint.
 */
export function fakeEndpoints(now: () => number, more: { readonly pageSize?: number } = {}) {
  const operations: FakeOperations = fakeOperations(now);
  const models: FakeModels = fakeModels();
  const endpoints = new Map<string, Endpoint>();
  /** Names that others have in the region. */
  const taken = new Set<string>();
  const scaled = new Map<string, object>();
  const logged = new Map<string, object>();
  /** Changes of traffic that nobody got an answer to, and that have not landed. */
  const late: (() => void)[] = [];
  let holdsNext = false;

  function endpointAt(name = ''): Endpoint {
    operations.settle();
    const found = endpoints.get(name);
    if (found === undefined) throw new Refusal(404, 'ResourceNotFound', `Endpoint ${name} not found.`);
    return found;
  }

  function checkIdle({ state, deployments }: Endpoint): void {
    if ([state, ...[...deployments.values()].map((each) => each.state)].some((each) => changing.includes(each)))
      throw new Refusal(409, 'Conflict', 'Conflict of operation, another operation on same entity is already running.');
  }

  function checkShares(shares: Shares, { deployments }: Endpoint): void {
    for (const [name, share] of Object.entries(shares))
      if (share > 0 && deployments.get(name)?.state !== 'Succeeded')
        throw wrong(`The deployment ${name} of the traffic rules does not exist, or is not ready.`);
  }

  const workspaceOf = ({ params }: Request) =>
    `/subscriptions/${params.subscription}/resourceGroups/${params.resourceGroup}/providers/Microsoft.MachineLearningServices/workspaces/${params.workspace}`;

  function shown(request: Request, { name, body, state, operation, traffic, mirror }: Endpoint): object {
    const { keys: _, ...properties } = body.properties;
    return {
      ...body,
      id: `${workspaceOf(request)}/onlineEndpoints/${name}`,
      name,
      type: 'Microsoft.MachineLearningServices/workspaces/onlineEndpoints',
      kind: 'Managed',
      systemData: { createdAt: '2026-11-20T12:00:00Z' },
      identity: {
        ...body.identity,
        tenantId: 't',
        userAssignedIdentities: Object.fromEntries(
          Object.keys(body.identity.userAssignedIdentities).map((id) => [id, { principalId: 'p', clientId: 'c' }]),
        ),
      },
      properties: {
        ...properties,
        description: null,
        properties: { 'azureml.onlineendpointid': 'x', AzureAsyncOperationUri: operation },
        ...{ traffic, provisioningState: state },
        mirrorTraffic: Object.keys(mirror).length === 0 ? null : mirror,
        scoringUri: `https://${name}.westeurope.inference.ml.azure.com/invocations`,
      },
    };
  }

  const deploymentShown = (
    request: Request,
    endpoint: string,
    { name, body, state, operation }: Deployment,
  ): object => ({
    ...body,
    id: `${workspaceOf(request)}/onlineEndpoints/${endpoint}/deployments/${name}`,
    name,
    type: 'Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments',
    properties: {
      ...body.properties,
      properties: { AzureAsyncOperationUri: operation },
      provisioningState: state,
    },
  });

  function putEndpoint(request: Request): Reply {
    operations.settle();
    const { params, body } = request;
    const { endpoint: name = '' } = params;
    if (taken.has(name))
      throw new Refusal(
        409,
        'Conflict',
        'There is already an endpoint with this name, it needs to be unique within a region.',
      );
    const found = endpoints.get(name);
    if (found === undefined) {
      const made: Endpoint = {
        name,
        body,
        state: 'Creating',
        operation: '',
        traffic: {},
        mirror: {},
        deployments: new Map(),
      };
      endpoints.set(name, made);
      return changed(request, made, { status: 201, ms: createMs, lands: () => undefined });
    }
    checkIdle(found);
    const { traffic = {}, mirrorTraffic = {} } = body.properties;
    checkShares({ ...traffic, ...mirrorTraffic }, found);
    const lands = () => {
      found.body = body;
      found.traffic = traffic;
      found.mirror = mirrorTraffic;
    };
    if (holdsNext) {
      holdsNext = false;
      late.push(lands);
      throw new LostAnswer();
    }
    found.state = 'Updating';
    return changed(request, found, { status: 200, ms: weighMs, lands });
  }

  /** A change that is under way until it has ended, well or not. */
  function changed(
    request: Request,
    endpoint: Endpoint,
    how: { status: number; ms: number; lands: () => void },
  ): Reply {
    const headers = operations.async({
      ...{ request, region, kind: 'oeidp', takesMs: how.ms },
      over: () => {
        endpoint.state = 'Failed';
      },
      lands() {
        how.lands();
        endpoint.state = 'Succeeded';
      },
    });
    endpoint.operation = headers['azure-asyncoperation'] ?? '';
    // Microsoft's models know no header of a 200.
    return new Reply(how.status, shown(request, endpoint), how.status === 200 ? {} : headers);
  }

  function putDeployment(request: Request): Reply {
    const { params, body } = request;
    const endpoint = endpointAt(params.endpoint);
    const { deployment: name = '' } = params;
    if (endpoint.state !== 'Succeeded')
      throw wrong(`Cannot create a deployment in endpoint because it is in ${endpoint.state} provisioning state.`);
    checkIdle(endpoint);
    const { environmentId = '', instanceType } = body.properties;
    if (!models.has(environmentId)) throw new Refusal(404, 'ResourceNotFound', `There is no ${environmentId}.`);
    if (instanceType === undefined) throw wrong('instanceType is required.');
    const made: Deployment = { name, body, state: 'Creating', operation: '' };
    endpoint.deployments.set(name, made);
    const headers = operations.async({
      ...{ request, region, takesMs: deployMs },
      over: () => {
        made.state = 'Failed';
      },
      lands() {
        if (models.imageOf(environmentId).includes('mute')) throw neverReady;
        made.state = 'Succeeded';
      },
    });
    made.operation = headers['azure-asyncoperation'] ?? '';
    return new Reply(201, deploymentShown(request, endpoint.name, made), headers);
  }

  function removeDeployment(request: Request): Reply {
    const endpoint = endpointAt(request.params.endpoint);
    const { deployment: name = '' } = request.params;
    const found = endpoint.deployments.get(name);
    if (found === undefined) return new Reply(204);
    checkIdle(endpoint);
    if ((endpoint.traffic[name] ?? 0) > 0 || (endpoint.mirror[name] ?? 0) > 0)
      throw wrong(`Deployment ${name} has traffic. Set it to 0 first.`);
    const before = found.state;
    found.state = 'Deleting';
    const headers = operations.location({
      ...{ request, region, takesMs: retireMs },
      over: () => {
        found.state = before;
      },
      lands: () => void endpoint.deployments.delete(name),
    });
    return new Reply(202, undefined, headers);
  }

  function listed(request: Request): object {
    const { name, deployments } = endpointAt(request.params.endpoint);
    const all = [...deployments.values()].map((each) => deploymentShown(request, name, each));
    const { pageSize = 100 } = more;
    const from = Number(request.query.get('$skip') ?? 0);
    const value = all.slice(from, from + pageSize);
    if (from + pageSize >= all.length) return { value };
    const path = `${workspaceOf(request)}/onlineEndpoints/${name}/deployments`;
    return { value, nextLink: `${request.origin}${path}?api-version=2025-12-01&$skip=${from + pageSize}` };
  }

  const autoscale =
    '/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Insights/autoscalesettings/{setting}';
  const settings: Routes = {
    [`GET ${autoscale}`]: ({ params }) => {
      const found = scaled.get(params.setting ?? '');
      if (found === undefined) throw new Refusal(404, 'ResourceNotFound', `There is no ${params.setting}.`);
      return found;
    },
    [`PUT ${autoscale}`]: ({ params, body }) => {
      scaled.set(params.setting ?? '', body);
      return body;
    },
    [`DELETE ${autoscale}`]: ({ params }) => new Reply(scaled.delete(params.setting ?? '') ? 200 : 204),
    'PUT /{resource+}/providers/Microsoft.Insights/diagnosticSettings/{setting}': ({ params, body }) => {
      endpointAt(params.resource?.replace(/^.*\//, ''));
      logged.set(params.resource ?? '', body);
      return body;
    },
  };

  const own: Routes = {
    'PUT onlineEndpoints/{endpoint}': putEndpoint,
    'GET onlineEndpoints/{endpoint}': (request) => shown(request, endpointAt(request.params.endpoint)),
    'PUT onlineEndpoints/{endpoint}/deployments/{deployment}': putDeployment,
    'DELETE onlineEndpoints/{endpoint}/deployments/{deployment}': removeDeployment,
    'GET onlineEndpoints/{endpoint}/deployments': listed,
  };

  return {
    routes: { ...own, ...settings, ...models.routes, ...operations.routes } as Routes,
    ...{ operations, models, endpoints, endpointAt, taken, scaled, logged },
    /** The next change of traffic gets no answer, and lands when `land` is called. */
    hold: () => {
      holdsNext = true;
    },
    land: () => {
      for (const lands of late.splice(0)) lands();
    },
    /** Somebody deletes it in the studio. */
    vanish: (name: string) => void endpoints.delete(name),
  };
}

export type FakeEndpoints = ReturnType<typeof fakeEndpoints>;
