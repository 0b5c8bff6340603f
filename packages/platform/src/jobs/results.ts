import { Fault } from '@serin/core/base/fault';
import { durationText } from '@serin/core/base/time';
import { describedBy, type Measured } from '@serin/core/job-contract/metrics';
import { missingOutput } from '@serin/core/job-contract/variables';
import type { Artifact, JobDescription } from '@serin/core/ports/jobs';

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

/** Whether a cloud's reason for a failed job is worth another attempt: the first pattern that finds its words. */
export const retryableBy =
  (patterns: Readonly<Record<Retryable, RegExp>>) =>
  (reason: string): Retryable | undefined =>
    (['capacity', 'interruption'] as const).find((why) => patterns[why].test(reason));
