import { deploymentName, endpointName, nameOfDeployment } from '@serin/azure/names';
import { saidName } from '@serin/platform/jobs/said';
import { labour } from '../labour.ts';
import { installation } from '../loop.contract.ts';
import { names } from './functions-world.ts';
import type { LoopWorld } from './loop-world.ts';

/** Work in Azure ML, which leaves what it makes in the own container, and its users. */
export function labourOf({ azure, jobs, endpoints, metrics, now, minute }: LoopWorld) {
  const endpoint = endpointName(installation, 'prices');
  return labour({
    ...{ now, minute },
    jobs: () =>
      [...jobs.jobs].map(([id, { properties, createdAt }]) => ({
        ...{ id, createdAt, kind: properties.tags['serin-kind'] },
        said: properties.environmentVariables[saidName],
      })),
    leave: (id, path, content) => azure.put(names.own, `jobs/${id}/${path}`, content),
    end: (id, startedAt) =>
      jobs.move(id, 'Completed', {
        startTimeUtc: new Date(startedAt).toISOString(),
        endTimeUtc: new Date(now()).toISOString(),
      }),
    tell: (id) => azure.publish(runCompleted(id)),
    weights: () =>
      Object.entries(endpoints.endpoints.get(endpoint)?.traffic ?? {}).map(
        ([name, share]) => [nameOfDeployment(name), share] as const,
      ),
    count: ({ deployment, at, latencyMs, ended }) =>
      void metrics.requests.push({
        ...{ endpoint, deployment: deploymentName(deployment), receivedAt: at, durationMs: latencyMs },
        ...(ended === 'well' ? { status: 200, modelStatus: 200 } : { status: 424, modelStatus: 500 }),
      }),
  });
}

/** As Event Grid tells of it. */
const runCompleted = (runId: string): string =>
  JSON.stringify({
    ...{ specversion: '1.0', type: 'Microsoft.MachineLearningServices.RunCompleted', id: runId },
    ...{ source: '/workspaces/w', subject: `experiments/e/runs/${runId}`, time: new Date().toISOString() },
    data: { experimentId: 'e', experimentName: 'prices', runId, runType: 'azureml.scriptrun' },
  });
