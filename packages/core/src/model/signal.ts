import type { ModelPlan } from '../config/config.ts';
import type { Thresholds } from '../guardrails/guardrail.ts';
import type { LeftOut } from '../ports/bucket.ts';
import type { JobDescription } from '../ports/jobs.ts';
import type { Actor } from '../ports/journal.ts';
import type { Observation } from '../ports/serving.ts';
import type { LabelAnswer, LabelTick, Tick } from '../ports/telemetry.ts';

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

/** A dataset version: immutable object identities, named by their digest. */
export interface DatasetVersion {
  readonly digest: string;
  readonly bucket: string;
  readonly prefix: string;
  /** The manifest object in the project's own bucket. */
  readonly manifest: string;
  readonly objects: number;
  readonly bytes: number;
  readonly at: number;
  /** Who told of new data since the version before; nobody: it came in a way that names nobody. */
  readonly by?: readonly string[];
  /** What lay beside the objects and is no data. */
  readonly leftOut?: readonly LeftOut[];
}

/** How far a listing has come; the digest is a hash chain over (key, version, size) in key order. */
export interface ListingProgress {
  readonly cursor?: string;
  readonly chain: string;
  readonly chunks: readonly string[];
  readonly objects: number;
  readonly bytes: number;
  /** A marker or manifest object says so, and all that it names is there. */
  readonly complete: boolean;
  /** Names the write of the marker or manifest object that was there when the listing began. */
  readonly gate?: string;
  /** Keys that the manifest object names and that are not there yet: the first three. */
  readonly missing?: readonly string[];
  /** What lies under the prefix and is no data; markers and folders that are empty are not told. */
  readonly leftOut?: readonly LeftOut[];
}

/** What became of the labels of a file; `bad` lines are none, with the reasons of the first three. */
export interface LabelCounts extends Readonly<Record<LabelAnswer | 'bad', number>> {
  readonly reasons: readonly string[];
}

/** How far a file of labels was read: the next byte, the lines before it, and all counts so far. */
export interface LabelProgress {
  readonly version: string;
  readonly offset: number;
  readonly line: number;
  readonly counts: LabelCounts;
  readonly ended: boolean;
}
export type LabelsImported = LabelProgress | 'busy' | 'gone';

/** Files of labels that were not read yet, and where the look goes on. */
export type LabelsFound =
  | { readonly files: readonly string[]; readonly cursor?: string; readonly after?: string; readonly ended: boolean }
  | 'busy';

export interface Freeze {
  readonly by: string;
  readonly because: string;
  readonly until?: number;
}

/** Signals from outside; those of people and tools carry the sender's id and leave a record, hints do not. */
export type OutsideSignal =
  | { readonly type: 'dataHinted'; readonly keys: readonly string[] }
  /** New files of labels; without keys anything may have come. */
  | { readonly type: 'labelsHinted'; readonly keys: readonly string[] }
  | { readonly type: 'jobHinted' }
  | { readonly type: 'endpointHinted' }
  | { readonly type: 'clockTicked' }
  | { readonly type: 'runRequested'; readonly trigger: Trigger }
  | { readonly type: 'cancelRequested'; readonly run?: string }
  | ApprovalGiven
  | { readonly type: 'restoreRequested'; readonly version: number; readonly because: string }
  | { readonly type: 'pauseRequested'; readonly rollout?: string; readonly because?: string }
  | { readonly type: 'resumeRequested'; readonly rollout?: string; readonly because?: string }
  | { readonly type: 'promoteRequested'; readonly rollout?: string; readonly because?: string }
  | { readonly type: 'abortRequested'; readonly rollout?: string; readonly because?: string }
  | { readonly type: 'rollbackRequested'; readonly to?: number; readonly because?: string }
  | AlertRaised
  | AlertResolved
  /** One event of an entry goes to a sink once more: what a dead letter of a delivery is replayed as. */
  | { readonly type: 'notifyRequested'; readonly sink: string; readonly seq: number; readonly index: number };

export interface ApprovalGiven {
  readonly type: 'approvalGiven';
  readonly version: number;
  readonly approved: boolean;
  readonly note?: string;
  /** Why it may start although alerts fire: those that fire now, and no others. */
  readonly override?: string;
}

export interface AlertRaised {
  readonly type: 'alertRaised';
  readonly kind: 'alert' | 'drift';
  readonly sender: string;
  readonly fingerprint: string;
  /** As the sender says it: part of the alert's identity, compared with other times of the same sender alone. */
  readonly startedAt: string;
  readonly title: string;
  /** Its end was told with it: it is recorded, and does nothing. */
  readonly over?: true;
}

export interface AlertResolved {
  readonly type: 'alertResolved';
  readonly sender: string;
  readonly fingerprint: string;
  /**
   * Of a sender that stamps each firing with a time of its own and keeps no order: what began at or before this is over,
   * however late it is told.
   */
  readonly endedAt?: string;
  /** Of a sender that may give the next firing the id of this one: then that is not a repeat. */
  readonly raisedAs?: string;
}

/** Signals of the project to its models, and back. */
export type ProjectSignal =
  | {
      readonly type: 'configReleased';
      readonly revision: number;
      readonly plan?: ModelPlan;
      /** Of a model that left: its plan before. One that an older release has yet to create is born retired. */
      readonly was?: ModelPlan;
      /** Who released what has changed. */
      readonly by?: readonly string[];
      readonly freeze?: Freeze;
    }
  | { readonly type: 'slotGranted'; readonly run: string };

/** Answers to effects. `key` and `taken` say to which effect; others are stale and ignored. */
export type Answer = { readonly key: string; readonly taken: number } & (
  | { readonly type: 'listingAdvanced'; readonly progress: ListingProgress; readonly dataset?: DatasetVersion }
  | { readonly type: 'labelsFound'; readonly found: LabelsFound }
  | { readonly type: 'labelsImported'; readonly progress: LabelsImported }
  | { readonly type: 'datasetChecked'; readonly problems: readonly string[] }
  | { readonly type: 'jobStarted'; readonly job: string }
  | { readonly type: 'jobDescribed'; readonly description: JobDescription }
  | { readonly type: 'jobStopAsked' }
  | { readonly type: 'versionRegistered' }
  | { readonly type: 'approvalMirrored' }
  | { readonly type: 'endpointChanged'; readonly answer: 'accepted' | 'busy' }
  | { readonly type: 'endpointObserved'; readonly begunAt: number; readonly observation: Observation | 'absent' }
  | { readonly type: 'ticksRead'; readonly from: number; readonly to: number; readonly ticks: readonly Tick[] }
  | { readonly type: 'labelsRead'; readonly from: number; readonly to: number; readonly ticks: readonly LabelTick[] }
  /** Without percentiles: there were no requests. */
  | { readonly type: 'latencyRead'; readonly percentiles?: Thresholds }
  | { readonly type: 'told' }
  | { readonly type: 'recorded' }
  | { readonly type: 'announced'; readonly upTo: number }
  /** A sink was told of all entries up to this one, or a dead letter says which event it does not take. */
  | { readonly type: 'notified'; readonly upTo: number }
  | { readonly type: 'effectFailed'; readonly because: string; readonly retryAfterMs?: number }
  | { readonly type: 'effectRefused'; readonly because: string }
);

/** Between the machines of one model: never stored, never sent. */
export type InnerSignal =
  | { readonly type: 'endpointConverged' }
  | { readonly type: 'deploymentFailed'; readonly version: number; readonly because: string };

/** What the receiver stamps on every signal. */
export interface Stamp {
  readonly id: string;
  readonly at: number;
  readonly actor: Actor;
}

export type ModelSignal = Stamp & (OutsideSignal | ProjectSignal | Answer);

export type SignalOf<Type extends ModelSignal['type']> = Extract<ModelSignal, { type: Type }>;
