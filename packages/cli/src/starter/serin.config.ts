import { defineConfig } from 'serin';

export default defineConfig({
  project: 'first-steps',
  models: {
    line: {
      // A drop is whole once nothing was added for so long. In earnest: '2m'.
      data: { bucket: 'drops', prefix: 'line/', settle: { quiet: '2s' } },
      // What is held out decides about the model; training never sees it.
      split: { holdout: { by: 'rows', share: '20%' } },
      train: { code: './src', command: ['node', 'train.mjs'], hyperparameters: { ridge: 0.001 } },
      evaluate: { command: ['node', 'evaluate.mjs'] },
      // Good enough at all, and no worse than what serves now.
      gate: { rmse: { direction: 'down', atMost: 1.5, noWorseBy: 0.05 } },
      serve: { command: ['node', 'serve.mjs'] },
      // Short, to see something in the first minute. In earnest: steps of 15 minutes, which is the default.
      rollout: { steps: [10, 50], bake: '10s', tick: '1s', guard: '10s' },
    },
  },
});
