import type { ModelPlan } from '../config/config.ts';

/** What the streams of a project and of its models say to each other. */

export interface Freeze {
  readonly by: string;
  readonly because: string;
  readonly until?: number;
}

/** Signals of the project to its models. */
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

/** What one stream may say to another by the effect `tell`. */
export type Message =
  | { readonly type: 'slotRequested'; readonly run: string; readonly model: string; readonly until: number }
  | { readonly type: 'slotReleased'; readonly run: string }
  | { readonly type: 'slotGranted'; readonly run: string };

/** Tells every model whose part differs between any of `from` and `to`; in name order, from `cursor` on. */
export interface Spread {
  readonly kind: 'spread';
  readonly revision: number;
  readonly from: readonly string[];
  readonly to: string;
  /** Tells all models of `to`, changed or not. */
  readonly everyone: boolean;
  /** Who released it; absent in what older code decided. */
  readonly by?: readonly string[];
  readonly freeze?: Freeze;
  readonly cursor?: string;
}
