import { ownBucket } from '@serin/core/ports/bucket';
import type { Job } from '@serin/core/ports/jobs';
import { unchangedArtifact } from '@serin/platform/jobs/artifacts';
import type { Mounted } from '@serin/platform/jobs/bring';
import type { Supplies } from '@serin/platform/jobs/supplies';
import { type Buckets, gsObjects, gsPlace, mounted } from './settings.ts';

export interface Input extends Mounted {
  readonly channel: string;
  readonly bytes: number;
}

interface Stores {
  readonly buckets: Buckets;
  readonly supplies: Supplies;
  /** The real name of the own bucket. */
  readonly own: string;
}

/** Where the container finds what its channels get; `invalid` for what is missing, or was changed. */
export const inputsOf = ({ channels }: Job, { buckets, supplies, own }: Stores): Promise<readonly Input[]> =>
  Promise.all(
    Object.entries(channels).map(async ([channel, source]): Promise<Input> => {
      if (source.kind === 'manifest') {
        const { key, bytes } = await supplies.manifest(source);
        return { channel, kind: 'list', path: mounted(own, key), bytes };
      }
      const { uri, bytes } = await unchangedArtifact(channel, source.artifact, gsObjects(buckets));
      const { bucket = '', key = '' } = gsPlace(uri) ?? {};
      const real = bucket === ownBucket ? own : bucket;
      return { channel, kind: key.endsWith('/') ? 'folder' : 'file', path: mounted(real, key), bytes };
    }),
  );
