import { Fault } from '@serin/core/base/fault';

const mebi = 1 << 20;

/**
 * What a file may ask for. Each limit bounds memory or time, because all of these numbers are said by the file and a few
 * bytes can say much: a run of equal values, a compressed page, a list in the footer.
 */
export const limits = {
  footerBytes: 32 * mebi,
  rowGroups: 100_000,
  /** Columns as they are stored: each scalar inside of a record or a list is one. */
  columns: 10_000,
  /** Two hashes of 32 bits for each row are held. */
  rowsOfGroup: 8 * mebi,
  valuesOfGroup: 256 * mebi,
  /** A page is held as it is stored and as it is inflated; writers make pages of 1 MB. */
  pageBytes: 32 * mebi,
  valuesOfPage: 4 * mebi,
  valuesOfDictionary: mebi,
  pageHeaderBytes: 16 * mebi,
  /** How deep records, lists and the structures of the file itself are nested. */
  depth: 64,
} as const;

/** A reader's own error, without the name of the object, which `readParquet` puts before it. */
export const damaged = (what: string): Fault => new Fault('invalid', what);

/** A number that the file says, where it is whole and in its range. */
export function checked(what: string, value: number | undefined, most: number, least = 0): number {
  if (value !== undefined && Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw damaged(`it says ${what} of ${value ?? 'nothing'}, and from ${least} to ${most} is read`);
}
