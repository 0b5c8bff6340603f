import { once } from 'node:events';
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { type CompiledConfig, type Config, compile, parseConfig } from '@serin/core/config/config';
import { bury } from '@serin/core/engine/dead-letters';
import { problemsOf } from '@serin/local/machine/limits';
import { askedUntil, judgedDaily, trainingRows } from '../../api/drifting.ts';
import { askedForChances, asTheyAre, estimatedDaily, measuredOf } from '../../api/estimating.ts';
import { codeDigest, memoryLog, modelRules, openWorld, start } from '../../api/world.ts';

/**
 * A project in the middle of its life, in memory: the real API over the real core, whose clock stands. It has what a
 * real server takes hours to come to: a candidate that was taken back, one that bakes, one that is held, an approval
 * that waits, an alert, a dead letter.
 */

const rules = (model: string, changes: Partial<Config['models'][string]> = {}) => ({
  ...modelRules,
  data: { ...modelRules.data, prefix: `${model}/` },
  on: {},
  ...changes,
});

export function projectOf(models: Config['models']): CompiledConfig {
  const read = parseConfig({ project: 'shop', models });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const digests = new Map(['./src', 'builtin:splitter'].map((code) => [code, codeDigest]));
  return compile(read.parsed, digests, 'local');
}

const trained = 'epoch 1  loss 0.41\nepoch 2  loss 0.33\nsaved model.json\n';

/** An empty world that a browser can look at. */
export async function openStory({
  log = trained,
  ...given
}: { readonly log?: string } & Pick<NonNullable<Parameters<typeof openWorld>[0]>, 'traffic' | 'measured'> = {}) {
  const events = memoryLog();
  let auc = 0.8;
  const world = await openWorld({
    events,
    ...given,
    auc: () => auc,
    logs: async () => ({ text: log, next: log.length, ended: true }),
    heartbeatMs: 500,
    problemsOf,
  });
  let told = 0;
  const tell = async () => {
    await world.pay();
    for (const event of world.events().slice(told)) events.add(event);
    told = world.events().length;
  };
  let streams = 0;
  const server = createServer(getRequestListener((request) => world.app.fetch(request)));
  server.prependListener('request', ({ url }, response) => {
    if (!url?.startsWith('/v1/events')) return;
    streams += 1;
    response.once('close', () => {
      streams -= 1;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no free port on 127.0.0.1');
  return {
    ...world,
    url: `http://127.0.0.1:${address.port}`,
    /** How many event streams are open. */
    streams: () => streams,
    /** Lets time pass, and announces what happened. */
    async pass(ms: number) {
      await world.pass(ms);
      await tell();
    },
    tell,
    scores(next: number) {
      auc = next;
    },
    async train(model: string, score: number, waitMs = 15 * 60_000) {
      auc = score;
      await world.drop(`${model}/${score}.csv`, `day,amount\n2026-01-01,${score}\n`, waitMs);
      await tell();
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export type Story = Awaited<ReturnType<typeof openStory>>;

/** The project as the pictures show it. */
export async function tellStory(given: Parameters<typeof openStory>[0] = {}): Promise<Story> {
  const story = await openStory(given);
  await story.release(
    projectOf({
      fraud: rules('fraud'),
      churn: rules('churn', { approval: { required: true } }),
      ranking: rules('ranking', { rollout: { ...modelRules.rollout, bake: '2h', tick: '10s' } }),
      prices: rules('prices'),
    }),
  );
  await story.train('fraud', 0.81);
  await story.train('fraud', 0.84);
  story.failing.set('v3', 0.2);
  await story.train('fraud', 0.85);
  story.failing.clear();
  await story.train('fraud', 0.7);
  await story.train('ranking', 0.7);
  await story.train('churn', 0.77, 5 * 60_000);
  await story.call('POST', '/v1/models/churn/versions/1/approve', { note: 'first one' });
  await story.pass(15 * 60_000);
  await story.train('ranking', 0.72, 5 * 60_000);
  await story.train('churn', 0.79, 5 * 60_000);
  await bury(
    story.ports.journal,
    {
      id: 'evt_01a22603',
      stream: 'model/fraud',
      signal: { type: 'dataHinted', keys: ['fraud/2026-01-03.csv'] },
      because: 'the signal has a field that this version does not know',
      at: story.now(),
    },
    { subject: 'queue', issuer: 'system', role: 'system' },
  );
  await story.token('viewer');
  await story.token('approver', ['churn']);
  await story.tell();
  return story;
}

const day = 86_400_000;

/** A model whose predictions are wrong in 5 % of all cases, and in 12 % once it has served for a day. */
export async function tellPerformance(): Promise<Story> {
  const wrong = (_: string, at = 0) => (at < start + day ? 0.05 : 0.12);
  const story = await openStory({ traffic: { perMinute: 5, wrong } });
  const monitor = { performance: { window: '1h', maturity: '2h', positive: 'fraud' } } as const;
  await story.release(projectOf({ fraud: rules('fraud', { rollout: judgedDaily.rollout, monitor }) }));
  await story.drop('fraud/a.csv', trainingRows, day / 2);
  for (let hours = 0; hours < 28; hours += 1) await story.pass(day / 24);
  return story;
}

/** A model whose requests turn after ten days, and what was seen of it two days later. */
export async function tellDrift(): Promise<Story> {
  const story = await openStory({ traffic: { asking: askedUntil(start + 10 * day) } });
  await story.release(projectOf({ fraud: rules('fraud', judgedDaily) }));
  await story.drop('fraud/a.csv', trainingRows, day / 2);
  await story.pass(11.6 * day);
  return story;
}

/** The same of a model that says how probable its answers are, and what is expected of it. */
export async function tellEstimate(): Promise<Story> {
  const { rows: held, calibrationError } = measuredOf(asTheyAre);
  const story = await openStory({
    traffic: { asking: askedForChances(asTheyAre, start + 10 * day) },
    measured: { calibration_error: calibrationError, holdout_rows: held },
  });
  await story.release(projectOf({ fraud: rules('fraud', estimatedDaily) }));
  await story.drop('fraud/a.csv', trainingRows, day / 2);
  await story.pass(11.6 * day);
  return story;
}
