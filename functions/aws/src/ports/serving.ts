import type { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import type { ProductionVariant } from '@aws-sdk/client-sagemaker';
import { asFault, Fault } from '@serin/core/base/fault';
import type { Deployment, Mirror, Serving, Weights } from '@serin/core/ports/serving';
import { notYet } from '@serin/platform/faults';
import { checkShares, writesInTime } from '@serin/platform/serving';
import { endpointName, tagsOf } from '../names.ts';
import { dataCaptureOf } from '../serving/captured.ts';
import { endpointConfigs, type Plan, variantsOf } from '../serving/configs.ts';
import type { Endpoints } from '../serving/described.ts';
import {
  checkReady,
  type Hosted,
  isBusy,
  isLost,
  look,
  lostVariants,
  observationOf,
  takenBack,
  weightsOf,
} from '../serving/hosted.ts';
import { checkDeployment, createModel, type ModelOptions, modelName, variantOf } from '../serving/models.ts';
import { actualPlan, endpointCalls, type Issued } from '../serving/operations.ts';
import { variantScaling } from '../serving/scaling.ts';
import { checkMirrored } from '../serving/shares.ts';
import { forget, sweep } from '../serving/sweep.ts';

interface Options extends ModelOptions {
  readonly autoscaling: ApplicationAutoScalingClient;
  readonly endpoints: Endpoints;
  readonly now: () => number;
  /** Requests per instance and minute that autoscaling aims at. */
  readonly invocationsPerInstance?: number;
  readonly kmsKey?: string;
}

/**
 * Serving by SageMaker: an endpoint per model, a production variant per deployment, a shadow variant for a mirror.
 *
 * The only deployment of an endpoint serves as soon as it is ready, and `weigh {}` deletes the endpoint. A mirror is
 * beside exactly one other deployment: others without weight are taken away with the `weigh` that begins it, and none
 * is deployed while it lasts. `busy` is also the answer to a `deploy` on an endpoint that failed: that one is deleted
 * first. All operations but a change of weights alone build the instances of the whole endpoint anew, which takes
 * minutes. A deployment that SageMaker took back is `failed` until it is retired or another is deployed. Configs and
 * models that nothing uses are deleted with the next `deploy` or `retire`. What the endpoint captures is in the config
 * too: the last `deploy` says it, and every other operation keeps it.
 *
 * `observe` also registers autoscaling where a deployment in service wants it and has none: it cannot be before. Where that
 * fails the deployment is ready all the same, with the reason.
 */
export function sageMakerServing(options: Options): Serving {
  const { sagemaker, endpoints, installation, autoscaling, now, invocationsPerInstance = 600 } = options;
  const configs = endpointConfigs(options);
  const calls = endpointCalls(sagemaker);
  const scaling = variantScaling({ sagemaker, autoscaling, invocationsPerInstance });
  const lookAt = (name: string) => look({ endpoints, configs }, name);

  async function servingPlan(hosted: Hosted): Promise<Plan> {
    const plan = await configs.plan(hosted.config);
    if (plan !== undefined) return actualPlan(hosted, plan);
    throw notYet(`the config ${hosted.config} of the endpoint ${hosted.name} cannot be found`);
  }

  async function update(hosted: Hosted, plan: Plan, weights: 'retained' | 'of the config'): Promise<Issued> {
    const config = await configs.create(hosted.name, hosted.config, plan);
    const answer = await calls.update(hosted.name, config, weights);
    if (answer === 'accepted') await configs.markTried(hosted, config);
    return answer;
  }

  async function deploy(endpoint: string, deployment: Deployment): Promise<Issued> {
    checkDeployment(endpoint, deployment);
    const name = endpointName(installation, endpoint);
    const hosted = await lookAt(name);
    if (hosted !== undefined && isBusy(hosted)) return 'busy';
    if (hosted !== undefined && isLost(hosted)) {
      await remove(hosted);
      return 'busy';
    }
    const model = modelName(installation, endpoint, deployment);
    const capture = deployment.capture === undefined ? {} : { capture: dataCaptureOf(deployment.capture, options) };
    if (hosted === undefined) {
      await createModel(options, endpoint, deployment);
      const config = await configs.create(name, '', { production: [variantOf(deployment, model, 100)], ...capture });
      return calls.create(name, config, tagsOf(installation, { 'serin:model': endpoint }));
    }
    const plan = await servingPlan(hosted);
    const attempt = await takenBack(hosted, configs);
    const present = variantsOf(plan).find(({ VariantName }) => VariantName === deployment.name);
    const known = present ?? lostVariants(hosted, attempt).find(({ VariantName }) => VariantName === deployment.name);
    if (known !== undefined && known.ModelName !== model) {
      const mend = 'retire it first, or use another name';
      throw new Fault('defect', `${deployment.name} of ${endpoint} is already deployed with other content; ${mend}`);
    }
    if (present !== undefined) return 'accepted';
    if (plan.shadow !== undefined) {
      const mend = `SageMaker mirrors only between two deployments; end the mirroring to ${plan.shadow.VariantName} first`;
      throw new Fault('invalid', `cannot deploy ${deployment.name} to ${endpoint}: ${mend}`);
    }
    await sweep({ sagemaker, configs }, hosted, attempt);
    // A failure is told until the next deployment.
    if (attempt !== undefined && known === undefined) await forget({ sagemaker, configs }, hosted, attempt);
    await createModel(options, endpoint, deployment);
    const production = [...plan.production, variantOf(deployment, model, 0)];
    return update(hosted, { production, ...capture }, 'retained');
  }

  async function weigh(endpoint: string, weights: Weights, mirror: Mirror | undefined): Promise<Issued> {
    checkShares(endpoint, weights, mirror);
    checkMirrored(endpoint, weights, mirror);
    const checkTime = writesInTime(endpoint, now);
    const held = Object.fromEntries(Object.entries(weights).filter(([, weight]) => weight > 0));
    const wanted = [...Object.keys(held), ...(mirror === undefined ? [] : [mirror.deployment])];
    const hosted = await lookAt(endpointName(installation, endpoint));
    if (hosted !== undefined && isBusy(hosted)) return 'busy';
    for (const name of wanted) checkReady(endpoint, name, hosted);
    if (hosted === undefined) return 'accepted';
    checkTime();
    if (wanted.length === 0) return remove(hosted);
    const { mirror: known } = observationOf(hosted, undefined);
    if (known?.deployment !== mirror?.deployment || known?.percent !== mirror?.percent)
      return route(hosted, held, mirror);
    const all = Object.fromEntries(hosted.production.map(({ name }) => [name, held[name] ?? 0]));
    const actual = weightsOf(hosted);
    if (Object.entries(all).every(([name, weight]) => (actual[name] ?? 0) === weight)) return 'accepted';
    return calls.weigh(hosted.name, all);
  }

  /** Begins, changes or ends a mirror, with the weights. */
  async function route(hosted: Hosted, weights: Weights, mirror: Mirror | undefined): Promise<Issued> {
    const plan = await servingPlan(hosted);
    const all = variantsOf(plan);
    const weighed = (variant: ProductionVariant, weight: number) => ({ ...variant, InitialVariantWeight: weight });
    if (mirror === undefined) {
      const production = all.map((variant) => weighed(variant, weights[variant.VariantName ?? ''] ?? 0));
      return update(hosted, { ...captureOf(plan), production }, 'of the config');
    }
    const production = all.filter(({ VariantName = '' }) => (weights[VariantName] ?? 0) > 0);
    const shadow = all.find(({ VariantName }) => VariantName === mirror.deployment);
    const leaving = hosted.production.filter(({ name }) => (weights[name] ?? 0) === 0).map(({ name }) => name);
    await scaling.release(hosted, modelsOf(plan.production, leaving));
    return update(
      hosted,
      {
        ...captureOf(plan),
        production: production.map((variant) => weighed(variant, 100)),
        // The share is the ratio to the weight of the production variant (developer guide, shadow variants: 1 and 1).
        ...(shadow === undefined ? {} : { shadow: weighed(shadow, mirror.percent) }),
      },
      'of the config',
    );
  }

  async function retire(endpoint: string, deployment: string): Promise<Issued> {
    const hosted = await lookAt(endpointName(installation, endpoint));
    if (hosted === undefined) return 'accepted';
    if (isBusy(hosted)) return 'busy';
    const isHere = hosted.production.some(({ name }) => name === deployment);
    if (isLost(hosted)) return isHere ? remove(hosted) : 'accepted';
    if (hosted.shadow?.name === deployment)
      throw refused(endpoint, deployment, 'it is the mirror', 'end the mirroring first');
    if ((weightsOf(hosted)[deployment] ?? 0) > 0)
      throw refused(endpoint, deployment, 'it still gets requests', 'set its weight to 0 first');
    const attempt = await takenBack(hosted, configs);
    await sweep({ sagemaker, configs }, hosted, attempt);
    if (!isHere) {
      const isLostOne = lostVariants(hosted, attempt).some(({ VariantName }) => VariantName === deployment);
      if (attempt !== undefined && isLostOne) await forget({ sagemaker, configs }, hosted, attempt);
      return 'accepted';
    }
    if (hosted.production.length === 1) return remove(hosted);
    const plan = await servingPlan(hosted);
    await scaling.release(hosted, modelsOf(plan.production, [deployment]));
    const production = plan.production.filter(({ VariantName }) => VariantName !== deployment);
    return update(hosted, { ...plan, production }, 'retained');
  }

  async function remove(hosted: Hosted): Promise<Issued> {
    const plan = await configs.plan(hosted.config);
    const all = (plan?.production ?? []).map(({ VariantName = '' }) => VariantName);
    await scaling.release(hosted, modelsOf(plan?.production ?? [], all));
    return calls.remove(hosted.name);
  }

  /** Traffic must be taken back also while auto scaling cannot be reached: it is tried again with the next look. */
  async function whyUnscaled(hosted: Hosted): Promise<string | undefined> {
    if (hosted.status !== 'InService') return undefined;
    const { production = [] } = (await configs.plan(hosted.config)) ?? {};
    const names = hosted.production.map(({ name }) => name);
    try {
      await scaling.keep(hosted, modelsOf(production, names));
      return undefined;
    } catch (error) {
      return `its instances may not follow the load: ${asFault(error).message}`;
    }
  }

  return {
    async change(endpoint, operation) {
      if (operation.kind === 'deploy') return deploy(endpoint, operation.deployment);
      if (operation.kind === 'weigh') return weigh(endpoint, operation.weights, operation.mirror);
      return retire(endpoint, operation.deployment);
    },

    async observe(endpoint) {
      const hosted = await lookAt(endpointName(installation, endpoint));
      if (hosted === undefined) return 'absent';
      return observationOf(hosted, await takenBack(hosted, configs), await whyUnscaled(hosted));
    },
  };
}

const captureOf = ({ capture }: Plan): Pick<Plan, 'capture'> => (capture === undefined ? {} : { capture });

const modelsOf = (variants: readonly ProductionVariant[], names: readonly string[]) =>
  variants
    .filter(({ VariantName = '' }) => names.includes(VariantName))
    .map(({ VariantName = '', ModelName = '' }) => ({ name: VariantName, model: ModelName }));

const refused = (endpoint: string, deployment: string, why: string, mend: string): Fault =>
  new Fault('invalid', `cannot retire ${deployment} of ${endpoint}: ${why}; ${mend}`);
