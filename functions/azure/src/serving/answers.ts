import type { Counter, Measured } from '@serin/platform/ticks';
import type { Azure } from '../calls/azure.ts';

export interface Window {
  /** The name of the endpoint. */
  readonly endpoint: string;
  /** Whole minutes. */
  readonly from: number;
  readonly to: number;
}

/** Requests of one deployment and minute that were answered alike. */
export interface Answered {
  readonly deployment: string;
  readonly start: number;
  /** Of HTTP, as the caller got it; 0 without an answer. */
  readonly status: number;
  /** Of HTTP, as the model answered; 0 where it did not. */
  readonly modelStatus: number;
  readonly requests: number;
  /** Of them, those over each threshold; nothing where the source cannot tell. */
  readonly slow: readonly number[];
}

/** Where the counts of an endpoint are read. `undefined`: something is missing, ask again later. */
export interface Source {
  readonly counter: Omit<Counter, 'errorsOf' | 'sure'>;
  /** `unconnected`: nothing has ever come from any endpoint, and the first may be on its way. */
  answered(window: Window, thresholdsMs: readonly number[]): Promise<readonly Answered[] | 'unconnected' | undefined>;
  /** In milliseconds. */
  latencies(window: Window): Promise<readonly (Measured & { readonly deployment: string })[] | undefined>;
}

export interface SourceOptions {
  readonly azure: Azure;
  readonly subscription: string;
  readonly resourceGroup: string;
  readonly workspace: string;
}

export const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** The days of a window: an answer of Azure Monitor for one of them is far below its limits. */
export function daysOf({ endpoint, from, to }: Window): readonly Window[] {
  const days = Math.ceil((to - from) / dayMs);
  return Array.from({ length: days }, (_, day) => ({
    endpoint,
    from: from + day * dayMs,
    to: Math.min(to, from + (day + 1) * dayMs),
  }));
}

/** A status as Azure Monitor writes it: a number, digits, or what is no status at all. */
export const statusOf = (value: unknown): number => Number(/^\d{3}$/.exec(String(value))?.[0] ?? 0);

const isRefusal = (status: number): boolean => status >= 400 && status < 500;

/**
 * Whether the request failed, and its caller is not to blame.
 *
 * 408: "The model execution took longer than the timeout". 424: "If your model container returns a non-200 response, Azure
 * returns a 424"; the status of the model tells its refusal of what the caller sent from a failure. 429: "Your model is
 * currently getting more requests than it can handle", which is what callers of a model that hangs are told. No status is
 * no answer.
 *
 * https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-online-endpoints#http-status-codes
 */
export function isError({ status, modelStatus }: Pick<Answered, 'status' | 'modelStatus'>): boolean {
  if (status === 424) return !isRefusal(modelStatus);
  return status === 0 || status === 408 || status === 429 || status >= 500;
}
