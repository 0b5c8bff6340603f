import { Fault } from '@serin/core/base/fault';
import { defined } from '@serin/core/base/objects';
import { notYet } from '@serin/platform/faults';
import { type Azure, AzureError, type Call } from '../calls/azure.ts';
import { type MlPlace, mlCall } from '../calls/ml.ts';
import { azureFault, saysMissing } from '../faults.ts';
import { deploymentName } from '../names.ts';
import type { Endpoint } from './endpoints.ts';

interface Begun {
  /** Where the operation is looked at. */
  readonly operation: string;
}

/**
 * What begins a change of an endpoint or its deployments; none waits for its end. `busy`: there is another one under way.
 *
 * None is repeated here: one that was given up may still land, and the core looks what holds before it asks again. For a
 * while Azure ML may not find a deployment that is there: https://github.com/Azure-Samples/contoso-chat/issues/139.
 */
export function endpointCalls({ azure, ...place }: MlPlace & { readonly azure: Azure }) {
  const path = (name: string, deployment?: string) =>
    `onlineEndpoints/${name}${deployment === undefined ? '' : `/deployments/${deploymentName(deployment)}`}`;

  async function begin(doing: string, call: Call): Promise<Begun | 'busy'> {
    try {
      const { headers } = await azure.bytes(call);
      return { operation: headers.get('azure-asyncoperation') ?? '' };
    } catch (error) {
      if (isTaken(error)) {
        const mend = 'use another project or environment';
        throw new Fault('invalid', `${doing} failed; ${mend}: ${error.message}`, { cause: error });
      }
      if (isRace(error)) return 'busy';
      if (saysMissing(error) && call.method === 'DELETE') return { operation: '' };
      if (saysMissing(error))
        throw notYet(`${doing} failed, for Azure ML does not find what it has shown (${error.message})`, error);
      throw azureFault(error, doing);
    }
  }

  return {
    putEndpoint: (name: string, doing: string, body: object) =>
      begin(`${doing} the endpoint ${name}`, mlCall(place, path(name), { method: 'PUT', body })),

    deploy: (name: string, deployment: string, body: object) =>
      begin(
        `deploying ${deployment} to the endpoint ${name}`,
        mlCall(place, path(name, deployment), { method: 'PUT', body }),
      ),

    retire: (name: string, deployment: string) =>
      begin(
        `taking ${deployment} away from the endpoint ${name}`,
        mlCall(place, path(name, deployment), { method: 'DELETE' }),
      ),
  };
}

export type EndpointCalls = ReturnType<typeof endpointCalls>;

/**
 * The endpoint as a PUT takes it, which replaces all of it: without what only Azure ML writes. The update of a part
 * (PATCH) knows neither `traffic` nor `mirrorTraffic`.
 *
 * https://learn.microsoft.com/rest/api/azureml/online-endpoints/create-or-update
 */
export function writable({ location, tags, kind, sku, identity, properties }: Endpoint): Endpoint {
  const { authMode, description, properties: more, publicNetworkAccess, compute } = properties;
  const identities = Object.keys(identity?.userAssignedIdentities ?? {}).map((id) => [id, {}]);
  return {
    location,
    ...present({ tags, kind, sku }),
    ...(identity == null
      ? {}
      : {
          identity: {
            type: identity.type,
            ...(identities.length === 0 ? {} : { userAssignedIdentities: Object.fromEntries(identities) }),
          },
        }),
    properties: { authMode, ...present({ description, properties: more, publicNetworkAccess, compute }) },
  };
}

/** Azure ML writes `null` for what it does not have. */
const present = <Fields extends object>(fields: Fields) =>
  defined(Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as Fields);

/** "There is already an endpoint with this name, Endpoint name needs to be unique within a region" (mlops-project-template, issue 29). */
const isTaken = (error: unknown): error is AzureError =>
  error instanceof AzureError && /already an endpoint|unique within/i.test(error.message);

/**
 * "Cannot create a deployment in endpoint e because it is in Updating provisioning state" (azure-sdk-for-net, issue
 * 36961), and "another operation on same entity is already running" (azure-cli, issue 17075): with which status is nowhere
 * documented.
 */
function isRace(error: unknown): boolean {
  if (!(error instanceof AzureError) || ![400, 409, 412].includes(error.status)) return false;
  return (
    error.status !== 400 || /provisioning state|another operation|already running|in progress/i.test(error.message)
  );
}
