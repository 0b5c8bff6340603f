import type { ColumnKind } from '../../drift/reference.ts';
import type { DataRules } from '../../drift/validate.ts';
import type { Job, JobDescription } from '../../ports/jobs.ts';
import type { RegisteredVersion } from '../../ports/registry.ts';
import type { DatasetVersion } from '../intake/protocol.ts';
import type { DataSeen } from '../version.ts';

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
    /** Reads the next part of a dataset. The last one writes what the dataset looks like. */
    | {
        readonly kind: 'profileDataset';
        readonly dataset: DatasetVersion;
        readonly reading: Reading;
        /** Only the objects whose keys begin so. */
        readonly under?: string;
        /** A column whose values are sampled. */
        readonly key?: string;
      }
    /** Counts the rows of the next part on cells. The last one writes a reference with them. */
    | {
        readonly kind: 'countDataset';
        readonly dataset: DatasetVersion;
        readonly cells: Cells;
        readonly reading: Reading;
      }
    /** Compares profiles, all named by digest, and writes a report. */
    | {
        readonly kind: 'validateDataset';
        readonly profile: string;
        /** Its rows on its own cells, where they were counted already. */
        readonly reference?: string;
        /** What the champion was trained on. */
        readonly former?: DataSeen;
        readonly seen: SeenFor;
        readonly rules: DataRules;
        /** Of the datasets before, the newest last. */
        readonly rowsBefore: readonly number[];
      }
    | { readonly kind: 'startJob'; readonly job: Job }
    | { readonly kind: 'describeJob'; readonly id: string }
    | { readonly kind: 'stopJob'; readonly id: string }
    | { readonly kind: 'register'; readonly version: RegisteredVersion };
  readonly answer:
    | { readonly type: 'datasetChecked'; readonly problems: readonly string[] }
    | {
        readonly type: 'datasetProfiled';
        readonly reading: Reading;
        /** Of the last part: the digest of the profile. */
        readonly ended?: { readonly profile: string; readonly rows: number };
      }
    | { readonly type: 'datasetCounted'; readonly reading: Reading; readonly ended?: { readonly reference: string } }
    | {
        readonly type: 'datasetValidated';
        readonly report: string;
        readonly refused: boolean;
        readonly because: string;
      }
    | { readonly type: 'jobStarted'; readonly job: string }
    | { readonly type: 'jobDescribed'; readonly description: JobDescription }
    | { readonly type: 'jobStopAsked' }
    | { readonly type: 'versionRegistered' };
}

/** Cells that are frozen of a profile, or those of a reference that there is; both are named by digest. */
export type Cells =
  | {
      readonly profile: string;
      readonly columns: Readonly<Record<string, ColumnKind | 'off'>>;
      /** The column that tells the day of a row; `false`: none does. Absent: the only one of times. */
      readonly time?: string | false;
      /** The column of the label: each other one is counted by it. */
      readonly label?: string;
    }
  | { readonly reference: string };

/** What is seen of a dataset for its validation only, by digest. */
export interface SeenFor {
  /** A reference: its rows on the cells of what the champion was trained on. */
  readonly onFormerCells?: string;
  /** Profiles of the two parts of a split by manifest. */
  readonly train?: string;
  readonly holdout?: string;
}

/** How far the reading of a dataset has come. What it has seen so far is an object of Serin's own bucket. */
export interface Reading {
  /** Parts that were read: one call each. */
  readonly parts: number;
  /** The object that is next: a chunk of the manifest, and the place in it. */
  readonly chunk: number;
  readonly object: number;
  /** Objects whose format is not read. */
  readonly passedOver: number;
  /** About: what parts have in common is read for each of them. */
  readonly bytes: number;
  /** Digest of what was seen, with the place in the object where it goes on. Absent: nothing yet. */
  readonly state?: string;
}

export const readingStart: Reading = { parts: 0, chunk: 0, object: 0, passedOver: 0, bytes: 0 };

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
