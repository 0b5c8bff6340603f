import type { Json } from '@serin/core/base/json';
import type { NamedRow } from '@serin/platform/payloads';
import type { CaptureEntry, CaptureStore } from './capture-store.ts';
import { rowsText } from './captured-text.ts';
import type { Counters } from './counters.ts';

/** How the requests of one endpoint are captured. */
export interface CaptureRule {
  /** Of a million requests. */
  readonly share: number;
  readonly fields: readonly string[];
  readonly keepMs: number;
  readonly atMostBytes: number;
}

/**
 * What became of a request that was chosen. `tooLarge`: its body is; `busy`: too many others are being read, or wait for
 * their second; `full`: there is no room on the disk.
 */
export const captureEnds = ['kept', 'unread', 'tooLarge', 'busy', 'full'] as const;
export type CaptureEnd = (typeof captureEnds)[number];

export type CapturedBody =
  | { readonly rows: readonly NamedRow[]; readonly answers: readonly Json[] }
  | { readonly unread: string };

/** A request that is being captured. Exactly one call of one method follows, or its second is never final. */
export interface Capture {
  keep(body: CapturedBody): void;
  /** `unanswered`: it counts nowhere. */
  drop(why: 'unanswered' | 'tooLarge' | 'busy'): void;
}

export interface CaptureOpening {
  readonly endpoint: string;
  readonly deployment: string;
  readonly requestId: string;
  /** Milliseconds since the epoch: when it was routed. */
  readonly at: number;
  /** In which it is counted. */
  readonly second: number;
  readonly rule: CaptureRule;
}

export interface Captures {
  open(request: CaptureOpening): Capture;
  /** Since the start. */
  ends(endpoint: string): Readonly<Record<CaptureEnd, number>>;
  /** On the disk. */
  bytes(endpoint: string): number;
}

/** Of what waits for its second to be final. */
const maxPendingBytes = 16 * 1024 * 1024;
/** A row and its place in the index, without its texts. */
const rowBytes = 200;

interface Pending extends CaptureEntry {
  readonly second: number;
}

interface Options {
  readonly store: CaptureStore;
  readonly counters: Counters;
  readonly onFault?: (error: unknown) => void;
}

/**
 * Requests that are kept with the counts of their second: a kill loses whole seconds, and of a request all or nothing.
 *
 * What cannot be written is lost, and harms no count.
 */
export function gatewayCaptures({ store, counters, onFault = () => {} }: Options): Captures {
  const open = new Map<number, number>();
  const ends = new Map<string, Record<CaptureEnd, number>>();
  let pending: Pending[] = [];
  let pendingBytes = 0;
  let refused: ReadonlySet<CaptureEntry> = new Set();
  const before = (until: number) => pending.filter(({ second }) => second < until);

  function endsOf(endpoint: string): Record<CaptureEnd, number> {
    const known = ends.get(endpoint) ?? { kept: 0, unread: 0, tooLarge: 0, busy: 0, full: 0 };
    ends.set(endpoint, known);
    return known;
  }

  counters.add({
    firstOpen: () => (open.size === 0 ? undefined : Math.min(...open.keys())),
    write(until) {
      const due = before(until);
      if (due.length === 0) return;
      try {
        refused = store.write(due);
      } catch (error) {
        refused = new Set(due);
        onFault(error);
      }
    },
    written(until) {
      for (const entry of before(until)) {
        pendingBytes -= entry.bytes;
        const end = entry.unread === undefined ? 'kept' : 'unread';
        endsOf(entry.endpoint)[refused.has(entry) ? 'full' : end] += 1;
      }
      pending = pending.filter(({ second }) => second >= until);
    },
    prune: (second) => void store.forgetOld(second * 1000).catch(onFault),
  });

  return {
    open({ endpoint, deployment, requestId: id, at, second, rule }) {
      const { keepMs, atMostBytes } = rule;
      open.set(second, (open.get(second) ?? 0) + 1);
      function close(): void {
        const left = (open.get(second) ?? 1) - 1;
        if (left === 0) open.delete(second);
        else open.set(second, left);
      }
      return {
        keep(body) {
          close();
          const texts = textsOf(body);
          const bytes = rowBytes + Object.values(texts).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
          if (pendingBytes + bytes > maxPendingBytes) {
            endsOf(endpoint).busy += 1;
            return;
          }
          pendingBytes += bytes;
          pending.push({ endpoint, at, id, deployment, second, ...texts, bytes, keepMs, atMostBytes });
        },
        drop(why) {
          close();
          if (why !== 'unanswered') endsOf(endpoint)[why] += 1;
        },
      };
    },
    ends: endsOf,
    bytes: store.bytes,
  };
}

const textsOf = (body: CapturedBody): Pick<CaptureEntry, 'rows' | 'answers' | 'unread'> =>
  'unread' in body ? body : { rows: rowsText(body.rows), answers: JSON.stringify(body.answers) };
