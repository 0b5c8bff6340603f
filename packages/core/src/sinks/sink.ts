import * as z from 'zod';
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

/** One POST to a receiver; whatever is secret in it is told to nobody else. */
export interface SinkRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * A kind of receiver: what the config says of it, and the request that an event becomes. Pure: delivery, retries and
 * the rules for addresses are the same for all.
 */
export interface Sink {
  /** Its part of the config; each field is a text, or names a secret. */
  readonly settings: z.ZodObject<Readonly<Record<string, typeof textOrSecret>>>;
  /** Events that it gets when the config names none. */
  readonly defaultOn: readonly string[];
  /** `settings` with its secrets looked up; `atMs` is when the request is sent. Settings that cannot be used throw an `Error` that says why, without their text. */
  request(happening: Happening, settings: Readonly<Record<string, string>>, atMs: number): SinkRequest;
}

/** Where a text may be a secret: it is named in the config and looked up when it is used. */
export const textOrSecret = z.union([
  z.string().min(1).max(4096),
  z.strictObject({
    secret: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, { error: 'lower-case letters, digits and hyphens' }),
  }),
]);

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
