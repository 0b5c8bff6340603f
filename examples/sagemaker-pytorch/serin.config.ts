import { defineConfig } from 'serin';

/** Made from `image/`; `docker push` prints the digest that belongs here. On one machine no image is used. */
const image = {
  aws: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/serin-pytorch@sha256:0000000000000000000000000000000000000000000000000000000000000000',
};

/** Daily births in the United States, forecast by a small network. On AWS the bucket is an S3 bucket of this name. */
export default defineConfig({
  project: 'births-torch',
  models: {
    births: {
      data: { bucket: 'acme-drops', prefix: 'births/', settle: { quiet: '10s' }, columns: ['day', 'births'] },
      split: { holdout: { by: 'time', column: 'day', last: '20%' } },
      train: {
        code: './src',
        command: ['python3', 'train.py'],
        image,
        hyperparameters: { epochs: 400, lr: 0.02 },
        metrics: [{ name: 'trainLoss', regex: 'train_loss=([0-9.]+)' }],
        // A spot machine that is taken away costs the epochs since the last checkpoint.
        checkpoints: true,
        compute: { spot: true, maxRuntime: '1h', maxWait: '4h' },
      },
      evaluate: { command: ['python3', 'evaluate.py'], image },
      gate: { mape: { direction: 'down', atMost: 0.1, noWorseBy: 0.005 } },
      serve: { command: ['python3', 'serve.py'], image },
      rollout: { steps: [10, 50], bake: '10m', guard: '30m' },
    },
  },
});
