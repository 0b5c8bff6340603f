import { defineConfig } from 'serin';

/** The image of `image/`; `docker push` prints the digest that belongs here. On one machine no image is used. */
const image = {
  azure: 'acme.azurecr.io/serin/python@sha256:0000000000000000000000000000000000000000000000000000000000000000',
};

/** Births by the day of the week, by a script of Azure ML. On Azure the bucket is a container of Blob Storage. */
export default defineConfig({
  project: 'births-azure-ml',
  models: {
    births: {
      data: { bucket: 'acme-drops', prefix: 'births/', settle: { quiet: '10s' }, columns: ['day', 'births'] },
      split: { holdout: { by: 'time', column: 'day', last: '20%' } },
      train: {
        code: './src',
        // The command of a job of Azure ML, as its YAML and its SDK v2 have it.
        command: [
          'python3',
          'train.py',
          '--training-data',
          '${{inputs.train}}',
          '--model-output',
          '${{outputs.model}}',
        ],
        image,
      },
      evaluate: { command: ['python3', 'evaluate.py'], image },
      gate: { mape: { direction: 'down', atMost: 0.2, noWorseBy: 0.01 } },
      serve: { command: ['python3', 'serve.py'], image },
      rollout: { steps: [10, 50], bake: '10m', guard: '30m', readyWithin: '1h' },
    },
  },
});
