import type { EndpointStatus, ProductionVariant, ProductionVariantSummary } from '@aws-sdk/client-sagemaker';
import { Fault } from '@serin/core/base/fault';
import { versionOfName } from '@serin/core/model/version';
import type { Observation } from '@serin/core/ports/serving';
import { type Configs, type Plan, variantsOf } from './configs.ts';
import type { Endpoints } from './described.ts';
import { percentages } from './shares.ts';

/** An endpoint as SageMaker says it is. */
export interface Hosted {
  readonly name: string;
  readonly arn: string;
  readonly status: EndpointStatus;
  /** While an update is under way still the one that serves. */
  readonly config: string;
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly reason?: string;
  readonly production: readonly Variant[];
  readonly shadow?: Variant;
  /** Variants that a deployment under way brings. */
  readonly coming: readonly string[];
}

export interface Variant {
  readonly name: string;
  readonly weight: number;
  readonly count: number;
}

/** A change that SageMaker took back: the config that followed the serving one and does not serve. */
export interface Attempt {
  readonly config: string;
  readonly plan: Plan;
}

const changing: ReadonlySet<EndpointStatus> = new Set([
  'Creating',
  'Updating',
  'SystemUpdating',
  'RollingBack',
  'Deleting',
]);

export const isBusy = ({ status }: Hosted): boolean => changing.has(status);

/**
 * Serves nothing and will not by itself: it has to be made anew. "DeleteEndpoint is the only operation that can be
 * performed on a failed endpoint" (API reference, DescribeEndpoint); what else helps one out of service is not said.
 */
export const isLost = ({ status }: Hosted): boolean => status === 'Failed' || status === 'OutOfService';

/** Throws `invalid` unless requests can be routed to the deployment. */
export function checkReady(endpoint: string, name: string, hosted: Hosted | undefined): void {
  const has = hosted?.production.some((variant) => variant.name === name) || hosted?.shadow?.name === name;
  if (has && hosted !== undefined && !isBusy(hosted) && !isLost(hosted)) return;
  const what = has ? `the endpoint is ${hosted?.status}` : 'it is not deployed, or it failed';
  const mend = 'deploy it and wait until it is ready';
  throw new Fault('invalid', `cannot send requests to ${name} of ${endpoint}: ${what}; ${mend}`);
}

const routesNothing: ReadonlySet<EndpointStatus> = new Set(['Creating', 'Deleting', 'Failed', 'OutOfService']);

/** The weights by which requests are routed now. */
export const weightsOf = ({ status, production }: Hosted) =>
  routesNothing.has(status)
    ? {}
    : percentages(Object.fromEntries(production.map(({ name, weight }) => [name, weight])));

/** `undefined`: there is no such endpoint. */
export async function look(
  { endpoints, configs }: { readonly endpoints: Endpoints; readonly configs: Configs },
  name: string,
): Promise<Hosted | undefined> {
  const described = await endpoints.describe(name);
  if (described === undefined) return undefined;
  const { EndpointStatus: status = 'Failed', FailureReason, PendingDeploymentSummary: pending } = described;
  const { EndpointConfigName: config = '' } = described;
  let production = (described.ProductionVariants ?? []).map(variantOf);
  // An endpoint that was never in service may list no variants: its config does.
  if (production.length === 0 && status !== 'Deleting')
    production = ((await configs.plan(config))?.production ?? []).map(variantOfPlan);
  const [shadow] = (described.ShadowProductionVariants ?? []).map(variantOf);
  const there = new Set([...production, ...(shadow === undefined ? [] : [shadow])].map(({ name }) => name));
  const announced = [...(pending?.ProductionVariants ?? []), ...(pending?.ShadowProductionVariants ?? [])];
  return {
    name,
    arn: described.EndpointArn ?? '',
    status,
    config,
    createdAt: described.CreationTime?.getTime() ?? 0,
    modifiedAt: described.LastModifiedTime?.getTime() ?? 0,
    ...(FailureReason ? { reason: FailureReason } : {}),
    production,
    ...(shadow === undefined ? {} : { shadow }),
    coming: announced.map(({ VariantName = '' }) => VariantName).filter((variant) => !there.has(variant)),
  };
}

const variantOf = ({
  VariantName = '',
  CurrentWeight = 0,
  CurrentInstanceCount = 0,
}: ProductionVariantSummary): Variant => ({ name: VariantName, weight: CurrentWeight, count: CurrentInstanceCount });

const variantOfPlan = ({ VariantName = '' }: ProductionVariant): Variant => ({
  name: VariantName,
  weight: 0,
  count: 0,
});

/**
 * The change that SageMaker took back since the serving config began to serve, or `undefined`.
 *
 * A failed update ends as `InService` with the old config. `FailureReason` alone does not say so: it also tells of
 * failed patches and scalings (aws-controllers-k8s/sagemaker-controller, endpoint custom_update),
 * and a config alone does not say that it was ever tried: the mark of an accepted update does.
 */
export async function takenBack(hosted: Hosted, configs: Configs): Promise<Attempt | undefined> {
  if (isBusy(hosted) || isLost(hosted)) return undefined;
  for (const name of await configs.newest(hosted.name)) {
    const plan = name === hosted.config ? undefined : await configs.plan(name);
    if (plan === undefined || !configs.follows(hosted.name, name, hosted.config, plan)) continue;
    if (await configs.wasTried(hosted, name)) return { config: name, plan };
  }
  return undefined;
}

/** Variants of an attempt that the endpoint does not have. */
export function lostVariants(hosted: Hosted, attempt: Attempt | undefined): readonly ProductionVariant[] {
  if (attempt === undefined) return [];
  const has = (name: string | undefined) =>
    hosted.production.some((variant) => variant.name === name) || hosted.shadow?.name === name;
  return variantsOf(attempt.plan).filter(({ VariantName }) => !has(VariantName));
}

/** What the core is told. `remark`: what is to be said of deployments that are ready all the same. */
export function observationOf(hosted: Hosted, attempt: Attempt | undefined, remark?: string): Observation {
  const { status, production, shadow, coming } = hosted;
  const because = hosted.reason ?? `SageMaker says ${status} and no reason`;
  const present = [...production, ...(shadow === undefined ? [] : [shadow])].map(({ name }) => name);
  const ready = { status: 'ready', ...(remark === undefined ? {} : { reason: remark }) } as const;
  const pending = { status: 'pending' } as const;
  const failed = { status: 'failed', reason: because } as const;
  const here = isLost(hosted) ? failed : status === 'Creating' ? pending : ready;
  const lost = lostVariants(hosted, attempt).map(({ VariantName = '' }) => VariantName);
  const served = production[0]?.weight ?? 0;
  return {
    deployments:
      status === 'Deleting'
        ? []
        : [
            ...present.map((name) => ({ ...deploymentOf(name), ...here })),
            ...coming.map((name) => ({ ...deploymentOf(name), ...pending })),
            ...lost.map((name) => ({ ...deploymentOf(name), ...failed })),
          ],
    weights: weightsOf(hosted),
    ...(shadow === undefined || served === 0 || status === 'Deleting'
      ? {}
      : { mirror: { deployment: shadow.name, percent: Math.round((shadow.weight / served) * 100) } }),
    busy: isBusy(hosted),
    ...(attempt === undefined && status !== 'UpdateRollbackFailed'
      ? {}
      : { revertedByProvider: `SageMaker took back ${changeOf(lost)} of the endpoint ${hosted.name}: ${because}` }),
  };
}

const changeOf = (lost: readonly string[]): string =>
  lost.length === 0 ? 'the last change' : `the deployment of ${lost.join(', ')}`;

const deploymentOf = (name: string) => ({ name, version: versionOfName(name) });
