import type { Job } from './jobs.ts';
import type { RegisteredVersion } from './registry.ts';
import type { Deployment } from './serving.ts';

/** What the core asks of the ports for a model: its first run, and its first deployment. */
export type Ask =
  | { readonly kind: 'job'; readonly job: Job }
  | { readonly kind: 'version'; readonly version: RegisteredVersion }
  | { readonly kind: 'deploy'; readonly deployment: Deployment };

/** What is asked for one model, in the order in which the core asks. */
export interface ModelAsks {
  readonly model: string;
  readonly asks: readonly Ask[];
}
