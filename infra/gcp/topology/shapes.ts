import type { JournalField } from '@serin/clouds/gcp/journal';
import type { CommonSettings } from '../../shared/settings-file.ts';
import type {
  FunctionId,
  Grant as PlannedGrant,
  Role as PlannedRole,
  Topology as PlannedTopology,
} from '../../shared/shapes.ts';

/** One installation, as its owner describes it. */
export interface Settings extends CommonSettings {
  /** The id of the Google project. `serin deploy` writes it and the region: SST reads both here. */
  readonly googleProject?: string;
  readonly region?: string;
  /** Those of them that lie in other Google projects: what is done there is their owners' to do. */
  readonly foreignBuckets?: readonly string[];
  /** Creates the data buckets of this Google project as well; they are kept for ever. */
  readonly createDataBuckets?: boolean;
  /** `projects/<p>/locations/<region>/keyRings/<ring>/cryptoKeys/<key>`: for all that holds data, and the disks of jobs. */
  readonly kmsKey?: string;
  /** A VPC network of yours: jobs are peered with it, and functions leave through its connector. */
  readonly network?: { readonly network: string; readonly connector: string };
  /** `internal`: only your VPC networks, and those of your perimeter, reach the API. */
  readonly api?: 'public' | 'internal';
  /** Endpoints are on the host of the region, as VPC Service Controls want it; else each has a host of its own. */
  readonly sharedEndpoints?: boolean;
  /** Who hears Serin's own alarms. */
  readonly alertEmail?: string;
  /** A notification channel of yours that hears them too: `projects/<p>/notificationChannels/<id>`. */
  readonly notify?: string;
  /** Logs of the functions go into a log bucket of their own, and stay for as many days; absent: into `_Default`. */
  readonly logDays?: number;
  readonly dashboard?: boolean;
  /** Takes over the database and the buckets that an earlier installation of these names has left. */
  readonly adopt?: boolean;
  /** Instances of the API, each of which answers one call at a time: 20. The brake on what a stranger can cost. */
  readonly apiInstances?: number;
  /** Raised when the roles of a destroyed installation still hold their names: Google keeps those for 37 days. */
  readonly roleGeneration?: number;
}

/** Where an installation lies. */
export interface Where {
  /** The id of the Google project. */
  readonly account: string;
  readonly region: string;
  /** The number of the Google project, which only Google can say. */
  readonly number?: string;
}

/** What IAM keeps a policy on. */
export interface Target {
  readonly kind:
    | 'project'
    | 'bucket'
    | 'dataset'
    | 'topic'
    | 'subscription'
    | 'account'
    | 'repository'
    | 'service'
    | 'key';
  /** As its own API takes it. */
  readonly name: string;
}

/** An expression in CEL, by which a policy on a project or a bucket says less than all of it. */
export interface Condition {
  readonly title: string;
  readonly expression: string;
}

export interface Grant extends PlannedGrant {
  /** The permission, as IAM names it. */
  readonly action: string;
  readonly target: Target;
  readonly when?: Condition;
}

/** A service account, and all that it may do. */
export interface Account extends PlannedRole {
  /** Of its e-mail address: `<id>@<project>.iam.gserviceaccount.com`. */
  readonly id: string;
  readonly email: string;
  readonly does: string;
  readonly grants: readonly Grant[];
}

/** A role with exactly the permissions that somebody needs on one target. */
export interface CustomRole {
  readonly id: string;
  readonly title: string;
  readonly permissions: readonly string[];
}

/** Somebody's role on something. */
export interface Binding {
  readonly id: string;
  readonly member: string;
  /** `projects/<p>/roles/<id>` of a custom role, or one of Google's own. */
  readonly role: string;
  readonly target: Target;
  readonly why: string;
  readonly when?: Condition;
}

export type { FunctionId };

export interface ServerlessFunction {
  /** Also the export of functions/gcp/src/functions.ts. */
  readonly id: FunctionId;
  readonly name: string;
  readonly does: string;
  readonly runtime: 'nodejs24';
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly maxInstances: number;
  /** Calls at once in one instance. */
  readonly concurrency: 1;
  readonly ingress: 'ALLOW_ALL' | 'ALLOW_INTERNAL_ONLY';
  readonly role: Account;
  readonly environment: Readonly<Record<string, string>>;
  readonly trigger: Trigger;
}

export type Trigger =
  /** `queue`: the topic whose messages are pushed to it. */
  | { readonly kind: 'push'; readonly queue: TopicId; readonly subscription: Subscription }
  /** The API checks bearer tokens itself. */
  | { readonly kind: 'https' }
  | { readonly kind: 'schedule'; readonly schedule: Schedule };

export type TopicId = 'signals' | 'dead' | 'events';

export interface Topic {
  readonly id: TopicId;
  readonly name: string;
  readonly says: string;
}

/** How a message reaches a function, with an ID token of the pushing account. */
export interface Subscription {
  readonly name: string;
  readonly topic: TopicId;
  readonly audience: string;
  readonly ackDeadlineSeconds: number;
  readonly retentionSeconds: number;
  readonly backoffSeconds: readonly [least: number, most: number];
  readonly deadAfter?: { readonly attempts: number; readonly topic: TopicId };
}

export interface Schedule {
  readonly name: string;
  /** As `unix-cron` says it. */
  readonly cron: string;
  readonly rate: string;
  readonly audience: string;
  readonly deadlineSeconds: number;
  /** A call that failed is not made again: the next one comes within the minute. */
  readonly retries: number;
}

/** In native mode, kept when the installation is destroyed. */
export interface Database {
  readonly name: string;
  readonly fields: readonly JournalField[];
}

/** Private, and but for code kept when the installation is destroyed. */
export interface Bucket {
  readonly id: 'Own' | 'Code' | `Data${string}`;
  readonly name: string;
  readonly kept: boolean;
  readonly versioned: boolean;
  readonly oldVersionsDays?: number;
  /** What lies under a prefix is forgotten, its old versions a day later. */
  readonly forgotten?: readonly { readonly prefix: string; readonly days: number }[];
  readonly unfinishedUploadsDays: number;
}

/** Of BigQuery: copies of requests, in one table, by days that are forgotten. It goes with the installation. */
export interface Captures {
  readonly dataset: string;
  readonly table: string;
  readonly days: number;
  readonly columns: readonly {
    readonly name: string;
    readonly type: 'STRING' | 'TIMESTAMP' | 'NUMERIC';
    readonly mode: 'NULLABLE' | 'REPEATED';
  }[];
}

/** Cloud Storage tells the topic of new objects. */
export interface Notification {
  readonly id: string;
  readonly bucket: string;
  readonly topic: TopicId;
}

export interface Repository {
  readonly id: 'Images' | 'Functions';
  readonly name: string;
  readonly does: string;
  /** Pulls from there what it does not have. */
  readonly upstream?: 'DOCKER_HUB';
}

/** A metric that Cloud Logging counts from lines. */
export interface LogMetric {
  readonly name: string;
  readonly says: string;
  readonly filter: string;
  /** Where a line has the value that is counted. */
  readonly value: string;
}

export type AlarmWhen =
  | {
      readonly kind: 'above';
      readonly filter: string;
      readonly aligner: 'ALIGN_MAX' | 'ALIGN_DELTA';
      readonly periodSeconds: number;
      readonly forSeconds: number;
      readonly threshold: number;
    }
  | { readonly kind: 'silent'; readonly filter: string; readonly forSeconds: number }
  /** A line of a log; told once in a while, however many there are. */
  | { readonly kind: 'logged'; readonly filter: string; readonly everySeconds: number };

export interface Alarm {
  readonly id: string;
  readonly name: string;
  /** What is wrong, and what to do. */
  readonly says: string;
  readonly when: AlarmWhen;
}

/** Where alarms of models are heard: a channel for the owner's alert policies. */
export interface Channel {
  readonly id: 'Signals' | 'Email';
  readonly name: string;
  readonly type: 'pubsub' | 'email';
  readonly labels: Readonly<Record<string, string>>;
}

/** The Dashboard of the API monitoring.v1, which the renderer hands on. */
export interface Dashboard {
  readonly displayName: string;
  readonly mosaicLayout: {
    readonly columns: number;
    readonly tiles: readonly { readonly widget: { readonly xyChart: { readonly dataSets: readonly DataSet[] } } }[];
  };
}

export interface DataSet {
  readonly plotType: 'LINE';
  readonly legendTemplate: string;
  readonly timeSeriesQuery: { readonly prometheusQuery: string };
}

/** Logs of the functions, where the settings say for how long they are kept. */
export interface LogStore {
  readonly name: string;
  readonly days: number;
  readonly filter: string;
}

export interface Topology extends PlannedTopology {
  readonly where: Required<Where>;
  readonly functions: readonly ServerlessFunction[];
  /** APIs that must be enabled. */
  readonly apis: readonly string[];
  readonly accounts: readonly Account[];
  readonly jobRole: Account;
  readonly modelRole: Account;
  readonly customRoles: readonly CustomRole[];
  readonly bindings: readonly Binding[];
  /** Services whose agents must be there before a binding names them. */
  readonly agents: readonly string[];
  /** Each before those that name it. */
  readonly topics: readonly Topic[];
  readonly database: Database;
  /** The own one first. */
  readonly buckets: readonly Bucket[];
  readonly captures: Captures;
  readonly notifications: readonly Notification[];
  readonly repositories: readonly Repository[];
  readonly logMetrics: readonly LogMetric[];
  readonly channels: readonly Channel[];
  readonly alarms: readonly Alarm[];
  readonly dashboard?: Dashboard;
  readonly logStore?: LogStore;
  readonly pushAccount: string;
  readonly buildAccount: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly settings: Settings;
}
