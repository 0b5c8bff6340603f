import { errors as measure } from '../base/measures.ts';
import { type GuardrailKind, streamsOf } from './guardrail.ts';
import type { Kit } from './kit.ts';

/** Requests that failed. */
export const errors = {
  name: 'errors',
  clock: 'ticks',
  warmsUp: false,
  schema: ({ z, bounds }: Kit) => z.union([z.literal(false), bounds]).prefault({}),
  watch: (_, { segments }) => ({
    streams: streamsOf(
      { id: 'errors', measure, promotes: true, were: 'failed' },
      segments,
      (segment) => `failed requests${segment}`,
    ),
  }),
} as const satisfies GuardrailKind;
