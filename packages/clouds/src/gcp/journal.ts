/** How a field of the journal's documents is indexed, in Firestore: by an ascending or descending order, or not at all. */
export interface JournalField {
  readonly collectionGroup: string;
  readonly field: string;
  readonly order: 'ASCENDING' | 'DESCENDING' | 'none';
}

/**
 * What functions/gcp/src/ports/journal.ts needs of a database. Without a setting Firestore indexes every field in both
 * orders, also the gzipped states, and each index makes an append slower and dearer. A map that is not indexed leaves out
 * what is in it. No composite index is needed, and none over a collection group.
 * https://docs.cloud.google.com/firestore/docs/query-data/index-overview
 */
export const journalFields: readonly JournalField[] = [
  { collectionGroup: 'streams', field: 'due', order: 'ASCENDING' },
  { collectionGroup: 'streams', field: 'name', order: 'ASCENDING' },
  { collectionGroup: 'streams', field: 'kept', order: 'none' },
  { collectionGroup: 'entries', field: 'seq', order: 'DESCENDING' },
  { collectionGroup: 'entries', field: 'entry', order: 'none' },
];

/**
 * What a call of the journal uses of Firestore: requests, and documents that are billed. A query is billed for each document
 * that it finds, and for one if it finds none. An append that is refused is not billed.
 * https://docs.cloud.google.com/firestore/pricing
 */
export const journalUses = {
  head: { requests: 1, reads: 1, writes: 0 },
  append: { requests: 1, reads: 0, writes: 2 },
  /** One entry; each further one is a read more. */
  history: { requests: 1, reads: 1, writes: 0 },
  /** Nothing is due; each stream that is due is a read more. The clock asks once a minute. */
  due: { requests: 16, reads: 16, writes: 0 },
  /** Nothing is listed; each row is a read more. */
  names: { requests: 16, reads: 16, writes: 0 },
} as const;
