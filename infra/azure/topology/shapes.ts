import type { CommonSettings } from '../../shared/settings-file.ts';
import type {
  FunctionId,
  Grant as PlannedGrant,
  Role as PlannedRole,
  Topology as PlannedTopology,
} from '../../shared/shapes.ts';

/** One installation, as its owner describes it. */
export interface Settings extends CommonSettings {
  /** `serin deploy` writes both: SST reads them here. */
  readonly subscription?: string;
  readonly region?: string;
  /** A resource group of yours that takes the installation; absent: one is made. */
  readonly resourceGroup?: string;
  /** The resource id of an Azure ML workspace of yours, with a cluster of it; absent: one is made. */
  readonly workspace?: string;
  readonly cluster?: string;
  /** The resource id of a storage account of yours, in which the containers are; absent: they are made in our own. */
  readonly dataAccount?: string;
  /** The names of Event Grid system topics, in their resource groups, where these sources have one: each may have only one. */
  readonly dataTopic?: string;
  readonly workspaceTopic?: string;
  /** The resource id of a Log Analytics workspace of yours, or `off`; absent: one is made. */
  readonly logWorkspace?: string;
  readonly logDays?: number;
  /** How storage accounts are replicated: `ZRS`, which some regions do not have. */
  readonly replication?: 'LRS' | 'ZRS' | 'GRS' | 'GZRS';
  /** `https://<vault>.vault.azure.net/keys/<key>`, for the storage accounts that we make. */
  readonly kmsKey?: string;
  /** The resource id of a managed identity of yours that may use the key. */
  readonly kmsIdentity?: string;
  /** Subnets of a virtual network of yours: functions leave through the one, private endpoints stand in the other. */
  readonly network?: { readonly functions: string; readonly endpoints: string };
  /** `internal`: only your networks reach the API, and Azure Monitor does. */
  readonly api?: 'public' | 'internal';
  readonly apiInstances?: number;
  /** Who hears Serin's own alarms. */
  readonly alertEmail?: string;
  /** The Entra application under which Azure Monitor calls Serin. */
  readonly alarms?: { readonly tenant: string; readonly audience: string; readonly object: string };
  /** Endpoints of models are called with keys; else with tokens of Entra. */
  readonly endpointKeys?: boolean;
  /** Endpoints of models are reached from your network only, by a private endpoint of the workspace. */
  readonly privateEndpoints?: boolean;
  /** The image of Node for jobs without one of their own. */
  readonly nodeImage?: string;
  /** Takes over what an earlier installation of these names has left. */
  readonly adopt?: boolean;
}

/** Where an installation lies. */
export interface Where {
  /** The subscription. */
  readonly account: string;
  readonly region: string;
}

/** What runs under an identity of its own. */
export type IdentityId = FunctionId | 'jobs' | 'models';

/** Which blobs of a container an assignment is about, in the language of Azure's conditions. */
export interface Condition {
  readonly title: string;
  readonly expression: string;
}

export interface Grant extends PlannedGrant {
  /** The resource id of what it is given on. */
  readonly target: string;
  readonly when?: Limit;
}

/** Of a permission on blobs: below which folders. `list`: names of all, and nothing else. */
export type Limit = { readonly folders: readonly string[] } | 'list';

/** A managed identity that we make, and all that it may do. */
export interface Identity extends PlannedRole {
  readonly id: IdentityId;
  readonly does: string;
  readonly grants: readonly Grant[];
}

/** A role with exactly the permissions that somebody needs on one scope. */
export interface CustomRole {
  /** A GUID by what it holds, and where. */
  readonly id: string;
  readonly name: string;
  /** The resource group in which it may be given, or the subscription. */
  readonly scope: string;
  readonly actions: readonly string[];
  readonly dataActions: readonly string[];
}

/** Who has it: an identity of ours, or that of something that we make. */
export type Principal = { readonly identity: IdentityId } | { readonly of: string };

export interface Assignment {
  /** A GUID, the same in each deployment. */
  readonly id: string;
  readonly principal: Principal;
  /** A role definition's resource id. */
  readonly role: string;
  /** The resource id of what it is given on. */
  readonly target: string;
  readonly why: string;
  readonly when?: Condition;
}

export type { FunctionId };

/** What is known only once it is made. */
export type Value =
  | string
  | { readonly clientOf: IdentityId }
  /** How Application Insights is told who writes. */
  | { readonly loginOf: IdentityId }
  | { readonly from: 'insights' | 'logWorkspaceId' };

export interface FunctionApp {
  /** Also the export of functions/azure/src/functions.ts. */
  readonly id: FunctionId;
  readonly name: string;
  readonly does: string;
  readonly node: '24';
  readonly memoryMb: 512 | 2048;
  readonly timeoutSeconds: number;
  readonly maxInstances: number;
  /** Calls at once in one instance. */
  readonly concurrency: 1;
  readonly role: Identity;
  /** Of the host, and of the code: nothing else is in it. */
  readonly host: string;
  readonly environment: Readonly<Record<string, Value>>;
  readonly trigger: Trigger;
  /** Service tags that may call it; absent: everybody may. */
  readonly only?: readonly string[];
}

export type Trigger =
  | { readonly kind: 'queue'; readonly queue: string }
  /** The API checks bearer tokens itself. */
  | { readonly kind: 'https' }
  | { readonly kind: 'schedule'; readonly schedule: { readonly rate: string } };

/** Without keys, without public blobs. */
export interface StorageAccount {
  readonly id: string;
  readonly name: string;
  readonly group: string;
  readonly does: string;
  readonly kept: boolean;
  readonly containers: readonly Container[];
  readonly tables: readonly string[];
  /** Days for which old versions and deleted blobs stay; absent: none are kept. */
  readonly oldVersionsDays?: number;
  /** What lies under a prefix, `<container>/<folder>/`, is deleted after so many days, its old versions a day later. */
  readonly forgotten?: readonly { readonly rule: string; readonly prefix: string; readonly days: number }[];
}

export interface Container {
  readonly name: string;
  readonly says: string;
}

export interface Queue {
  readonly name: string;
  readonly lockSeconds: number;
  readonly attempts: number;
  readonly days: number;
  readonly duplicatesSeconds: number;
}

export interface Namespace {
  readonly name: string;
  readonly tier: 'Standard' | 'Premium';
  readonly queue: Queue;
  readonly topic: Pick<Queue, 'name' | 'days' | 'duplicatesSeconds'>;
}

/** Secrets by role, without access policies. */
export interface Vault {
  readonly id: string;
  readonly name: string;
  readonly group: string;
  readonly does: string;
}

/** What tells the queue of signals, under an identity of its own. */
export interface Source {
  readonly id: 'Data' | 'Workspace';
  readonly source: string;
  readonly topicType: string;
  /** Of the system topic: its name and group. Not ours: it is there. */
  readonly topic: string;
  readonly group: string;
  readonly isOurs: boolean;
  readonly subscriptions: readonly Subscription[];
}

export interface Subscription {
  readonly name: string;
  readonly types: readonly string[];
  readonly subjectBeginsWith?: string;
}

export interface Workspace {
  readonly id: string;
  readonly name: string;
  readonly group: string;
  /** Ours: with what it needs. */
  readonly made?: { readonly storage: string; readonly vault: string };
  /** That of our own container, under the identity of whoever uses it. */
  readonly datastore: { readonly name: string; readonly account: string; readonly container: string };
}

export interface Logs {
  readonly id: string;
  /** Absent: it is there. */
  readonly made?: { readonly name: string; readonly days: number };
  readonly insights: string;
}

export type AlarmWhen =
  | {
      readonly kind: 'metric';
      /** Whose metric it is: its resource id, and the entity in it. */
      readonly resource: string;
      readonly entity?: string;
      readonly metric: string;
      /** Of the window: all of it was above, or its sum is. */
      readonly aggregation: 'Minimum' | 'Total';
      readonly above: number;
      readonly windowMinutes: number;
    }
  /** Rows of the log within the window. */
  | {
      readonly kind: 'query';
      readonly query: string;
      readonly operator: 'GreaterThan' | 'LessThan';
      readonly threshold: number;
      readonly windowMinutes: number;
    };

export interface Alarm {
  readonly id: string;
  readonly name: string;
  /** What is wrong, and what to do. */
  readonly says: string;
  readonly when: AlarmWhen;
}

export interface ActionGroup {
  readonly id: 'Signals' | 'Email';
  readonly name: string;
  /** 12 characters at most. */
  readonly short: string;
  readonly email?: string;
}

/** An address of a resource in a network of the owner's. */
export interface PrivateEndpoint {
  readonly name: string;
  /** Its resource id. */
  readonly resource: string;
  readonly kind: 'blob' | 'table' | 'namespace' | 'vault' | 'sites';
}

export interface Topology extends PlannedTopology {
  readonly where: Where;
  readonly groups: readonly { readonly id: string; readonly name: string }[];
  readonly group: string;
  readonly functions: readonly FunctionApp[];
  readonly identities: readonly Identity[];
  readonly jobRole: Identity;
  readonly modelRole: Identity;
  readonly customRoles: readonly CustomRole[];
  readonly assignments: readonly Assignment[];
  /** Ours first. */
  readonly accounts: readonly StorageAccount[];
  readonly namespace: Namespace;
  readonly vaults: readonly Vault[];
  readonly sources: readonly Source[];
  readonly deadEvents: { readonly account: string; readonly container: string };
  readonly workspace: Workspace;
  readonly logs?: Logs;
  readonly alarms: readonly Alarm[];
  readonly actionGroups: readonly ActionGroup[];
  readonly endpoints: readonly PrivateEndpoint[];
  readonly tags: Readonly<Record<string, string>>;
  readonly settings: Settings;
}
