import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type CapturedLoop,
  type CapturedModel,
  type CapturedOwn,
  csvOf,
  dice,
  type Exchange,
  minute,
  modelOf,
  rowOf,
  type Story,
  storyOf,
} from './captured.ts';
import type { Shown } from './loop.contract.ts';

interface Own extends CapturedOwn {
  /** The field by which labels name requests, where no caller knows the id of the cloud. */
  readonly idField?: 'order';
}

/** Requests of one deployment, and how many of a hundred of its answers turn out to be wrong. */
interface Asked {
  readonly deployment: string;
  readonly requests: number;
  readonly wrong: number;
}

const hour = 60 * minute;
/** In which requests come; afterwards nobody asks until the next ones. */
const busyMs = 10 * minute;
/** More than `busyMs` and a tick: their labels are told at its end. */
const maturity = '15m';
const limit = 0.3;
const about = /^(performance|alert|run\.refused|rollout\.(promoted|rolledback))/;

/**
 * Labels that come later, of captured requests: the same chapters for each cloud, through the functions as they are deployed
 * there. Those of `rents` come through the API and judge a rollout; those of `prices` are files, and judge its champion. Each
 * chapter goes on where the one before ended.
 */
export function labelsLoopContract(open: () => Promise<CapturedLoop>, { needs, idField }: Own): void {
  describe('the loop of labels', () => {
    let loop: CapturedLoop;
    let story: Story;
    beforeAll(async () => {
      loop = await open();
      story = await storyOf(loop);
      // Some worlds begin now, and evidence comes by the hour.
      await loop.pass(hour - (loop.now() % hour));
      await release({ onData: true });
    }, 120_000);
    afterAll(() => loop?.close());

    /** `onData`: of `prices`. */
    async function release({ onData }: { readonly onData: boolean }): Promise<void> {
      const id = idField === undefined ? {} : { id: idField };
      const capture = { share: '100%', fields: ['order', 'n', 'colour'], ...id };
      const [prices, rents] = [modelOf('prices', loop.image), modelOf('rents', loop.image)];
      const guardrails = { errors: false, latency: false, labels: { maturity, floor: 0.05 } };
      await story.release({
        prices: {
          ...{ ...prices, on: { data: onData }, labels: { bucket: 'drops', prefix: 'told/' } },
          // How its versions take over is not what is looked at.
          rollout: { ...prices.rollout, strategy: 'allAtOnce' },
          monitor: { capture, onPerformance: 'run', cooldown: '1m', performance: { window: '1h', maturity, limit } },
        },
        rents: { ...rents, monitor: { capture }, rollout: { ...rents.rollout, atMost: '6h', guardrails } },
      });
    }
    const saidOf = (model: CapturedModel) => story.saidOf(model, about);
    const performanceOf = async (): Promise<Shown> => (await story.driftOf('prices')).performance;
    const jobs = { step: 3 * minute, most: 60 };
    const pause = { step: 10 * minute, most: 24 };

    async function drop(model: CapturedModel, seed: number): Promise<void> {
      await loop.put(`${model}/train/rows.csv`, csvOf(seed, 30));
      await loop.drop(`${model}/holdout/rows.csv`, csvOf(seed + 1, 30));
    }

    let lastId = 0;
    const exchangesOf = (model: CapturedModel, { deployment, requests }: Asked): readonly Exchange[] => {
      const [next, from] = [dice(lastId), loop.now()];
      return Array.from({ length: requests }, (_, index) => {
        lastId += 1;
        const id = `${model}-${lastId}`;
        return {
          ...{ id, deployment, at: from + Math.floor((index * busyMs) / requests) },
          body: { instances: [{ order: id, ...rowOf(next) }] },
          answer: { predictions: [lastId] },
        };
      });
    };

    /** Users ask for ten minutes, the cloud keeps copies, and then it turns out which answers were right. */
    async function ask(asked: Partial<Record<CapturedModel, readonly Asked[]>>): Promise<void> {
      const labels: Partial<Record<CapturedModel, object[]>> = {};
      for (const model of ['prices', 'rents'] as const)
        for (const each of asked[model] ?? []) {
          const exchanges = exchangesOf(model, each);
          await loop.keep(model, exchanges);
          const told = exchanges.map(({ id, at, answer: { predictions } }, index) => ({
            ...{ requestId: id, time: new Date(at).toISOString() },
            truth: (predictions[0] ?? 0) + ((index * each.wrong) % 100 < each.wrong ? 1_000_000 : 0),
          }));
          labels[model] = [...(labels[model] ?? []), ...told];
        }
      await loop.pass(busyMs);
      if (labels.rents !== undefined) {
        const { status, body } = await loop.call('POST', '/v1/labels', { labels: labels.rents });
        expect([status, body.totals?.recorded]).toEqual([200, labels.rents.length]);
      }
      const lines = (labels.prices ?? []).map((label) => `${JSON.stringify(label)}\n`);
      await loop.drop(`told/${lastId}.ndjson`, lines.join(''));
      await loop.pump();
    }

    /** The requests that come now are of one hour, and so of one window. */
    async function inOneHour(): Promise<void> {
      const left = hour - (loop.now() % hour);
      if (left < busyMs + minute) await loop.pass(left);
    }
    const windowsOf = async (): Promise<readonly Shown[]> => (await performanceOf()).windows;
    /** The cloud has confirmed that half of the users of `rents` ask a candidate: labels of earlier requests say nothing. */
    async function atHalf(version: number): Promise<void> {
      await story.until(async () => {
        const { endpoint, rollout } = await story.modelNamed('rents');
        return endpoint.weights[`v${version}`] === 50 && rollout.status === 'baking';
      }, jobs);
      await loop.pass(minute);
    }

    test('models that nothing is known of are not judged', async () => {
      loop.work.mapes = { prices: 0.1, rents: 0.1 };
      await drop('prices', 1);
      await drop('rents', 1);

      await story.until(async () => (await story.serves('prices', 1)) && (await story.serves('rents', 1)), jobs);

      expect(await performanceOf()).toMatchObject({ status: 'maturing', version: 1, windows: [], limit });
      // Newer data is there when something else asks for a run.
      await release({ onData: false });
      await drop('prices', 10);
    }, 300_000);

    test('a candidate that labels say is worse is taken back', async () => {
      await drop('rents', 20);
      await atHalf(2);
      await inOneHour();
      await ask({
        prices: [{ deployment: 'v1', requests: 210, wrong: 60 }],
        rents: [
          { deployment: 'v1', requests: 100, wrong: 20 },
          { deployment: 'v2', requests: 100, wrong: 60 },
        ],
      });

      await story.until(async () => (await story.modelNamed('rents')).rollout?.status === 'rolledBack', pause);
      const { rollout, champion } = await story.modelNamed('rents');
      const { candidate, because } = await story.read(`/v1/rollouts/${rollout.id}`);

      expect([champion, candidate]).toEqual([1, 2]);
      expect(because).toMatch(
        /^60 % of the candidate's 100 predictions were wrong \(60\), and 20 % of the champion's 100 \(20\)/,
      );
      await story.until(() => story.serves('rents', 1), jobs);
      expect(await loop.weights('rents')).toEqual({ v1: 100 });
      expect(saidOf('rents')).toEqual(['rollout.promoted', 'rollout.rolledback']);
    }, 300_000);

    test('a champion that labels say is worse is one incident, and one run', async () => {
      await story.until(async () => (await performanceOf()).incident !== undefined, pause);
      const { incident, windows } = await performanceOf();
      loop.work.mapes = { prices: 0.09, rents: 0.09 };
      await story.until(() => story.serves('prices', 2), jobs);

      expect(windows).toMatchObject([
        { version: 1, predictions: 210, labels: 210, losses: 0, loss: 0.6, limit, alarm: true },
      ]);
      expect(incident).toMatchObject({ version: 1, loss: 0.6, limit, clean: 0 });
      expect(saidOf('prices')).toEqual(['rollout.promoted', 'alert.received', 'performance.lost', 'rollout.promoted']);
      expect((await story.triggers('prices')).length).toBe(2);
      expect(await performanceOf()).toMatchObject({ version: 2, incident: { clean: 0 } });
    }, 300_000);

    test('a candidate that labels say is better takes over', async () => {
      await drop('rents', 30);
      await atHalf(3);
      await inOneHour();
      await ask({
        prices: [{ deployment: 'v2', requests: 210, wrong: 5 }],
        rents: [
          { deployment: 'v1', requests: 100, wrong: 60 },
          { deployment: 'v3', requests: 100, wrong: 5 },
        ],
      });

      await story.until(() => story.serves('rents', 3), pause);

      expect(saidOf('rents')).toEqual(['rollout.promoted', 'rollout.rolledback', 'rollout.promoted']);
      expect((await windowsOf()).at(-1)).toMatchObject({ version: 2, labels: 210, alarm: false });
      expect((await performanceOf()).incident).toMatchObject({ clean: 1 });
    }, 300_000);

    test('three windows that labels say are good end the incident', async () => {
      for (const number of [3, 4]) {
        await inOneHour();
        await ask({ prices: [{ deployment: 'v2', requests: 210, wrong: 5 }] });
        await story.until(async () => (await windowsOf()).length >= number, pause);
      }

      expect((await performanceOf()).incident).toBeUndefined();
      expect((await windowsOf()).map(({ labels, alarm }) => [labels, alarm])).toEqual([
        [210, true],
        [210, false],
        [210, false],
        [210, false],
      ]);
      expect(saidOf('prices').slice(-2)).toEqual(['alert.resolved', 'performance.recovered']);
      expect((await story.triggers('prices')).length).toBe(2);
      expect(loop.jobsOf('prices').filter((kind) => kind === 'train')).toEqual(['train', 'train']);
    }, 300_000);

    test('the functions did what their roles allow, and nothing else', () => {
      const done = loop.done();

      expect(loop.refused()).toEqual([]);
      for (const what of needs) expect([what, done.some((each) => what.test(each))]).toEqual([what, true]);
    });
  });
}
