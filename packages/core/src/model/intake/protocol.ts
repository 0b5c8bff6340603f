import type { LeftOut } from '../../ports/bucket.ts';

/** What the intake hears from outside, what it orders, and what answers. */
export interface IntakeProtocol {
  readonly signal: { readonly type: 'dataHinted'; readonly keys: readonly string[] };
  readonly order: {
    readonly kind: 'list';
    readonly model: string;
    readonly bucket: string;
    readonly prefix: string;
    readonly marker?: string;
    readonly manifest?: string;
    readonly progress?: ListingProgress;
  };
  readonly answer: {
    readonly type: 'listingAdvanced';
    readonly progress: ListingProgress;
    readonly dataset?: DatasetVersion;
  };
}

/** A dataset version: immutable object identities, named by their digest. */
export interface DatasetVersion {
  readonly digest: string;
  readonly bucket: string;
  readonly prefix: string;
  /** The manifest object in the project's own bucket. */
  readonly manifest: string;
  readonly objects: number;
  readonly bytes: number;
  readonly at: number;
  /** Who brought new data since the version before; absent: it came in a way that names nobody. */
  readonly by?: readonly string[];
  /** What lay beside the objects and is not data. */
  readonly leftOut?: readonly LeftOut[];
}

/** How far a listing has come; the digest is a hash chain over (key, version, size) in key order. */
export interface ListingProgress {
  readonly cursor?: string;
  readonly chain: string;
  readonly chunks: readonly string[];
  readonly objects: number;
  readonly bytes: number;
  /** A marker or manifest object says so, and all that it names is there. */
  readonly complete: boolean;
  /** Names the write of the marker or manifest object that was there when the listing began. */
  readonly gate?: string;
  /** Keys that the manifest object names and that are not there yet: the first three. */
  readonly missing?: readonly string[];
  /** What lies under the prefix and is not data. Empty markers and folders are not counted. */
  readonly leftOut?: readonly LeftOut[];
}
