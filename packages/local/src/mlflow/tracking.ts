import { Fault } from '@serin/core/base/fault';
import type { Tracking } from '../machine/jobs/tracking.ts';
import type { Mlflow } from './app.ts';
import { experimentOf } from './experiments.ts';
import { jobResults } from './job-results.ts';

interface Options {
  readonly mlflow: () => Mlflow;
  /** Of this server, once it listens. */
  readonly url: () => string | undefined;
}

/** This very server as the one that the jobs of this machine log to. */
export function trackingBy({ mlflow, url }: Options): Tracking {
  return {
    uri() {
      const found = url();
      if (found === undefined) throw new Fault('unavailable', 'the server does not listen yet; wait a moment');
      // A server on every address is reached by its own machine on the loopback.
      return found.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
    },
    experimentOf: ({ model }) => experimentOf(model),
    tokenOf: (job) => mlflow().tokens.tokenOf(job),
    metricsOf: (job) => jobResults(mlflow()).metricsOf(job),
    bringModel: (job, folder) => jobResults(mlflow()).bringModel(job, folder),
  };
}
