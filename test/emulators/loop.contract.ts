import { standardSigned } from '@serin/api/signatures';
import { compile, parseConfig } from '@serin/core/config/config';
import type { Platform } from '@serin/core/config/platforms';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { receiver } from '../contract/receiver.ts';
import { storeCode } from './aws/stored.ts';

export const installation = { project: 'shop', environment: 'prod' };

/** Which of the requests to a version fail, and how: with an answer that is an error, or with none. */
export interface Failing {
  readonly version: number;
  readonly share: number;
  readonly by: 'errors' | 'silence';
}

/** A model as the API shows it. */
// biome-ignore lint/suspicious/noExplicitAny: the shape of the answer is the API's, and its suites hold it
export type Shown = any;

/** An installation on a cloud, in which only the clock is ours, and what happens there by itself. */
export interface Loop {
  readonly platform: Platform;
  readonly image: string;
  /** What the next models score, those of one model if it is named, and which requests fail. */
  readonly work: { nextMape: number; mapes: Record<string, number>; failing: Failing | undefined };
  call(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: Shown }>;
  /** Everything that waits in the queue is delivered. */
  pump(): Promise<void>;
  /** A minute passes: the clock comes, then what was queued, then jobs end and users send requests. */
  minute(): Promise<void>;
  /** As much time passes at once; users send requests in its last minute. */
  pass(ms: number): Promise<void>;
  /** Puts an object into the own bucket. */
  store(key: string, content: string): Promise<unknown>;
  /** A new object in the bucket `drops`, and what the cloud tells of it. */
  drop(key: string, content: string): Promise<void>;
  /** An alarm of the cloud on the endpoint of `prices`. */
  alarm(): Promise<void>;
  putSecret(name: string, text: string): Promise<unknown>;
  /** The weights of the endpoint that is at rest, as the provider says them. */
  weights(model: string): Promise<Readonly<Record<string, number | undefined>>>;
  /** All that the functions have written: objects, journal, events, log lines; each with where it is. */
  written(): Promise<readonly (readonly [where: string, text: string])[]>;
  /** How often a training was paid for. */
  trainings(): number;
  /** Delivers messages as they are; answers the ids of those that come again. */
  deliver(messages: readonly Sent[]): Promise<readonly string[]>;
  /** Delivers to the function of dead letters what the queue gave up. */
  giveUp(message: Sent): Promise<readonly string[]>;
  /** Of the cloud: a message that cannot be read, one of nobody, and one that tells of this object. */
  readonly bodies: { readonly poison: string; readonly foreign: string; readonly object: (key: string) => string };
  close(): Promise<void>;
}

interface Sent {
  readonly id: string;
  readonly body: string;
}

/** What only one cloud can say of the same loop. */
interface Own<Of extends Loop> {
  /** How the command begins that creates a secret, and the name that it has there. */
  readonly creates: readonly [command: string, name: string];
  readonly alarms: string;
  /** Why a version is taken back whose requests are never answered: how the cloud counts them. */
  readonly silence: RegExp;
  /** After the first version served, a better one took over, and an alarm took a third one back. */
  afterStory(loop: Of): Promise<void>;
}

/** Planted where a secret is; found in what starts a program, and nowhere else. */
export const canaries = { 'api-key': 'canary-c0ffee-of-the-jobs', 'model-key': 'canary-decaf-of-the-model' } as const;

const configFor = (image: string) => ({
  ...installation,
  models: {
    prices: {
      data: { bucket: 'drops', prefix: 'prices/', settle: { quiet: '1m' } },
      split: { holdout: { by: 'rows', share: '20%' } },
      train: {
        code: './src',
        command: ['python', 'train.py'],
        image,
        hyperparameters: { epochs: 3 },
        environment: { API_KEY: { secret: 'api-key' }, MODE: 'plain' },
      },
      evaluate: { command: ['python', 'evaluate.py'], image, environment: { API_KEY: { secret: 'api-key' } } },
      gate: { mape: { direction: 'down', noWorseBy: 0.01 } },
      serve: { command: ['serve'], image, environment: { MODEL_KEY: { secret: 'model-key' } } },
      rollout: { strategy: 'canary', steps: [10, 50], bake: '5m', guard: '5m', readyWithin: '1h', warmUp: 0 },
    },
  },
});

/** The whole loop: the same sentences for each cloud, through the functions as they are deployed there. */
export function loopContract<Of extends Loop>(
  open: () => Promise<Of>,
  { creates, alarms, silence, afterStory }: Own<Of>,
): void {
  describe('the loop', () => {
    let loop: Of;
    let config: ReturnType<typeof configFor>;
    let digests: ReadonlyMap<string, string>;
    beforeEach(async () => {
      loop = await open();
      config = configFor(loop.image);
      for (const [name, text] of Object.entries(canaries)) await loop.putSecret(name, text);
      const stored = (files: Readonly<Record<string, string>>) =>
        storeCode(files, (_, key, text) => loop.store(key, text));
      digests = new Map([
        ['./src', await stored({ 'train.py': 'print(1)', 'evaluate.py': 'print(2)' })],
        ['builtin:splitter', await stored({ 'split.mjs': '' })],
      ]);
      await release(config);
    });
    afterEach(() => loop?.close());

    async function release(written: object): Promise<void> {
      const parsed = parseConfig(written);
      if (!('parsed' in parsed)) throw new Error(JSON.stringify(parsed.problems));
      const compiled = compile(parsed.parsed, digests, loop.platform);
      const { status, body } = await loop.call('POST', '/v1/releases', { config: compiled });
      expect([status, status === 202 ? '' : body]).toEqual([202, '']);
      await loop.pump();
    }

    const model = async (): Promise<Shown> => (await loop.call('GET', '/v1/models/prices')).body;
    const ended = async (id: string): Promise<Shown> => (await loop.call('GET', `/v1/rollouts/${id}`)).body;

    async function drop(name: string, mape: number): Promise<void> {
      loop.work.nextMape = mape;
      await loop.drop(`prices/${name} of 2026+27.csv`, `price\n${name}\n`);
      await loop.pump();
    }

    /** Minutes pass, with traffic and with jobs that come to their end, until it is so. */
    async function until(isSo: (seen: Shown) => boolean, minutes = 240): Promise<Shown> {
      for (let passed = 0; passed < minutes; passed += 1) {
        await loop.minute();
        const seen = await model();
        if (isSo(seen)) return seen;
      }
      throw new Error(`not so after ${minutes} minutes: ${summary(await model())}`);
    }
    const serves = (version: number) => (seen: Shown) =>
      seen.champion === version && seen.endpoint.status === 'converged';
    const takenBack = ({ rollout, endpoint }: Shown) =>
      rollout?.status === 'rolledBack' && endpoint.status === 'converged';

    test('a secret that is not there fails the run with the command that creates it, and pays for no training', async () => {
      const { prices } = config.models;
      const train = { ...prices.train, environment: { API_KEY: { secret: 'other-key' } } };
      await release({ ...config, models: { prices: { ...prices, train } } });

      await drop('first', 0.1);
      const failed = await until((seen) => seen.run?.status === 'failed');
      const run = (await loop.call('GET', `/v1/runs/${failed.run.id}`)).body;

      const [command, name] = creates;
      expect(run.because).toContain(`there is no secret 'other-key'; create it with \`${command}`);
      expect(run.because).toContain(name);
      expect(loop.trainings()).toBe(0);
    }, 300_000);

    test('objects become a model that serves, a better one takes over step by step, and an alarm takes a bad one back', async () => {
      await drop('first', 0.1);
      await until(serves(1));

      expect(await loop.weights('prices')).toEqual({ v1: 100 });

      await drop('second', 0.09);
      const shares = new Set<number | undefined>();
      await until((seen) => {
        shares.add(seen.endpoint.weights.v2);
        return serves(2)(seen);
      });

      expect([...shares]).toEqual(expect.arrayContaining([10, 50, 95, 100]));
      expect(await loop.weights('prices')).toEqual({ v2: 100 });

      await drop('third', 0.09);
      await until(({ endpoint }) => endpoint.weights.v3 === 10);
      await loop.alarm();
      await loop.pump();
      const after = await until(takenBack);

      expect(after.champion).toBe(2);
      const because = expect.stringContaining(`alert from ${alarms}`);
      expect(await ended(after.rollout.id)).toMatchObject({ candidate: 3, because });
      expect(await loop.weights('prices')).toEqual({ v2: 100 });
      expect(loop.trainings()).toBe(3);
      expect(await loop.call('GET', '/v1/models/prices/datasets')).toMatchObject({ status: 200 });
      for (const [, text] of await loop.written())
        for (const canary of Object.values(canaries)) expect(text).not.toContain(canary);
      await afterStory(loop);
    }, 300_000);

    test.each([
      { share: 0.5, by: 'errors' },
      { share: 0.5, by: 'silence' },
      { share: 1, by: 'silence' },
    ] as const)(
      'a version whose requests fail is rolled back by counts alone: $by, of $share',
      async ({ share, by }) => {
        await drop('first', 0.1);
        await until(serves(1));
        loop.work.failing = { version: 2, share, by };

        await drop('second', 0.09);
        const after = await until(takenBack);

        expect(after.champion).toBe(1);
        const { candidate, because } = await ended(after.rollout.id);
        expect(candidate).toBe(2);
        expect(because).toMatch(by === 'silence' ? silence : failures);
        expect(await loop.weights('prices')).toEqual({ v1: 100 });
      },
      300_000,
    );

    test('what happens reaches a webhook over HTTP, signed with the secret of that name', async () => {
      const { host, heard } = await receiver();
      await loop.putSecret('hooks', 'whsec_c2lnbmluZy1rZXktb2YtYS10ZXN0');
      const webhook = { url: `http://${host}/hook`, secret: { secret: 'hooks' } };
      await release({ ...config, notify: [{ webhook, allowPrivate: [host] }] });

      await drop('first', 0.2);
      await until(({ champion, rollout }) => champion === 1 && rollout?.status === 'promoted', 60);
      await loop.minute();

      const types = heard.map(({ body }) => JSON.parse(body).type);
      expect(types.slice(0, 2)).toEqual(['dev.serin.data.seen.v1', 'dev.serin.dataset.settled.v1']);
      expect(types.at(-1)).toBe('dev.serin.rollout.promoted.v1');
      expect(new Set(heard.map(({ headers }) => headers['webhook-id'])).size).toBe(heard.length);
      for (const { headers, body } of heard) {
        const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = headers;
        const message = { id: String(id), timestamp: String(timestamp), body: Buffer.from(body) };
        expect(await standardSigned(['whsec_c2lnbmluZy1rZXktb2YtYS10ZXN0'], message, String(signature))).toBe(true);
      }
      expect((await loop.written()).filter(([, text]) => text.includes('c2lnbmluZy1rZXktb2YtYS10ZXN0'))).toEqual([]);
    }, 120_000);

    test('a poison message is a dead letter alone, and a message that nobody could take is one in the end', async () => {
      const { poison, foreign, object } = loop.bodies;

      const again = await loop.deliver([
        { id: 'poison', body: poison },
        { id: 'foreign', body: foreign },
        { id: 'good', body: object('prices/a.csv') },
      ]);
      const drained = await loop.giveUp({ id: 'given-up', body: '{"whatever": 1}' });

      expect([again, drained]).toEqual([[], []]);
      const { deadLetters } = (await loop.call('GET', '/v1/dead-letters')).body;
      expect(deadLetters.map(({ id }: { id: string }) => id).sort()).toEqual(['given-up', 'poison']);
      expect((await model()).intake.status).toBe('settling');
    }, 60_000);
  });
}

export const failures = /of the candidate's [\d,]+ requests failed|requests to the candidate failed/;

const summary = ({ champion, run, rollout, endpoint, intake, versions }: Shown): string =>
  JSON.stringify(
    {
      champion,
      run: [run?.status, run?.because],
      rollout: [rollout?.status, rollout?.candidate, rollout?.because, rollout?.story],
      endpoint,
      intake,
      versions: Object.keys(versions ?? {}),
    },
    null,
    1,
  ).slice(0, 3500);

const minute = 60_000;
const requestsPerMinute = 600;

/** A request of the last minute, to a deployment; `never`: the model hangs. */
export interface UserRequest {
  readonly deployment: string;
  readonly at: number;
  readonly latencyMs: number;
  readonly ended: 'well' | 'failed' | 'never';
}

/** The requests of the last minute, spread over the deployments by their weights. */
export function* usersOf(
  weights: readonly (readonly [deployment: string, weight: number])[],
  now: number,
  failing: Failing | undefined,
): Generator<UserRequest> {
  const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [deployment, weight] of weights) {
    const count = total === 0 ? 0 : Math.round((requestsPerMinute * weight) / total);
    const bad = failing !== undefined && deployment === `v${failing.version}` ? Math.round(count * failing.share) : 0;
    const badly = failing?.by === 'silence' ? 'never' : 'failed';
    for (let index = 0; index < count; index += 1)
      yield {
        deployment,
        at: now - minute + Math.floor((index * minute) / count),
        latencyMs: 20 + (index % 10),
        ended: index < bad ? badly : 'well',
      };
  }
}
