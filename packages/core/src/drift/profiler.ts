import type { CountedBy, DatasetCounts } from './dataset-counts.ts';
import type { DatasetProfile } from './profile.ts';
import type { Reference } from './reference.ts';

/** One object of a dataset, read piece by piece. */
export interface ObjectSource {
  readonly key: string;
  readonly bytes: number;
  /** `length` bytes from `from` on, fewer only at the end of the object. */
  readonly read: (from: number, length: number) => Promise<Uint8Array>;
}

/** Where the reading of an object goes on: plain JSON, made and read by the profiler only. */
export type Place = Readonly<Record<string, unknown>>;

export interface ReadPart<State> {
  readonly state: State;
  /** Absent: the object was read to its end. */
  readonly next?: Place;
}

/**
 * Bytes to profiles; `packages/profile` is the one that every platform has.
 *
 * A part is a piece of one object: reading it twice, or again after a crash, gives the same bytes. `state` is opaque and
 * bounded (about 20 KB a column); what cannot be read (a truncated file, a row without an end, too many columns) is a
 * `Fault` with the code `invalid` that says which object, where, and what to do.
 */
export interface Profiler {
  /** In the name of what it writes: a profile of another version is not this one's. */
  readonly version: number;
  /** The object has a format that is read; others are passed over. */
  reads(key: string): boolean;
  profile(
    object: ObjectSource,
    given: {
      /** Of the objects and parts before; absent: this is the first. */
      readonly state?: Uint8Array;
      readonly from?: Place;
      readonly atMostBytes: number;
      /** A column whose values are sampled: what two datasets share of it is known then. */
      readonly key?: string;
    },
  ): Promise<ReadPart<Uint8Array>>;
  finish(state: Uint8Array): DatasetProfile;
  /** Counts the rows of a part on the cells of a reference, whose own counts play no part. */
  count(
    object: ObjectSource,
    given: {
      readonly reference: Reference;
      /** Absent: rows are counted all together only. */
      readonly by?: CountedBy;
      readonly state?: DatasetCounts;
      readonly from?: Place;
      readonly atMostBytes: number;
    },
  ): Promise<ReadPart<DatasetCounts>>;
}
