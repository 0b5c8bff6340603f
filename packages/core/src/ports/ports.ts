import type { Json } from '../base/json.ts';
import type { Variables } from '../base/variables.ts';

/**
 * The seven ports. Each promise answers: twice? late? concurrently? too big?
 *
 * Every method may throw a `Fault` with retry `later` (`throttled`, `unavailable`); other faults are named.
 * All times are milliseconds since the epoch. All shapes are plain JSON.
 */
export interface Ports {
  readonly journal: Journal;
  /** The bucket of a name; a name that does not exist throws `notFound` at the first call of a method. */
  readonly bucket: (name: string) => Bucket;
  readonly jobs: Jobs;
  readonly registry: Registry;
  readonly serving: Serving;
  readonly telemetry: Telemetry;
  readonly bus: Bus;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Opaque; absent on the last page. A page may be empty and still have a next one. */
  readonly next?: string;
}

// Journal

/** Who caused an entry. `issuer` is where the identity comes from (`token`, `github`, `clock`, `engine`). */
export interface Actor {
  readonly subject: string;
  readonly issuer: string;
  readonly role: 'predictor' | 'viewer' | 'operator' | 'approver' | 'admin' | 'system';
}

/** One decided signal. The state of a stream is the fold of its patches (RFC 7396), from `{}`. */
export interface Entry {
  readonly stream: string;
  /** 1, 2, 3 ... without a gap. */
  readonly seq: number;
  readonly at: number;
  readonly actor: Actor;
  readonly signal: Json;
  readonly patch: Json;
  /** CloudEvents to publish: `{type, subject, data}`; ids derive from (stream, seq, index). */
  readonly events: readonly EventBody[];
  /** `hash` of the entry before; `''` for the first. */
  readonly previousHash: string;
  /** SHA-256 of the canonical JSON of all other fields. */
  readonly hash: string;
}

export interface EventBody {
  readonly type: string;
  readonly subject: string;
  readonly data: Json;
}

export interface Head {
  readonly stream: string;
  readonly seq: number;
  readonly hash: string;
  readonly state: Json;
}

export interface Append {
  readonly entry: Entry;
  /** The state after the entry. */
  readonly state: Json;
  /** When the stream wants `clockTicked`; absent: it does not wait for time. */
  readonly due?: number;
  /** The row that lists the stream: a key that sorts (at most 512 bytes) and a summary under 1 KB of JSON. */
  readonly name?: { readonly key: string; readonly summary: Json };
}

/** Streams of entries, each with a head, and two indexes over the heads. */
export interface Journal {
  /** The newest head, consistent with every append that was answered before; `undefined` when the stream is empty. */
  head(stream: string): Promise<Head | undefined>;
  /**
   * One atomic conditional write of entry, head and both index rows; nothing of a failed append is ever seen.
   *
   * Twice or stale: `conflict` unless the head's seq is `basedOn` (0: the stream must be empty) and `entry.seq` is
   * `basedOn + 1`. Concurrently: exactly one of two appends on the same base succeeds. Durable when it resolves.
   * Too big: a state over the store's limit throws `invalid` and nothing is written.
   */
  append(basedOn: number, write: Append): Promise<void>;
  /** Entries with `seq < before` (`undefined`: from the head), newest first, at most `limit`. */
  history(stream: string, before: number | undefined, limit: number): Promise<readonly Entry[]>;
  /** Streams whose `due <= now`, in no promised order; each due stream appears on some page, if nothing moves it. */
  due(now: number, cursor?: string): Promise<Page<{ readonly stream: string; readonly due: number }>>;
  /** Name rows whose key starts with `prefix`, ascending by key (UTF-8 bytes), up to 200 a page. */
  names(prefix: string, cursor?: string): Promise<Page<NameRow>>;
}

export interface NameRow {
  readonly key: string;
  readonly stream: string;
  readonly seq: number;
  readonly summary: Json;
}

// Bucket

/** The bucket that the pipeline writes to: code, manifests, compiled configs. Never a trigger. */
export const ownBucket = 'serin';

export interface ObjectInfo {
  /** Opaque: any string of 1 to 1,024 UTF-8 bytes. Never a path. */
  readonly key: string;
  /** The store's version id, etag or checksum: changes whenever the content does. */
  readonly version: string;
  readonly bytes: number;
  /** In a listing: tells one write of the key from another, also of equal content; absent where the version does. */
  readonly written?: string;
}

/** What lies under a prefix and can be no object, such as a symbolic link in a folder: how many of a kind, and the first. */
export interface LeftOut {
  readonly what: string;
  readonly objects: number;
  readonly first: string;
}

/** One bucket of objects. */
export interface Bucket {
  /**
   * Objects whose key starts with `prefix`, ascending by key (UTF-8 bytes), up to 1,000 a page; complete and
   * consistent with every write that was answered before. An object that is still being written throws `unavailable`.
   * The first page tells what had to be left out.
   */
  list(prefix: string, cursor?: string): Promise<Page<ObjectInfo> & { readonly leftOut?: readonly LeftOut[] }>;
  /**
   * The object, or `undefined` when there is none (or none of that version). Over `maxBytes` only its first
   * `maxBytes` bytes come, with `truncated`.
   */
  read(what: {
    readonly key: string;
    readonly version?: string;
    readonly maxBytes: number;
  }): Promise<ObjectContent | undefined>;
  /**
   * Writes an object whole; readers see the old content or the new, never a part. Twice: the same.
   * With `ifAbsent` an existing object is kept and the answer is `exists`.
   */
  write(key: string, content: Uint8Array, condition?: { readonly ifAbsent: boolean }): Promise<'written' | 'exists'>;
}

export interface ObjectContent extends ObjectInfo {
  readonly content: Uint8Array;
  readonly truncated: boolean;
}

// Jobs

export type JobKind = 'prepare' | 'train' | 'evaluate' | 'predict' | 'package';

/** Where the bytes of a channel come from. */
export type Source =
  /** The objects that a dataset manifest names; the job gets the objects' files, never the prefix. */
  | {
      readonly kind: 'manifest';
      readonly bucket: string;
      readonly key: string;
      /** Only the objects whose key starts so. */
      readonly under?: string;
    }
  /** What another job left behind. */
  | { readonly kind: 'artifact'; readonly artifact: Artifact };

/** Files that a job wrote. `uri` is the platform's own; `digest` is the SHA-256 that the platform vouches for. */
export interface Artifact {
  readonly uri: string;
  readonly digest: string;
  readonly bytes: number;
}

export interface Compute {
  readonly accelerator?: { readonly type: string; readonly count: number };
  readonly nodes: number;
  readonly spot: boolean;
}

export interface Job {
  /** `<run id>/<kind>[-<part>]/<attempt>`: one paid job per key, for ever. */
  readonly key: string;
  readonly kind: JobKind;
  readonly project: string;
  readonly model: string;
  /** A code folder as `releases` stored it: `code/<digest>.json` in the project's own bucket; absent: only the image. */
  readonly code?: { readonly digest: string };
  readonly image?: string;
  readonly command: readonly string[];
  /** Secrets by name: the adapter looks them up when the program starts, and writes their text nowhere. */
  readonly environment: Variables;
  readonly hyperparameters: Readonly<Record<string, string>>;
  readonly channels: Readonly<Record<string, Source>>;
  /** Names of the artifacts that the job must leave: `model`, `train`, `holdout`, `output`. */
  readonly outputs: readonly string[];
  /** Where a trainer finds its checkpoints again: equal for all attempts of one run. */
  readonly checkpoints?: string;
  readonly metrics: readonly { readonly name: string; readonly regex: string }[];
  readonly compute: Compute;
  readonly maxRuntimeMs: number;
  /** How long it may wait for a machine, all interruptions taken together. */
  readonly maxWaitMs?: number;
}

export interface JobDescription {
  readonly status: 'starting' | 'running' | 'succeeded' | 'failed' | 'stopped';
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** Why it failed or was stopped, in words a person can use; the end of the log included where there is one. */
  readonly reason?: string;
  /** The provider took the machine away, or had none: worth another attempt. */
  readonly retryable?: 'interruption' | 'capacity';
  /** Finite numbers only. */
  readonly metrics?: Readonly<Record<string, number>>;
  /** Why a metric, or a whole file of them (by its name), was not taken. */
  readonly unread?: Readonly<Record<string, string>>;
  /** By name; all of `outputs` when it succeeded. */
  readonly artifacts?: Readonly<Record<string, Artifact>>;
}

/** Paid work on a provider. */
export interface Jobs {
  /**
   * Starts the job and answers the provider's id; resolves once the provider has accepted it.
   *
   * Twice, also concurrently, also after the answer was lost: one paid job; the second call adopts it.
   * A name that is taken by another job is a `defect`. No capacity or quota: `throttled` or `invalid` with the reason.
   */
  start(job: Job): Promise<{ readonly id: string }>;
  /** The truth about a job. `notFound` for an id that `start` never answered. Late: a finished job stays described. */
  describe(id: string): Promise<JobDescription>;
  /** Asks the job to end; resolves before it has. Of a finished job: no error. Twice: the same. */
  stop(id: string): Promise<void>;
}

// Registry

/** `expired`: nobody decided in time; `superseded`: another version was offered while this one waited for a decision. */
export type Approval = 'pending' | 'approved' | 'rejected' | 'expired' | 'superseded';

export interface RegisteredVersion {
  readonly model: string;
  readonly number: number;
  readonly artifact: Artifact;
  readonly metrics: Readonly<Record<string, number>>;
  readonly approval: Approval;
  /** Run, dataset, code, image, commit ... as flat text. */
  readonly lineage: Readonly<Record<string, string>>;
}

/** A mirror of the versions that passed the gate; numbers and aliases are the journal's. */
export interface Registry {
  /** Twice with equal content: one version. The same number with another digest: `defect`, nothing changes. */
  register(version: RegisteredVersion): Promise<void>;
  /** Last write wins; `notFound` for a version that was never registered. */
  setApproval(model: string, number: number, approval: Approval): Promise<void>;
  get(model: string, number: number): Promise<RegisteredVersion | undefined>;
}

// Serving

export interface Deployment {
  /** `v<number>`: unique within the endpoint; a name that was retired may come again with the same content. */
  readonly name: string;
  readonly version: number;
  readonly artifact: Artifact;
  readonly code?: { readonly digest: string };
  readonly image?: string;
  readonly command: readonly string[];
  /** Secrets as those of a job. */
  readonly environment: Variables;
  readonly instances: { readonly min: number; readonly max: number };
  readonly compute: Compute;
  readonly readyTimeoutMs: number;
}

/** Weights by deployment: integers 0..100 that sum to exactly 100, or `{}`: nothing is served. */
export type Weights = Readonly<Record<string, number>>;

/** A deployment without weight that gets a copy of some requests; its answers go to nobody. */
export interface Mirror {
  readonly deployment: string;
  /** Percent of all requests: an integer of 1..100. */
  readonly percent: number;
}

export type Operation =
  /**
   * Capacity without traffic (on an absent endpoint: the endpoint as well). Where nothing else is served the platform
   * may route to it as soon as it is ready: `observe` then says weight 100.
   */
  | { readonly kind: 'deploy'; readonly deployment: Deployment }
  /** Replaces all weights, and what is mirrored, at once. `{}` may take the capacity, or the whole endpoint, away too. */
  | { readonly kind: 'weigh'; readonly weights: Weights; readonly mirror?: Mirror }
  /** Takes capacity away; of a deployment that holds weight: `invalid`. */
  | { readonly kind: 'retire'; readonly deployment: string };

export interface Observation {
  readonly deployments: readonly {
    readonly name: string;
    readonly version: number;
    readonly status: 'pending' | 'ready' | 'failed';
    readonly reason?: string;
  }[];
  readonly weights: Weights;
  readonly mirror?: Mirror;
  /** An operation is under way: `change` would answer `busy`. */
  readonly busy: boolean;
  /** The provider took back a change by itself; says which and why. */
  readonly revertedByProvider?: string;
}

/** One endpoint per model. */
export interface Serving {
  /**
   * Issues one provider operation and answers before it has ended. Twice: the same as once.
   * Concurrently: one is `accepted`, others may be `busy`. What really holds is said by `observe` alone.
   * A deployment that could not be created is `invalid` with the reason.
   */
  change(endpoint: string, operation: Operation): Promise<'accepted' | 'busy'>;
  /** What really is: never a cache of what was asked for. */
  observe(endpoint: string): Promise<Observation | 'absent'>;
}

// Telemetry

export interface Counts {
  readonly requests: number;
  readonly errors: number;
  /** Requests slower than each threshold, in its order; `unmeasured` where the platform has no such counts. */
  readonly slow: readonly number[] | 'unmeasured';
}

/** Users of one deployment in a tick; a user is a value of the sticky key. */
export interface UserCounts {
  /** Users whose first request since `usersSince` was routed in this tick. */
  readonly assigned: number;
  /** Users who sent requests and had no error before this tick, and those of them who had their first one in it. */
  readonly errors: FirstBad;
  /** The same for "slower than each threshold", in its order. */
  readonly slow: readonly FirstBad[];
}
export interface FirstBad {
  readonly atRisk: number;
  readonly bad: number;
}

/** Requests that were mirrored: each was answered by the deployment that served it, and copied to the mirror. */
export interface PairCounts {
  readonly pairs: number;
  /** Requests whose copy the platform itself never sent, for its queue was full. They are no pairs, and count nowhere else. */
  readonly dropped: number;
  readonly errors: Discordant;
  /** Slower than each threshold, in its order; a pair with an error counts for no threshold. */
  readonly slow: readonly Discordant[];
  /** Of pairs with two predictions: those in which the mirror's is higher, lower, or the same. */
  readonly predictions: { readonly higher: number; readonly lower: number; readonly equal: number };
}
/** Pairs in which exactly one is bad. */
export interface Discordant {
  readonly mirror: number;
  readonly served: number;
}

/** Counts of the requests that were routed in `[start, start + tickMs)`, by deployment. */
export interface Tick {
  readonly start: number;
  readonly counts: Readonly<Record<string, Counts>>;
  /**
   * The platform knows that it did not serve the endpoint for all of this tick: the machine was off, or a deployment was
   * on its way back. Then there are no counts, and the tick is no time that a candidate stood. Nobody asked: absent.
   */
  readonly unserved?: true;
  /** By segment, then deployment; only of endpoints that have segments. A request without a known one is in `counts` alone. */
  readonly segments?: Readonly<Record<string, Readonly<Record<string, Counts>>>>;
  /** When asked with `usersSince`. */
  readonly users?: Readonly<Record<string, UserCounts>>;
  /** By mirror; absent when nothing was mirrored. */
  readonly pairs?: Readonly<Record<string, PairCounts>>;
}

export interface TickQuery {
  readonly endpoint: string;
  readonly from: number;
  readonly to: number;
  readonly tickMs: number;
  /** Milliseconds. */
  readonly slowerThan: readonly number[];
  /** Counts users as well, of whom nothing before this time is known. */
  readonly usersSince?: number;
}

/** The outcome of one request, told later by who learned it. */
export interface Label {
  readonly requestId: string;
  /** When the outcome was learned, as the sender says it: recorded, never obeyed. */
  readonly time: number;
  readonly outcome: LabelOutcome;
}
export type LabelOutcome =
  /** What was true: the recorded prediction is wrong when it differs. */
  | { readonly truth: string | number | boolean }
  /** The sender compared; `mirror` is about the answer of the mirror. */
  | { readonly wrong: boolean; readonly mirror?: boolean }
  /** In [0, 1]. */
  | { readonly loss: number };

/**
 * `duplicate`: known with the same outcome. `conflict`: known with another outcome, which stays. `unknown`: no such
 * request was recorded. `late`: recorded, but its maturity window had closed, so no evidence will have it.
 */
export type LabelAnswer = 'recorded' | 'duplicate' | 'conflict' | 'unknown' | 'late';

/** Labels of the requests that were routed in a tick, once their maturity window has closed. */
export interface LabelTick {
  readonly start: number;
  /** One row for each deployment and each weight (percent, as it was when the request was routed) that it had. */
  readonly rows: readonly {
    readonly deployment: string;
    readonly weight: number;
    readonly requests: number;
    /** Those with a label, right or wrong. */
    readonly labelled: number;
    readonly wrong: number;
  }[];
  /** Labels that are losses, in the order in which the requests were routed. */
  readonly losses: readonly { readonly deployment: string; readonly weight: number; readonly loss: number }[];
  /** Mirrored requests with a label of which exactly one answer was wrong, by mirror. */
  readonly pairs: Readonly<Record<string, Discordant>>;
}

/** What an endpoint did, counted in one place for all deployments. */
export interface Telemetry {
  /**
   * The closed ticks with `from <= start` and `start + tickMs <= to`, ascending, on multiples of `tickMs` since the
   * epoch. A tick is closed when no later request or outcome can change it; one that is not closed yet ends the answer.
   * Twice: equal numbers. A tick without requests is there, with empty counts; `unserved` says that nobody could have asked.
   */
  ticks(query: TickQuery): Promise<readonly Tick[]>;
  /** Percentiles of all requests in the window, in milliseconds; `undefined` without requests. */
  latency(
    endpoint: string,
    from: number,
    to: number,
  ): Promise<
    { readonly p50: number; readonly p90: number; readonly p99: number; readonly requests: number } | undefined
  >;
  /**
   * Records outcomes, durable when it resolves; answers one word for each label, in order. Twice: `duplicate`.
   * Requests are known from when they were routed, for 35 days, at endpoints whose plan has labels.
   */
  label(labels: readonly Label[]): Promise<readonly LabelAnswer[]>;
  /** Like `ticks`; a tick is closed `maturityMs` after its end, and a label that came later is not in it. */
  labels(query: {
    readonly endpoint: string;
    readonly from: number;
    readonly to: number;
    readonly tickMs: number;
    readonly maturityMs: number;
  }): Promise<readonly LabelTick[]>;
  /** How many labels were answered with each word; `unknown` ones belong to no endpoint and are in the answer for all. */
  labelTotals(endpoint: string): Promise<Readonly<Record<LabelAnswer, number>>>;
}

// Bus

/** CloudEvents 1.0, JSON format. */
export interface CloudEvent {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: Json;
}

export interface Bus {
  /** At least once, in order per stream; receivers drop duplicates by `id`. Resolves when all are durable. */
  publish(events: readonly CloudEvent[]): Promise<void>;
}
