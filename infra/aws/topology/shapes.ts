import type { CommonSettings } from '../../shared/settings-file.ts';
import type { FunctionId, Grant as PlannedGrant, Topology as PlannedTopology } from '../../shared/shapes.ts';

/** One installation, as its owner describes it. */
export interface Settings extends CommonSettings {
  /** Accounts that own the data buckets; absent: this one. A bucket of any other account is not read. */
  readonly dataAccounts?: readonly string[];
  /** Creates the data buckets as well (retained for ever), with their events on. */
  readonly createDataBuckets?: boolean;
  /** ARN of a customer managed key for table, own bucket, code and the disks and outputs of jobs. */
  readonly kmsKey?: string;
  /** ARNs of the keys that data buckets are encrypted with (SSE-KMS), where they are somebody's own. */
  readonly dataKeys?: readonly string[];
  /** `isolated`: a network of its own without any way out, and an API that only that network reaches. */
  readonly network?: 'isolated' | { readonly subnets: readonly string[]; readonly securityGroups: readonly string[] };
  /** ARN of the SNS topic that hears Serin's own alarms. */
  readonly notify?: string;
  /** A topic whose messages are signals: for alarms of other accounts and regions. */
  readonly alertTopic?: boolean;
  /** Accounts whose ECR registries jobs and models may pull from; absent: this one. */
  readonly imageAccounts?: readonly string[];
  readonly logDays?: number;
  /** `false`: no dashboard; of an account the first three are free, and each further one is 3 USD a month. */
  readonly dashboard?: boolean;
  /** Takes over the table and the buckets that an earlier installation of these names has left. SST only: CDK has an import. */
  readonly adopt?: boolean;
  /** Calls of the API at once, reserved and no more: 20. The brake on what a stranger can cost. */
  readonly apiConcurrency?: number;
  /** What Lambda lets this account run at once; SST asks, else it is AWS's 1,000. A new account may have 10. */
  readonly lambdaConcurrency?: number;
}

/** Where an installation lies. Plain text, or a renderer's placeholders for it. */
export interface Where {
  readonly partition: string;
  readonly region: string;
  readonly account: string;
  /** `amazonaws.com` but in China. */
  readonly urlSuffix: string;
  /** The account's quota, where the renderer can ask. */
  readonly lambdaConcurrency?: number;
}

/** `{StringEquals: {'aws:SourceAccount': '123456789012'}}` */
export type Conditions = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

export interface Statement {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly when?: Conditions;
}

/** A statement of a policy that stands on a resource. */
export interface ResourceStatement extends Statement {
  readonly effect: 'Allow' | 'Deny';
  /** A service, or anybody. */
  readonly principal: string | '*';
}

export interface Grant extends PlannedGrant {
  readonly when?: Conditions;
}

export interface Role {
  readonly name: string;
  /** The service that may take the role. */
  readonly trusts: string;
  readonly trustedWhen: Conditions;
  readonly grants: readonly Grant[];
  /** The grants, folded. */
  readonly statements: readonly Statement[];
}

/** What is known once a network stands. */
export type EnvironmentValue = string | { readonly network: 'subnets' | 'securityGroups' };

export interface ServerlessFunction {
  /** Also the export of functions/aws/src/functions.ts. */
  readonly id: FunctionId;
  readonly name: string;
  readonly does: string;
  readonly runtime: 'nodejs24.x';
  readonly architecture: 'arm64';
  readonly handler: string;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  /** Kept for this function, and the most it may have; absent: it shares the account's. */
  readonly reservedConcurrency?: number;
  /** It writes into its own queue on purpose: Lambda must not take that for a loop. */
  readonly wakesItself: boolean;
  readonly role: Role;
  readonly environment: Readonly<Record<string, EnvironmentValue>>;
  readonly trigger: Trigger;
  readonly logGroup: string;
}
export type { FunctionId };

export type Trigger =
  | { readonly kind: 'queue'; readonly queue: QueueId; readonly batch: number; readonly maxConcurrency: number }
  /** No authorizer: the API checks bearer tokens itself. */
  | { readonly kind: 'url'; readonly permissions: readonly UrlPermission[] }
  | PrivateApi
  | { readonly kind: 'schedule'; readonly schedule: Schedule };

/** That anybody may call the function: `action`, and the way in which it is called. */
export interface UrlPermission {
  readonly id: string;
  readonly action: string;
  readonly functionUrlAuthType?: 'NONE';
  readonly invokedViaFunctionUrl?: true;
}

/** An API that only one VPC endpoint reaches; HTTP APIs and function URLs cannot be private. */
export interface PrivateApi {
  readonly kind: 'privateApi';
  readonly apiName: string;
  readonly stage: string;
  /** Else a REST API takes every body for text, and bytes that are not UTF-8 arrive as others. */
  readonly binaryMediaTypes: readonly string[];
}

export interface Schedule {
  readonly name: string;
  readonly group: string;
  readonly rate: string;
  readonly role: Role;
  /**
   * A call that failed is not made again: the next one comes within the minute. It holds for the scheduler and for
   * Lambda, which would try again as well, because the scheduler's call is asynchronous.
   */
  readonly retries: number;
  readonly maxAgeSeconds: number;
}

export type QueueId = 'signals' | 'dead';
export interface Queue {
  readonly id: QueueId;
  readonly name: string;
  readonly visibilitySeconds: number;
  readonly retentionSeconds: number;
  readonly deadAfter?: { readonly receives: number; readonly queue: QueueId };
  readonly statements: readonly ResourceStatement[];
}

/**
 * On demand, encrypted, and kept when the installation is destroyed. Without a key of the settings it is encrypted by
 * DynamoDB's own: that is its default, and cannot be switched off.
 */
export interface Table {
  readonly name: string;
  readonly partitionKey: string;
  readonly sortKey: string;
  readonly deletionProtection: boolean;
  readonly pointInTimeRecovery: boolean;
}

/** Private, versioned, encrypted, and kept when the installation is destroyed. */
export interface Bucket {
  readonly id: string;
  readonly name: string;
  readonly arn: string;
  /** Tells EventBridge of new objects. */
  readonly events: boolean;
  readonly statements: readonly ResourceStatement[];
  readonly unfinishedUploads: Lifetime;
  /** Absent: they are kept for ever. */
  readonly oldVersions?: Lifetime;
  /** What lies under a prefix is forgotten, its old versions a day later. */
  readonly forgotten: readonly (Lifetime & { readonly prefix: string })[];
}

export interface Lifetime {
  readonly rule: string;
  readonly days: number;
}

/** EventBridge's default bus to a queue; what cannot be delivered goes to the dead one. */
export interface Rule {
  readonly id: string;
  readonly name: string;
  readonly hears: string;
  readonly pattern: Readonly<Record<string, unknown>>;
  readonly queue: QueueId;
  readonly deadLetters: QueueId;
}

export interface Alarm {
  readonly id: string;
  readonly name: string;
  /** What is wrong, and what to do. */
  readonly says: string;
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: 'Sum' | 'Maximum';
  readonly periodSeconds: number;
  readonly periods: number;
  readonly comparison: 'GreaterThanOrEqualToThreshold' | 'LessThanThreshold';
  readonly threshold: number;
  readonly missing: 'notBreaching' | 'breaching';
}

/** CloudWatch's own JSON, which both renderers hand on. */
export interface Dashboard {
  readonly name: string;
  readonly body: {
    readonly widgets: readonly { readonly properties: { readonly metrics: readonly (readonly unknown[])[] } }[];
  };
}

export interface Topic {
  readonly name: string;
  readonly queue: QueueId;
  readonly statements: readonly ResourceStatement[];
}

/** Two private subnets and the services' own doors: no gateway to the internet, no NAT. */
export interface Network {
  readonly cidr: string;
  readonly subnets: readonly string[];
  readonly gateways: readonly string[];
  readonly interfaces: readonly string[];
  /** Of the interfaces the one that leads to the API. */
  readonly apiInterface: string;
  /** The security group of all that runs in it. */
  readonly inside: { readonly says: string; readonly from: Traffic; readonly to: Traffic };
}

/** Where functions and jobs run once it stands; a renderer knows the ids only as values of its own. */
export interface InNetwork<Id> {
  readonly subnets: readonly Id[];
  readonly securityGroups: readonly Id[];
  /** Of the API that only this network reaches. */
  readonly apiEndpoint?: Id;
}

/** On any port and protocol. */
export interface Traffic {
  readonly cidr: string;
  readonly says: string;
}

export interface Topology extends PlannedTopology {
  readonly functions: readonly ServerlessFunction[];
  /** Each after the one that it names. */
  readonly queues: readonly Queue[];
  readonly table: Table;
  /** The own one first. */
  readonly buckets: readonly Bucket[];
  readonly bus: string;
  readonly rules: readonly Rule[];
  readonly jobRole: Role;
  readonly modelRole: Role;
  readonly alarms: readonly Alarm[];
  readonly dashboard?: Dashboard;
  readonly alertTopic?: Topic;
  readonly network?: Network;
  readonly imageCache: { readonly prefix: string; readonly upstream: string; readonly repository: string };
  readonly logDays: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly settings: Settings;
}
