import { cleanWindowsToResolve } from '../../drift/incident.ts';

/** Predictions that got worse, until they are not any more. */
export interface LossIncident {
  /** Where the window begins in which it was first seen, and when that was judged. */
  readonly since: number;
  readonly at: number;
  /** When it was last news: seen first, or of another version as well. Only the first one acts. */
  readonly newsAt: number;
  /** The version of which it was last seen. */
  readonly version: number;
  /** Mean loss of the window in which it was last seen, and the limit that was exceeded first: what ends it is at most that. */
  readonly loss: number;
  readonly limit: number;
  /** The labels are losses, and say neither right nor wrong. */
  readonly isLoss?: true;
  /** Clean windows since the last one that was not. */
  readonly clean: number;
}

/** A window of which enough is known. */
export interface Judged {
  readonly loss: number;
  readonly isLoss?: true;
  /** The limit that the evidence says is exceeded; absent: it does not. */
  readonly exceeds?: number;
}

/** The incident after one more window; three clean ones in a row end it, of whatever version they are. */
export function followLoss(
  open: LossIncident | undefined,
  { loss, exceeds, ...kind }: Judged,
  { from, at, version }: { readonly from: number; readonly at: number; readonly version: number },
): LossIncident | undefined {
  if (exceeds !== undefined)
    return { since: from, at, limit: exceeds, ...open, newsAt: at, version, loss, ...kind, clean: 0 };
  if (open === undefined) return undefined;
  const clean = loss <= open.limit ? open.clean + 1 : 0;
  return clean >= cleanWindowsToResolve ? undefined : { ...open, clean };
}
