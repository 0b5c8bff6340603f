import { expect, test } from 'vitest';
import { hour } from '../base/time.ts';
import { compile, parseConfig } from './config.ts';
import { partsOf } from './parts.ts';

test('the parts of a plan are what needs instances: preparation, training, evaluation and serving', () => {
  const read = parseConfig({
    project: 'fraud',
    models: {
      fraud: {
        data: { bucket: 'drops' },
        split: { prepare: { command: ['python3', 'prepare.py'] } },
        train: {
          command: ['python3', 'train.py'],
          checkpoints: true,
          compute: { nodes: 4, accelerator: { type: 'T4' }, spot: true },
        },
        evaluate: { command: ['python3', 'evaluate.py'] },
        gate: { auc: { direction: 'up', atLeast: 0.8 } },
        serve: {
          command: ['python3', 'serve.py'],
          compute: { instances: { min: 1, max: 3 }, accelerator: { type: 'L4' } },
        },
      },
    },
  });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const { fraud } = compile(read.parsed, new Map(), 'local').models;

  const parts = fraud === undefined ? [] : partsOf(fraud);

  expect(parts.map(({ path, use, instances, atRest }) => [path, use, instances, atRest])).toEqual([
    ['split.prepare', 'process', 1, 0],
    ['train', 'train', 4, 0],
    ['evaluate', 'process', 1, 0],
    ['serve', 'serve', 3, 1],
  ]);
  expect(parts.map(({ accelerator, spot, maxRuntimeMs }) => [accelerator?.type, spot, maxRuntimeMs])).toEqual([
    [undefined, false, 4 * hour],
    ['T4', true, 4 * hour],
    [undefined, false, 4 * hour],
    ['L4', false, undefined],
  ]);
});
