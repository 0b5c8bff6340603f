import type { Fault } from '@serin/core/base/fault';

/** One fact that a message tells. Times are ISO 8601 in UTC; keys and names are decoded and else untouched. */
export type Told =
  | { readonly kind: 'object'; readonly bucket: string; readonly key: string }
  | { readonly kind: 'job'; readonly name: string; readonly api: 'training' | 'processing' | 'transform' }
  | { readonly kind: 'endpoint'; readonly name: string }
  | {
      readonly kind: 'alarm';
      readonly state: 'ALARM' | 'OK';
      /** The ARN, and its series if it has many. An ARN names the region, which the text form of SNS only describes. */
      readonly alarm: string;
      readonly name: string;
      /** Endpoints that its metrics are of; none of a composite alarm, or of a metric of something else. */
      readonly endpoints: readonly string[];
      /** What its description says of models: `prod/fraud` of `serin_model=prod/fraud`. */
      readonly models: readonly string[];
      readonly startedAt: string;
      readonly title: string;
    }
  | {
      readonly kind: 'approval';
      readonly arn: string;
      readonly group: string;
      readonly status: 'Approved' | 'Rejected';
      readonly modifiedAt: string;
      readonly note?: string;
    }
  /** Our own: a stream has something to pay, or a time has come. */
  | { readonly kind: 'tick'; readonly stream: string }
  /** Part of a message, whose other parts can be read. */
  | { readonly kind: 'unreadable'; readonly fault: Fault }
  /** Nothing for us: acknowledged and counted. */
  | { readonly kind: 'foreign'; readonly what: string };

/** Counted by what it is, so it is short. */
export const foreign = (what: string): Told => ({ kind: 'foreign', what: what.slice(0, 120) });
