import { defined, without } from '../../base/objects.ts';
import type { ModelPlan } from '../../config/config.ts';
import type { StepName, stepPlans } from '../../config/parts.ts';
import type { DatasetVersion } from '../intake/protocol.ts';
import type { DataSeen, Version, Versions } from '../version.ts';
import type { GateVerdict } from './gate.ts';
import type { Reading, SeenFor, Trigger } from './protocol.ts';
import type { Results } from './steps.ts';

/** What a run is, and what others ask of it. */

/** The one job that a run waits for. */
export interface JobTrack {
  readonly part: StepName;
  readonly attempt: number;
  /** The provider's id; absent until the start was answered. */
  readonly id?: string;
  readonly notBefore: number;
  /** Until then it must run; once it runs: until then it must have ended. */
  readonly deadline: number;
  readonly running?: true;
  readonly looks: number;
  readonly lookAt: number;
}

export interface Base extends Results {
  readonly id: string;
  readonly trigger: Trigger;
  readonly plan: ModelPlan;
  /** Who released the plan. */
  readonly releasedBy?: readonly string[];
  readonly dataset: DatasetVersion;
  /** What its profile, its reference and its report are. */
  readonly data?: DataSeen;
  /** Digest of dataset, code and parameters: equal inputs are one run. */
  readonly inputs: string;
  readonly startedAt: number;
  /** By step: when its first job was asked for. A step lasts until the next one begins, or the run ends. */
  readonly began?: Partial<Record<StepName, number>>;
  /** By step: which metrics of its job were not taken, and why. */
  readonly unread?: Partial<Record<StepName, Readonly<Record<string, string>>>>;
}

/** The statuses of a run that waits for a job: those of the steps. */
export type JobStatus = (typeof stepPlans)[StepName]['waiting' | 'running'][0];
type Waiting<Status extends string> = Status extends string
  ? Base & { readonly status: Status; readonly job: JobTrack }
  : never;
export type Working = Waiting<JobStatus>;

/** From a dataset version to a judged model version. A status names what is waited for. */
export type Run =
  | (Base & {
      readonly status: 'validating';
      readonly checked: boolean;
      readonly slot: boolean;
      readonly deadline: number;
    })
  | (Base & {
      readonly status: 'profiling';
      readonly reading: Reading;
      /** What the champion was trained on, fixed when the profiling began. */
      readonly former?: DataSeen;
      /** An alert asked for the run, or requests had drifted when the profiling began: its data may have moved as well. */
      readonly changeExpected?: true;
      readonly seen: SeenFor;
      readonly slot: boolean;
      /** Until then the next part must have been read. */
      readonly deadline: number;
    })
  | Working
  | (Base & { readonly status: 'registering'; readonly verdict?: GateVerdict })
  | (Waiting<'stopping'> & { readonly because: string; readonly then: 'failed' | 'cancelled'; readonly asked: boolean })
  | (Base & {
      readonly status: 'succeeded';
      readonly endedAt: number;
      readonly verdict?: GateVerdict;
      readonly because: string;
    })
  | (Base & {
      readonly status: 'refused';
      readonly endedAt: number;
      /** The gate's, of what was trained; absent: the dataset was refused, and `data.report` says more. */
      readonly verdict?: GateVerdict;
      readonly because: string;
    })
  | (Base & { readonly status: 'failed'; readonly endedAt: number; readonly because: string })
  | (Base & { readonly status: 'cancelled'; readonly endedAt: number; readonly because: string });

/** A run that has a job, or is about to. */
export type WithJob = Extract<Run, { job: JobTrack }>;

export interface RunContext {
  readonly model: string;
  readonly versions: Versions;
  readonly champion?: number;
  readonly nextNumber: number;
  /** By dataset: the rows of those that were profiled, the newest last. */
  readonly profiled?: Readonly<Record<string, number>>;
  /** Of live requests. */
  readonly drift?: { readonly incident?: object };
}

export const runEnded = (run: Run | undefined): boolean => run === undefined || 'endedAt' in run;

export function beginRun(
  given: Pick<Base, 'id' | 'trigger' | 'plan' | 'releasedBy' | 'dataset' | 'inputs'>,
  at: number,
  rescored?: Version,
): Run {
  const known =
    rescored === undefined
      ? {}
      : {
          trained: { number: rescored.number, artifact: rescored.artifact, metrics: rescored.metrics },
          ...defined({ holdout: rescored.holdout }),
        };
  return {
    ...given,
    ...known,
    startedAt: at,
    status: 'validating',
    checked: rescored !== undefined,
    slot: false,
    deadline: at + given.plan.train.compute.maxWait,
  };
}

export const endRun = (run: Base, at: number, status: 'failed' | 'cancelled', because: string): Run => ({
  ...bare(run),
  status,
  endedAt: at,
  because,
});

/** Without what belongs to a status. */
export function bare(run: Base): Base {
  return without(run as Base & Partial<Record<(typeof ofStatus)[number], unknown>>, ...ofStatus);
}

const ofStatus = [
  ...(['status', 'job', 'checked', 'slot', 'deadline'] as const),
  ...(['reading', 'former', 'changeExpected', 'seen'] as const),
  ...(['verdict', 'because', 'endedAt', 'then', 'asked'] as const),
] as const;

/** Refused before its first job: a gate has a verdict. */
export const isRefusedData = (run: Run | undefined): run is Extract<Run, { status: 'refused' }> =>
  run?.status === 'refused' && run.verdict === undefined;
