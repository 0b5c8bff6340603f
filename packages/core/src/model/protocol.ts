import type { Json } from '../base/json.ts';
import type { Actor, Append } from '../ports/journal.ts';
import type { SinkPlan } from '../ports/notify.ts';
import type { Aliases, Approval } from '../ports/registry.ts';
import type { DriftProtocol } from './drift/protocol.ts';
import type { EndpointProtocol } from './endpoint/protocol.ts';
import type { IntakeProtocol } from './intake/protocol.ts';
import type { LabelsProtocol } from './labels/protocol.ts';
import type { MonitorProtocol } from './monitor/protocol.ts';
import type { PerformanceProtocol } from './performance/protocol.ts';
import type { RolloutProtocol } from './rollout/protocol.ts';
import type { RunProtocol } from './run/protocol.ts';
import type { Message, ProjectSignal, Spread } from './streams.ts';

/** What a model hears from outside, what it orders, and what answers: of each machine, and its own. */
type Protocol =
  | IntakeProtocol
  | LabelsProtocol
  | RunProtocol
  | EndpointProtocol
  | RolloutProtocol
  | MonitorProtocol
  | DriftProtocol
  | PerformanceProtocol
  | OwnProtocol;

/** What belongs to no machine. */
interface OwnProtocol {
  readonly signal:
    | { readonly type: 'clockTicked' }
    | ApprovalGiven
    | { readonly type: 'restoreRequested'; readonly version: number; readonly because: string }
    /** One event of an entry goes to a sink once more: what a dead letter of a delivery is replayed as. */
    | { readonly type: 'notifyRequested'; readonly sink: string; readonly seq: number; readonly index: number };
  readonly order:
    | { readonly kind: 'mirrorApproval'; readonly model: string; readonly number: number; readonly approval: Approval }
    | { readonly kind: 'mirrorAliases'; readonly model: string; readonly aliases: Aliases }
    | { readonly kind: 'tell'; readonly stream: string; readonly id: string; readonly signal: Message }
    /** Writes what is known of a run or rollout to its own stream; an older revision never replaces a newer one. */
    | {
        readonly kind: 'record';
        readonly stream: string;
        readonly revision: number;
        readonly record: Json;
        readonly name: NonNullable<Append['name']>;
      }
    /** Publishes the events of the entries `from < seq <= to`. */
    | { readonly kind: 'publish'; readonly from: number; readonly to: number }
    /**
     * Notifies one sink of the events of the entries `from < seq <= to`, but not of the first `delivered` of `from + 1`; of one
     * entry, perhaps only of the event at `index`.
     */
    | {
        readonly kind: 'notify';
        readonly sink: SinkPlan;
        readonly from: number;
        readonly to: number;
        readonly delivered?: number;
        readonly index?: number;
      };
  readonly answer:
    | { readonly type: 'approvalMirrored' }
    | { readonly type: 'aliasesMirrored' }
    | { readonly type: 'told' }
    | { readonly type: 'recorded' }
    | { readonly type: 'announced'; readonly upTo: number }
    /**
     * A sink was notified of all entries up to this one, and of the first `delivered` events of the next, or a dead letter says
     * which event it does not take.
     */
    | { readonly type: 'notified'; readonly upTo: number; readonly delivered?: number }
    | { readonly type: 'effectFailed'; readonly because: string; readonly retryAfterMs?: number }
    | { readonly type: 'effectRefused'; readonly because: string };
}

export interface ApprovalGiven {
  readonly type: 'approvalGiven';
  readonly version: number;
  readonly approved: boolean;
  readonly note?: string;
  /** Why it may start although alerts fire: those that fire now, and no others. */
  readonly override?: string;
}

/** Signals from outside; those of people and tools carry the sender's id and leave a record, hints do not. */
export type OutsideSignal = Protocol['signal'];

/** What the committed state orders. Performing an order twice is harmless, by the promises of the ports. */
export type Order = Protocol['order'] | Spread;

/** An order that the state owes. The key names it: as long as the state owes the key, it is the same effect. */
export type Effect = { readonly key: string } & Order;

/** Answers to effects. `key` and `taken` say to which effect; others are stale and ignored. */
export type Answer = { readonly key: string; readonly taken: number } & Protocol['answer'];

/** What the receiver stamps on every signal. */
export interface Stamp {
  readonly id: string;
  readonly at: number;
  readonly actor: Actor;
}

export type ModelSignal = Stamp & (OutsideSignal | ProjectSignal | Answer);

export type SignalOf<Type extends ModelSignal['type']> = Extract<ModelSignal, { type: Type }>;
