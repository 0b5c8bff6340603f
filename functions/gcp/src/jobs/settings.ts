import type { bucketsBy } from '@serin/platform/buckets';
import { type Objects, placeBy } from '@serin/platform/jobs/artifacts';
import { jobNameBy } from '@serin/platform/names';
import { vertexName } from '../names.ts';
import type { Settings } from '../settings.ts';

export type JobSettings = Omit<Settings, 'modelAccount' | 'sharedEndpoints' | 'captureTable'>;

export type Buckets = ReturnType<typeof bucketsBy>;

/** What tells the jobs of one key from all others: their label, and the folder of what they leave. */
export const jobName = jobNameBy(vertexName);

/** The scripts and the intents of jobs: the service account of jobs must not write here. */
export const startsFolder = (name: string): string => `starts/${name}`;

export const gsUri = (bucket: string, key: string): string => `gs://${bucket}/${key}`;

export const gsPlace = placeBy('gs');

/** What lies in Cloud Storage, by its URI as well. */
export const gsObjects = (buckets: Buckets): Objects => ({ buckets, placeOf: gsPlace });

/** Below this folder Vertex AI mounts each bucket. https://docs.cloud.google.com/vertex-ai/docs/training/cloud-storage-file-system */
export const mounted = (bucket: string, key: string): string => `/gcs/${bucket}/${key}`;
