import type { Approval } from '../ports/registry.ts';
import type { Model } from './state.ts';
import type { Version } from './version.ts';

/**
 * Where a version stands, in one word, as `why` says it in a sentence. `offered`: it waits for its rollout. `served`: it
 * was the champion, and another followed. `trained`: it was never offered.
 */
export type VersionState =
  | 'quarantined'
  | 'champion'
  | 'rollingOut'
  | 'offered'
  | Approval
  | 'aborted'
  | 'refused'
  | 'served'
  | 'trained';

export function versionState({ number, quarantined, approval, verdict }: Version, model: Model): VersionState {
  const rollout = model.rollout?.candidate === number ? model.rollout : undefined;
  if (quarantined !== undefined) return 'quarantined';
  if (model.champion === number) return 'champion';
  if (rollout !== undefined && !('endedAt' in rollout)) return 'rollingOut';
  if (model.offered?.version === number && approval?.status === 'approved') return 'offered';
  if (rollout?.status === 'aborted') return 'aborted';
  if (approval !== undefined && approval.status !== 'approved') return approval.status;
  if (verdict?.passed === false) return 'refused';
  if (model.served.some(({ version }) => version === number)) return 'served';
  return approval?.status ?? 'trained';
}
