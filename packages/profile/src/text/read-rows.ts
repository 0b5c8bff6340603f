import type { ObjectSource, Place } from '@serin/core/drift/profiler';
import { isGzip, piecesOf } from '../pieces.ts';
import type { RowPlace, Window } from './window.ts';

export interface Reading {
  /** Absent: from the begin. */
  readonly from?: Place | undefined;
  /** The part ends with the row that reaches it. A gzip is one part. */
  readonly atMostBytes: number;
}

/** Finds the rows of a format. */
export interface Scanner {
  readonly window: Window;
  push(piece: Uint8Array): void;
  close(): void;
  next(): boolean;
}

export const firstRow: RowPlace = { at: 0, line: 1 };

/** What `readRows` has returned. */
export const placeOf = (from: Place | undefined): RowPlace =>
  from === undefined ? firstRow : { at: Number(from.at), line: Number(from.line) };

/**
 * Reads the rows of a part of a text file, and calls `take` at each. A part ends where a row ends, so a row is in one
 * part only.
 */
export async function readRows(
  object: ObjectSource,
  given: Reading,
  scanner: Scanner,
  take: () => void,
): Promise<{ readonly next?: Place }> {
  const begin = placeOf(given.from).at;
  const limit = isGzip(object.key) ? Number.POSITIVE_INFINITY : begin + given.atMostBytes;
  const { window } = scanner;
  for await (const piece of piecesOf(object, begin)) {
    scanner.push(piece);
    while (scanner.next()) {
      take();
      if (window.endAt >= limit && window.endAt < object.bytes)
        return { next: { at: window.endAt, line: window.line } };
    }
  }
  scanner.close();
  while (scanner.next()) take();
  return {};
}
