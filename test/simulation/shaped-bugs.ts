import { Fault } from '@serin/core/base/fault';
import type { Ports } from '@serin/core/ports/ports';
import type { Observation } from '@serin/core/ports/serving';
import { labelledJobs } from './fakes/labelled-jobs.ts';
import type { Shape } from './fakes/shapes.ts';
import { core, type PlantedBug, platform, replaced, replacedServing } from './planted.ts';
import type { Fakes } from './universe.ts';
import type { Process } from './world.ts';

/** An adapter that takes "not found yet" for an answer. */
function believeNotFound(ports: Ports): Ports {
  return replaced(ports, 'jobs', {
    async describe(id) {
      try {
        return await ports.jobs.describe(id);
      } catch (error) {
        if (!(error instanceof Fault) || !error.message.includes('cannot be seen yet')) throw error;
        throw new Fault('notFound', error.message);
      }
    },
  });
}

/** An adapter that looks for the label of a job, finds none, and creates it: what it asked for before may still come. */
function createWithoutIntent(ports: Ports, fakes: Fakes, process: Process): Ports {
  return replaced(ports, 'jobs', {
    start: (job) => {
      const { shape, sim, jobs } = fakes;
      if (shape === undefined) return ports.jobs.start(job);
      const call = <Result>(name: string, apply: () => Result) => sim.call(process, name, apply);
      const now = () => sim.now;
      return labelledJobs({
        provider: jobs,
        now,
        unseenMs: () => shape.jobs.unseenMs[1],
        call,
        intents: new Map(),
      }).start(job);
    },
  });
}

/** An adapter that tells of what the provider took back for as long as the provider does, whatever was changed since. */
function tellForEver(ports: Ports): Ports {
  const told = new Map<string, string>();
  return replacedServing(ports, {
    async observe(endpoint) {
      const seen = await ports.serving('endpoint').observe(endpoint);
      if (seen === 'absent') return seen;
      if (seen.revertedByProvider !== undefined) told.set(endpoint, seen.revertedByProvider);
      const revertedByProvider = told.get(endpoint);
      return revertedByProvider === undefined ? seen : { ...seen, revertedByProvider };
    },
  });
}

/** An adapter that reads the status of an endpoint from its weights alone. */
function neverBusy(ports: Ports): Ports {
  return replacedServing(ports, {
    async observe(endpoint) {
      const seen = await ports.serving('endpoint').observe(endpoint);
      return seen === 'absent' ? seen : { ...seen, busy: false };
    },
  });
}

/** An adapter that puts an endpoint as it knows it from an earlier look: weights of others go back to what they were. */
function putWhatWasSeen(ports: Ports, { sim, serving }: Fakes, process: Process): Ports {
  const seen = new Map<string, Observation>();
  return replacedServing(ports, {
    async observe(endpoint) {
      const observation = await ports.serving('endpoint').observe(endpoint);
      if (observation !== 'absent') seen.set(endpoint, seen.get(endpoint) ?? observation);
      return observation;
    },
    async change(endpoint, operation) {
      const { weights } = seen.get(endpoint) ?? {};
      if (operation.kind !== 'deploy' || weights === undefined)
        return ports.serving('endpoint').change(endpoint, operation);
      await sim.call(process, 'serving.put', () => serving.put(endpoint, { weights }));
      return ports.serving('endpoint').change(endpoint, operation);
    },
  });
}

/** An adapter that looks for a job after an answer was lost, finds none yet, and says that it was refused. */
function takeLostForRefused(ports: Ports): Ports {
  return replaced(ports, 'jobs', {
    async start(job) {
      try {
        return await ports.jobs.start(job);
      } catch (error) {
        if (!(error instanceof Fault) || error.code !== 'unavailable') throw error;
        throw new Fault('invalid', error.message);
      }
    },
  });
}

const onShape = (shape: Shape['name'], bug: PlantedBug): PlantedBug => ({ ...bug, shape });

/** Bugs that only a cloud shows: hunted on a machine they are not found. */
export const shapedBugs: readonly PlantedBug[] = [
  onShape('aws', {
    name: 'a job that cannot be seen yet is taken for none',
    bugs: { ports: (ports) => believeNotFound(ports) },
    scenario: 'a drop becomes the champion',
  }),
  onShape('vertex', {
    name: 'a job is created without an intent',
    bugs: { ports: (ports, process, fakes) => createWithoutIntent(ports, fakes, process) },
    scenario: 'a drop becomes the champion',
  }),
  onShape(
    'vertex',
    platform(
      'a request that was lost is taken for one that was refused',
      'jobs/start-once.ts',
      "if (error instanceof Fault && error.code !== 'unavailable') await takeBack();",
      'await takeBack();',
      'a drop becomes the champion',
    ),
  ),
  onShape(
    'vertex',
    platform(
      'no look follows the intent of a job',
      'jobs/start-once.ts',
      'const late = await adopted(creation);',
      'const late = known;',
      'a drop becomes the champion',
    ),
  ),
  onShape(
    'vertex',
    platform(
      'who was held up after an intent asks for the job all the same',
      'jobs/start-once.ts',
      '- notedAt > askWithinMs',
      '- notedAt > 600 * askWithinMs',
      'a drop becomes the champion',
    ),
  ),
  onShape('aws', {
    name: 'what the provider took back is told for ever',
    bugs: { ports: (ports) => tellForEver(ports) },
    scenario: 'the next version waits while a candidate breaks',
  }),
  onShape('aws', {
    name: 'what is under way is taken for done',
    bugs: { ports: (ports) => neverBusy(ports) },
    scenario: 'a first version is aborted, and nothing comes after it',
  }),
  onShape(
    'vertex',
    core(
      'a look from before the last forward write counts',
      'model/endpoint/endpoint.ts',
      'looksAgain ? { ...rest, looks: endpoint.looks + 1, lookAt: at } : rest',
      'rest',
      'an alert comes while shifting',
    ),
  ),
  onShape(
    'azure',
    platform(
      'who was held up after a look writes all the same',
      'serving.ts',
      'if (now() - orderedAt > writeWithinMs)',
      'if (now() - orderedAt > 600 * writeWithinMs)',
      'an alert comes while shifting',
    ),
  ),
  onShape('azure', {
    name: 'an endpoint is put as it was seen before',
    bugs: { ports: (ports, process, fakes) => putWhatWasSeen(ports, fakes, process) },
    scenario: 'a second drop goes through its canary',
  }),
  onShape('azure', {
    name: 'a job that is not there yet is taken for refused',
    bugs: { ports: (ports) => takeLostForRefused(ports) },
    scenario: 'a drop becomes the champion',
  }),
  onShape(
    'azure',
    core(
      'a put of the weights before a revert is not waited for',
      'model/endpoint/endpoint.ts',
      'const mayLand = forward !== undefined && begunAt < forward.until;',
      'const mayLand = false;',
      'an alert comes while shifting',
    ),
  ),
  onShape(
    'aws',
    core(
      'a first version is not wished for until it is promoted',
      'model/between/endpoint-wish.ts',
      'stable === undefined ? 100 : candidateWeight(rollout)',
      'candidateWeight(rollout)',
      'a drop becomes the champion',
    ),
  ),
  onShape(
    'aws',
    core(
      'what was not measured is taken for quick',
      'judge/evidence.ts',
      'return bad === undefined ? undefined : { bad, of: counts.requests };',
      'return { bad: bad ?? 0, of: counts.requests };',
      'a second drop goes through its canary',
    ),
  ),
];
