import { slowerThan } from '../base/measures.ts';
import { grouped, percent } from '../base/numbers.ts';
import { type GuardrailKind, streamsOf } from './guardrail.ts';
import type { Kit } from './kit.ts';

const percentiles = [
  { name: 'p50', expectedShare: 0.5 },
  { name: 'p90', expectedShare: 0.1 },
  { name: 'p99', expectedShare: 0.01 },
] as const;

const ms = (value: number): string => `${Number(value.toPrecision(3))} ms`;

/** Requests that were slower than the champion's percentiles, which are frozen before the start. */
export const latency = {
  name: 'latency',
  clock: 'ticks',
  // A deployment that has just got more traffic has cold caches.
  warmsUp: true,
  schema: ({ z, bounds }: Kit) => z.union([z.literal(false), bounds]).prefault({}),
  watch(_, { thresholds, sticky, segments }) {
    if (thresholds === undefined) return undefined;
    if (thresholds === 'none')
      return {
        off: 'the champion had too few requests before the rollout to tell how fast it is, or they could not be read',
      };
    const { p50, p90, p99, requests } = thresholds;
    return {
      streams: percentiles.flatMap(({ name, expectedShare }) =>
        streamsOf(
          {
            id: `latency.${name}`,
            measure: slowerThan(thresholds[name]),
            // At p50 a margin of 2 means all requests, so nothing could be certified.
            // A heavy user has a slow request within a tick or two with any model, so first ones certify nothing.
            promotes: name !== 'p50' && !sticky,
            expectedShare,
            were: `were slower than ${ms(thresholds[name])}`,
          },
          segments,
          (segment) =>
            `requests${segment} slower than ${ms(thresholds[name])} (about ${percent(expectedShare)} before)`,
        ),
      ),
      condition: `a request is slow when it takes longer than ${ms(p50)}, ${ms(p90)} or ${ms(p99)}: the champion's p50, p90 and p99 over ${grouped(requests)} requests before the start`,
    };
  },
} as const satisfies GuardrailKind;
