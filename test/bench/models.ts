import { join } from 'node:path';
import { configOf, type Installation, modelName, openInstallation } from './installation.ts';
import { count, type Measure, median, ms, percentile, timed } from './measure.ts';
import { startScript, withDirectory } from './processes.ts';
import { fillRuns } from './runs.ts';

/** Many models with nothing to do, and a long history: what the clock and the lists of the API cost then. */
export function benchModels(quick: boolean): Promise<readonly Measure[]> {
  const [models, runs] = quick ? [1000, 10_000] : [10_000, 100_000];
  return withDirectory(async (directory) => {
    const data = join(directory, 'data');
    const installation = openInstallation({ directory: data });
    const begun = performance.now();
    await installation.release(configOf(models));
    const released = performance.now() - begun;
    await fillRuns(installation, runs);
    const clock = await clockTicks(installation);
    await installation.close();
    return [releaseMeasure(models, released), clockMeasure(models, clock), ...(await overHttp(data, models, runs))];
  });
}

async function clockTicks({ dispatcher, database }: Installation) {
  const query = database.prepare('SELECT count(*) AS total FROM heads WHERE due IS NOT NULL');
  const waiting = Number(query.get()?.total);
  await timed(20, () => dispatcher.sweep());
  return {
    waiting,
    tick: await timed(300, () => dispatcher.sweep()),
    count: median(await timed(20, () => query.get())),
  };
}

function releaseMeasure(models: number, taken: number): Measure {
  return {
    what: `a first release of ${count(models)} models, until each has its plan`,
    goal: 'none',
    got: `${(taken / 1000).toFixed(1)} s`,
    beside: `${ms(taken / models)} for each model, every one a durable commit of its own stream`,
    met: true,
  };
}

function clockMeasure(models: number, clock: Awaited<ReturnType<typeof clockTicks>>): Measure {
  return {
    what: `a tick of the clock: ${count(models)} models, nothing due`,
    goal: '< 5 ms',
    got: `median ${ms(median(clock.tick))}, p99 ${ms(percentile(clock.tick, 0.99))}`,
    beside: `${count(clock.waiting)} streams wait for a time; counting them takes SQLite ${ms(clock.count)}`,
    met: percentile(clock.tick, 0.99) < 5,
  };
}

async function overHttp(directory: string, models: number, runs: number): Promise<readonly Measure[]> {
  const server = await startScript('server.ts', [directory]);
  const { url, token } = server.said as { readonly url: string; readonly token: string };
  const get = async (path: string): Promise<Page> => {
    const response = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Page;
  };
  try {
    const bare = percentile(await timed(100, () => get('/v1/status')), 0.95);
    const beside = `p95 of GET /v1/status: ${ms(bare)}`;
    const lists = [
      { what: `a list of 100 of ${count(models)} models`, path: '/v1/models?limit=100' },
      { what: `a page of 100 of ${count(runs)} runs`, path: '/v1/runs?limit=100' },
      { what: `the same, of one model of ${count(models)}`, path: `/v1/runs?limit=100&model=${modelName(7)}` },
    ];
    const measures: Measure[] = [];
    for (const { what, path } of lists) {
      const taken = await walk(path, get);
      const p95 = percentile(taken, 0.95);
      const got = `p50 ${ms(median(taken))}, p95 ${ms(p95)}, over ${taken.length} pages`;
      measures.push({ what, goal: 'p95 < 100 ms', got, beside, met: p95 < 100 });
    }
    return measures;
  } finally {
    await server.stop();
  }
}

interface Page {
  readonly next?: string;
}

/** Times of the pages of a list, from its beginning on. */
async function walk(path: string, get: (path: string) => Promise<Page>): Promise<readonly number[]> {
  let next: string | undefined;
  await get(path);
  return timed(100, async () => {
    const page = await get(next === undefined ? path : `${path}&cursor=${encodeURIComponent(next)}`);
    next = page.next;
  });
}
