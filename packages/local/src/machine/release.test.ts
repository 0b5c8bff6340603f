import { compile, parseConfig } from '@serin/core/config/config';
import { expect, test } from 'vitest';
import { followedRelease } from './release.ts';

const model = {
  data: { bucket: 'drops', prefix: 'fraud/' },
  split: { holdout: { by: 'time', column: 'day', last: '20%' } },
  train: { code: './src', command: ['python3', 'train.py'] },
  evaluate: { command: ['python3', 'evaluate.py'] },
  serve: { code: './src', command: ['python3', 'serve.py'] },
  gate: { auc: { direction: 'up', noWorseBy: 0.01 } },
};

function configOf(monitor: object, rollout: object = {}) {
  const read = parseConfig({ project: 'shop', models: { fraud: { ...model, monitor, rollout }, other: model } });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return compile(read.parsed, new Map([['./src', 'abc']]), 'local');
}

test('requests are captured by the config that was released last, until one says nothing of it', async () => {
  let config = configOf({ capture: { share: '0.25%', fields: ['size'] } });
  const release = followedRelease({ released: async () => config, createBucket: async () => {}, watch() {} });
  expect(release.captureRule('fraud')).toBeUndefined();

  await release.follow();
  expect(release.captureRule('fraud')).toEqual({
    ...{ share: 2500, fields: ['size'], keepMs: 14 * 86_400_000, atMostBytes: 1_000_000_000 },
  });
  expect(release.captureRule('other')).toBeUndefined();

  config = configOf({});
  await release.follow();
  expect(release.captureRule('fraud')).toBeUndefined();
});

test('requests are remembered for labels of rollouts and of the champion, until the last of these has come', async () => {
  const day = 86_400_000;
  let config = configOf({ performance: { maturity: '3d', prediction: '/score' } });
  const release = followedRelease({ released: async () => config, createBucket: async () => {}, watch() {} });
  await release.follow();

  expect(release.remembered('fraud')).toMatchObject({ prediction: '/score' });
  expect(release.labelWindow('fraud')).toEqual({ tickMs: 60_000, maturityMs: 3 * day });
  expect([release.remembered('other'), release.labelWindow('other')]).toEqual([undefined, undefined]);

  config = configOf({ performance: {} }, { guardrails: { labels: { maturity: '9d', prediction: '/p' } } });
  await release.follow();
  expect(release.remembered('fraud')).toMatchObject({ prediction: '/p' });
  expect(release.labelWindow('fraud')).toEqual({ tickMs: 60_000, maturityMs: 9 * day });

  config = configOf({ performance: { maturity: '10d' } }, { guardrails: { labels: {} } });
  await release.follow();
  expect(release.labelWindow('fraud')).toEqual({ tickMs: 60_000, maturityMs: 10 * day });
});
