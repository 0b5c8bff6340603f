import { Fault } from '@serin/core/base/fault';
import { durationText } from '@serin/core/base/time';
import {
  describedBy,
  type Measured,
  maxMetricsBytes,
  metricsIn,
  nothingMeasured,
} from '@serin/core/job-contract/metrics';
import { missingOutput } from '@serin/core/job-contract/variables';
import type { Artifact, JobDescription } from '@serin/core/ports/jobs';
import { artifactAt } from './artifacts.ts';
import { filesInArchive, metricsFiles } from './metrics.ts';
import { type Buckets, s3Place } from './settings.ts';

export interface Times {
  readonly startedAt?: number;
  readonly endedAt?: number;
}

export function timesOf(started: Date | undefined, ended: Date | undefined): Times {
  return {
    ...(started === undefined ? {} : { startedAt: started.getTime() }),
    ...(ended === undefined ? {} : { endedAt: ended.getTime() }),
  };
}

/** What a job that ended well left behind; a promised output that is not there makes it a failed one. */
export async function succeeded(
  times: Times,
  outputs: Readonly<Record<string, string>>,
  metrics: () => Promise<Measured>,
  buckets: Buckets,
): Promise<JobDescription> {
  try {
    const artifacts: Record<string, Artifact> = {};
    for (const [name, uri] of Object.entries(outputs)) artifacts[name] = await promised(name, uri, buckets);
    return { status: 'succeeded', ...times, ...describedBy(await metrics()), artifacts };
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'invalid') throw error;
    return { status: 'failed', ...times, reason: error.message };
  }
}

async function promised(name: string, uri: string, buckets: Buckets): Promise<Artifact> {
  const artifact = await artifactAt(uri, buckets);
  if (artifact !== undefined) return artifact;
  throw missingOutput(name, uri);
}

/** The metrics file under an S3 prefix that ends with a slash, or at the beginning of a packed output. */
export async function metricsAt(uri: string, buckets: Buckets): Promise<Measured> {
  const place = s3Place(uri);
  if (place === undefined) return nothingMeasured;
  const read = (key: string) => buckets(place.bucket).read({ key, maxBytes: maxMetricsBytes });
  if (!place.key.endsWith('/')) {
    const archive = await read(place.key);
    if (archive === undefined) return nothingMeasured;
    const found = filesInArchive(archive.content, metricsFiles);
    const file = metricsFiles.find((name) => found.has(name));
    return file === undefined ? nothingMeasured : metricsIn(file, found.get(file) ?? '');
  }
  for (const file of metricsFiles) {
    const object = await read(place.key + file);
    if (object?.truncated) return { metrics: {}, unread: { [file]: `it is larger than ${maxMetricsBytes} bytes` } };
    if (object !== undefined) return metricsIn(file, new TextDecoder().decode(object.content));
  }
  return nothingMeasured;
}

export const ranTooLong = (seconds: number | undefined): string =>
  `ran longer than ${durationText((seconds ?? 0) * 1000)}`;

/** Why SageMaker failed a job, where that is worth another attempt. */
export function retryableOf(reason: string): Pick<JobDescription, 'retryable'> {
  // "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type."
  // (as rse-grand-challenge of DIAGNijmegen matches it)
  if (/CapacityError|insufficient capacity|not enough capacity/i.test(reason)) return { retryable: 'capacity' };
  // "InternalServerError: We encountered an internal error.  Please try again." (DIAGNijmegen/rse-grand-challenge)
  if (/^InternalServerError|internal error/i.test(reason)) return { retryable: 'interruption' };
  return {};
}
