import type { Json } from '../base/json.ts';
import type { Page } from './page.ts';

/** A row of features as a request gave it: by name, or by place where the payload has no names. */
export type CapturedRow = Readonly<Record<string, Json>> | readonly Json[];

/** One request that the platform kept a copy of. Only what `fields` allows is in it. */
export interface CapturedRequest {
  /** By which labels name it; absent where the caller gave none and the platform keeps none. */
  readonly requestId?: string;
  /** When it was routed. */
  readonly at: number;
  /** Which deployment answered; absent where the platform does not say. */
  readonly deployment?: string;
  /** A request may ask for many rows. Empty: its payload has none of the forms that are read. */
  readonly rows: readonly CapturedRow[];
  /** One answer for each row; fewer: the answer was not captured, or has none of the forms that are read. */
  readonly answers: readonly Json[];
  /** There is no copy of an answer: it failed, or only the request was captured. */
  readonly unanswered?: true;
}

/** Of which requests an endpoint keeps copies, and for how long. */
export interface Capture {
  /** Of the requests, in (0, 100]. */
  readonly percent: number;
  /** Names of the features; what else a platform keeps lies in the user's own storage and is not read. */
  readonly fields: readonly string[];
  readonly keepMs: number;
  readonly atMostBytes: number;
}

export interface CapturedQuery {
  readonly endpoint: string;
  readonly from: number;
  readonly to: number;
  /** Names of the features: those that may leave the platform, and the order of payloads without names. */
  readonly fields: readonly string[];
  readonly cursor?: string;
}

export interface CapturedPage extends Page<CapturedRequest> {
  /** Captured in this page's part of the window and not readable: counted, and why the first was not. */
  readonly unread?: { readonly requests: number; readonly first: string };
}
