import { defineConfig } from 'serin';

/**
 * Daily births in the United States. Times are those of a demo; a real rollout bakes for minutes or hours.
 * `--jitless` saves memory: there is little to compute, and the demo keeps all its processes under 300 MB.
 */
export default defineConfig({
  project: 'births',
  models: {
    births: {
      data: {
        bucket: 'drops',
        prefix: 'births/',
        settle: { quiet: '40ms', atMost: '10s' },
        columns: ['day', 'lastWeek', 'births'],
      },
      on: { data: true, ci: { github: { repository: 'acme/births', ref: 'refs/heads/main' } } },
      split: { holdout: { by: 'time', column: 'day', last: '20%' } },
      train: { code: './src', command: ['node', '--jitless', 'train.mjs'], hyperparameters: { years: 3 } },
      evaluate: { command: ['node', '--jitless', 'evaluate.mjs'] },
      gate: { mape: { direction: 'down', noWorseBy: 0 } },
      serve: {
        command: ['node', '--jitless', 'serve.mjs'],
        environment: { SERIN_BIND_ADDRESS: '127.0.0.1' },
      },
      rollout: {
        strategy: 'canary',
        steps: [50],
        tick: '1s',
        bake: '1s',
        atMost: '20s',
        guard: '0s',
        warmUp: 0,
        // A demo has a hundred requests a second, for seconds: enough to tell failing from not, and no more.
        guardrails: { errors: { floor: 0.1 }, latency: false },
        expected: { rpm: 7500 },
      },
      monitor: {
        onDrift: 'run',
        capture: { share: '100%', fields: ['lastWeek'] },
        // Births rise and fall by themselves: a year differs from all the years before by up to 0.48, and that is no
        // reason to train. The fall of 1972 and 1973 is 0.66.
        drift: { window: '3s', notice: 0.55, major: 0.55 },
      },
    },
  },
});
