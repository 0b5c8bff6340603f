import type { CloudFacts } from '@serin/clouds/facts';
import type { InstanceType } from '@serin/clouds/instance-types';
import { instanceTypeOf } from '@serin/clouds/limits';
import { priceOf } from '@serin/clouds/prices';
import type { CompiledConfig } from '@serin/core/config/config';
import { type Part, partsOf } from '@serin/core/config/parts';

/** What one job or deployment of a model runs on, and how that came about. */
export interface PlannedInstances {
  /** `models.fraud.train` */
  readonly path: string;
  readonly use: Part['use'];
  readonly machine: InstanceType & { readonly usdPerHour?: number };
  readonly machines: number;
  readonly atRest: number;
  readonly maxRuntimeMs?: number;
  readonly because: string;
  /** What the provider counts these instances against. */
  readonly quota?: string;
  /** Units of the quota that all of them take at once. */
  readonly units?: number;
}

/** The instances of a config on a cloud; parts without a fitting type are problems, and are left out here. */
export const instancesOf = (config: CompiledConfig, facts: CloudFacts): readonly PlannedInstances[] =>
  Object.entries(config.models).flatMap(([model, plan]) =>
    partsOf(plan).flatMap((part) => {
      const found = instanceTypeOf(part, facts.instanceTypes);
      return 'problem' in found ? [] : [planned(`models.${model}.${part.path}`, part, found.type, facts)];
    }),
  );

function planned(path: string, part: Part, type: InstanceType, facts: CloudFacts): PlannedInstances {
  const price = priceOf(facts, type.name);
  const counted = facts.quotas.of(part, type);
  const atOnce = part.use === 'serve' ? facts.quotas.atUpdate(part.instances, type) : part.instances;
  return {
    path,
    use: part.use,
    machine: { ...type, ...(price === undefined ? {} : { usdPerHour: price.usdPerHour }) },
    machines: part.instances,
    atRest: part.atRest,
    ...(part.maxRuntimeMs === undefined ? {} : { maxRuntimeMs: part.maxRuntimeMs }),
    because: reasonOf(part, type, facts),
    ...(counted === undefined ? {} : { quota: counted.quota, units: atOnce * counted.each }),
  };
}

function reasonOf({ accelerator: wanted, use }: Part, { accelerator: had }: InstanceType, { cloud }: CloudFacts) {
  if (wanted === undefined || had === undefined) return `no accelerator is asked for: the default of ${cloud}`;
  const smallest = `the smallest that ${cloud} can ${use} on with ${wanted.count} ${wanted.type}`;
  const spare = had.count - wanted.count;
  return spare === 0
    ? `${smallest} (${had.memoryGbEach} GB)`
    : `${smallest}: it has ${had.count} (${had.memoryGbEach} GB each), and ${spare} of them would be paid for unused`;
}

/** A quota, and what a config may want of it at once if every model did its most at the same time. */
export interface Needed {
  readonly quota: string;
  readonly machines: number;
}

export function quotasOf(planned: readonly PlannedInstances[], config: CompiledConfig): readonly Needed[] {
  const quotas = [...new Set(planned.flatMap(({ quota }) => quota ?? []))];
  const most = (of: readonly PlannedInstances[]): number => Math.max(0, ...of.map(({ units = 0 }) => units));
  return quotas.map((quota) => {
    const ofModels = Object.keys(config.models).map((model) =>
      planned.filter((one) => one.quota === quota && one.path.startsWith(`models.${model}.`)),
    );
    const endpoints = ofModels.map((its) => most(its.filter(({ use }) => use === 'serve')));
    // A run has one job at a time.
    const runs = ofModels.map((its) => most(its.filter(({ use }) => use !== 'serve')));
    const largest = runs.sort((one, other) => other - one).slice(0, config.concurrentRuns);
    return { quota, machines: [...endpoints, ...largest].reduce((sum, count) => sum + count, 0) };
  });
}

/** What `validate` and `plan` say about instances. */
export function instancesText(
  found: { readonly machines: readonly PlannedInstances[]; readonly quotas: readonly Needed[] },
  { quotas: { where, atUpdateText } }: CloudFacts,
): string {
  const lines = found.machines.map(
    ({ path, machine, machines, because }) => `  ${path}: ${machines} x ${machine.name}, ${because}`,
  );
  const serves = found.machines.some(({ use, quota }) => use === 'serve' && quota !== undefined);
  const checks = [
    `quotas to check in ${where}`,
    ...found.quotas.map(({ quota, machines }) => `  ${machines} x '${quota}'`),
    ...(serves ? [`  ${atUpdateText}`] : []),
  ];
  return ['instances', ...lines, ...(found.quotas.length === 0 ? [] : checks)].join('\n');
}
