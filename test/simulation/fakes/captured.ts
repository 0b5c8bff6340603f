import { Fault } from '@serin/core/base/fault';
import type { Json } from '@serin/core/base/json';
import type { CapturedPage, CapturedQuery, CapturedRow } from '@serin/core/ports/captured';

/** Who asks an endpoint whose requests are captured: at even times, and always the same at a time. */
export interface Asking {
  readonly everyMs: number;
  readonly rows: number;
  /** A row that is asked for at a time, the first, second and so on of its request. */
  readonly row: (at: number, index: number) => CapturedRow;
  /** What a model answers for a row; absent: answers are not captured. */
  readonly answer?: (row: CapturedRow) => Json;
  /** So many requests are a page. */
  readonly perPage: number;
  /** What was asked in a window is known so long after its end. */
  readonly lateMs: number;
}

/** Copies of the requests of a window, page by page. */
export function capturedIn(asking: Asking | undefined, query: CapturedQuery, now: number): CapturedPage {
  if (asking === undefined) return { items: [] };
  const { everyMs, perPage, lateMs } = asking;
  const { from, to, cursor } = query;
  if (now < to + lateMs) throw new Fault('unavailable', `the requests until ${to} may still come`);
  const first = cursor === undefined ? Math.ceil(from / everyMs) : Number(cursor);
  const end = Math.ceil(to / everyMs);
  const last = Math.min(end, first + perPage);
  return {
    items: Array.from({ length: Math.max(0, last - first) }, (_, index) =>
      requestAt(asking, (first + index) * everyMs),
    ),
    ...(last < end ? { next: String(last) } : {}),
  };
}

function requestAt({ rows, row, answer }: Asking, at: number) {
  const asked = Array.from({ length: rows }, (_, index) => row(at, index));
  return { at, rows: asked, answers: answer === undefined ? [] : asked.map(answer) };
}

/** What was asked in a window, counted by other means. */
export function rowsAsked({ everyMs, rows, row }: Asking, from: number, to: number): readonly CapturedRow[] {
  const asked: CapturedRow[] = [];
  for (let at = Math.ceil(from / everyMs) * everyMs; at < to; at += everyMs)
    for (let index = 0; index < rows; index += 1) asked.push(row(at, index));
  return asked;
}
