import { Fault } from '@serin/core/base/fault';
import { durationText } from '@serin/core/base/time';
import { describedBy, type Measured } from '@serin/core/job-contract/metrics';
import { missingOutput } from '@serin/core/job-contract/variables';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Artifact, JobDescription } from '@serin/core/ports/jobs';
import type { Place } from './artifacts.ts';

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

export interface Left {
  readonly artifacts: Readonly<Record<string, Artifact>>;
  readonly measured: Measured;
}

/** What a job that ended well left. A job that did not leave what it promised has failed, with the reason. */
export async function succeeded(times: Times, left: () => Promise<Left>): Promise<JobDescription> {
  try {
    const { artifacts, measured } = await left();
    return { status: 'succeeded', ...times, ...describedBy(measured), artifacts };
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'invalid') throw error;
    return failed(times, error.message);
  }
}

/** Each promised output by its URI; one that is not there is `invalid`. */
export async function promised(
  outputs: Readonly<Record<string, string>>,
  artifactAt: (uri: string) => Promise<Artifact | undefined>,
): Promise<Readonly<Record<string, Artifact>>> {
  const artifacts: Record<string, Artifact> = {};
  for (const [name, uri] of Object.entries(outputs)) {
    const artifact = await artifactAt(uri);
    if (artifact === undefined) throw missingOutput(name, uri);
    artifacts[name] = artifact;
  }
  return artifacts;
}

type Retryable = NonNullable<JobDescription['retryable']>;

export const failed = (times: Times, reason: string, retryable?: Retryable): JobDescription => ({
  ...{ status: 'failed', ...times, ...(retryable === undefined ? {} : { retryable }), reason },
});

export const stopped = (times: Times): JobDescription => ({
  ...{ status: 'stopped', ...times, reason: 'stopped on request' },
});

/** Of a job that has not ended: whether it runs, and since when. */
export const underWay = ({ startedAt }: Times): JobDescription =>
  startedAt === undefined ? { status: 'starting' } : { status: 'running', startedAt };

export const ranTooLong = (ms: number): string => `ran longer than ${durationText(ms)}`;

export const noMachineWithin = (ms: number): string => `no machine was free within ${durationText(ms)}`;

const failureBytes = 4000;

/** What the program wrote into its file `failure`; '' where there is none. */
export async function failureAt(place: Place | undefined, buckets: (name: string) => Bucket): Promise<string> {
  if (place === undefined) return '';
  const written = await buckets(place.bucket).read({ key: place.key, maxBytes: failureBytes });
  return new TextDecoder().decode(written?.content).trim();
}

/** What the program wrote comes first, then what the cloud says. */
export const withWritten = (said: string, written: string): string => (written === '' ? said : `${written} (${said})`);

/** What the exit code of a program most often means, as the next sentences of a reason. */
export function explainedExit(code: number): string {
  if (code === 137) return ' Exit code 137 is a kill: most often the machine had too little memory; use a larger one';
  if (code === 127) return ' Exit code 127: the image does not have the command; correct the command, or the image';
  return '';
}

/** Whether a cloud's reason for a failed job is worth another attempt: the first pattern that finds its words. */
export const retryableBy =
  (patterns: Readonly<Record<Retryable, RegExp>>) =>
  (reason: string): Retryable | undefined =>
    (['capacity', 'interruption'] as const).find((why) => patterns[why].test(reason));
