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

function configOf(monitor: object) {
  const read = parseConfig({ project: 'shop', models: { fraud: { ...model, monitor }, other: model } });
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
