import {
  type CloudWatchLogsClient,
  DescribeLogStreamsCommand,
  GetLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import type { Job } from '@serin/core/ports/jobs';
import {
  beganAfter,
  keptLines,
  type LogEvent,
  type LogPart,
  logEndBy,
  logPart,
  type StreamPart,
} from '@serin/platform/jobs/logs';
import type { Installation } from '@serin/platform/names';
import { ifThere } from '../faults.ts';
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
    // The group is not there before the first job of an account prints something.
    return ifThere(`reading the log of ${job.key}`, () =>
      logPart({ epoch: beganAfter(job.key), from, max }, (startTime) =>
        streamParts(cloudwatchLogs, logOf(api, name), startTime, max),
      ),
    );
  };
}

/** Stream by stream, and not by a filter over the group: only streams can be permitted by their names. */
async function streamParts(
  client: CloudWatchLogsClient,
  { group, streams }: JobLog,
  startTime: number,
  max: number,
): Promise<readonly StreamPart[]> {
  const names = await streamsOf(client, { group, streams });
  return Promise.all(names.map((name) => readStream(client, { group, name }, startTime, max)));
}

/** Events of one stream from a time on, as many as `logPart` asks for. */
async function readStream(
  client: CloudWatchLogsClient,
  { group, name }: { readonly group: string; readonly name: string },
  startTime: number,
  max: number,
): Promise<StreamPart> {
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
export const logEnd = (client: CloudWatchLogsClient, { group, streams }: JobLog): Promise<string> =>
  logEndBy(() =>
    ifThere(`reading the log ${streams} of ${group}`, async () => {
      const stream = (await streamsOf(client, { group, streams })).at(-1);
      if (stream === undefined) return [];
      const { events = [] } = await client.send(
        new GetLogEventsCommand({ logGroupName: group, logStreamName: stream, startFromHead: false, limit: keptLines }),
      );
      return events.map(({ message = '' }) => message);
    }),
  );
