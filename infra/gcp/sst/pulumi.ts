import type * as Gcp from '@pulumi/gcp';
import type { Pulumi, PulumiModule } from '../../shared/pulumi.ts';
import type { Code } from '../bundle.ts';
import type { Topology } from '../topology/shapes.ts';

/** Pulumi and its provider, as SST carries them. */
export interface Platform {
  readonly gcp: typeof Gcp;
  readonly pulumi: PulumiModule;
}

export interface Around extends Platform {
  readonly topology: Topology;
  readonly code: Code;
  /** What must stand before: everything is named, so Pulumi sees no order by itself. */
  readonly after: readonly Pulumi.Resource[];
}

export type { Gcp, Pulumi };
