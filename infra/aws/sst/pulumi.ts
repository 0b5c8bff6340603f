import type * as Aws from '@pulumi/aws';
import type * as Pulumi from '@pulumi/pulumi';
import type { Code } from '../bundle.ts';
import type { Topology } from '../topology/shapes.ts';

/**
 * Pulumi and its provider as they are handed in: SST carries its own copies and gives them as globals, and two copies
 * of Pulumi in one program do not know of each other's resources.
 */
export interface Platform {
  readonly aws: typeof Aws;
  readonly pulumi: typeof Pulumi;
}

export interface Around extends Platform {
  readonly topology: Topology;
  readonly code: Code;
}

export type { Aws, Pulumi };
