import type { Pulumi, PulumiModule } from '../../shared/pulumi.ts';
import type { Code } from '../bundle.ts';
import type { IdentityId, Topology } from '../topology/shapes.ts';

/** The parts of Pulumi's provider that are used; the whole is 5,000 files of types. */
export interface AzureNative {
  readonly applicationinsights: typeof import('@pulumi/azure-native/applicationinsights/index.js');
  readonly authorization: typeof import('@pulumi/azure-native/authorization/index.js');
  readonly eventgrid: typeof import('@pulumi/azure-native/eventgrid/index.js');
  readonly keyvault: typeof import('@pulumi/azure-native/keyvault/index.js');
  readonly machinelearningservices: typeof import('@pulumi/azure-native/machinelearningservices/index.js');
  readonly managedidentity: typeof import('@pulumi/azure-native/managedidentity/index.js');
  readonly monitor: typeof import('@pulumi/azure-native/monitor/index.js');
  readonly network: typeof import('@pulumi/azure-native/network/index.js');
  readonly operationalinsights: typeof import('@pulumi/azure-native/operationalinsights/index.js');
  readonly resources: typeof import('@pulumi/azure-native/resources/index.js');
  readonly servicebus: typeof import('@pulumi/azure-native/servicebus/index.js');
  readonly storage: typeof import('@pulumi/azure-native/storage/index.js');
  readonly web: typeof import('@pulumi/azure-native/web/index.js');
}

/** Pulumi and its provider, as SST carries them. */
export interface Platform {
  readonly azure: AzureNative;
  readonly pulumi: PulumiModule;
}

/** A managed identity that stands, and what Azure calls it. */
export interface Made {
  readonly id: Pulumi.Output<string>;
  readonly clientId: Pulumi.Output<string>;
  readonly principalId: Pulumi.Output<string>;
}

export interface Around extends Platform {
  readonly topology: Topology;
  readonly code: Code;
  readonly tenant: string;
  readonly identities: Readonly<Record<IdentityId, Made>>;
  /** Gives a function app its code, at the host that takes it. */
  readonly publish: (host: string, zip: Uint8Array) => Promise<void>;
  /** What must stand before: everything is named, so Pulumi sees no order by itself. */
  readonly after: readonly Pulumi.Resource[];
}

export type { Pulumi };

/** What every resource of the group is given. */
export const placed = ({ topology }: Pick<Around, 'topology'>, group = topology.group) => ({
  resourceGroupName: group,
  location: topology.where.region,
  tags: { ...topology.tags },
});

/** What holds data stays when the stage is removed, and may have stayed of an earlier installation. */
export const keptOf = ({ topology: { settings } }: Pick<Around, 'topology'>, id: string) => ({
  retainOnDelete: true,
  ...(settings.adopt ? { import: id } : {}),
});

export const idIn = ({ where, group }: Topology, type: string, name: string, inGroup = group): string =>
  `/subscriptions/${where.account}/resourceGroups/${inGroup}/providers/${type}/${name}`;
