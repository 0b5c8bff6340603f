import type { Json } from '../base/json.ts';

/** What happened, as a sink sees it: the attributes of a CloudEvent. */
export interface Happening {
  /** The same for every delivery of the event: a receiver drops what it has seen. */
  readonly id: string;
  readonly source: string;
  /** `dev.serin.<noun>.<past>.v1`. */
  readonly type: string;
  readonly subject: string;
  /** RFC 3339. */
  readonly time: string;
  readonly data: Json;
}

/** One POST to a receiver. Nobody else may see the secrets in it. */
export interface SinkRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The texts of a sink's settings, its secrets looked up. */
export type Settings = Readonly<Record<string, string>>;

/**
 * A kind of receiver: its settings in the config, and the request that an event becomes. It is pure: delivery, retries
 * and the rules for addresses are the same for all kinds.
 */
export interface Sink {
  /** Its fields in the config, each with a description. All are needed. Each is a text or names a secret. */
  readonly settings: Readonly<Record<string, string>>;
  /** The events that it gets if the config names none. */
  readonly defaultOn: readonly string[];
  /**
   * `settings` come with their secrets looked up; `atMs` is when the request is sent. Settings that cannot be used
   * throw an `Error` that says why, without their text.
   */
  request(happening: Happening, settings: Settings, atMs: number): SinkRequest;
}

/** `rollout.held` of `dev.serin.rollout.held.v1`. */
export const shortType = (type: string): string => type.replace(/^dev\.serin\./, '').replace(/\.v\d+$/, '');

/** A pattern is an event such as `rollout.held`, all of a noun such as `rollout.*`, or `*`. */
export const matches = (patterns: readonly string[], type: string): boolean =>
  patterns.some(
    (pattern) =>
      pattern === '*' ||
      pattern === shortType(type) ||
      (pattern.endsWith('.*') && shortType(type).startsWith(pattern.slice(0, -1))),
  );
