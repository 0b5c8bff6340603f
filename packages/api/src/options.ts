import type { Secrets } from '@serin/core/base/variables';
import type { CompiledConfig } from '@serin/core/config/config';
import type { Platform } from '@serin/core/config/platforms';
import type { ConfigProblem } from '@serin/core/config/problems';
import type { Engine } from '@serin/core/engine/engine';
import type { CloudEvent } from '@serin/core/ports/bus';
import type { Artifact, Job } from '@serin/core/ports/jobs';
import type { Ports } from '@serin/core/ports/ports';
import type { Access } from './access.ts';

/** What the API stands on. It has no clock, no randomness and no environment of its own (a token's text excepted). */
export interface ApiOptions {
  readonly engine: Engine;
  readonly ports: Ports;
  /** Milliseconds since the epoch: what is written down, and what spans are measured by. */
  readonly now: () => number;
  /** The time as the outside has it: for what others wrote a time on. Default: `now`. */
  readonly wall?: () => number;
  /** A new sortable id, `<prefix>_<UUIDv7>`. */
  readonly newId: (prefix: string) => string;
  /** The released config; `releasedConfig` is one. */
  readonly config: () => Promise<CompiledConfig | undefined>;
  /** Looks up a secret that a config names; absent: its platform says what becomes of them. */
  readonly secretOf?: Secrets | undefined;
  /** Of incoming webhooks; several while they are rotated, none switches the hook off. */
  readonly secrets: { readonly github: readonly string[]; readonly standard: readonly string[] };
  readonly version: string;
  readonly environment: string;
  /** What it runs on: configs are compiled for it. */
  readonly platform: Platform;
  /** Everything in a config that this platform cannot do: such a config is not released. */
  readonly problemsOf: (config: CompiledConfig) => readonly ConfigProblem[];
  /** `source` of the events that Serin publishes. */
  readonly source: string;
  /** SHA-256 (hex) of the first administrator's token. */
  readonly bootstrap?: { readonly tokenHash: string };
  /** This is the only server, since then: requests that were begun earlier have died with an earlier one. */
  readonly aloneSince?: number;
  /** Nudges the dispatcher: a stream owes something. Must not throw, and need not be reliable. */
  readonly nudge: (stream: string) => void;
  /** Puts a message of the platform, as a dead letter kept it, back into its queue; durable when it resolves. */
  readonly redeliver?: (body: string) => Promise<void>;
  /** Up to `max` bytes of a job's log, from a byte on; `undefined`: there is no such log. */
  readonly logs?: (
    job: LoggedJob,
    from: number,
    max: number,
  ) => Promise<(LogText & { readonly ended?: boolean }) | undefined>;
  /** Up to `max` bytes of the log of a model server; `undefined`: there is no such server. */
  readonly serverLogs?: (server: LoggedServer, from: LogStart, max: number) => Promise<LogText | undefined>;
  /** Where the platform keeps such logs itself: the command of its own tools that shows them. */
  readonly serverLogsCommand?: (model: string, deployment: string) => string;
  /** What the jobs of a run logged while they ran; absent: nobody keeps it here. */
  readonly logged?: (run: string) => readonly LoggedMetric[];
  /** Reads an artifact whole, and answers the digest of what is there; absent: the platform cannot. */
  readonly digestOfArtifact?: (artifact: Artifact) => Promise<string>;
  /** Rejects when nothing can be written durably; absent: a look at the journal must do. */
  readonly probe?: () => Promise<void>;
  readonly events?: EventLog;
  /** In OpenMetrics text, or in that of Prometheus. */
  readonly metrics?: (isOpenMetrics: boolean) => Promise<string>;
  /** Told of what nobody foresaw, with the request it happened in. */
  readonly onDefect?: (requestId: string, error: unknown) => void;
  /** Silence on an event stream after which a comment is sent; 15 s. */
  readonly heartbeatMs?: number;
  /** The largest object that `PUT` takes; 64 MB. It is held in memory. */
  readonly maxObjectBytes?: number;
}

/** One metric of one job, the oldest value first. */
export interface LoggedMetric {
  readonly job: string;
  readonly attempt: number;
  readonly name: string;
  /** `at`: when, in milliseconds. */
  readonly points: readonly { readonly step: number; readonly at: number; readonly value: number }[];
}

/** A job, as the `Jobs` port knows it. */
export interface LoggedJob {
  readonly project: string;
  /** `<run>/<step>/<attempt>` */
  readonly key: string;
  readonly kind: Job['kind'];
  /** The provider's; only while the run waits for this very job. */
  readonly id?: string;
}

/** One of the processes that serve a deployment of a model. */
export interface LoggedServer {
  readonly model: string;
  readonly deployment: string;
  readonly instance: number;
}

/** A byte of a log, or so many bytes before its end. */
export type LogStart = { readonly from: number } | { readonly tail: number };

/** A part of a log, and the byte to go on from. */
export interface LogText {
  readonly text: string;
  readonly next: number;
}

/** The events of one machine, in the order in which they were published. */
export interface EventLog {
  /** Events after a position, oldest first, at most `limit`. */
  read(after: number, limit: number): readonly { readonly position: number; readonly event: CloudEvent }[];
  /** The newest position; 0 before the first event. */
  last(): number;
  /** Calls the listener after new events are durable; answers how to stop that. */
  subscribe(listener: () => void): () => void;
}

export interface Api extends ApiOptions {
  readonly access: Access;
  readonly wall: () => number;
}
