import type { Job } from '@serin/core/ports/jobs';
import {
  beganAfter,
  keptLines,
  type LogEvent,
  type LogPart,
  logEndBy,
  logPart,
  noJobToRead,
  type StreamPart,
} from '@serin/platform/jobs/logs';
import type { Installation } from '@serin/platform/names';
import type { Google } from '../calls/google.ts';
import { guarded } from '../faults.ts';
import { customJobs } from './custom-jobs.ts';
import { jobName } from './settings.ts';

interface Place {
  readonly google: Google;
  readonly googleProject: string;
}

interface Entry {
  readonly timestamp: string;
  readonly textPayload?: string;
  readonly jsonPayload?: { readonly message?: unknown };
}

interface Page {
  readonly entries?: readonly Entry[];
  readonly nextPageToken?: string;
}

/** What the first node of a job prints. https://docs.cloud.google.com/sdk/gcloud/reference/ai/custom-jobs/stream-logs */
const ofJob = (id: string): string =>
  `resource.type="ml_job" AND resource.labels.job_id="${id}" AND resource.labels.task_name="workerpool0-0"`;

/** Of one page, at most. https://docs.cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list */
const pageSize = 1000;

function ask({ google, googleProject }: Place, more: object): Promise<Page> {
  const body = { resourceNames: [`projects/${googleProject}`], ...more };
  return google.json<Page>({ service: 'logging', method: 'POST', path: 'v2/entries:list', body, repeatable: true });
}

const messageOf = ({ textPayload, jsonPayload }: Entry): string => {
  const said = textPayload ?? jsonPayload?.message ?? '';
  return (typeof said === 'string' ? said : JSON.stringify(said)).replace(/\n$/, '');
};

/** The last lines, as the end of a sentence about the job; `''` if it wrote none. */
export const logEnd = (place: Place, id: string): Promise<string> =>
  logEndBy(() =>
    guarded(`reading the end of the log of ${id}`, async () => {
      const { entries = [] } = await ask(place, { filter: ofJob(id), orderBy: 'timestamp desc', pageSize: keptLines });
      return entries.map(messageOf).reverse();
    }),
  );

/**
 * Reads what the first node of a job printed, in whole lines. `undefined`: no job of the key is there. A line that Cloud
 * Logging takes in after a later one was read is not shown.
 */
export function jobLogs(place: Place & { readonly region: string; readonly installation: Installation }) {
  const jobs = customJobs(place);
  return (
    job: Pick<Job, 'project' | 'key' | 'kind'> & { readonly id?: string },
    from: number,
    max: number,
  ): Promise<LogPart | undefined> =>
    guarded(`reading the log of ${job.key}`, async () => {
      const id = job.id ?? (await jobs.numberOf(jobName(place.installation, job)));
      if (id === undefined) return undefined;
      if (!/^\d+$/.test(id)) throw noJobToRead(id);
      return logPart({ epoch: beganAfter(job.key), from, max }, async (startTime) => [
        await linesFrom(place, id, startTime, max),
      ]);
    });
}

/** Lines from a time on, as many as `logPart` asks for. */
async function linesFrom(place: Place, id: string, startTime: number, max: number): Promise<StreamPart> {
  const filter = `${ofJob(id)} AND timestamp>="${new Date(startTime).toISOString()}"`;
  const events: LogEvent[] = [];
  let characters = 0;
  let pageToken: string | undefined;
  do {
    const next = pageToken === undefined ? {} : { pageToken };
    const page = await ask(place, { filter, orderBy: 'timestamp asc', pageSize, ...next });
    for (const entry of page.entries ?? []) {
      const event = { timestamp: Date.parse(entry.timestamp), message: messageOf(entry) };
      events.push(event);
      if (event.timestamp > startTime) characters += event.message.length + 1;
    }
    if (characters > max) return { events, until: events.at(-1)?.timestamp ?? startTime };
    pageToken = page.nextPageToken === '' ? undefined : page.nextPageToken;
  } while (pageToken !== undefined);
  return { events, until: Number.POSITIVE_INFINITY };
}
