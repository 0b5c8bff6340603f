import type { CloudFacts } from '@serin/clouds/facts';
import { priceOf, type Usage, unitPriceOf } from '@serin/clouds/prices';
import { hour } from '@serin/core/base/time';
import type { CompiledConfig, ModelPlan } from '@serin/core/config/config';
import { stepsOf } from '@serin/core/config/steps';
import { comparesWithChampion } from '@serin/core/model/run/gate';
import type { PlannedInstances } from './instances.ts';
import type { Topology } from './topology.ts';

/** A quantity at a published price. Without one, `usd` is absent: an unknown price is never a zero. */
export interface Cost {
  readonly what: string;
  readonly quantity: number;
  readonly unit: string;
  readonly why: string;
  readonly usd?: number;
  readonly price?: { readonly usd: number; readonly region?: string; readonly source: string; readonly asOf: string };
  readonly freePerMonth?: number;
}

export interface Sum {
  readonly usd: number;
  /** What has no published price, and is not in the sum. */
  readonly unpriced: readonly string[];
  readonly costs: readonly Cost[];
}

const hoursPerMonth = 730;
/** Of which the costs of retraining are told. */
export const retrains = 100;

// A guess, until a live account has measured it. It is printed with the sum.
const signalsPerRun = 1000;

/** A month in which nothing happens: the backend, and endpoints with their fewest instances. */
export function costsAtRest(topology: Topology, machines: readonly PlannedInstances[], facts: CloudFacts): Sum {
  const backend = topology.costsAtRest.map(({ service, unit, perMonth, why }) =>
    unitCost(facts, { service, unit, quantity: perMonth, why }),
  );
  const endpoints = machines
    .filter(({ atRest }) => atRest > 0)
    .map(({ path, machine, atRest }) =>
      instanceCost(facts, path, machine.name, {
        hours: atRest * hoursPerMonth,
        why: `${atRest} instance(s), always on`,
      }),
    );
  return summed([...backend, ...endpoints]);
}

/** A hundred runs that pass and are rolled out. Jobs are reckoned with their `maxRuntime`: what they cost at most. */
export function costsOfRetrains(
  config: CompiledConfig,
  { metrics }: Pick<Topology, 'metrics'>,
  machines: readonly PlannedInstances[],
  facts: CloudFacts,
): Sum {
  const jobs = Object.entries(config.models).flatMap(([model, plan]) =>
    machines
      .filter(({ path, maxRuntimeMs }) => path.startsWith(`models.${model}.`) && maxRuntimeMs !== undefined)
      .map(({ path, use, machine, machines: count, maxRuntimeMs = 0 }) => {
        const twice = path.endsWith('.evaluate') && comparesWithChampion(plan.gate ?? {});
        const hours = retrains * (twice ? 2 : 1) * count * (maxRuntimeMs / hour);
        const why = `${retrains} x ${twice ? 'the challenger and the champion, ' : ''}${count} machine(s), ${maxRuntimeMs / hour} h at most to ${use}`;
        return instanceCost(facts, path, machine.name, { hours, why });
      }),
  );
  const rollouts = machines.filter(({ use }) => use === 'serve').map((one) => candidateCost(config, one, facts));
  const backend = Object.values(config.models).flatMap((plan) => backendCosts(plan, facts));
  const counted = usageOf(facts, 'metric').map(({ service, unit, each }) =>
    unitCost(facts, {
      service,
      unit,
      quantity: metrics.length * each,
      why: 'what the functions count, in a month in which each of it happens',
    }),
  );
  return summed([...jobs, ...rollouts, ...backend, ...counted]);
}

/** The candidate's instances beside the champion's, from its first step to the end of the guard. */
function candidateCost(config: CompiledConfig, { path, machine, atRest }: PlannedInstances, facts: CloudFacts): Cost {
  const plan = config.models[path.split('.')[1] ?? ''];
  const hours = plan === undefined ? 0 : rolloutMs(plan) / hour;
  return instanceCost(facts, path.replace(/serve$/, 'rollout'), machine.name, {
    hours: retrains * atRest * hours,
    why: `${retrains} x ${atRest} instance(s) of the candidate, ${Number(hours.toFixed(2))} h of steps and guard without a hold`,
  });
}

const rolloutMs = ({ rollout }: ModelPlan): number => stepsOf(rollout).length * rollout.bake + rollout.guard;

const usageOf = ({ prices }: CloudFacts, per: Usage['per']): readonly Usage[] =>
  prices.usage.filter((one) => one.per === per);

function backendCosts(plan: ModelPlan, facts: CloudFacts): readonly Cost[] {
  const ticks = plan.serve === 'none' ? 0 : rolloutMs(plan) / plan.rollout.tick;
  const signals = usageOf(facts, 'signal').map(({ service, unit, each }) =>
    unitCost(facts, {
      service,
      unit,
      quantity: retrains * signalsPerRun * each,
      why: `${retrains} x ${signalsPerRun} signals, ${each} each (assumed)`,
    }),
  );
  const reads = usageOf(facts, 'tick').map(({ service, unit, each }) =>
    unitCost(facts, {
      service,
      unit,
      quantity: retrains * ticks * each,
      why: `${retrains} x ${ticks} ticks, ${each} metrics each (assumed)`,
    }),
  );
  return ticks === 0 ? signals : [...signals, ...reads];
}

function unitCost(
  facts: CloudFacts,
  { service, unit, quantity, why }: { service: string; unit: string; quantity: number; why: string },
): Cost {
  const found = unitPriceOf(facts, service, unit);
  const free = found?.freePerMonth === undefined ? {} : { freePerMonth: found.freePerMonth };
  return { what: service, quantity, unit, why, ...priced(quantity, found), ...free };
}

function instanceCost(
  facts: CloudFacts,
  what: string,
  name: string,
  { hours, why }: { readonly hours: number; readonly why: string },
): Cost {
  const found = priceOf(facts, name);
  const price = found === undefined ? undefined : { ...found, usd: found.usdPerHour };
  return { what, quantity: hours, unit: `${name} hour`, why, ...priced(hours, price) };
}

function priced(
  quantity: number,
  found: { readonly usd: number; readonly region?: string; readonly source: string; readonly asOf: string } | undefined,
): Pick<Cost, 'usd' | 'price'> {
  if (found === undefined) return {};
  const { usd, region, source, asOf } = found;
  return { usd: quantity * usd, price: { usd, ...(region === undefined ? {} : { region }), source, asOf } };
}

const summed = (costs: readonly Cost[]): Sum => ({
  usd: costs.reduce((total, { usd = 0 }) => total + usd, 0),
  unpriced: costs.filter(({ usd }) => usd === undefined).map(({ what, unit }) => `${what}: ${unit}`),
  costs,
});
