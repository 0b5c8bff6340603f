import * as z from 'zod';
import { errors as measure } from '../base/measures.ts';
import { bounds, type GuardrailKind, streamsOf } from './guardrail.ts';

/** Requests that failed. */
export const errors = {
  name: 'errors',
  clock: 'ticks',
  warmsUp: false,
  schema: () => z.union([z.literal(false), bounds]).prefault({}),
  watch: (_, { segments }) => ({
    streams: streamsOf({ id: 'errors', measure, promotes: true }, segments, (of) => `failed requests${of}`),
  }),
} as const satisfies GuardrailKind;
