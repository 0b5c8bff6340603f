import {
  type CloudWatchLogsClient,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { awsFault, nameOfError } from '../faults.ts';
import type { Installation } from '../names.ts';
import { jobId, partsOf } from './ids.ts';

/** Where SageMaker writes what the first node of a job prints; a restart after an interruption opens another stream. */
interface JobLog {
  readonly group: string;
  /** `<job>/algo-1-`; the rest of the name is not ours to know. */
  readonly streams: string;
}

/** https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html */
const groups = {
  training: '/aws/sagemaker/TrainingJobs',
  processing: '/aws/sagemaker/ProcessingJobs',
  transform: '/aws/sagemaker/TransformJobs',
} as const;

export const logOf = (api: keyof typeof groups, name: string): JobLog => ({
  group: groups[api],
  // Transform names its streams after the machine.
  streams: api === 'transform' ? `${name}/` : `${name}/algo-1-`,
});

/** Events of one millisecond that a position can tell apart. */
const perMillisecond = 4096;

interface LogPart {
  readonly text: string;
  /** The position to go on from. */
  readonly next: number;
}

/** Reads logs of jobs: whole lines of what the first node printed. `undefined`: no job has printed anything yet. */
export function jobLogs({
  cloudwatchLogs,
  installation,
}: {
  readonly cloudwatchLogs: CloudWatchLogsClient;
  readonly installation: Installation;
}) {
  return async (
    job: { readonly project: string; readonly key: string; readonly id?: string },
    from: number,
    max: number,
  ): Promise<LogPart | undefined> => {
    const { api, name } = partsOf(job.id ?? jobId(installation, job));
    try {
      return await readLog(cloudwatchLogs, logOf(api, name), { epoch: beganAfter(job.key), from, max });
    } catch (error) {
      // The group is not there before the first job of an account prints something.
      if (nameOfError(error) === 'ResourceNotFoundException') return undefined;
      throw awsFault(error, `reading the log of ${job.key}`);
    }
  };
}

/** Before the job's first line: the id of its run begins with the time (UUIDv7); of another id, before any installation. */
function beganAfter(key: string): number {
  const digits = /^run_([0-9a-f]{12})[0-9a-f]{20}\//.exec(key)?.[1];
  return digits === undefined ? Date.UTC(2026, 0, 1) : Number.parseInt(digits, 16);
}

/**
 * Whole lines of a log from a position on, at most `max` characters (one line at least). A log of CloudWatch has no
 * bytes: a position is the milliseconds since `epoch` and the lines of that millisecond, as one number that grows.
 */
async function readLog(
  client: CloudWatchLogsClient,
  { group, streams }: JobLog,
  { epoch, from, max }: { readonly epoch: number; readonly from: number; readonly max: number },
): Promise<LogPart> {
  const start = Math.floor(from / perMillisecond);
  let skip = from % perMillisecond;
  let [text, next] = ['', from];
  let token: string | undefined;
  do {
    const page = await client.send(
      new FilterLogEventsCommand({
        logGroupName: group,
        logStreamNamePrefix: streams,
        startTime: epoch + start,
        ...(token === undefined ? {} : { nextToken: token }),
      }),
    );
    for (const { timestamp = epoch, message = '' } of page.events ?? []) {
      const at = Math.max(0, timestamp - epoch);
      if (at === start && skip > 0) {
        skip -= 1;
        continue;
      }
      const line = `${message}\n`;
      if (text !== '' && text.length + line.length > max) return { text, next };
      text += line;
      next = Math.floor(next / perMillisecond) === at ? next + 1 : at * perMillisecond + 1;
    }
    // A page may be empty and still have a next one.
    token = page.nextToken;
  } while (token !== undefined && text.length < max);
  return { text, next };
}

/** The last 20 lines, as the end of a sentence about the job; `''` when it wrote none. */
export async function logEnd(client: CloudWatchLogsClient, { group, streams }: JobLog): Promise<string> {
  try {
    const found = await client.send(
      new DescribeLogStreamsCommand({ logGroupName: group, logStreamNamePrefix: streams }),
    );
    const stream = found.logStreams?.at(-1)?.logStreamName;
    if (stream === undefined) return '';
    const { events = [] } = await client.send(
      new GetLogEventsCommand({ logGroupName: group, logStreamName: stream, startFromHead: false, limit: 20 }),
    );
    const lines = events.map(({ message = '' }) => message).join('\n');
    return lines === '' ? '' : `; the end of its log:\n${lines}`;
  } catch (error) {
    // The group is not there before the first job of an account prints something.
    if (nameOfError(error) === 'ResourceNotFoundException') return '';
    const fault = awsFault(error, `reading the log ${streams} of ${group}`);
    if (fault.retry !== 'never') throw fault;
    // Why the job failed, and whether it is worth another attempt, is known without its log.
    return `; its log cannot be read: ${fault.message}`;
  }
}
