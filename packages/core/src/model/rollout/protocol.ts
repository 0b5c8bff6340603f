import type { TruthRule } from '../../base/truths.ts';
import type { Thresholds } from '../../guardrails/guardrail.ts';
import type { History } from '../../judge/history.ts';
import type { ServingKind } from '../../ports/serving.ts';
import type { LabelTick, Tick } from '../../ports/telemetry.ts';

/** What a rollout hears from people, what it orders, and what answers. */
export interface RolloutProtocol {
  readonly signal:
    | { readonly type: 'pauseRequested'; readonly rollout?: string; readonly because?: string }
    | { readonly type: 'resumeRequested'; readonly rollout?: string; readonly because?: string }
    | { readonly type: 'promoteRequested'; readonly rollout?: string; readonly because?: string }
    | { readonly type: 'abortRequested'; readonly rollout?: string; readonly because?: string }
    | { readonly type: 'rollbackRequested'; readonly to?: number; readonly because?: string };
  readonly order:
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
        readonly truths?: TruthRule;
        readonly compared?: readonly string[];
      }
    /** The percentiles of an endpoint before a rollout. */
    | {
        readonly kind: 'readLatency';
        readonly endpoint: string;
        readonly from: number;
        readonly to: number;
        readonly on?: ServingKind;
      }
    /** What a deployment did before a rollout while it answered alone. `from` is of the longer window. */
    | {
        readonly kind: 'readHistory';
        readonly endpoint: string;
        readonly deployment: string;
        readonly from: number;
        readonly to: number;
        readonly tickMs: number;
        readonly measures: readonly string[];
        readonly on?: ServingKind;
      };
  readonly answer:
    | { readonly type: 'ticksRead'; readonly from: number; readonly to: number; readonly ticks: readonly Tick[] }
    | { readonly type: 'labelsRead'; readonly from: number; readonly to: number; readonly ticks: readonly LabelTick[] }
    /** Without percentiles: there were no requests. */
    | { readonly type: 'latencyRead'; readonly percentiles?: Thresholds }
    /** Without a history: it answered nothing alone, or its counts cannot be read. */
    | { readonly type: 'historyRead'; readonly history?: History };
}

/** Between the machines of one model: never stored, never sent. */
export type InnerSignal =
  | { readonly type: 'endpointConverged' }
  | { readonly type: 'deploymentFailed'; readonly version: number; readonly because: string };
