import type { Json } from '../base/json.ts';
import type { Job } from '../ports/jobs.ts';
import type { Append } from '../ports/journal.ts';
import type { SinkPlan } from '../ports/notify.ts';
import type { Approval, RegisteredVersion } from '../ports/registry.ts';
import type { Operation, ServingKind } from '../ports/serving.ts';
import type { DatasetVersion, Freeze, LabelCounts, ListingProgress } from './signal.ts';

/**
 * An order that the committed state owes. The key names it: as long as the state owes the key, it is the same effect.
 * Performing one twice is harmless, by the promises of the ports.
 */
export type Effect = { readonly key: string } & Order;

export type Order =
  | {
      readonly kind: 'list';
      readonly model: string;
      readonly bucket: string;
      readonly prefix: string;
      readonly marker?: string;
      readonly manifest?: string;
      readonly progress?: ListingProgress;
    }
  | {
      readonly kind: 'checkDataset';
      readonly dataset: DatasetVersion;
      readonly columns: readonly string[];
      readonly maxBytes?: number;
    }
  /** Looks for files of labels that were not imported yet. */
  | {
      readonly kind: 'findLabels';
      readonly model: string;
      readonly bucket: string;
      readonly prefix: string;
      readonly cursor?: string;
      readonly after?: string;
    }
  /** Tells the labels of a file, from a byte (and line) on. */
  | {
      readonly kind: 'importLabels';
      readonly model: string;
      readonly bucket: string;
      readonly file: string;
      readonly version?: string;
      readonly offset: number;
      readonly line: number;
      readonly counts: LabelCounts;
    }
  | { readonly kind: 'startJob'; readonly job: Job }
  | { readonly kind: 'describeJob'; readonly id: string }
  | { readonly kind: 'stopJob'; readonly id: string }
  | { readonly kind: 'register'; readonly version: RegisteredVersion }
  | { readonly kind: 'mirrorApproval'; readonly model: string; readonly number: number; readonly approval: Approval }
  /** `falling`: takes traffic away from a candidate, and is never kept waiting. */
  | {
      readonly kind: 'change';
      readonly endpoint: string;
      readonly operation: Operation;
      readonly falling: boolean;
      readonly on?: ServingKind;
    }
  | { readonly kind: 'observe'; readonly endpoint: string; readonly on?: ServingKind }
  | {
      readonly kind: 'readTicks';
      readonly on?: ServingKind;
      readonly endpoint: string;
      readonly from: number;
      readonly to: number;
      readonly tickMs: number;
      readonly measures: readonly string[];
      readonly usersSince?: number;
    }
  | {
      readonly kind: 'readLabels';
      readonly endpoint: string;
      readonly from: number;
      readonly to: number;
      readonly tickMs: number;
      readonly maturityMs: number;
    }
  /** The percentiles of an endpoint before a rollout. */
  | {
      readonly kind: 'readLatency';
      readonly endpoint: string;
      readonly from: number;
      readonly to: number;
      readonly on?: ServingKind;
    }
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
  /** Tells one sink of the events of the entries `from < seq <= to`; of one entry, perhaps only of the event at `index`. */
  | {
      readonly kind: 'notify';
      readonly sink: SinkPlan;
      readonly from: number;
      readonly to: number;
      readonly index?: number;
    }
  | Spread;

/** Tells every model whose part differs between any of `from` and `to`; in name order, from `cursor` on. */
export interface Spread {
  readonly kind: 'spread';
  readonly revision: number;
  readonly from: readonly string[];
  readonly to: string;
  /** Tells all models of `to`, changed or not. */
  readonly everyone: boolean;
  /** Who released what is told; absent in what older code decided. */
  readonly by?: readonly string[];
  readonly freeze?: Freeze;
  readonly cursor?: string;
}

/** What one stream may say to another. */
export type Message =
  | { readonly type: 'slotRequested'; readonly run: string; readonly model: string; readonly until: number }
  | { readonly type: 'slotReleased'; readonly run: string }
  | { readonly type: 'slotGranted'; readonly run: string };
