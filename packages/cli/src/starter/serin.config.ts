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
      // Short, to see something in the first minute; in earnest steps of 15 minutes, which is the default. Some 500
      // requests show that fewer than 1 % fail; the default floor, 0.1 %, takes ten times as many. Latency is watched
      // only: within seconds all that it shows is that a new process is not as warm as an old one.
      rollout: {
        steps: [10, 50],
        bake: '10s',
        tick: '1s',
        guard: '10s',
        guardrails: { errors: { floor: 0.01 }, latency: { dryRun: true } },
      },
    },
  },
});
