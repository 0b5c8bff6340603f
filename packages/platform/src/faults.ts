import { Fault, type FaultCode } from '@serin/core/base/fault';

/** What an error of an SDK says. What it does not say is '' or 0. */
export interface SdkError {
  /** The name or code that the service gave it. */
  readonly name: string;
  readonly message: string;
  /** The name of an error of Node: `ECONNRESET`. */
  readonly code: string;
  /** Of the answer over HTTP. */
  readonly status: number;
  /** The SDK itself says that it asked too often. */
  readonly throttled: boolean;
  /** The service's own word for why, beside its name for the error. */
  readonly reason?: string;
  /** How long it wants no further call. */
  readonly retryAfterMs?: number;
}

type Test = (error: SdkError) => boolean;

/** How to mend the error of an SDK, in words that stand after a semicolon. */
interface Mends {
  readonly denied: string;
  readonly capacity: string;
  readonly quota: string;
}

/** What is refused for want of something else than a permission of the function. */
export interface Refusal {
  readonly reason?: string;
  readonly says: RegExp;
  /** What to do about it; `named` is what stands in the first bracket of `says`. */
  readonly mend: (named: string) => string;
}

/** What the errors of a vendor mean. Several services may share a table if no name means two things. */
export interface FaultTables {
  readonly read: (error: unknown) => SdkError;
  readonly denied: Test;
  readonly capacity: Test;
  readonly quota: Test;
  readonly codes: Readonly<Record<string, FaultCode>>;
  readonly throttling: Test;
  readonly missing: Test;
  readonly mends: Mends;
  /** They come first. */
  readonly refusals?: readonly Refusal[];
}

const unnamed = 'that is named here';

const network = /^(ECONN|ETIMEDOUT|EPIPE|EPROTO|ENOTFOUND|EAI_|EHOST|ENET|ERR_SOCKET)/;

/** What to do about a fault that says no more than its code. */
const usually: Readonly<Record<FaultCode, string>> = {
  conflict: 'wait, it is tried again',
  throttled: 'wait, it is tried again',
  unavailable: 'wait, it is tried again',
  notFound: 'look whether somebody deleted it',
  invalid: 'correct what was refused',
  defect: 'report it, Serin did not expect it',
};

/**
 * Turns what a call of an SDK threw into a `Fault` that says which call failed, what to do next, and what the vendor
 * said.
 *
 * Capacity comes back by itself (`throttled`). A missing permission or quota does not, so a job must not be tried again
 * forever (`invalid`).
 */
export function faultBy({
  read,
  denied,
  capacity,
  quota,
  codes,
  throttling,
  missing,
  mends,
  refusals = [],
}: FaultTables) {
  return (error: unknown, doing: string): Fault => {
    if (error instanceof Fault) return error;
    const known = read(error);
    const { name, message, code, status, throttled, reason, retryAfterMs } = known;
    const after = retryAfterMs === undefined ? {} : { retryAfterMs };
    const fault = (as: FaultCode, mend = usually[as]) =>
      new Fault(as, `${doing} failed; ${mend}: ${message}`, { cause: error, ...after });
    const refusal = refusals.find(
      ({ says, reason: its }) => (its !== undefined && its === reason) || says.test(message),
    );
    if (refusal !== undefined) return fault('invalid', refusal.mend(refusal.says.exec(message)?.[1] ?? unnamed));
    if (denied(known)) return fault('invalid', mends.denied);
    if (capacity(known)) return fault('throttled', mends.capacity);
    if (quota(known)) return fault('invalid', mends.quota);
    const listed = Object.hasOwn(codes, name) ? codes[name] : undefined;
    if (listed !== undefined) return fault(listed);
    if (throttled || status === 429 || throttling(known)) return fault('throttled');
    // An error with a status of success was cut off, or is not from the vendor.
    if (status >= 500 || (status >= 200 && status < 400) || network.test(code)) return fault('unavailable');
    if (missing(known)) return fault('notFound');
    return fault(status >= 400 ? 'invalid' : 'defect');
  };
}

/** What a cloud has and does not show yet, or refuses for a moment: the same call succeeds later. */
export const notYet = (what: string, cause?: unknown): Fault =>
  new Fault('unavailable', `${what}; try again later`, { cause });

/** Calls of an SDK, by which `doing` is said of whatever they throw. */
export function callsBy(toFault: (error: unknown, doing: string) => Fault, saysMissing: (error: unknown) => boolean) {
  async function guarded<Answer>(doing: string, work: () => Promise<Answer>): Promise<Answer> {
    try {
      return await work();
    } catch (error) {
      throw toFault(error, doing);
    }
  }

  return {
    /** Whatever the work throws is a `Fault`. */
    guarded,
    /** As `guarded`; `undefined` where the thing is not there. */
    ifThere: <Answer>(doing: string, work: () => Promise<Answer>): Promise<Answer | undefined> =>
      guarded(doing, () =>
        work().catch((error: unknown) => {
          if (saysMissing(error)) return undefined;
          throw error;
        }),
      ),
  };
}
