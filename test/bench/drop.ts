import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Signal } from '@serin/core/engine/outcome';
import { modelIn } from '@serin/core/inbound/fact';
import { routesOf } from '@serin/core/inbound/route';
import { engineActor } from '@serin/core/ports/actors';
import type { Job } from '@serin/core/ports/jobs';
import { watchBuckets } from '@serin/local/signals';
import { configOf, type Installation, modelName, modelOf, openInstallation } from './installation.ts';
import { count, type Measure, ms } from './measure.ts';
import { withDirectory } from './processes.ts';

const files = 10_000;
const model = modelName(0);
const stream = `model/${model}`;

/** Ten thousand files copied into a bucket folder by another program: how many runs, commits and seconds they become. */
export function benchDrop(): Promise<readonly Measure[]> {
  return withDirectory(async (directory) => {
    const watched = Promise.withResolvers<Job>();
    const jobs: Job[] = [];
    const commits = new Map<string, number>();
    const installation = openInstallation({
      directory,
      onStart(job) {
        jobs.push(job);
        watched.resolve(job);
      },
      onAppend: ({ stream: of }) => commits.set(of, (commits.get(of) ?? 0) + 1),
    });
    const config = configOf(1, { quiet: '3s' });
    await installation.release(config);
    commits.clear();
    const watch = watchBuckets({
      directory: join(directory, 'buckets'),
      hint: ({ stream, signal }) => hint(installation, modelIn(stream), 'keys' in signal ? signal.keys : []),
      onFault: console.error,
    });
    watch.follow(routesOf(config));

    const begun = Date.now();
    drop(join(directory, 'buckets', 'drops', model));
    const dropped = Date.now();
    const settled = settling(installation);
    await watched.promise;
    const started = Date.now();
    const quietAt = await settled;

    const own = commits.get(stream) ?? 0;
    const all = [...commits.values()].reduce((sum, number) => sum + number, 0);
    const objects = (await modelOf(installation, model)).run?.dataset.objects;
    watch.close();
    await installation.close();
    if (objects !== files) throw new Error(`the run has ${objects} objects, not ${files}`);
    return [
      {
        what: `one drop of ${count(files)} files of 1 KB, copied into a bucket folder`,
        goal: 'one run, at most 20 commits, under 5 s after the drop settles',
        got: `${jobs.length} run, ${own} commits of the model (${all} in all), its job started ${ms(started - quietAt)} after the quiet period`,
        beside: `copying them took ${ms(dropped - begun)}; they are listed and hashed within the time after`,
        met: jobs.length === 1 && own <= 20 && started - quietAt < 5000,
      },
    ];
  });
}

function drop(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const row = 'x'.repeat(1000);
  for (let index = 0; index < files; index += 1) writeFileSync(join(folder, `${index}.csv`), `${index},${row}`);
}

function hint({ engine, dispatcher }: Installation, name: string, keys: readonly string[]): void {
  const signal = { type: 'dataHinted', keys, id: 'hint', at: Date.now(), actor: engineActor } as unknown as Signal;
  void engine
    .receive(`model/${name}`, signal)
    .then(({ kind }) => kind === 'moved' && dispatcher.nudge(`model/${name}`));
}

/** When the quiet period of the drop was over: read off the last state that was still settling. */
async function settling(installation: Installation): Promise<number> {
  for (let quietUntil = 0; ; ) {
    const { intake } = await modelOf(installation, model);
    if (intake.status === 'settling') quietUntil = intake.quietUntil;
    if (intake.status !== 'settling' && quietUntil > 0) return quietUntil;
    await sleep(20);
  }
}
