import { ownBucket } from '@serin/core/ports/bucket';
import type { Job, Source } from '@serin/core/ports/jobs';
import { type Objects, unchangedArtifact } from './artifacts.ts';
import type { Mounted } from './bring.ts';
import type { Supplies } from './supplies.ts';

export interface MountedInput extends Mounted {
  readonly channel: string;
  /** In which its files are, by whichever name the source has it. */
  readonly bucket: string;
  readonly bytes: number;
}

interface Stores {
  readonly supplies: Supplies;
  readonly objects: Objects;
  /** Where a container finds an object, or the folder of a key that ends with a slash. */
  readonly mounted: (bucket: string, key: string) => string;
}

/** Where a container with mounted storage finds what its channels get; `invalid` for what is missing, or was changed. */
export const mountedInputs = ({ channels }: Job, stores: Stores): Promise<readonly MountedInput[]> =>
  Promise.all(Object.entries(channels).map(([channel, source]) => inputOf(channel, source, stores)));

async function inputOf(channel: string, source: Source, { supplies, objects, mounted }: Stores): Promise<MountedInput> {
  if (source.kind === 'manifest') {
    const { key, bucket, bytes } = await supplies.manifest(source);
    return { channel, kind: 'list', path: mounted(ownBucket, key), bucket, bytes };
  }
  const { uri, bytes } = await unchangedArtifact(channel, source.artifact, objects);
  const { bucket = '', key = '' } = objects.placeOf(uri) ?? {};
  return { channel, kind: key.endsWith('/') ? 'folder' : 'file', path: mounted(bucket, key), bucket, bytes };
}
