import { compile, parseConfig } from '@serin/core/config/config';
import { expect, test } from 'vitest';
import { problemsOf } from './limits.ts';

function compiled(nodes: { readonly train: number; readonly evaluate: number }) {
  const fraud = {
    data: { bucket: 'drops' },
    split: { holdout: { by: 'time', column: 'day', last: '20%' } },
    train: { command: ['python3', 'train.py'], compute: { nodes: nodes.train } },
    evaluate: { command: ['python3', 'evaluate.py'], compute: { nodes: nodes.evaluate } },
    gate: { auc: { direction: 'up', atLeast: 0.8 } },
  };
  const read = parseConfig({ project: 'fraud', models: { fraud } });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return compile(read.parsed, new Map(), 'local');
}

test('one machine refuses what wants several of it, at its place', () => {
  expect(problemsOf(compiled({ train: 2, evaluate: 3 })).map(({ path }) => path)).toEqual([
    'models.fraud.train.compute.nodes',
    'models.fraud.evaluate.compute.nodes',
  ]);
  expect(problemsOf(compiled({ train: 1, evaluate: 1 }))).toEqual([]);
});
