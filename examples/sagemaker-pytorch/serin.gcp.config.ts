import { defineConfig } from 'serin';
import onAws from './serin.config.ts';

const { metrics, ...train } = onAws.models.births.train;
const { births } = onAws.models;

/** Made from `image/`, as on AWS; `docker push` prints the digest that belongs here. */
const image = {
  gcp: 'europe-west4-docker.pkg.dev/acme/serin/pytorch@sha256:0000000000000000000000000000000000000000000000000000000000000000',
};

/** The same scripts on Google Cloud. Vertex AI reads no metrics from a log, and needs longer for a deployment. */
export default defineConfig({
  ...onAws,
  models: {
    births: {
      ...births,
      train: { ...train, image },
      evaluate: { ...births.evaluate, image },
      serve: { ...births.serve, image },
      rollout: { ...births.rollout, bake: '30m', readyWithin: '1h' },
    },
  },
});
