import type { Classes, Errors, TruthRule } from '../base/truths.ts';
import type { CapturedPage, CapturedQuery } from './captured.ts';

export interface Counts {
  readonly requests: number;
  /** Bad requests by each measure that was asked for and is counted on this platform. `errors` is always there. */
  readonly bad: Readonly<Record<string, number>>;
}

/** Users of one deployment in a tick; a user is a value of the sticky key. */
export interface UserCounts {
  /** Users whose first request since `usersSince` was routed in this tick. */
  readonly assigned: number;
  readonly bad: Readonly<Record<string, FirstBad>>;
}
/** Users who sent requests and had no bad one before this tick, and those of them whose first bad one is in it. */
export interface FirstBad {
  readonly atRisk: number;
  readonly bad: number;
}

/** Requests that were mirrored: each was answered by the deployment that served it, and copied to the mirror. */
export interface PairCounts {
  readonly pairs: number;
  /** Requests whose copy the platform did not send because its queue was full. They are not pairs and count nowhere. */
  readonly dropped: number;
  /** A pair with an error counts for `errors` only. */
  readonly bad: Readonly<Record<string, Discordant>>;
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
  /**
   * A deployment that is not in it had no requests, or the platform has no data of it. No cloud counts zeros, so it
   * cannot tell the two apart; the judge does, from the requests of the others. A platform that counts each request
   * itself leaves a tick out that it did not see as a whole (`unserved`), so there it means none.
   */
  readonly counts: Readonly<Record<string, Counts>>;
  /**
   * The platform knows that it did not serve the endpoint during all of this tick: the computer was off, or a
   * deployment was on its way back. Then there are no counts, and the tick does not count as time that a candidate
   * stood.
   */
  readonly unserved?: true;
  /**
   * By segment, then deployment; only if the endpoint has segments. A request of no known segment is in `counts` only.
   */
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
  /** What is counted as bad, see base/measures.ts; `errors` is among them. */
  readonly measures: readonly string[];
  /** Asks for counts of users, too. Nothing of users is known before this time. */
  readonly usersSince?: number;
}

/** The outcome of one request, which somebody learned later. */
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
 *
 * A platform that learns of requests only later cannot tell the last two: there a label of any request is `recorded`,
 * and one of a request that nobody captured, or that came late, is in no tick.
 */
export type LabelAnswer = 'recorded' | 'duplicate' | 'conflict' | 'unknown' | 'late';

/** Labels of the requests that were routed in a tick, once their maturity window has closed. */
export interface LabelTick {
  readonly start: number;
  /**
   * One row for each deployment and each weight (percent, as it was when the request was routed) that it had. Without a
   * weight: the platform does not record it. A platform that knows a sample of the requests only counts that.
   */
  readonly rows: readonly {
    readonly deployment: string;
    readonly weight?: number;
    readonly requests: number;
    /** Those with a label, right or wrong. */
    readonly labelled: number;
    readonly wrong: number;
    /** Of the labels that are truths, where the query names the positive class and there are some. */
    readonly classes?: Classes;
    /** Of the truths that are numbers, where the query gives a scale and there are some. They are among `losses`. */
    readonly errors?: Errors;
  }[];
  /** Labels that are losses, in the order in which the requests were routed. */
  readonly losses: readonly { readonly deployment: string; readonly weight?: number; readonly loss: number }[];
  /** Mirrored requests with a label of which exactly one answer was wrong, by mirror. */
  readonly pairs: Readonly<Record<string, Discordant>>;
}

/** What an endpoint did, counted in one place for all its deployments. Each kind of serving has its own. */
export interface Telemetry {
  /**
   * The closed ticks with `from <= start` and `start + tickMs <= to`, ascending, on multiples of `tickMs` since the
   * epoch. A tick is closed when no later request or outcome can change it; one that is not closed yet ends the answer.
   * Twice: equal numbers. A tick without requests is there, with empty counts. `unserved`: no request could be
   * answered.
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
   * Copies of the requests that were routed in `[from, to)`, in no order, a page at a time; at most about 1,000 requests
   * or 4 MB a page. Twice: the same requests. A window whose requests may still come (the platform writes them late)
   * throws `unavailable`. An endpoint that captures nothing answers an empty page; a platform that cannot: `invalid`.
   */
  captured(query: CapturedQuery): Promise<CapturedPage>;
  /**
   * Percent of its requests that is captured, by deployment, as they are now. Absent: the platform has one share for all
   * deployments of an endpoint.
   */
  captureShares?(endpoint: string): Promise<Readonly<Record<string, number>>>;
}

/**
 * Outcomes of requests, which come later. They name a request, and therefore neither an endpoint nor a kind of serving.
 */
export interface Labels {
  /**
   * Records outcomes, durable when it resolves; answers one word for each label, in order. Twice: `duplicate`.
   * Requests are known from when they were routed, for 35 days, at endpoints whose plan has labels. On a cloud the
   * captured ones are, and a label is known for 15 days.
   */
  label(labels: readonly Label[]): Promise<readonly LabelAnswer[]>;
  /**
   * Like `ticks`; a tick is closed `maturityMs` after its end, and a label that came later is not in it. A platform may
   * close it later, and answer fewer ticks at once than are closed.
   */
  labels(query: {
    readonly endpoint: string;
    readonly from: number;
    readonly to: number;
    readonly tickMs: number;
    readonly maturityMs: number;
    /** How truths are compared; absent: as text. */
    readonly truths?: TruthRule;
    /** Deployments that will be compared: `invalid` where the platform knows another share of each one's requests. */
    readonly compared?: readonly string[];
  }): Promise<readonly LabelTick[]>;
  /**
   * How many labels got each answer. `unknown` ones belong to no endpoint, and are in the totals of each. `undefined`:
   * the platform does not know of a label whose it is.
   */
  labelTotals(endpoint: string): Promise<Readonly<Record<LabelAnswer, number>> | undefined>;
}
