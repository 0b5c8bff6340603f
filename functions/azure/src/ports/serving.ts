import { asFault, Fault } from '@serin/core/base/fault';
import type { Deployment, Mirror, Serving, Weights } from '@serin/core/ports/serving';
import { checkShares, writesInTime } from '@serin/platform/serving';
import { deploymentName, endpointName, tagsOf } from '../names.ts';
import { endpointCalls, writable } from '../serving/calls.ts';
import {
  checkDeployment,
  contentTag,
  contentTagOf,
  type DeploymentOptions,
  deploymentBody,
} from '../serving/deployments.ts';
import { keepLogs } from '../serving/diagnostics.ts';
import { type Endpoint, mlEndpoints } from '../serving/endpoints.ts';
import {
  checkReady,
  deployed,
  type Hosted,
  isBusy,
  isLost,
  look,
  mirrorOf,
  observationOf,
  weightsOf,
} from '../serving/hosted.ts';
import { deploymentScaling } from '../serving/scaling.ts';
import { endpointSteps, type Step } from '../serving/steps.ts';

interface Options extends DeploymentOptions {
  readonly now: () => number;
  /** The resource id of the identity under which containers serve. */
  readonly modelIdentity: string;
  /** Where the logs of endpoints go. */
  readonly logWorkspace?: string;
  /** Callers show a key, and not a token of Entra. */
  readonly endpointKeys?: boolean;
  /** Endpoints are reached through a private endpoint of the workspace only. */
  readonly privateEndpoints?: boolean;
}

type Issued = 'accepted' | 'busy';

/** Percent of the requests: https://learn.microsoft.com/azure/machine-learning/how-to-safely-rollout-online-endpoints */
const mostMirrored = 50;

/**
 * Serving by Azure ML: a managed online endpoint per model, and a deployment of it per deployment.
 *
 * A first `deploy` takes two operations, the endpoint and its deployment, each begun by one call and waited for by none. The
 * last one is noted in the own container, for why it came to nothing is told nowhere else. A deployment that failed stays
 * until it is retired. Weights and mirror are set by putting the whole endpoint again, as it was just read: what somebody
 * else changes in between is lost, and what was given up may land late, so only a look says what holds. `weigh {}` takes
 * the traffic of all deployments, which stay until they are retired; the endpoint itself stays, and costs nothing.
 *
 * `observe` also makes the setting by which instances follow the load, where a deployment wants it and has none: it cannot be
 * before. A failure of that is told with the deployment, which is ready.
 */
export function mlServing(options: Options): Serving {
  const { azure, installation, logWorkspace, now } = options;
  const endpoints = mlEndpoints(options);
  const calls = endpointCalls(options);
  const steps = endpointSteps(options);
  const scaling = deploymentScaling(options);
  const lookAt = (endpoint: string) => look({ endpoints, steps }, endpointName(installation, endpoint));

  async function lookToWrite(endpoint: string): Promise<Hosted> {
    const checkTime = writesInTime(endpoint, now);
    const hosted = await lookAt(endpoint);
    checkTime();
    return hosted;
  }

  async function begun(name: string, step: Omit<Step, 'operation'>, answer: { operation: string } | 'busy') {
    if (answer === 'busy') return 'busy';
    await steps.note(name, { ...step, operation: answer.operation });
    return 'accepted';
  }

  async function deploy(endpoint: string, deployment: Deployment): Promise<Issued> {
    checkDeployment(endpoint, deployment, options);
    const hosted = await lookToWrite(endpoint);
    if (isBusy(hosted)) return 'busy';
    const { name } = hosted;
    const present = deployed(hosted, deployment.name);
    if (present !== undefined && present.tags[contentTag] !== contentTagOf(endpoint, deployment)) {
      const mend = 'retire it first, or deploy a later version';
      throw new Fault('defect', `${deployment.name} of ${endpoint} is there with other content; ${mend}`);
    }
    if (present !== undefined) return 'accepted';
    const step = { deployment: deployment.name };
    if (hosted.endpoint === undefined || isLost(hosted)) {
      const answer = await calls.putEndpoint(
        name,
        'creating',
        hosted.endpoint === undefined ? endpointOf(endpoint) : sameShares(hosted),
      );
      return begun(name, { ...step, kind: 'create' }, answer);
    }
    if (logWorkspace !== undefined) await keepLogs(azure, hosted.endpoint, logWorkspace);
    const body = await deploymentBody(options, endpoint, deployment);
    return begun(name, { ...step, kind: 'deploy' }, await calls.deploy(name, deployment.name, body));
  }

  function endpointOf(endpoint: string): Endpoint {
    const { region, modelIdentity, endpointKeys = false, privateEndpoints = false } = options;
    return {
      location: region,
      tags: tagsOf(installation, { 'serin-model': endpoint }),
      identity: { type: 'UserAssigned', userAssignedIdentities: { [modelIdentity]: {} } },
      properties: {
        authMode: endpointKeys ? 'Key' : 'AADToken',
        publicNetworkAccess: privateEndpoints ? 'Disabled' : 'Enabled',
      },
    };
  }

  async function weigh(endpoint: string, weights: Weights, mirror: Mirror | undefined): Promise<Issued> {
    checkShares(endpoint, weights, mirror);
    if (mirror !== undefined && mirror.percent > mostMirrored) {
      const why = `Azure ML copies at most ${mostMirrored} % of the requests`;
      throw new Fault('invalid', `cannot mirror ${mirror.percent} % of ${endpoint}: ${why}; use a smaller share`);
    }
    const hosted = await lookToWrite(endpoint);
    if (isBusy(hosted)) return 'busy';
    const held = Object.entries(weights).filter(([, weight]) => weight > 0);
    for (const [name] of held) checkReady(endpoint, name, hosted);
    if (mirror !== undefined) checkReady(endpoint, mirror.deployment, hosted);
    if (hosted.endpoint === undefined) return 'accepted';
    const body = withShares(hosted.endpoint, held, mirror);
    return (await calls.putEndpoint(hosted.name, 'changing the traffic of', body)) === 'busy' ? 'busy' : 'accepted';
  }

  async function retire(endpoint: string, deployment: string): Promise<Issued> {
    const hosted = await lookToWrite(endpoint);
    if (isBusy(hosted)) return 'busy';
    const { name } = hosted;
    const refuse = (why: string, mend: string): never => {
      throw new Fault('invalid', `cannot retire ${deployment} of ${endpoint}: ${why}; ${mend}`);
    };
    if ((weightsOf(hosted)[deployment] ?? 0) > 0) refuse('it has traffic', 'route its requests elsewhere first');
    if (mirrorOf(hosted)?.deployment === deployment) refuse('requests are copied to it', 'end the mirroring before');
    const isThere = deployed(hosted, deployment) !== undefined;
    if (isThere) await scaling.release(name, deployment);
    if (isThere && (await calls.retire(name, deployment)) === 'busy') return 'busy';
    if ((await steps.last(name))?.deployment === deployment) await steps.forget(name);
    return 'accepted';
  }

  /** A revert must not wait for Azure Monitor: the next look tries again. */
  async function whyUnscaled({ name, deployments }: Hosted): Promise<string | undefined> {
    try {
      await scaling.keep(
        name,
        deployments.filter(({ state }) => state === 'Succeeded'),
      );
      return undefined;
    } catch (error) {
      return `it may keep its number of instances under load: ${asFault(error).message}`;
    }
  }

  return {
    async change(endpoint, operation) {
      if (operation.kind === 'deploy') return deploy(endpoint, operation.deployment);
      if (operation.kind === 'weigh') return weigh(endpoint, operation.weights, operation.mirror);
      return retire(endpoint, operation.deployment);
    },

    async observe(endpoint) {
      const hosted = await lookAt(endpoint);
      return observationOf(hosted, await whyUnscaled(hosted));
    },
  };
}

/** As it is, to be put once more. */
const sameShares = (hosted: Hosted) =>
  hosted.endpoint === undefined ? {} : withShares(hosted.endpoint, Object.entries(weightsOf(hosted)), mirrorOf(hosted));

function withShares(endpoint: Endpoint, held: readonly (readonly [string, number])[], mirror: Mirror | undefined) {
  const rest = writable(endpoint);
  return {
    ...rest,
    properties: {
      ...rest.properties,
      traffic: Object.fromEntries(held.map(([name, weight]) => [deploymentName(name), weight])),
      mirrorTraffic: mirror === undefined ? {} : { [deploymentName(mirror.deployment)]: mirror.percent },
    },
  };
}
