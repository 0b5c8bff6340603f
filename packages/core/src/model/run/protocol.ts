import type { Job, JobDescription } from '../../ports/jobs.ts';
import type { RegisteredVersion } from '../../ports/registry.ts';
import type { DatasetVersion } from '../intake/protocol.ts';

/** What a run hears from outside, what it orders, and what answers. */
export interface RunProtocol {
  readonly signal:
    | { readonly type: 'jobHinted' }
    | { readonly type: 'runRequested'; readonly trigger: Trigger }
    | { readonly type: 'cancelRequested'; readonly run?: string };
  readonly order:
    | {
        readonly kind: 'checkDataset';
        readonly dataset: DatasetVersion;
        readonly columns: readonly string[];
        readonly maxBytes?: number;
      }
    | { readonly kind: 'startJob'; readonly job: Job }
    | { readonly kind: 'describeJob'; readonly id: string }
    | { readonly kind: 'stopJob'; readonly id: string }
    | { readonly kind: 'register'; readonly version: RegisteredVersion };
  readonly answer:
    | { readonly type: 'datasetChecked'; readonly problems: readonly string[] }
    | { readonly type: 'jobStarted'; readonly job: string }
    | { readonly type: 'jobDescribed'; readonly description: JobDescription }
    | { readonly type: 'jobStopAsked' }
    | { readonly type: 'versionRegistered' };
}

/** What starts a run. */
export interface Trigger {
  readonly kind: 'data' | 'schedule' | 'rescan' | 'ci' | 'manual' | 'drift' | 'alert' | 'rescore';
  /** Runs although the same inputs were run before. */
  readonly force?: boolean;
  readonly by?: string;
  readonly commit?: string;
  readonly image?: string;
  readonly hyperparameters?: Readonly<Record<string, string>>;
  /** `rescore` only: the version that is scored again. */
  readonly version?: number;
}
