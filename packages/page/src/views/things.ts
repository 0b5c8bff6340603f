import { numberText } from '@serin/core/base/numbers';
import type { gateText } from '@serin/core/model/run/gate';

/** Documents of the API, as far as the pages of one thing look at them. */

type Metrics = Readonly<Record<string, number>>;
export type Verdict = Parameters<typeof gateText>[0];

export interface ModelDoc {
  readonly model: string;
  readonly seq: number;
  readonly champion?: number;
  readonly offered?: number;
  readonly retired?: boolean;
  readonly freeze?: unknown;
  readonly intake: { readonly status: string; readonly text: string; readonly dataset?: string };
  readonly run?: { readonly id: string; readonly status: string };
  readonly rollout?: { readonly id: string; readonly status: string };
  readonly endpoint: {
    readonly status: string;
    readonly weights: Readonly<Record<string, number>>;
    readonly because?: string;
  };
  readonly monitor: {
    readonly alerts: readonly {
      readonly title: string;
      readonly sender: string;
      readonly since: string;
      readonly did: string;
      readonly next?: string;
    }[];
    readonly holds?: number;
  };
  readonly lastGood: readonly number[];
  readonly plan: {
    readonly data: { readonly bucket: string; readonly prefix: string };
    readonly serve: 'none' | object;
    readonly gate?: Readonly<Record<string, Criterion>>;
    readonly monitor: {
      readonly drift?: { readonly notice: number; readonly major: number };
      readonly performance?: object;
    };
  };
}

export interface Criterion {
  readonly direction: 'up' | 'down';
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly noWorseBy?: number;
}

export interface VersionDoc {
  readonly model: string;
  readonly number: number;
  readonly run: string;
  readonly at: string;
  readonly dataset: string;
  readonly artifact: { readonly uri: string; readonly digest?: string; readonly bytes?: number };
  readonly metrics: Metrics;
  readonly scores: Readonly<Record<string, Metrics>>;
  readonly lineage: Readonly<Record<string, string>>;
  readonly verdict?: Verdict;
  readonly approval?: { readonly status: string; readonly by?: string; readonly at?: number; readonly note?: string };
  readonly quarantined?: { readonly because: string };
  readonly champion?: boolean;
  /** Where it stands, in one word. */
  readonly state: string;
}

export interface RunDoc {
  readonly id: string;
  readonly model: string;
  readonly status: string;
  readonly trigger: {
    readonly kind: string;
    readonly by?: string;
    readonly commit?: string;
    readonly image?: string;
    readonly hyperparameters?: Readonly<Record<string, string>>;
  };
  readonly releasedBy?: readonly string[];
  readonly dataset: {
    readonly digest: string;
    readonly bucket: string;
    readonly prefix: string;
    readonly objects: number;
    readonly bytes: number;
    readonly by?: readonly string[];
  };
  readonly inputs: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly split?: { readonly rule: string; readonly metrics: Metrics };
  readonly trained?: { readonly number: number; readonly metrics: Metrics };
  readonly scored?: Metrics;
  readonly against?: number;
  readonly championScore?: Metrics;
  readonly verdict?: Verdict;
  readonly unread?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly job?: { readonly part: string; readonly attempt: number; readonly running?: boolean };
  readonly plan: {
    readonly train: {
      readonly code?: { readonly digest: string };
      readonly image?: string;
      readonly command: readonly string[];
      readonly hyperparameters: Readonly<Record<string, unknown>>;
    };
  };
}

export interface Why {
  readonly sentence: string;
  readonly story: readonly { readonly at: string; readonly text: string }[];
}

/** The metrics that the gate looks at; without a gate those that were measured on the hold-out. */
export function metricsOf({ plan }: Pick<ModelDoc, 'plan'>, versions: readonly VersionDoc[]): readonly string[] {
  const gated = Object.keys(plan.gate ?? {});
  if (gated.length > 0) return gated;
  return [...new Set(versions.flatMap(({ scores }) => Object.values(scores).flatMap((each) => Object.keys(each))))];
}

/** What was measured, or nothing. */
export const valueText = (value: number | undefined): string => (value === undefined ? '' : numberText(value));

export const digestText = (digest: string | undefined): string => digest?.slice(0, 12) ?? '';
