import { setTimeout as sleep } from 'node:timers/promises';
import { configOf, type Installation, modelName, modelOf, openInstallation } from './installation.ts';
import { type Measure, median, ms, percentile, timed } from './measure.ts';
import { withDirectory } from './processes.ts';

const warmUp = 20;
const marker = '_SUCCESS';

/** From the moment a signal is received to the call that starts its job, over the real journal, engine and dispatcher. */
export function benchLatency(quick: boolean): Promise<readonly Measure[]> {
  const models = Array.from({ length: warmUp + (quick ? 100 : 300) }, (_, index) => modelName(index));
  return withDirectory(async (directory) => {
    const waiting = new Map<string, (at: number) => void>();
    let appends = 0;
    const installation = openInstallation({
      directory,
      onStart: ({ model }) => waiting.get(model)?.(performance.now()),
      onAppend() {
        appends += 1;
      },
    });
    await installation.release(configOf(models.length, { marker }));
    for (const model of models) await drop(installation, model);

    const after = async (said: (model: string) => Record<string, unknown>) => {
      const before = appends;
      const taken = await timed(models.length, async (index) => {
        const model = models[index] ?? '';
        const started = Promise.withResolvers<number>();
        waiting.set(model, started.resolve);
        await installation.send(`model/${model}`, said(model));
        await started.promise;
      });
      await allAre(installation, models, 'training');
      return { taken: taken.slice(warmUp), appends: (appends - before) / models.length };
    };
    const data = await after((model) => ({ type: 'dataHinted', keys: [`${model}/${marker}`] }));
    for (const model of models) await installation.send(`model/${model}`, { type: 'cancelRequested' });
    await allAre(installation, models, 'cancelled');
    const asked = await after(() => ({ type: 'runRequested', trigger: { kind: 'manual', force: true } }));

    const bare = await bareCommit(installation);
    await installation.close();
    return [
      measure('from `run.requested` received to the call of the provider', asked, bare),
      measure('from the last object of a drop (its marker) to the call of the provider', data, bare),
    ];
  });
}

async function drop({ buckets }: Installation, model: string): Promise<void> {
  await buckets('drops').write(`${model}/1.csv`, Buffer.from('a,b\n1,2\n'));
  await buckets('drops').write(`${model}/${marker}`, Buffer.from('done'));
}

async function allAre(installation: Installation, models: readonly string[], status: string): Promise<void> {
  for (const model of models) while ((await modelOf(installation, model)).run?.status !== status) await sleep(20);
}

/** One commit of SQLite to the disk, in milliseconds. */
async function bareCommit({ database }: Installation): Promise<number> {
  database.exec('CREATE TABLE bare (text TEXT)');
  const insert = database.prepare('INSERT INTO bare VALUES (?)');
  return median(await timed(100, () => insert.run('x'.repeat(500))));
}

function measure(
  what: string,
  { taken, appends }: { readonly taken: readonly number[]; readonly appends: number },
  bare: number,
): Measure {
  const p99 = percentile(taken, 0.99);
  return {
    what,
    goal: 'p99 < 50 ms',
    got: `p50 ${ms(median(taken))}, p99 ${ms(p99)}, of ${taken.length} one after another`,
    beside: `${appends.toFixed(1)} entries for each run, some after the call; one bare commit ${ms(bare)}`,
    met: p99 < 50,
  };
}
