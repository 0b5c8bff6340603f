import type { Cloud, Machine } from '@serin/clouds/accelerators';
import { machineOf, type Part, partsOf } from '@serin/clouds/platform-limits';
import type { CompiledConfig } from '@serin/core/config/config';

/** What one job or deployment of a model runs on, and how that came about. */
export interface PlannedMachine {
  /** `models.fraud.train` */
  readonly path: string;
  readonly use: Part['use'];
  readonly machine: Machine;
  readonly machines: number;
  readonly atRest: number;
  readonly maxRuntimeMs?: number;
  readonly because: string;
  /** What the provider counts these machines against. */
  readonly quota?: string;
}

/** The machines of a config on a cloud; parts without a fitting one are problems, and are left out here. */
export function machinesOf(config: CompiledConfig, cloud: Cloud): readonly PlannedMachine[] {
  return Object.entries(config.models).flatMap(([model, plan]) =>
    partsOf(plan).flatMap((part) => {
      const found = machineOf(part, cloud);
      if ('problem' in found) return [];
      const { machine } = found;
      const quota = cloud === 'aws' ? { quota: awsQuota(part, machine.name) } : {};
      return [
        {
          path: `models.${model}.${part.path}`,
          use: part.use,
          machine,
          machines: part.machines,
          atRest: part.atRest,
          ...(part.maxRuntimeMs === undefined ? {} : { maxRuntimeMs: part.maxRuntimeMs }),
          because: reasonOf(part, machine, cloud),
          ...quota,
        },
      ];
    }),
  );
}

function reasonOf({ accelerator: wanted, use }: Part, { accelerator: had }: Machine, cloud: Cloud): string {
  if (wanted === undefined || had === undefined) return `no accelerator is asked for: the default machine of ${cloud}`;
  const smallest = `the smallest that ${cloud} can ${use} on with ${wanted.count} ${wanted.type}`;
  const spare = had.count - wanted.count;
  return spare === 0
    ? `${smallest} (${had.memoryGbEach} GB)`
    : `${smallest}: it has ${had.count} (${had.memoryGbEach} GB each), and ${spare} of them would be paid for unused`;
}

// The names are those of the error that SageMaker answers when a quota is used up: "The account-level service limit
// 'ml.g5.xlarge for training job usage' is 0 Instances". Its defaults differ by account and are published nowhere.
const awsUses: Readonly<Record<Part['use'], string>> = {
  train: 'training job',
  process: 'processing job',
  serve: 'endpoint',
  transform: 'transform job',
};
const awsQuota = ({ use, spot }: Part, machine: string): string =>
  `${machine} for ${spot ? 'spot ' : ''}${awsUses[use]} usage`;

/**
 * SageMaker builds an updated endpoint whole before it takes the old one away: when a candidate comes the champion is
 * there twice, and when the champion goes the candidate is. Rolling updates, which need less, are for endpoints of one
 * variant only. https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html
 */
const fleetsAtUpdate = 3;

/** Machines at once that a config may want of each quota, if every model did its most at the same time. */
export function quotasOf(
  planned: readonly PlannedMachine[],
  config: CompiledConfig,
): readonly { readonly quota: string; readonly machines: number }[] {
  const quotas = [...new Set(planned.flatMap(({ quota }) => quota ?? []))];
  return quotas.map((quota) => {
    const ofModels = Object.keys(config.models).map((model) => {
      const its = planned.filter((one) => one.quota === quota && one.path.startsWith(`models.${model}.`));
      // A run has one job at a time.
      return Math.max(0, ...its.map(({ machines, use }) => (use === 'serve' ? fleetsAtUpdate * machines : machines)));
    });
    const largest = [...ofModels].sort((one, other) => other - one);
    const counted = isOfEndpoints(quota) ? largest : largest.slice(0, config.concurrentRuns);
    return { quota, machines: counted.reduce((sum, count) => sum + count, 0) };
  });
}

const isOfEndpoints = (quota: string): boolean => quota.endsWith(`${awsUses.serve} usage`);

/** What `validate` and `plan` say about machines. */
export function machinesText(found: {
  readonly machines: readonly PlannedMachine[];
  readonly quotas: readonly { readonly quota: string; readonly machines: number }[];
}): string {
  const lines = found.machines.map(
    ({ path, machine, machines, because }) => `  ${path}: ${machines} x ${machine.name}, ${because}`,
  );
  const checks = found.quotas.map(({ quota, machines }) => `  ${machines} x '${quota}'`);
  return [
    'machines',
    ...lines,
    ...(checks.length === 0
      ? []
      : [
          'quotas to check in Service Quotas (often 0 for accelerators in a new account; no list of defaults is published)',
          ...checks,
          ...(found.quotas.some(({ quota }) => isOfEndpoints(quota))
            ? [
                `  of an endpoint ${fleetsAtUpdate} times its machines: each update builds it anew beside the old one, with champion and candidate; less is a failed update, and the candidate is taken back`,
              ]
            : []),
        ]),
  ].join('\n');
}
