import type { Azure, Call } from '../calls/azure.ts';
import type { MlPlace } from '../calls/ml.ts';
import { guarded, ifThere } from '../faults.ts';
import { deploymentName } from '../names.ts';
import { scaleTag } from './deployments.ts';
import type { Deployed } from './endpoints.ts';

interface Options extends MlPlace {
  readonly azure: Azure;
  readonly region: string;
}

/** Settings of Azure Monitor that scale a deployment; what it wants is in its tags. */
export interface Scaling {
  /** Makes the setting of each deployment that wants one and has none. Twice: the same. */
  keep(endpoint: string, deployments: readonly Deployed[]): Promise<void>;
  /** Before a deployment goes, for its setting would stay. Twice: the same. */
  release(endpoint: string, deployment: string): Promise<void>;
}

/** So many deployments are known to have a setting; then all are asked for again. */
const remembers = 500;

/** https://learn.microsoft.com/azure/machine-learning/how-to-autoscale-endpoints */
export function deploymentScaling({ azure, subscription, resourceGroup, region }: Options): Scaling {
  const kept = new Set<string>();
  const settings = `subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.Insights/autoscalesettings`;
  const nameOf = (endpoint: string, deployment: string) => `${endpoint}-${deploymentName(deployment)}`;
  const call = (name: string, given: Pick<Call, 'method' | 'body' | 'repeatable'>): Call => ({
    service: 'management',
    path: `${settings}/${name}`,
    query: { 'api-version': '2022-10-01' },
    ...given,
  });

  async function ensure(name: string, { id, tags }: Deployed): Promise<void> {
    const [, minimum, maximum] = /^(\d+)-(\d+)$/.exec(tags[scaleTag] ?? '') ?? [];
    if (minimum === undefined || maximum === undefined || kept.has(id)) return;
    const doing = `scaling the deployment ${name}`;
    const found = await ifThere(doing, () => azure.json(call(name, { method: 'GET' })));
    const body = { location: region, properties: settingOf(id, { minimum, maximum, default: minimum }) };
    if (found === undefined)
      await guarded(doing, () => azure.json(call(name, { method: 'PUT', body, repeatable: true })));
    if (kept.size >= remembers) kept.clear();
    kept.add(id);
  }

  return {
    async keep(endpoint, deployments) {
      for (const deployment of deployments) await ensure(nameOf(endpoint, deployment.name), deployment);
    },

    async release(endpoint, deployment) {
      const name = nameOf(endpoint, deployment);
      await ifThere(`ending the scaling of the deployment ${name}`, () =>
        azure.bytes(call(name, { method: 'DELETE', repeatable: true })),
      );
      for (const id of kept) if (id.endsWith(`/${endpoint}/deployments/${deploymentName(deployment)}`)) kept.delete(id);
    },
  };
}

/** One more where the CPUs are over 70 % for five minutes, one less where they are under 30 %. */
const settingOf = (targetResourceUri: string, capacity: object) => ({
  enabled: true,
  targetResourceUri,
  profiles: [
    {
      name: 'load',
      capacity,
      rules: [
        rule(targetResourceUri, ['GreaterThan', 70], ['Increase', 'PT5M']),
        rule(targetResourceUri, ['LessThan', 30], ['Decrease', 'PT15M']),
      ],
    },
  ],
});

const rule = (
  metricResourceUri: string,
  [operator, threshold]: readonly [string, number],
  [direction, cooldown]: readonly [string, string],
) => ({
  metricTrigger: {
    ...{ metricName: 'CpuUtilizationPercentage', metricResourceUri, operator, threshold },
    ...{ timeGrain: 'PT1M', statistic: 'Average', timeWindow: 'PT5M', timeAggregation: 'Average' },
  },
  scaleAction: { direction, type: 'ChangeCount', value: '1', cooldown },
});
