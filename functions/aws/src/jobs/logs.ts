import {
  type CloudWatchLogsClient,
  DescribeLogStreamsCommand,
  GetLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import type { Job } from '@serin/core/ports/jobs';
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
} as const;

export const logOf = (api: keyof typeof groups, name: string): JobLog => ({
  group: groups[api],
  streams: `${name}/algo-1-`,
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
    job: Pick<Job, 'project' | 'key' | 'kind'> & { readonly id?: string },
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
 *
 * Stream by stream, and not by a filter over the group: jobs of all installations of an account share one, and only
 * streams can be permitted by their names.
 */
async function readLog(
  client: CloudWatchLogsClient,
  { group, streams }: JobLog,
  { epoch, from, max }: { readonly epoch: number; readonly from: number; readonly max: number },
): Promise<LogPart> {
  const start = Math.floor(from / perMillisecond);
  const names = await streamsOf(client, { group, streams });
  const parts = await Promise.all(names.map((name) => readStream(client, { group, name }, epoch + start, max)));
  // What lies after the last line of a stream that has more is not the next one for sure.
  const known = Math.min(...parts.map(({ until }) => until));
  const events = parts.flatMap(({ events }) => events).filter(({ timestamp }) => timestamp <= known);
  let skip = from % perMillisecond;
  let [text, next] = ['', from];
  for (const { timestamp, message } of events.sort((one, other) => one.timestamp - other.timestamp)) {
    const at = Math.max(0, timestamp - epoch);
    if (at === start && skip > 0) {
      skip -= 1;
      continue;
    }
    const line = `${message}\n`;
    if (text !== '' && text.length + line.length > max) break;
    text += line;
    next = Math.floor(next / perMillisecond) === at ? next + 1 : at * perMillisecond + 1;
  }
  return { text, next };
}

interface LogEvent {
  readonly timestamp: number;
  readonly message: string;
}

/** Events of a stream from a time on: more than `max` characters after the first millisecond, or all there are. */
async function readStream(
  client: CloudWatchLogsClient,
  { group, name }: { readonly group: string; readonly name: string },
  startTime: number,
  max: number,
): Promise<{ readonly events: readonly LogEvent[]; readonly until: number }> {
  const events: LogEvent[] = [];
  let characters = 0;
  let token: string | undefined;
  for (;;) {
    const page = await client.send(
      new GetLogEventsCommand({
        logGroupName: group,
        logStreamName: name,
        startTime,
        startFromHead: true,
        ...(token === undefined ? {} : { nextToken: token }),
      }),
    );
    for (const { timestamp = startTime, message = '' } of page.events ?? []) {
      events.push({ timestamp, message });
      if (timestamp > startTime) characters += message.length + 1;
    }
    // At the end of a stream the token that was given comes back.
    // https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
    const { nextForwardToken } = page;
    if (nextForwardToken === undefined || nextForwardToken === token)
      return { events, until: Number.POSITIVE_INFINITY };
    if (characters > max) return { events, until: events.at(-1)?.timestamp ?? startTime };
    token = nextForwardToken;
  }
}

async function streamsOf(client: CloudWatchLogsClient, { group, streams }: JobLog): Promise<readonly string[]> {
  const found = await client.send(new DescribeLogStreamsCommand({ logGroupName: group, logStreamNamePrefix: streams }));
  return (found.logStreams ?? []).flatMap(({ logStreamName }) => logStreamName ?? []);
}

/** The last 20 lines, as the end of a sentence about the job; `''` when it wrote none. */
export async function logEnd(client: CloudWatchLogsClient, { group, streams }: JobLog): Promise<string> {
  try {
    const stream = (await streamsOf(client, { group, streams })).at(-1);
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
