import type { Source } from '@serin/core/ports/jobs';
import { unchangedArtifact } from '@serin/platform/jobs/artifacts';
import type { Supplies } from '@serin/platform/jobs/supplies';
import { type Buckets, s3Objects, s3Uri } from './settings.ts';

/** A channel as all three kinds of SageMaker's jobs take it. */
export interface Input {
  readonly name: string;
  readonly type: 'ManifestFile' | 'S3Prefix';
  readonly uri: string;
  readonly bytes: number;
}

/** What is made of a job: the request, and what the own bucket has to hold before it is sent. */
export interface Asked<Request> {
  readonly request: Request;
  readonly start?: { readonly key: string; readonly text: string };
}

/** What the channels of a job are read from; `invalid` when something is missing, or not what it was. */
export const inputsOf = (
  channels: Readonly<Record<string, Source>>,
  ownBucket: string,
  { buckets, supplies }: { readonly buckets: Buckets; readonly supplies: Supplies },
): Promise<readonly Input[]> =>
  Promise.all(
    Object.entries(channels).map(async ([name, source]): Promise<Input> => {
      if (source.kind === 'manifest') {
        const { key, bytes } = await supplies.manifest(source);
        return { name, type: 'ManifestFile', uri: s3Uri(ownBucket, key), bytes };
      }
      const { uri, bytes } = await unchangedArtifact(name, source.artifact, s3Objects(buckets));
      return { name, type: 'S3Prefix', uri, bytes };
    }),
  );
