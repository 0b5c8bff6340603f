import type { Variables } from '../base/variables.ts';

export type JobKind = 'prepare' | 'train' | 'evaluate';

/** Where the bytes of a channel come from. */
export type Source =
  /** The objects that a dataset manifest names; the job gets the objects' files, never the prefix. */
  | {
      readonly kind: 'manifest';
      readonly bucket: string;
      readonly key: string;
      /** Only the objects whose key starts so. */
      readonly under?: string;
    }
  /** What another job left behind. */
  | { readonly kind: 'artifact'; readonly artifact: Artifact };

/** Files that a job wrote. `uri` is the platform's own; `digest` is the SHA-256 that the platform vouches for. */
export interface Artifact {
  readonly uri: string;
  readonly digest: string;
  readonly bytes: number;
}

export interface Compute {
  readonly accelerator?: { readonly type: string; readonly count: number };
  readonly nodes: number;
  readonly spot: boolean;
}

export interface Job {
  /** `<run id>/<step>/<attempt>`: one paid job per key, for ever. */
  readonly key: string;
  readonly kind: JobKind;
  readonly project: string;
  readonly model: string;
  /**
   * A code folder as `releases` stored it: `code/<digest>.json` in the project's own bucket; absent: only the image.
   */
  readonly code?: { readonly digest: string };
  readonly image?: string;
  readonly command: readonly string[];
  /** Secrets by name: the adapter looks them up when the program starts, and writes their text nowhere. */
  readonly environment: Variables;
  readonly hyperparameters: Readonly<Record<string, string>>;
  readonly channels: Readonly<Record<string, Source>>;
  /** Names of the artifacts that the job must leave: `model`, `train`, `holdout`. */
  readonly outputs: readonly string[];
  /** Where a trainer keeps its checkpoints: the same place for all attempts of one run. */
  readonly checkpoints?: string;
  readonly metrics: readonly { readonly name: string; readonly regex: string }[];
  readonly compute: Compute;
  readonly maxRuntimeMs: number;
  /** How long it may wait for an instance, summed over all interruptions. */
  readonly maxWaitMs?: number;
}

export interface JobDescription {
  readonly status: 'starting' | 'running' | 'succeeded' | 'failed' | 'stopped';
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** Why it failed or was stopped, in words that help a person; with the end of the log where there is one. */
  readonly reason?: string;
  /** The provider took the instance away, or had none: another attempt may succeed. */
  readonly retryable?: 'interruption' | 'capacity';
  /** Finite numbers only. */
  readonly metrics?: Readonly<Record<string, number>>;
  /** Why a metric, or a whole file of them (by its name), was not taken. */
  readonly unread?: Readonly<Record<string, string>>;
  /** By name; all of `outputs` when it succeeded. */
  readonly artifacts?: Readonly<Record<string, Artifact>>;
}

/** Jobs that a provider runs and charges for. */
export interface Jobs {
  /**
   * Starts the job and answers the provider's id; resolves once the provider has accepted it.
   *
   * Twice, also concurrently, also after the answer was lost: one paid job; the second call adopts it.
   * A name that is taken by another job is a `defect`. No capacity or quota: `throttled` or `invalid` with the reason.
   */
  start(job: Job): Promise<{ readonly id: string }>;
  /** The truth about a job. `notFound` for an id that `start` never answered. Late: a finished job stays described. */
  describe(id: string): Promise<JobDescription>;
  /** Asks the job to end; resolves before it has. Of a finished job: no error. Twice: the same. */
  stop(id: string): Promise<void>;
}
