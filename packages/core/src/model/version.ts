import type { ModelPlan, Program } from '../config/config.ts';
import type { Artifact, Source } from '../ports/jobs.ts';
import type { Approval } from '../ports/registry.ts';
import type { GateVerdict } from './run/gate.ts';

/** What was found of a dataset before it was trained on: digests of objects of Serin's own bucket. */
export interface DataSeen {
  readonly profile: string;
  readonly rows: number;
  readonly reference?: string;
  readonly report?: string;
}

/** An immutable model version and what was decided about it. Its number is given when its training succeeds. */
export interface Version {
  readonly number: number;
  readonly run: string;
  readonly at: number;
  readonly dataset: string;
  readonly data?: DataSeen;
  readonly artifact: Artifact;
  /** As the trainer measured them. */
  readonly metrics: Readonly<Record<string, number>>;
  /** By score key: metrics on a hold-out, as this version's own evaluate job measured them; the first and the last two. */
  readonly scores: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly evaluate?: Program;
  /** What its training never saw: it can be scored on it again. */
  readonly holdout?: Source;
  readonly serve: ModelPlan['serve'];
  readonly lineage: Readonly<Record<string, string>>;
  readonly verdict?: GateVerdict;
  readonly registered?: true;
  readonly approval?: {
    readonly status: Approval;
    readonly expiresAt?: number;
    readonly by?: string;
    readonly at?: number;
    /** What they wrote with their decision. */
    readonly note?: string;
    /** What the registry says already. */
    readonly mirrored?: Approval;
  };
  readonly quarantined?: { readonly at: number; readonly because: string };
  /** Somebody offered it again; `was`: why it was quarantined before. */
  readonly restored?: { readonly at: number; readonly by: string; readonly because: string; readonly was?: string };
}

export type Versions = Readonly<Record<string, Version>>;

export const versionOf = (versions: Versions, number: number | undefined): Version | undefined =>
  number === undefined ? undefined : versions[String(number)];

/** What one person does to a version, and another has to look at: by the field of its lineage. */
export const hands: Readonly<Record<string, (number: number) => string>> = {
  startedBy: (number) => `started the run of v${number}`,
  releasedBy: (number) => `released the config and code of v${number}`,
  droppedBy: (number) => `brought data of v${number}`,
};

/** What this person did to a version, for which four eyes want another one to approve it. */
export const handIn = ({ number, lineage }: Pick<Version, 'number' | 'lineage'>, subject: string): string | undefined =>
  Object.entries(hands).find(([field]) => lineage[field]?.split(', ').includes(subject))?.[1](number);

/** May this version get traffic? Only one that was registered, approved, and did no harm. */
export const servable = (version: Version | undefined): boolean =>
  version?.registered === true && version.approval?.status === 'approved' && version.quarantined === undefined;

/** How an endpoint names the deployment of a version. */
export const deploymentName = (version: number): string => `v${version}`;
export const versionOfName = (name: string): number => Number(name.slice(1));
