import type { CustomJob } from '@serin/gcp/jobs/custom-jobs';
import { endpointName } from '@serin/gcp/names';
import { installation, type Loop, usersOf } from '../loop.contract.ts';
import { names } from './functions-world.ts';
import { jobLineOf, type LoopWorld } from './loop-world.ts';

const minute = 60_000;
/** From its creation to its end; in between it is in progress. */
const jobMs = 3 * minute;

const idOf = ({ name }: CustomJob): string => name.replace(/^.*\//, '');

/**
 * The other side of the world: jobs do their work and end, of which every second is told by a line of its log and all
 * others by nobody, and users send requests to whatever serves.
 */
export function labour(world: LoopWorld) {
  const over = new Set<string>();
  const state: Loop['work'] & Pick<Loop, 'minute'> = {
    nextMape: 0.1,
    failing: undefined,
    async minute() {
      await world.minute();
      for (const job of world.jobs.jobs)
        if (!over.has(job.name) && world.now() - Date.parse(job.createTime) >= jobMs) finish(job);
      traffic();
    },
  };

  function finish(job: CustomJob): void {
    over.add(job.name);
    const id = idOf(job);
    const uri = job.jobSpec.baseOutputDirectory?.outputUriPrefix ?? '';
    const base = uri.replace(`gs://${names.own}/`, '').replace(/\/$/, '');
    const [pool] = job.jobSpec.workerPoolSpecs;
    const said = pool?.containerSpec.env?.find(({ name }) => name === 'SERIN_JOB')?.value ?? '{"outputs":[]}';
    for (const output of (JSON.parse(said) as { readonly outputs: readonly string[] }).outputs)
      leave(output === 'model' ? `${base}/model/model.bin` : `${base}/output/data/${output}/rows.csv`, `of ${id}`);
    if (job.labels?.serin_kind === 'evaluate')
      leave(`${base}/output/data/metrics.json`, JSON.stringify({ mape: state.nextMape }));
    world.jobs.move(id, {
      state: 'JOB_STATE_SUCCEEDED',
      startTime: new Date(world.now() - 2 * minute).toISOString(),
      endTime: new Date(world.now()).toISOString(),
    });
    if (over.size % 2 === 0) world.publish(jobLineOf(id));
  }

  const leave = (key: string, content: string): void => world.google.storage.put(names.own, key, Buffer.from(content));

  function traffic(): void {
    const endpoint = endpointName(installation, 'prices');
    const split = world.endpoints.endpoints.get(endpoint)?.split ?? {};
    const weights = Object.entries(split).map(([id, share]) => [`v${id}`, share] as const);
    // Of a model that hangs nothing is counted, which is the worst that Vertex AI may do.
    for (const { deployment, at, latencyMs, ended } of usersOf(weights, world.now(), state.failing))
      if (ended !== 'never')
        world.metrics.predicted.push({
          ...{ endpoint, model: deployment.slice(1), at, latencyMs },
          code: ended === 'well' ? '2xx' : '5xx',
        });
  }

  return state;
}
