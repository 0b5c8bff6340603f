import type * as Pulumi from '@pulumi/pulumi';

/**
 * Pulumi as it is handed in: SST carries its own copy and gives it as a global, and two copies of Pulumi in one program
 * do not know of each other's resources.
 */
export type PulumiModule = typeof Pulumi;
export type { Pulumi };
