import type { Measured } from '@serin/core/job-contract/metrics';
import type { Job } from '@serin/core/ports/jobs';

/** The server that programs of jobs log to by MLflow's client, and what they logged there. */
export interface Tracking {
  /** Throws `unavailable` until the server listens. */
  readonly uri: () => string;
  readonly experimentOf: (job: Job) => string;
  /** Written nowhere, as a secret of the job. */
  readonly tokenOf: (job: Job) => string;
  readonly metricsOf: (job: Job) => Measured;
  /** Puts the model that the program logged into the folder that the job leaves its model in, if nothing is in it. */
  readonly bringModel: (job: Job, folder: string) => Promise<void>;
}

/** What a job needs to log to its run; a job that brings a server or a token of its own needs nothing of ours. */
export function trackingSecret(job: Job, tracking: Tracking | undefined): Readonly<Record<string, string>> {
  const { MLFLOW_TRACKING_URI: uri, MLFLOW_TRACKING_TOKEN: token } = job.environment;
  if (tracking === undefined || uri !== undefined || token !== undefined) return {};
  return { MLFLOW_TRACKING_TOKEN: tracking.tokenOf(job) };
}
