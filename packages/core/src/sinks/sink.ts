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

/** One request to a receiver; a POST, if it names no other method. Nobody else may see the secrets in it. */
export interface SinkRequest {
  readonly method?: 'GET' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Statuses that are an answer as well, beside 2xx: what comes next goes by them. */
  readonly accepts?: readonly number[];
}

export interface SinkAnswer {
  readonly status: number;
  readonly body: string;
}

/** Requests of which each follows from the answers to those before it. */
export type SinkRequests = Generator<SinkRequest, void, SinkAnswer>;

/** The texts of a sink's settings, its secrets looked up. */
export type Settings = Readonly<Record<string, string>>;

/**
 * A kind of receiver: its settings in the config, and what an event becomes. It is pure: delivery, retries and the rules
 * for addresses are the same for all kinds.
 */
export interface Sink {
  /** Its fields in the config, each with a description. Each is a text or names a secret. */
  readonly settings: Readonly<Record<string, string>>;
  /** Those of them that may be left out. */
  readonly optional?: readonly string[];
  /** The events that it gets if the config names none. */
  readonly defaultOn: readonly string[];
  /**
   * `settings` come with their secrets looked up; `atMs` is when the request is sent. Settings that cannot be used
   * throw an `Error` that says why, without their text.
   *
   * A delivery that ends between two of several requests begins again with the first: what was done then must be found,
   * and not be done twice.
   */
  request(happening: Happening, settings: Settings, atMs: number): SinkRequest | SinkRequests;
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
