import { deploymentName, endpointName, nameOfDeployment } from '@serin/azure/names';
import { saidName } from '@serin/platform/jobs/said';
import { labour } from '../labour.ts';
import { installation } from '../loop.contract.ts';
import { names } from './functions-world.ts';
import type { LoopWorld } from './loop-world.ts';

/** Work in Azure ML, which leaves what it makes in the own container, and its users. */
export function labourOf(
  { azure, jobs, endpoints, metrics, now, pass }: LoopWorld,
  models: readonly string[],
  told: number,
) {
  const endpointOf = (model: string) => endpointName(installation, model);
  const shop: Parameters<typeof labour>[0] = {
    ...{ now, pass },
    jobs: () =>
      [...jobs.jobs].map(([id, { properties, createdAt }]) => ({
        ...{ id, createdAt, kind: properties.tags['serin-kind'] },
        model: properties.tags['serin-model'],
        said: properties.environmentVariables[saidName],
      })),
    leave: (id, path, content) => azure.put(names.own, `jobs/${id}/${path}`, content),
    end: (id, startedAt) =>
      jobs.move(id, 'Completed', {
        startTimeUtc: new Date(startedAt).toISOString(),
        endTimeUtc: new Date(now()).toISOString(),
      }),
    tell: (id) => azure.publish(runCompleted(id)),
    weights: (model) =>
      Object.entries(endpoints.endpoints.get(endpointOf(model))?.traffic ?? {}).map(
        ([name, share]) => [nameOfDeployment(name), share] as const,
      ),
    count: (model, { deployment, at, latencyMs, ended }) =>
      void metrics.requests.push({
        ...{
          endpoint: endpointOf(model),
          deployment: deploymentName(deployment),
          receivedAt: at,
          durationMs: latencyMs,
        },
        ...(ended === 'well' ? { status: 200, modelStatus: 200 } : { status: 424, modelStatus: 500 }),
      }),
  };
  return labour(shop, models, told);
}

/** As Event Grid tells of it. */
const runCompleted = (runId: string): string =>
  JSON.stringify({
    ...{ specversion: '1.0', type: 'Microsoft.MachineLearningServices.RunCompleted', id: runId },
    ...{ source: '/workspaces/w', subject: `experiments/e/runs/${runId}`, time: new Date().toISOString() },
    data: { experimentId: 'e', experimentName: 'prices', runId, runType: 'azureml.scriptrun' },
  });
