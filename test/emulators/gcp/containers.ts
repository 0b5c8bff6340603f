import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobDescription } from '@serin/core/ports/jobs';
import { localFolder } from '@serin/platform/jobs/layout';
import { type Ended, mountedStore, runContained } from '../mounted-store.ts';
import { settings, start, type World } from './jobs-world.ts';

type Environment = Readonly<Record<string, string>>;

/**
 * Runs the containers of custom jobs on this machine, as Vertex AI would: `/gcs` is a folder into which the buckets of the
 * world are written, and from which what a job left goes back, with a marker for each folder, as Cloud Storage FUSE makes
 * one. `/tmp/serin` is a folder for each node. The image is this machine.
 */
export function containersOf(world: World) {
  const root = mkdtempSync(join(tmpdir(), 'vertex-containers-'));
  const mount = join(root, 'gcs');
  const store = mountedStore(mount, world);

  const here = (text: string, node: number): string =>
    text.replaceAll('/gcs/', `${mount}/`).replaceAll(localFolder, join(root, `node-${node}`));

  function runNode(spec: Spec, node: number, env: Environment): Promise<Ended> {
    const [shell = '', path = ''] = spec.command;
    const script = join(root, `start-${node}.sh`);
    writeFileSync(script, here(readFileSync(here(path, node), 'utf8'), node));
    const given = Object.fromEntries(spec.env.map(({ name, value }) => [name, value]));
    return runContained([shell, script], { ...given, ...env });
  }

  return {
    root,
    mount,
    lose: store.lose,
    filesOf: ({ artifacts }: JobDescription, output: string): readonly string[] =>
      readdirSync(join(mount, artifacts?.[output]?.uri.replace('gs://', '') ?? '')),
    /** Runs all nodes of a job to their end, tells Vertex AI of it, and answers what the job has come to. */
    async run(id: string, env: Environment = {}): Promise<JobDescription & { readonly printed: readonly string[] }> {
      for (const name of [settings.ownBucket, 'drops']) await store.bring(name);
      const job = world.fake.jobs.find(({ name }) => name.endsWith(`/${id}`));
      if (job === undefined) throw new Error(`there is no job ${id}`);
      const { workerPoolSpecs, baseOutputDirectory } = job.jobSpec as unknown as JobSpec; // as the request had it
      const counts = workerPoolSpecs.map(({ replicaCount }) => Number(replicaCount));
      const cluster = Object.fromEntries(
        counts.map((count, pool) => [
          `workerpool${pool}`,
          Array.from({ length: count }, (_, index) => `cmle-training-workerpool${pool}-1d969d3ba6-${index}:2222`),
        ]),
      );
      const base = baseOutputDirectory.outputUriPrefix;
      const nodes = counts.flatMap((count, pool) => Array.from({ length: count }, (_, index) => ({ pool, index })));
      const ended = await Promise.all(
        nodes.map(({ pool, index }, node) => {
          const task = { type: `workerpool${pool}`, index };
          const own = {
            AIP_MODEL_DIR: `${base}/model/`,
            AIP_CHECKPOINT_DIR: `${base}/checkpoints/`,
            // The form of a real one: GoogleCloudPlatform/vertex-ai-samples
            CLUSTER_SPEC: JSON.stringify({ cluster, environment: 'cloud', task, job: '{"index": 9, "type": "x"}' }),
          };
          const [spec] = workerPoolSpecs;
          if (spec === undefined) throw new Error('a job without a pool');
          return runNode(spec.containerSpec, node, { ...own, ...env });
        }),
      );
      await store.takeBack(settings.ownBucket);
      const failed = ended.findIndex(({ status }) => status !== 0);
      const times = { startTime: new Date(start).toISOString(), endTime: new Date(start + 30_000).toISOString() };
      const replica = `The replica workerpool${failed > 0 ? 1 : 0}-${Math.max(0, failed - 1)}`;
      const message = `${replica} exited with a non-zero status of ${ended[failed]?.status}. Termination reason: Error.`;
      world.fake.move(
        id,
        failed < 0
          ? { ...times, state: 'JOB_STATE_SUCCEEDED' }
          : { ...times, state: 'JOB_STATE_FAILED', error: { code: 3, message } },
      );
      for (const line of (ended[0]?.output ?? '').split('\n').filter(Boolean))
        world.fake.log(id, start, { textPayload: line });
      return { ...(await world.jobs.describe(id)), printed: ended.map(({ output }) => output.trim()) };
    },
    close: () => rmSync(root, { recursive: true, force: true }),
  };
}

interface Spec {
  readonly command: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
}

interface JobSpec {
  readonly workerPoolSpecs: readonly { readonly replicaCount: string; readonly containerSpec: Spec }[];
  readonly baseOutputDirectory: { readonly outputUriPrefix: string };
}
