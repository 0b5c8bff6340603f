import { defineConfig } from 'serin';

/** Made from `image/`; `docker push` prints the digest that belongs here. On one machine no image is used. */
const image = {
  aws: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/serin-sklearn@sha256:0000000000000000000000000000000000000000000000000000000000000000',
};

/** Which of three cultivars a wine is of. On AWS the bucket is an S3 bucket of this name. */
export default defineConfig({
  project: 'cellar',
  models: {
    wine: {
      data: {
        bucket: 'acme-drops',
        prefix: 'wine/',
        settle: { quiet: '10s' },
        columns: ['alcohol', 'proline', 'class'],
      },
      split: { holdout: { by: 'rows', share: '20%' } },
      train: {
        code: './src',
        command: ['python3', 'train.py'],
        image,
        hyperparameters: { 'n-estimators': 100, 'max-depth': 5 },
        metrics: [{ name: 'oobAccuracy', regex: 'oob_accuracy=([0-9.]+)' }],
      },
      evaluate: { command: ['python3', 'evaluate.py'], image },
      gate: { accuracy: { direction: 'up', atLeast: 0.9, noWorseBy: 0.03 } },
      serve: { command: ['python3', 'serve.py'], image },
      rollout: { steps: [10, 50], bake: '10m', guard: '30m' },
    },
  },
});
