import { defineConfig } from 'serin';

/** Any image with Python; `docker push` prints the digest that belongs here. On one machine no image is used. */
const image = {
  gcp: 'europe-west4-docker.pkg.dev/acme/serin/python@sha256:0000000000000000000000000000000000000000000000000000000000000000',
};

/** Births by the day of the week, by a script of Vertex AI. On Google Cloud the bucket is one of Cloud Storage. */
export default defineConfig({
  project: 'births-vertex',
  models: {
    births: {
      data: { bucket: 'acme-drops', prefix: 'births/', settle: { quiet: '10s' }, columns: ['day', 'births'] },
      split: { holdout: { by: 'time', column: 'day', last: '20%' } },
      train: {
        code: './src',
        command: ['python3', 'train.py'],
        image,
        // What Vertex AI would know of its own dataset. All other AIP_* are set.
        environment: { AIP_DATA_FORMAT: 'csv' },
      },
      evaluate: { command: ['python3', 'evaluate.py'], image },
      gate: { mape: { direction: 'down', atMost: 0.2, noWorseBy: 0.01 } },
      serve: { command: ['python3', 'serve.py'], image },
      rollout: { steps: [10, 50], bake: '10m', guard: '30m', readyWithin: '1h' },
    },
  },
});
