import type { bucketsBy } from '@serin/platform/buckets';
import { type Objects, placeBy } from '@serin/platform/jobs/artifacts';
import type { Installation } from '@serin/platform/names';
import { vertexName } from '../names.ts';
import type { Settings } from '../settings.ts';

export type JobSettings = Omit<Settings, 'modelAccount' | 'sharedEndpoints'>;

export type Buckets = ReturnType<typeof bucketsBy>;

interface Named {
  readonly project: string;
  readonly key: string;
}

/** What tells the jobs of one key from all others: their label, and the folder of what they leave. */
export function jobName({ environment }: Installation, { project, key }: Named): string {
  const [, part = 'job', attempt = '1'] = key.split('/');
  return vertexName({ project, environment }, 'job', `${part}-${attempt}`, key);
}

/** The scripts and the intents of jobs: the service account of jobs must not write here. */
export const startsFolder = (name: string): string => `starts/${name}`;

export const gsUri = (bucket: string, key: string): string => `gs://${bucket}/${key}`;

export const gsPlace = placeBy('gs');

/** What lies in Cloud Storage, by its URI as well. */
export const gsObjects = (buckets: Buckets): Objects => ({ buckets, placeOf: gsPlace });

/** Below this folder Vertex AI mounts each bucket. https://docs.cloud.google.com/vertex-ai/docs/training/cloud-storage-file-system */
export const mounted = (bucket: string, key: string): string => `/gcs/${bucket}/${key}`;
