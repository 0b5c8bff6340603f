import { compile, parseConfig } from '@serin/core/config/config';
import { expect } from 'vitest';
import { storeCode } from './aws/stored.ts';
import { installation, type Loop, type Shown } from './loop.contract.ts';
import type { Mishaps } from './mishaps.ts';

/** A request for predictions, and its answer. */
export interface Exchange {
  readonly at: number;
  readonly id: string;
  readonly body: { readonly instances: readonly object[] };
  readonly answer: { readonly predictions: readonly number[] };
  /** Which of the model's deployments answered; absent: the one that serves alone. */
  readonly deployment?: string;
}

/** An installation of the loop in which requests are captured and functions may be gone in the middle. */
export interface CapturedLoop extends Loop {
  readonly mishaps: Mishaps;
  now(): number;
  /** An object of the bucket `drops`, of which nobody is told. */
  put(key: string, content: string): Promise<unknown>;
  /** Users have asked. The cloud keeps copies where and as the endpoint was told; it throws if it was told nothing. */
  keep(model: string, exchanges: readonly Exchange[]): Promise<void>;
  /** Among the copies of that time is one that nobody can read. */
  spoil(model: string, at: number): Promise<void>;
  /** What was published, in order. */
  announced(): readonly { readonly type: string; readonly data: Shown }[];
  /** The kinds of the jobs that were paid for a model, in order. */
  jobsOf(model: string): readonly string[];
  /** What the functions did that their roles do not allow. */
  refused(): readonly string[];
  /** What they did, as the roles name it. */
  done(): readonly string[];
}

/** What only one cloud can say of the same loop. */
export interface CapturedOwn {
  /** What functions do in it that they do for nothing else, as `done` has it. */
  readonly needs: readonly RegExp[];
}

export const capturedModels = ['prices', 'rents'] as const;
export type CapturedModel = (typeof capturedModels)[number];

export const minute = 60_000;

/** Numbers in [0, 1) that follow each other without a pattern, the same each time. */
export function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const colours = ['red', 'green', 'blue'];
/** A row whose number lies in [0, 100), or so much higher. */
export const rowOf = (next: () => number, shift = 0) => ({
  n: Math.round(next() * 100_000) / 1000 + shift,
  colour: colours[Math.floor(next() * 3)] ?? '',
});

/** Rows with what is to be predicted of them. */
export function csvOf(seed: number, rows: number, shift = 0): string {
  const next = dice(seed);
  const lines = Array.from({ length: rows }, () => {
    const { n, colour } = rowOf(next, shift);
    return `${n},${colour},${Math.round(n * 2)}\n`;
  });
  return `n,colour,price\n${lines.join('')}`;
}

/** A model of these loops, but for what each of them judges it by. */
export const modelOf = (name: CapturedModel, image: string) => ({
  data: { bucket: 'drops', prefix: `${name}/`, settle: { quiet: '1m' } },
  split: { holdout: { by: 'manifest', train: 'train/', holdout: 'holdout/' } },
  train: { code: './src', command: ['python', 'train.py'], image },
  evaluate: { command: ['python', 'evaluate.py'], image },
  gate: { mape: { direction: 'down', atMost: 0.2, noWorseBy: 0.01 } },
  serve: { command: ['serve'], image },
  rollout: { strategy: 'canary', steps: [50], bake: '2m', guard: '1m', readyWithin: '1h', warmUp: 0 },
});

/** What a story of chapters does and asks through the API, whatever it is about. */
export async function storyOf(loop: CapturedLoop) {
  const code = await storeCode({ 'train.py': 'print(1)', 'evaluate.py': 'print(2)' }, (_, key, text) =>
    loop.store(key, text),
  );
  const read = async (path: string): Promise<Shown> => (await loop.call('GET', path)).body;
  const modelNamed = (model: CapturedModel): Promise<Shown> => read(`/v1/models/${model}`);
  const driftOf = (model: CapturedModel): Promise<Shown> => read(`/v1/models/${model}/drift`);

  return {
    read,
    modelNamed,
    driftOf,
    async release(models: Readonly<Record<CapturedModel, object>>): Promise<void> {
      const parsed = parseConfig({ ...installation, models });
      if (!('parsed' in parsed)) throw new Error(JSON.stringify(parsed.problems));
      const config = compile(parsed.parsed, new Map([['./src', code]]), loop.platform);
      const { status, body } = await loop.call('POST', '/v1/releases', { config });
      expect([status, status === 202 ? '' : body]).toEqual([202, '']);
      await loop.pump();
    },
    async serves(model: CapturedModel, version: number): Promise<boolean> {
      const { champion, endpoint } = await modelNamed(model);
      return champion === version && endpoint.status === 'converged';
    },
    triggers: async (model: CapturedModel): Promise<readonly string[]> =>
      (await read(`/v1/runs?model=${model}`)).runs.map(({ trigger }: Shown) => trigger),
    /** The types of what was announced of a model, in order, of those that begin so. */
    saidOf: (model: CapturedModel, about: RegExp): readonly string[] =>
      loop
        .announced()
        .filter(({ data }) => data.model === model)
        .map(({ type }) => type.replace(/^dev\.serin\.|\.v1$/g, ''))
        .filter((type) => about.test(type)),
    /** Time passes step by step, until it is so. */
    async until(isSo: () => Promise<boolean>, { step = minute, most = 120 } = {}): Promise<void> {
      for (let passed = 0; passed < most; passed += 1) {
        await loop.pass(step);
        if (await isSo()) return;
      }
      const seen = await Promise.all(
        capturedModels.map(async (model) => {
          const { champion, run, rollout, endpoint } = await modelNamed(model);
          const { because } = await read(`/v1/runs/${run?.id}`);
          const { story } = await read(`/v1/rollouts/${rollout?.id}`);
          const { sentence, window, windows, performance } = await driftOf(model);
          return { model, champion, run, because, rollout, story, endpoint, sentence, window, windows, performance };
        }),
      );
      throw new Error(`not so after ${most} steps: ${JSON.stringify(seen, null, 1)}`);
    },
  };
}

export type Story = Awaited<ReturnType<typeof storyOf>>;
