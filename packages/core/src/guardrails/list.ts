import { errors } from './errors.ts';
import type { GuardrailKind } from './guardrail.ts';
import type { Kit } from './kit.ts';
import { labels } from './labels.ts';
import { latency } from './latency.ts';

const kinds = [errors, latency, labels] as const;

type Kind = (typeof kinds)[number];
type Schemas = { readonly [Name in Kind['name']]: ReturnType<Extract<Kind, { name: Name }>['schema']> };

/** Every guardrail that a config can ask for. A new one is a file beside this one, and a name in this list. */
export const guardrailKinds: readonly GuardrailKind[] = kinds;

/** The fields of `rollout.guardrails`. */
export const guardrailSchemas = (kit: Kit): Schemas =>
  Object.fromEntries(kinds.map(({ name, schema }) => [name, schema(kit)])) as unknown as Schemas;
