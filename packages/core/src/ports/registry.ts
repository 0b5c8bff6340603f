import type { Artifact } from './jobs.ts';

/**
 * `expired`: nobody decided in time; `superseded`: another version was offered while this one waited for a decision.
 */
export type Approval = 'pending' | 'approved' | 'rejected' | 'expired' | 'superseded';

export interface RegisteredVersion {
  readonly model: string;
  readonly number: number;
  readonly artifact: Artifact;
  readonly metrics: Readonly<Record<string, number>>;
  readonly approval: Approval;
  /** Run, dataset, code, image, commit ... as flat text. */
  readonly lineage: Readonly<Record<string, string>>;
}

/** The version that serves, and the one that a rollout tries. */
export interface Aliases {
  readonly champion?: number;
  readonly challenger?: number;
}

/** A copy of the versions that passed the gate. The journal decides on numbers and aliases. */
export interface Registry {
  /** Twice with equal content: one version. The same number with another digest: `defect`, nothing changes. */
  register(version: RegisteredVersion): Promise<void>;
  /** Last write wins; `notFound` for a version that was never registered. */
  setApproval(model: string, number: number, approval: Approval): Promise<void>;
  /**
   * Moves the aliases of a model: each is on the version that is named here, and on no other. Last write wins, also one
   * that was given up and lands late: nothing may be decided by them. `notFound` for a version that was never registered.
   * Absent where the platform's registry has no aliases.
   */
  setAliases?(model: string, aliases: Aliases): Promise<void>;
  get(model: string, number: number): Promise<RegisteredVersion | undefined>;
}
