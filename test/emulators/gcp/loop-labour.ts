import type { CustomJob } from '@serin/gcp/jobs/custom-jobs';
import { endpointName } from '@serin/gcp/names';
import { saidName } from '@serin/platform/jobs/said';
import { labour } from '../labour.ts';
import { installation } from '../loop.contract.ts';
import { names } from './functions-world.ts';
import { jobLineOf, type LoopWorld } from './loop-world.ts';

const idOf = ({ name }: CustomJob): string => name.replace(/^.*\//, '');

/** Work on Vertex AI, which leaves what it makes in the own bucket and tells by lines of its log, and its users. */
export function labourOf(world: LoopWorld, models: readonly string[], told: number) {
  const { jobs, now, pass } = world;
  const endpointOf = (model: string) => endpointName(installation, model);
  const folderOf = (id: string): string => {
    const uri = jobs.jobs.find((job) => idOf(job) === id)?.jobSpec.baseOutputDirectory?.outputUriPrefix ?? '';
    return uri.replace(`gs://${names.own}/`, '').replace(/\/$/, '');
  };
  const shop: Parameters<typeof labour>[0] = {
    ...{ now, pass },
    jobs: () =>
      jobs.jobs.map((job) => ({
        ...{ id: idOf(job), createdAt: Date.parse(job.createTime), kind: job.labels?.serin_kind },
        model: job.labels?.serin_model,
        said: job.jobSpec.workerPoolSpecs[0]?.containerSpec.env?.find(({ name }) => name === saidName)?.value,
      })),
    leave: (id, path, content) => world.google.storage.put(names.own, `${folderOf(id)}/${path}`, Buffer.from(content)),
    end: (id, startedAt) =>
      jobs.move(id, {
        state: 'JOB_STATE_SUCCEEDED',
        startTime: new Date(startedAt).toISOString(),
        endTime: new Date(now()).toISOString(),
      }),
    tell: (id) => world.publish(jobLineOf(id)),
    weights: (model) =>
      Object.entries(world.endpoints.endpoints.get(endpointOf(model))?.split ?? {}).map(
        ([id, share]) => [`v${id}`, share] as const,
      ),
    count: (model, { deployment, at, latencyMs, ended }) =>
      void world.metrics.predicted.push({
        ...{ endpoint: endpointOf(model), model: deployment.slice(1), at, latencyMs },
        code: ended === 'well' ? '2xx' : '5xx',
      }),
  };
  return labour(shop, models, told);
}
