import type { Json } from '../base/json.ts';
import type { ModelPlan } from '../config/config.ts';
import type { Aliases } from '../ports/registry.ts';
import type { Drift } from './drift/drift.ts';
import { type Endpoint, endpointStart } from './endpoint/endpoint.ts';
import { type Intake, intakeStart } from './intake/intake.ts';
import { type LabelFiles, planLabels } from './labels/labels.ts';
import type { PendingEffects } from './leases.ts';
import { type Monitor, monitorStart, type Wanted } from './monitor/monitor.ts';
import type { Performance } from './performance/performance.ts';
import type { Rollout } from './rollout/state.ts';
import type { Trigger } from './run/protocol.ts';
import type { Run } from './run/state.ts';
import type { Freeze, Message } from './streams.ts';
import type { Versions } from './version.ts';

/** Everything that is known of one model: the state of its stream. Bounded, plain JSON, without `null`. */
export interface Model {
  readonly schema: 3;
  readonly model: string;
  /** When the last signal was decided. */
  readonly at: number;
  /** Revision of the project's config and freezes that this model has. */
  readonly revision: number;
  readonly plan: ModelPlan;
  /** It left the config: triggers are off, its endpoint is kept until it is deleted by hand. */
  readonly retired?: true;
  readonly freeze?: Freeze;

  readonly intake: Intake;
  /** Who brought new data since the newest dataset version. */
  readonly droppers?: readonly string[];
  /** Who released the plan, with its code. */
  readonly releasedBy?: readonly string[];
  /** Only of a model whose config has `labels`. */
  readonly labels?: LabelFiles;
  readonly run?: Run;
  readonly endpoint: Endpoint;
  readonly rollout?: Rollout;
  readonly monitor: Monitor;
  /** Only of a model whose config has `monitor.drift`, and whose champion has a reference. */
  readonly drift?: Drift;
  /** Only of a model whose config has `monitor.performance`, and which has a champion. */
  readonly performance?: Performance;

  /** The trigger that waits for the active run to end; the newest wins. */
  readonly queued?: { readonly trigger: Trigger; readonly at: number; readonly by: string };
  /** The last trigger that was folded into a newer one, and the last that was skipped. */
  readonly superseded?: { readonly trigger: string; readonly at: number; readonly into: string };
  readonly skipped?: { readonly trigger: string; readonly at: number; readonly because: string };
  /** By inputs digest: the run that was finished with them, or makes them needless; the last 100. */
  readonly finished: Readonly<Record<string, string>>;
  /** By dataset: the rows of those that were profiled, the newest last; the last 14. */
  readonly profiled?: Readonly<Record<string, number>>;

  readonly versions: Versions;
  readonly nextNumber: number;
  readonly champion?: number;
  /** What the platform's registry says of the aliases. */
  readonly aliased?: Aliases;
  /** The former champions, the newest last: where a rollback goes. */
  readonly lastGood: readonly number[];
  /** The version that is awaiting its approval or its rollout: it passed the gate. */
  readonly offered?: {
    readonly version: number;
    readonly against?: number;
    readonly rescoring?: true;
    readonly override?: Override;
  };
  /** What was on its way when the model left the config: offered again when it comes back. */
  readonly shelved?: number;
  /** What served since when: the last 50 changes of the champion. */
  readonly served: readonly { readonly at: number; readonly version?: number; readonly because: string }[];
  /** What the last alert that asked for something came to. */
  readonly did?: Wanted;

  /** The run and the rollout whose end has been dealt with. */
  readonly settledRun?: string;
  readonly settledRollout?: string;
  /** Ids of outside signals that were decided, and how: the last 200. */
  readonly seen: Readonly<Record<string, string>>;
  readonly debts: PendingEffects;
  /** Messages to the project that were not delivered yet. */
  readonly tells: Readonly<Record<string, Message>>;
  /** Records to write: streams by revision; `past` holds what the state has moved on from. */
  readonly records: Readonly<Record<string, number>>;
  readonly past: Readonly<Record<string, Json>>;
  readonly lastEventSeq: number;
  readonly announced: number;
  /** By sink: the entry up to which it was notified. */
  readonly notified?: Readonly<Record<string, number>>;
  /** By sink: how many events of the entry after that one it was notified of, where there are some. */
  readonly notifiedEvents?: Readonly<Record<string, number>>;
  /** Events that a sink is notified of once more, by `sink/seq/index`. */
  readonly notifyAgain?: Readonly<
    Record<string, { readonly sink: string; readonly seq: number; readonly index: number }>
  >;
}

/** A person lets the offered version start although alerts fire. */
export interface Override {
  /** Which of them: one that fires later holds it all the same. */
  readonly alerts: readonly string[];
  /** What fires, who said so and why. */
  readonly text: string;
}

/** What a decision may know besides the state. */
export interface Moment {
  readonly at: number;
  /** Sequence number of the append that it becomes. */
  readonly seq: number;
  /** Who caused it, for the record. */
  readonly by: string;
}

export function modelStart(model: string, plan: ModelPlan, revision: number, at: number): Model {
  return {
    schema: 3,
    model,
    at,
    revision,
    plan,
    intake: intakeStart(at, { model, plan }),
    ...planLabels(undefined, undefined, plan, at),
    endpoint: endpointStart(at),
    monitor: monitorStart,
    finished: {},
    versions: {},
    nextNumber: 1,
    lastGood: [],
    served: [],
    seen: {},
    debts: {},
    tells: {},
    records: {},
    past: {},
    lastEventSeq: 0,
    announced: 0,
  };
}
