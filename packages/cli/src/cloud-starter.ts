import type { CloudFacts } from '@serin/clouds/facts';

const digest = `sha256:${'0'.repeat(64)}`;

/** The config of the starter for these clouds: with an image for each, and a rollout as slow as their deployments are. */
export const cloudStarter = (clouds: readonly CloudFacts[]): string => `import { defineConfig } from 'serin';

/** Any image with Node; pushing it tells the digest that belongs here. On one machine no image is used. */
const image = {
${clouds.map(({ cloud, imageName }) => `  ${cloud}: '${imageName}@${digest}',\n`).join('')}};

export default defineConfig({
  project: 'first-steps',
  models: {
    line: {
      // A bucket of yours. A drop is whole once nothing was added for so long.
      data: { bucket: 'drops', prefix: 'line/', settle: { quiet: '10s' } },
      // What is held out decides about the model; training never sees it.
      split: { holdout: { by: 'rows', share: '20%' } },
      train: { code: './src', command: ['node', 'train.mjs'], image, hyperparameters: { ridge: 0.001 } },
      evaluate: { command: ['node', 'evaluate.mjs'], image },
      // Good enough at all, and no worse than what serves now.
      gate: { rmse: { direction: 'down', atMost: 1.5, noWorseBy: 0.05 } },
      serve: { command: ['node', 'serve.mjs'], image },
      // A deployment may take an hour on a cloud. Each step is watched for so long, and the last one once more.
      rollout: { steps: [10, 50], bake: '10m', guard: '30m', readyWithin: '1h' },
    },
  },
});
`;
