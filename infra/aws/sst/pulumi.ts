import type * as Aws from '@pulumi/aws';
import type { Pulumi, PulumiModule } from '../../shared/pulumi.ts';
import type { Code } from '../bundle.ts';
import type { Topology } from '../topology/shapes.ts';

/** Pulumi and its provider, as SST carries them. */
export interface Platform {
  readonly aws: typeof Aws;
  readonly pulumi: PulumiModule;
}

export interface Around extends Platform {
  readonly topology: Topology;
  readonly code: Code;
}

export type { Aws, Pulumi };
