import { describe, expect, test } from 'vitest';
import { noProfiler } from '../../../../test/simulation/fakes/profiler.ts';
import { canonical, encodeText, sha256Hex } from '../base/json.ts';
import { planOf } from '../model/model.fixture.ts';
import type { Spread } from '../model/streams.ts';
import type { Ports } from '../ports/ports.ts';
import { perform } from './perform.ts';
import { configKey } from './stored.ts';

type Plan = ReturnType<typeof planOf>;

/** Whom a spread from one config to the next tells, of the models `a` and `b`, and what. */
async function told(before: Record<string, Plan> | undefined, after: Record<string, Plan>, more: Partial<Spread> = {}) {
  const objects = new Map<string, Uint8Array>();
  const stored = (models: Record<string, Plan>) => {
    const content = encodeText(canonical({ project: 'test', environment: 'dev', concurrentRuns: 1, models }));
    const digest = sha256Hex(content);
    objects.set(configKey(digest), content);
    return digest;
  };
  const order: Spread = {
    kind: 'spread',
    revision: 7,
    from: before === undefined ? [] : [stored(before)],
    to: stored(after),
    everyone: false,
    ...more,
  };
  const read = async ({ key }: { readonly key: string }) => {
    const content = objects.get(key);
    return content === undefined ? undefined : { content, version: '1', bytes: content.length, truncated: false };
  };
  const signals: Record<string, Record<string, unknown>> = {};
  const answer = await perform({ key: 'spread', ...order } as never, {
    ports: { bucket: () => ({ read }) } as unknown as Ports,
    now: () => 0,
    profiler: noProfiler,
    stream: 'project',
    source: 'test',
    tell: async (stream, signal) => {
      signals[stream] = signal;
      return { kind: 'moved', seq: 1 };
    },
  });
  return { answer, signals, names: Object.keys(signals).sort() };
}

test.each([{ positive: 'fraud' }, { scale: 10 }, undefined])(
  'labels are read by the rule of the order: %j',
  async (truths) => {
    const asked: object[] = [];
    const labels = {
      async labels(query: { readonly from: number }) {
        asked.push(query);
        return [{ start: query.from, rows: [], losses: [], pairs: {} }];
      },
    };
    const query = { endpoint: 'fraud', from: 0, to: 60_000, tickMs: 60_000, maturityMs: 0, ...(truths && { truths }) };
    await perform({ key: 'labels', kind: 'readLabels', ...query } as never, {
      ports: { labels } as unknown as Ports,
      now: () => 0,
      profiler: noProfiler,
      stream: 'model/fraud',
      source: 'test',
      tell: async () => ({ kind: 'moved', seq: 1 }),
    });

    expect(asked).toEqual([query]);
  },
);

const plan = planOf();
const train = { code: './src', command: ['python3', 'train.py'] };

describe('a release', () => {
  test.each([
    ['the command of its training', planOf({ train: { ...train, command: ['python3', 'other.py'] } })],
    ['a hyperparameter', planOf({ train: { ...train, hyperparameters: { epochs: 3 } } })],
    ['its gate', planOf({ gate: { auc: { direction: 'up', atLeast: 0.99 } } })],
    ['its rollout', planOf({ rollout: { bake: '9m' } })],
    ['a guardrail', planOf({ rollout: { guardrails: { errors: { margin: 3 } } } })],
    ['where its data lies', planOf({ data: { bucket: 'drops', prefix: 'other/' } })],
    ['its schedule', planOf({ on: { schedule: { cron: '0 3 * * 1' } } })],
    ['who approves', planOf({ approval: { fourEyes: true } })],
    ['what serves it', planOf({ serve: { command: ['node', 'other.mjs'] } })],
    ['what an alert does', planOf({ alerts: { onAlert: 'notify' } })],
    ['its monitor', planOf({ monitor: { onDrift: 'run' } })],
  ])('is told to the model of which it changes %s, and to no other', async (_, changed) => {
    const { names, signals } = await told({ a: plan, b: plan }, { a: changed, b: plan });

    expect(names).toEqual(['model/a']);
    expect(signals['model/a']).toMatchObject({
      type: 'configReleased',
      revision: 7,
      plan: JSON.parse(canonical(changed)),
    });
  });

  test('that changes nothing is told to nobody, the first and one for everyone to all', async () => {
    const same = { a: plan, b: plan };

    expect((await told(same, same)).names).toEqual([]);
    expect((await told(undefined, same)).names).toEqual(['model/a', 'model/b']);
    expect((await told(same, same, { everyone: true })).names).toEqual(['model/a', 'model/b']);
  });

  test('tells a model that is new its plan, and one that left what its plan was', async () => {
    const { signals } = await told({ a: plan }, { b: plan });

    expect(signals['model/b']).toHaveProperty('plan');
    expect(signals['model/a']).not.toHaveProperty('plan');
    expect(signals['model/a']).toHaveProperty('was');
  });

  test('tells a hundred at a time, in the order of their names, and goes on behind the last', async () => {
    const models = Object.fromEntries(Array.from({ length: 150 }, (_, n) => [`m${String(n).padStart(3, '0')}`, plan]));

    const first = await told(undefined, models);
    const second = await told(undefined, models, { cursor: 'm099' });

    expect([first.names.length, first.answer]).toEqual([100, { type: 'spreadAdvanced', cursor: 'm099' }]);
    expect([second.names.length, second.answer]).toEqual([50, { type: 'spreadAdvanced' }]);
  });

  test('says who released it, and that it is frozen', async () => {
    const freeze = { by: 'fay', because: 'audit' };

    const { signals } = await told(undefined, { a: plan }, { by: ['rob'], freeze });

    expect(signals['model/a']).toMatchObject({ by: ['rob'], freeze });
  });
});
