import { defineConfig } from 'serin';
import onOneMachine from './serin.config.ts';

const { births } = onOneMachine.models;
const { command } = births.serve;

/** Any image with Node; `docker push` prints the digest that belongs here. A model is served only from an image. */
const image = {
  gcp: 'europe-west4-docker.pkg.dev/acme/serin/node@sha256:0000000000000000000000000000000000000000000000000000000000000000',
};

/** The same model on Google Cloud, at the pace of a real rollout: counts come by the minute, and minutes late. */
export default defineConfig({
  ...onOneMachine,
  models: {
    births: {
      ...births,
      data: { ...births.data, bucket: 'acme-drops', settle: { quiet: '2m', atMost: '1h' } },
      serve: { command, image },
      rollout: { strategy: 'canary', steps: [10, 50], bake: '30m', guard: '1h', readyWithin: '1h' },
      monitor: {
        ...births.monitor,
        capture: { ...births.monitor.capture, share: '10%' },
        drift: { ...births.monitor.drift, window: '1d' },
      },
    },
  },
});
