import { type Handlers, Refusal, type Request } from './discovery.ts';
import { type FakeModels, fakeModels } from './fake-models.ts';
import { type FakeOperations, fakeOperations, instantOf, lastPart, location, minute } from './fake-operations.ts';

/** Documented durations do not exist; these are in their proportion. */
const createMs = minute;
const deployMs = 10 * minute;
const undeployMs = 2 * minute;

interface Deployed {
  readonly id: string;
  readonly model: string;
  readonly createdAt: number;
  readonly body: Readonly<Record<string, unknown>>;
}

interface Endpoint {
  readonly id: string;
  readonly createdAt: number;
  body: Readonly<Record<string, unknown>>;
  edition: number;
  split: Readonly<Record<string, number>>;
  readonly deployed: Map<string, Deployed>;
  /** What an operation under way brings, or takes away. */
  readonly coming: Set<string>;
  readonly leaving: Set<string>;
}

const logging = 'predictRequestResponseLoggingConfig';
const wrong = (message: string) => new Refusal('INVALID_ARGUMENT', message);
const early = (message: string) => new Refusal('FAILED_PRECONDITION', message);

/**
 * Vertex AI's endpoints: endpoint_service.proto, endpoint.proto and machine_resources.proto say what is refused. Texts are
 * those that the issues of python-aiplatform, java-docs-samples and terraform-provider-google quote.
 *
 * Guesses: that an endpoint cannot be read before its creation has ended; that the id of a deployed model that is in use,
 * also by an operation under way, is ALREADY_EXISTS; that a stale etag is ABORTED.
 */
export function fakeEndpoints(
  now: () => number,
  more: { readonly uploadMs?: number; readonly pageSize?: number } = {},
) {
  const operations: FakeOperations = fakeOperations(now);
  const endpoints = new Map<string, Endpoint>();
  const creating = new Set<string>();
  const models: FakeModels = fakeModels({
    ...{ now, operations, ...more },
    isDeployed: (id) =>
      [...endpoints.values()].some(({ deployed }) => [...deployed.values()].some((of) => of.model === id)),
  });

  function endpointAt(name: string): Endpoint {
    operations.settle();
    const found = endpoints.get(lastPart(name));
    if (found === undefined) throw new Refusal('NOT_FOUND', `The Endpoint does not exist: ${name}`);
    return found;
  }

  function checkSplit(split: Readonly<Record<string, number>>, known: (id: string) => boolean): void {
    const strange = Object.keys(split).filter((id) => !known(id));
    if (strange.length > 0) throw wrong(`The following DeployedModel ID(s) [${strange}] do not exist.`);
    const shares = Object.values(split);
    if (shares.some((share) => share < 0 || share > 100)) throw wrong('Traffic split percentages are 0 to 100.');
    if (shares.length > 0 && shares.reduce((sum, share) => sum + share, 0) !== 100)
      throw wrong('Traffic split percentages need to add up to 100.');
  }

  const touch = (endpoint: Endpoint): void => {
    endpoint.edition += 1;
  };

  function shown(endpoint: Endpoint): object {
    const { id, createdAt, body, edition, split, deployed } = endpoint;
    const name = `${location}/endpoints/${id}`;
    const isDedicated = body.dedicatedEndpointEnabled === true;
    return {
      ...body,
      name,
      etag: `AMEw9y${edition}`,
      createTime: instantOf(createdAt),
      updateTime: instantOf(createdAt),
      ...(isDedicated ? { dedicatedEndpointDns: `${id}.europe-west4-123456789012.prediction.vertexai.goog` } : {}),
      // An empty map is not sent.
      ...(Object.keys(split).length === 0 ? {} : { trafficSplit: split }),
      ...(deployed.size === 0 ? {} : { deployedModels: [...deployed.values()].map(deployedShown) }),
    };
  }

  const deployedShown = ({ id, model, createdAt, body }: Deployed) => ({
    ...body,
    id,
    model: `${location}/models/${model}`,
    modelVersionId: '1',
    createTime: instantOf(createdAt),
  });

  function create({ query, body }: Request): object {
    operations.settle();
    const id = query.get('endpointId') ?? '';
    if (!/^([a-z]([a-z0-9-]{0,61}[a-z0-9])?|[1-9]\d{0,8})$/.test(id)) throw wrong(`Invalid endpoint id ${id}.`);
    if (endpoints.has(id) || creating.has(id))
      throw new Refusal('ALREADY_EXISTS', `Endpoint ${location}/endpoints/${id} already exists.`);
    creating.add(id);
    const lands = () => {
      const known = { deployed: new Map(), coming: new Set<string>(), leaving: new Set<string>() };
      const made: Endpoint = { id, createdAt: now(), body, edition: 1, split: {}, ...known };
      endpoints.set(id, made);
      return { '@type': `${v1}.Endpoint`, ...shown(made) };
    };
    return operations.begin(`endpoints/${id}`, 'CreateEndpoint', createMs, lands, () => creating.delete(id));
  }

  function deploy({ params, body }: Request): object {
    const endpoint = endpointAt(params.endpoint ?? '');
    const { id = '8071234567890123456', model, dedicatedResources: resources } = body.deployedModel;
    const modelId = lastPart(model ?? '').replace(/@.*/, '');
    if (!/^\d{1,10}$/.test(id)) throw wrong(`Invalid DeployedModel id ${id}.`);
    if (!models.has(modelId)) throw new Refusal('NOT_FOUND', `The Model does not exist: ${model}`);
    if (endpoint.deployed.has(id) || endpoint.coming.has(id))
      throw new Refusal('ALREADY_EXISTS', `DeployedModel ${id} already exists.`);
    const { minReplicaCount = 0, maxReplicaCount = minReplicaCount } = resources ?? {};
    if (minReplicaCount < 1) throw wrong('min_replica_count must be at least 1.');
    if (maxReplicaCount < minReplicaCount) throw wrong('max_replica_count is below min_replica_count.');
    const split: Readonly<Record<string, number>> = body.trafficSplit ?? {};
    checkSplit(split, (share) => share === '0' || endpoint.deployed.has(share));
    endpoint.coming.add(id);
    const lands = () => {
      if (models.imageOf(modelId).includes('mute')) throw early(neverReady);
      const made = { id, model: modelId, createdAt: now(), body: body.deployedModel };
      endpoint.deployed.set(id, made);
      if (Object.keys(split).length > 0)
        endpoint.split = Object.fromEntries(Object.entries(split).map(([of, share]) => [of === '0' ? id : of, share]));
      touch(endpoint);
      return { '@type': `${v1}.DeployModelResponse`, deployedModel: deployedShown(made) };
    };
    const over = () => endpoint.coming.delete(id);
    return operations.begin(`endpoints/${endpoint.id}`, 'DeployModel', deployMs, lands, over);
  }

  function undeploy({ params, body }: Request): object {
    const endpoint = endpointAt(params.endpoint ?? '');
    const { deployedModelId: id, trafficSplit } = body;
    if (endpoint.coming.has(id)) throw early(`DeployedModel ${id} is being deployed.`);
    if (endpoint.leaving.has(id)) throw early(`DeployedModel ${id} is being undeployed.`);
    if (!endpoint.deployed.has(id)) throw wrong(`The following DeployedModel ID(s) [${id}] do not exist.`);
    const split = trafficSplit ?? endpoint.split;
    checkSplit(split, (share) => endpoint.deployed.has(share));
    if ((split[id] ?? 0) > 0 && endpoint.deployed.size > 1)
      throw early(`Cannot undeploy DeployedModel ${id}, for it has traffic.`);
    endpoint.leaving.add(id);
    const lands = () => {
      endpoint.deployed.delete(id);
      endpoint.split = endpoint.deployed.size === 0 ? {} : split;
      touch(endpoint);
      return { '@type': `${v1}.UndeployModelResponse` };
    };
    const over = () => endpoint.leaving.delete(id);
    return operations.begin(`endpoints/${endpoint.id}`, 'UndeployModel', undeployMs, lands, over);
  }

  function patch({ params, query, body }: Request): object {
    const endpoint = endpointAt(params.name ?? '');
    const mask = query.get('updateMask') ?? '';
    if (mask !== 'trafficSplit' && mask !== logging) throw wrong(`Cannot update ${mask}.`);
    if (body.etag !== undefined && body.etag !== `AMEw9y${endpoint.edition}`)
      throw new Refusal('ABORTED', 'The etag does not match the current version of the Endpoint.');
    if (mask === logging) {
      const { [logging]: _, ...rest } = endpoint.body;
      endpoint.body = { ...rest, ...(body[logging] === undefined ? {} : { [logging]: body[logging] }) };
    } else {
      const split = body.trafficSplit ?? {};
      checkSplit(split, (id) => endpoint.deployed.has(id));
      endpoint.split = split;
    }
    touch(endpoint);
    return shown(endpoint);
  }

  const own = {
    'aiplatform.projects.locations.endpoints.create': create,
    'aiplatform.projects.locations.endpoints.get': ({ params }) => shown(endpointAt(params.name ?? '')),
    'aiplatform.projects.locations.endpoints.patch': patch,
    'aiplatform.projects.locations.endpoints.deployModel': deploy,
    'aiplatform.projects.locations.endpoints.undeployModel': undeploy,
    // "has deployed or being-deployed DeployedModel(s)"
    'aiplatform.projects.locations.endpoints.delete': ({ params }) => {
      const { id, deployed, coming } = endpointAt(params.name ?? '');
      if (deployed.size + coming.size > 0) throw early('Endpoint has deployed or being-deployed DeployedModel(s).');
      return operations.begin(`endpoints/${id}`, 'Delete', createMs, () => {
        endpoints.delete(id);
        return { '@type': 'type.googleapis.com/google.protobuf.Empty' };
      });
    },
  } satisfies Handlers;

  return {
    handlers: { ...own, ...models.handlers, ...operations.handlers } as Handlers,
    operations,
    models,
    endpoints,
    endpointAt,
    /** A person in the console deletes it. */
    vanish: (id: string) => void endpoints.delete(id),
  };
}

const v1 = 'type.googleapis.com/google.cloud.aiplatform.v1';

export const neverReady =
  'Model server never became ready. Please validate that your model file or container configuration are valid. Model server logs can be found at https://console.cloud.google.com/logs/viewer';

export type FakeEndpoints = ReturnType<typeof fakeEndpoints>;
