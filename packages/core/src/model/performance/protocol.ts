import type { TruthRule } from '../../base/truths.ts';
import type { LossEvidence } from '../../drift/losses.ts';
import type { Outcomes } from '../../drift/outcomes.ts';

/** What the machine of performance orders, and what answers. It hears nothing from outside but time. */
export interface PerformanceProtocol {
  readonly signal: never;
  readonly order: {
    /** Adds the labels of some ticks to what is known of a window: those of one deployment, in the order of requests. */
    readonly kind: 'countLabels';
    readonly endpoint: string;
    readonly deployment: string;
    readonly from: number;
    readonly to: number;
    readonly tickMs: number;
    readonly maturityMs: number;
    readonly truths?: TruthRule;
    readonly outcomes: Outcomes;
    /** What the losses are bet against; absent: no bet is made. */
    readonly bets?: Bets;
  };
  readonly answer: {
    readonly type: 'labelsCounted';
    /** Where the ticks end that were read. */
    readonly readTo: number;
    readonly outcomes: Outcomes;
    readonly evidence?: LossEvidence;
  };
}

export interface Bets {
  readonly limit: number;
  readonly evidence: LossEvidence;
}
