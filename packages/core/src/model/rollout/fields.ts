import type { Rollout } from './state.ts';

/** Which fields of a rollout an entry may change, where the machine does not say all that comes of it. */

type FieldOf<Kind> = Kind extends unknown ? keyof Kind : never;
export type Field = FieldOf<Rollout>;

/**
 * - `apart`: recomputed by itself in every entry.
 * - `fixed`: as it was. What may change it is a signal that the machine is asked again.
 * - `ofStep`: as it was from one state that reads ticks to another.
 * - `ofStatus`: as it was while the status is the same.
 */
export type Kept = 'apart' | 'fixed' | 'ofStep' | 'ofStatus';

/** A new field does not compile until somebody decides. */
export const kept: Readonly<Record<Field, Kept>> = {
  ...{ evidence: 'apart', certificate: 'apart' },
  ...{
    id: 'fixed',
    kind: 'fixed',
    model: 'fixed',
    edition: 'fixed',
    candidate: 'fixed',
    stable: 'fixed',
    plan: 'fixed',
  },
  ...{ sticky: 'fixed', championSince: 'fixed', guardMs: 'fixed', startedAt: 'fixed', by: 'fixed' },
  ...{ latency: 'fixed', history: 'fixed', together: 'fixed', steps: 'fixed' },
  ...{ step: 'ofStep', since: 'ofStep', until: 'ofStep' },
  ...{ deadline: 'ofStatus', endsAt: 'ofStatus', because: 'ofStatus', gathering: 'ofStatus', backTo: 'ofStatus' },
  ...{ passing: 'ofStatus', frozen: 'ofStatus', unreadSince: 'ofStatus', endedAt: 'ofStatus', story: 'ofStatus' },
  ...{ status: 'apart', ready: 'ofStatus' },
};

const reading: readonly Rollout['status'][] = ['baking', 'paused', 'held', 'guarding'];

/** The fields that an entry leaves as they were. */
export function keptFields(was: Rollout, now: Rollout): readonly Field[] {
  const isSame = was.status === now.status;
  const isReading = reading.includes(was.status) && reading.includes(now.status);
  const holds: Readonly<Record<Kept, boolean>> = {
    ...{ apart: false, fixed: true, ofStep: isSame || isReading, ofStatus: isSame },
  };
  return (Object.keys(kept) as Field[]).filter((field) => holds[kept[field]]);
}
