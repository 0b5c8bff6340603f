import type { ZodType } from 'zod';
import type { Bounds, Kit } from './kit.ts';

/** The champion's p50, p90 and p99 in milliseconds, frozen before the start. A slower request is bad. */
export interface Thresholds {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly requests: number;
}

/** One row of counts that is judged by itself. */
export interface Stream {
  /** `errors`, `latency.p90`, `labels`, `labels.worst`, `errors@de`. */
  readonly id: string;
  /** The measure for which the platform is asked; `labels` on the clock of labels. */
  readonly measure: string;
  readonly segment?: string;
  /** May bring the candidate down. */
  readonly harm: boolean;
  /** Has to be certified before the candidate is promoted. */
  readonly promotes: boolean;
  /** What is counted as bad, in words for a person: `failed requests with x-country=de`. */
  readonly events: string;
  /** The same as a sentence about what was counted: `requests with x-country=de` that `failed`. Absent: `requests` that `were bad`. */
  readonly counted?: string;
  readonly were?: string;
  /** The champion's bad share if the measure itself fixes it; absent: the config's `errorShare`. */
  readonly expectedShare?: number;
}

/** What a guardrail is in one rollout. */
export interface Watch {
  readonly streams: readonly Stream[];
  /** Labels that are losses: how much more loss is tolerated, and how much more a promotion excludes. */
  readonly loss?: { readonly tolerated: number; readonly margin: number };
  /** How it was measured, for the certificate. */
  readonly condition?: string;
}

export interface Segments {
  readonly by: string;
  readonly values: readonly string[];
}

/** What a guardrail may ask of its rollout. */
export interface Setting {
  /** Users stay with their model, and are the unit that is counted. */
  readonly sticky: boolean;
  readonly routing: 'configured' | 'realised';
  /** Values of a request header that are judged by themselves, too. */
  readonly segments?: Segments | undefined;
  /** `none`: nobody could say them. Absent: nobody asked. */
  readonly thresholds?: Thresholds | 'none' | undefined;
}

/** One guardrail of the config, with everything that is particular to it; `list.ts` names them all. */
export interface GuardrailKind<Rule extends Bounds = Bounds> {
  readonly name: string;
  /** Evidence on the clock of labels has to reach 1/alpha by itself. */
  readonly clock: 'ticks' | 'labels';
  /** Whether the ticks of the warm-up are left out. */
  readonly warmsUp: boolean;
  /** Its part of the config. One that came later is optional: stored plans do not have it. */
  readonly schema: (kit: Kit) => ZodType;
  /** `off`: why it cannot be judged in this rollout; `undefined`: there is nothing to judge. */
  watch(rule: Rule, setting: Setting): Watch | { readonly off: string } | undefined;
  /** What is wrong with it under this plan, one sentence each. */
  warnings?(rule: Rule, plan: { readonly tick: number; readonly atMost: number }): readonly string[];
}

/** The whole, and each segment by itself: a segment may bring the candidate down, and need not be certified. */
export function streamsOf(
  whole: Pick<Stream, 'id' | 'measure' | 'promotes' | 'expectedShare' | 'were'>,
  segments: Segments | undefined,
  eventsOf: (withSegment: string) => string,
): readonly Stream[] {
  return [
    { ...whole, harm: true, events: eventsOf(''), counted: 'requests' },
    ...(segments?.values ?? []).map((segment) => ({
      ...whole,
      id: `${whole.id}@${segment}`,
      segment,
      harm: true,
      promotes: false,
      events: eventsOf(` with ${segments?.by}=${segment}`),
      counted: `requests with ${segments?.by}=${segment}`,
    })),
  ];
}
