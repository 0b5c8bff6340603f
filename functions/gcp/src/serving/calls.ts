import { type Google, GoogleError } from '../calls/google.ts';
import type { Operation } from '../calls/operations.ts';
import { locationPath, type VertexPlace } from '../calls/vertex.ts';
import { gcpFault, ifThere, saysExists } from '../faults.ts';
import type { Logging } from './captured.ts';
import type { Endpoint } from './endpoints.ts';

interface Options extends VertexPlace {
  readonly google: Google;
}

type Doing = string;

/**
 * The calls that begin a change of an endpoint, each answered before the change has ended. `busy`: another change was
 * faster, or is under way.
 *
 * None is repeated here: a change that was asked for and not answered is asked for again by the core. The ids are ours, so
 * that it is refused as one that is under way, or was made.
 */
export function endpointCalls({ google, ...place }: Options) {
  const location = locationPath(place);

  async function begin(doing: Doing, path: string, body: object, query = {}): Promise<Operation | 'busy'> {
    try {
      return await google.json<Operation>({ service: 'aiplatform', method: 'POST', path, body, query });
    } catch (error) {
      if (isRace(error)) return 'busy';
      throw gcpFault(error, doing);
    }
  }

  /** Ended when it is answered. Not done where the endpoint was changed since it was looked at. */
  async function patch(doing: Doing, name: string, { etag }: Endpoint, fields: object): Promise<'accepted' | 'busy'> {
    const call = { service: 'aiplatform', method: 'PATCH', path: `${location}/endpoints/${name}` } as const;
    const body = { ...fields, ...(etag === undefined ? {} : { etag }) };
    try {
      await google.json({ ...call, body, query: { updateMask: Object.keys(fields).join() } });
      return 'accepted';
    } catch (error) {
      if (isRace(error)) return 'busy';
      throw gcpFault(error, doing);
    }
  }

  return {
    create: (endpointId: string, endpoint: object) =>
      begin(`creating the endpoint ${endpointId}`, `${location}/endpoints`, endpoint, { endpointId }),

    upload: (modelId: string, model: object) =>
      begin(`uploading the model ${modelId}`, `${location}/models:upload`, { modelId, model }),

    hasModel: async (id: string): Promise<boolean> =>
      (await ifThere(`looking at the model ${id}`, () =>
        google.json({ service: 'aiplatform', method: 'GET', path: `${location}/models/${id}` }),
      )) !== undefined,

    deploy: (endpoint: string, deployedModel: object) =>
      begin(`deploying to the endpoint ${endpoint}`, `${location}/endpoints/${endpoint}:deployModel`, {
        deployedModel,
      }),

    // Without a split: "a DeployedModel will be successfully undeployed only if it doesn't have any traffic".
    undeploy: (endpoint: string, deployedModelId: string) =>
      begin(`undeploying from the endpoint ${endpoint}`, `${location}/endpoints/${endpoint}:undeployModel`, {
        deployedModelId,
      }),

    /** Replaces the whole split. */
    split: (name: string, endpoint: Endpoint, trafficSplit: Readonly<Record<string, number>>) =>
      patch(`setting the traffic split of the endpoint ${name}`, name, endpoint, { trafficSplit }),

    /** Replaces what is logged of the requests; `undefined`: nothing is. */
    log: (name: string, endpoint: Endpoint, predictRequestResponseLoggingConfig: Logging | undefined) =>
      patch(`setting what the endpoint ${name} logs`, name, endpoint, { predictRequestResponseLoggingConfig }),
  };
}

/** How Vertex AI words it is nowhere documented: ABORTED is the code for a race, the words are guessed. */
const isRace = (error: unknown): boolean =>
  error instanceof GoogleError &&
  (saysExists(error) ||
    error.rpc === 'ABORTED' ||
    (error.rpc === 'FAILED_PRECONDITION' &&
      /\betag\b|being.(un)?deployed|in progress|another operation/i.test(error.message)));
