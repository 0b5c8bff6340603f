import { Fault } from '@serin/core/base/fault';
import type { Deployment, Mirror, Serving, Weights } from '@serin/core/ports/serving';
import { checkArtifact, checkShares } from '@serin/platform/serving';
import type { Google } from '../calls/google.ts';
import type { Operation } from '../calls/operations.ts';
import { gsObjects } from '../jobs/settings.ts';
import { endpointName, labelsOf } from '../names.ts';
import { endpointCalls } from '../serving/calls.ts';
import { type Logging, loggingOf, logsAs } from '../serving/captured.ts';
import { type Endpoints, idOfName, vertexEndpoints } from '../serving/endpoints.ts';
import { checkReady, failedIn, isBusy, look, modelOf, observationOf, weightsOf } from '../serving/hosted.ts';
import {
  checkDeployment,
  deployedModelOf,
  encrypted,
  type ModelOptions,
  modelToUpload,
  servedModel,
} from '../serving/models.ts';
import { endpointSteps, type Step } from '../serving/steps.ts';
import { sweep } from '../serving/sweep.ts';

interface Options extends ModelOptions {
  readonly google: Google;
  readonly now: () => number;
  /** Of BigQuery, in which endpoints log requests. */
  readonly captureTable: string;
  /** Given where somebody else looks at the same endpoints. */
  readonly endpoints?: Endpoints;
  /** Endpoints on the host that all share, which VPC Service Controls need; else each has a host of its own. */
  readonly sharedEndpoints?: boolean;
}

type Issued = 'accepted' | 'busy';

/**
 * Serving by Vertex AI: an endpoint per model, a deployed model per deployment, whose id is the number of the version.
 *
 * A first `deploy` takes three operations, each begun by one call and waited for by none: the endpoint, the model, and its
 * deployment. The core asks again until `observe` lists the deployment. The last operation is kept in the own bucket, so that
 * it is known what is under way, and why it came to nothing. A deployment that failed is told until it is retired or
 * another is begun; it leaves nothing behind. Weights are set at once, under the etag of the endpoint. `weigh {}` takes all
 * requests away and keeps the capacity until it is retired; an endpoint without deployments stays, for it costs nothing.
 * What an endpoint logs of its requests is set before a deployment, as that one says. Vertex AI mirrors nothing. Models that nothing serves are deleted with a later `deploy` or `retire`.
 */
export function vertexServing(options: Options): Serving {
  const {
    installation,
    kmsKey,
    now,
    sharedEndpoints = false,
    bucket,
    ownBucket,
    captureTable,
    endpoints = vertexEndpoints(options),
  } = options;
  const calls = endpointCalls(options);
  const steps = endpointSteps(options);
  const lookAt = (endpoint: string) => look({ endpoints, steps }, endpointName(installation, endpoint));

  async function begun(
    name: string,
    step: Omit<Step, 'operation' | 'at'>,
    answer: Operation | 'busy',
  ): Promise<Issued> {
    if (answer === 'busy') return 'busy';
    await steps.note(name, { ...step, operation: answer.name, at: now() });
    return 'accepted';
  }

  async function deploy(endpoint: string, deployment: Deployment): Promise<Issued> {
    checkDeployment(endpoint, deployment, ownBucket);
    const hosted = await lookAt(endpoint);
    if (isBusy(hosted)) return 'busy';
    const model = servedModel(installation, endpoint, deployment);
    const failed = failedIn(hosted);
    const present = modelOf(hosted, deployment.name);
    const known = present ?? (failed?.deployment === deployment.name ? failed.model : undefined);
    if (known !== undefined && known !== model) {
      const mend = 'retire it first, or deploy another version';
      throw new Fault('defect', `${deployment.name} of ${endpoint} has been deployed with other content; ${mend}`);
    }
    if (present !== undefined) return 'accepted';
    const { name } = hosted;
    const step = { deployment: deployment.name, model };
    const logging = deployment.capture === undefined ? undefined : loggingOf(deployment.capture, captureTable);
    if (hosted.endpoint === undefined)
      return begun(name, { ...step, kind: 'create' }, await calls.create(name, endpointOf(endpoint, logging)));
    await sweep(options, hosted, model);
    if (await calls.hasModel(model)) {
      // The container, or Vertex AI in its place, reads the artifact only now, which may be long after the upload.
      await checkArtifact(
        endpoint,
        deployment,
        gsObjects(() => bucket),
        ownBucket,
      );
      const logs = hosted.endpoint.predictRequestResponseLoggingConfig;
      if (!logsAs(logs, logging) && (await calls.log(name, hosted.endpoint, logging)) === 'busy') return 'busy';
      const deployed = deployedModelOf(options, endpoint, deployment);
      return begun(name, { ...step, kind: 'deploy' }, await calls.deploy(name, deployed));
    }
    const uploaded = await modelToUpload(options, endpoint, deployment);
    return begun(name, { ...step, kind: 'upload' }, await calls.upload(model, uploaded));
  }

  /** No network: an endpoint that is peered with one has a single deployment and no split. */
  const endpointOf = (endpoint: string, logging: Logging | undefined) => ({
    displayName: endpoint.slice(0, 128),
    labels: labelsOf(installation, { serin_model: endpoint }),
    ...encrypted(kmsKey),
    ...(sharedEndpoints ? {} : { dedicatedEndpointEnabled: true }),
    ...(logging === undefined ? {} : { predictRequestResponseLoggingConfig: logging }),
  });

  async function weigh(endpoint: string, weights: Weights, mirror: Mirror | undefined): Promise<Issued> {
    checkShares(endpoint, weights, mirror);
    if (mirror !== undefined) {
      const mend = 'use canary, linear or blueGreen';
      throw new Fault('invalid', `cannot mirror ${endpoint}: Vertex AI does not copy requests; ${mend}`);
    }
    const hosted = await lookAt(endpoint);
    if (isBusy(hosted)) return 'busy';
    const held = Object.entries(weights).filter(([, weight]) => weight > 0);
    for (const [name] of held) checkReady(endpoint, name, hosted);
    const actual = weightsOf(hosted);
    const isSame =
      held.length === Object.keys(actual).length && held.every(([name, weight]) => actual[name] === weight);
    if (hosted.endpoint === undefined || isSame) return 'accepted';
    const split = Object.fromEntries(held.map(([name, weight]) => [idOfName(name), weight]));
    return calls.split(hosted.name, hosted.endpoint, split);
  }

  async function retire(endpoint: string, deployment: string): Promise<Issued> {
    const hosted = await lookAt(endpoint);
    if (isBusy(hosted)) return 'busy';
    const { name } = hosted;
    if ((weightsOf(hosted)[deployment] ?? 0) > 0) {
      const mend = 'give its weight to another deployment first';
      throw new Fault('invalid', `cannot retire ${deployment} of ${endpoint}: requests are routed to it; ${mend}`);
    }
    if (modelOf(hosted, deployment) === undefined) {
      if (failedIn(hosted)?.deployment === deployment) await steps.forget(name);
      return 'accepted';
    }
    await sweep(options, hosted);
    const step = { kind: 'undeploy', deployment, model: '' } as const;
    return begun(name, step, await calls.undeploy(name, idOfName(deployment)));
  }

  return {
    async change(endpoint, operation) {
      if (operation.kind === 'deploy') return deploy(endpoint, operation.deployment);
      if (operation.kind === 'weigh') return weigh(endpoint, operation.weights, operation.mirror);
      return retire(endpoint, operation.deployment);
    },

    observe: async (endpoint) => observationOf(await lookAt(endpoint)),
  };
}
