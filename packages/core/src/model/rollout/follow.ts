import { applyPatch } from '../../base/json.ts';
import type { Entry } from '../../ports/journal.ts';
import type { SignalOf } from '../protocol.ts';
import type { Rollout } from './state.ts';

/** One entry of a model's journal that changed a rollout. */
export interface Change {
  /** Absent: it began in this entry. */
  readonly was?: Rollout;
  readonly now: Rollout;
  /** Whether the project was frozen before the entry, and after it. */
  readonly frozen: boolean;
  readonly stillFrozen: boolean;
  /** Of the model's state. */
  readonly schema: number;
}

interface Seen {
  readonly schema?: number;
  readonly rollout?: Rollout;
  readonly freeze?: unknown;
}

/**
 * Follows a rollout through the entries of its model, oldest first and from the first one on: a patch is a difference,
 * also to the rollout before. Answers `undefined` for entries that do not change this rollout. What is in them was
 * written by the machine; it is not checked, and may throw.
 */
export function rolloutFollower(id: string): (entry: Entry) => Change | undefined {
  let seen: Seen = {};

  return (entry) => {
    const { rollout, freeze, schema } = entry.patch as Readonly<Record<string, unknown>>;
    if (rollout === undefined && freeze === undefined && schema === undefined) return undefined;
    const before = seen;
    seen = applyPatch(before, JSON.parse(JSON.stringify({ rollout, freeze, schema }))) as Seen;
    if (seen.rollout?.id !== id || rollout === undefined) return undefined;
    return {
      ...(before.rollout?.id === id ? { was: before.rollout } : {}),
      now: seen.rollout,
      frozen: before.freeze !== undefined,
      stillFrozen: seen.freeze !== undefined,
      schema: Number(seen.schema),
    };
  };
}

export type Reading = SignalOf<'ticksRead'> | SignalOf<'labelsRead'>;

/** The counts of a rollout that an entry brought, if it did. */
export function readingIn({ signal, at }: Entry, id: string): (Reading & { readonly at: number }) | undefined {
  const { type, key } = signal as { readonly type?: unknown; readonly key?: unknown };
  if ((type !== 'ticksRead' && type !== 'labelsRead') || !String(key).startsWith(`rollout/${id}/`)) return undefined;
  return { ...(signal as unknown as Reading), at }; // written by the engine
}
