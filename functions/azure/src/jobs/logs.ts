import type { Job } from '@serin/core/ports/jobs';
import { lastLines, linesFrom } from '@serin/platform/jobs/log-bytes';
import { keptLines, type LogPart, logEndBy, noJobToRead } from '@serin/platform/jobs/logs';
import { ask } from '@serin/platform/wire';
import { type Azure, AzureError } from '../calls/azure.ts';
import { guarded } from '../faults.ts';
import { commandJobs, isOver, type RunDetails } from './command-jobs.ts';
import { type JobSettings, jobName } from './settings.ts';

type Place = Pick<JobSettings, 'installation' | 'subscription' | 'resourceGroup' | 'workspace' | 'region'> & {
  readonly azure: Azure;
};

/** What the first node prints: azure-ai-ml 1.35.2, `constants/_job/job.py`, COMMON_RUNTIME_STREAM_LOG_PATTERN. */
const ofFirstNode = /^user_logs\/std_log\D*0*(?:_ps)?\.txt$/;

const urlOf = ({ logFiles = {} }: RunDetails): string | undefined =>
  Object.entries(logFiles).find(([path]) => ofFirstNode.test(path))?.[1];

const timeoutMs = 10_000;

interface Bytes {
  readonly content: Uint8Array;
  /** Of the whole log. */
  readonly total: number;
}

/**
 * A part of a log. Its URL carries the right to read it, which the history gives to who may see the run: no right for the
 * storage account of the workspace is needed.
 */
async function bytesOf(url: string, begin: number, bytes: number): Promise<Bytes> {
  const sent = {
    method: 'GET',
    // Blob Storage knows no range from the end.
    // https://learn.microsoft.com/rest/api/storageservices/specifying-the-range-header-for-blob-service-operations
    headers: { range: `bytes=${begin}-${begin + bytes - 1}` },
    body: undefined,
    signal: AbortSignal.timeout(timeoutMs),
  };
  const { status, headers, content } = await ask(new URL(url), sent).catch((error: unknown) => {
    throw new AzureError(`no answer from ${new URL(url).host}`, { cause: error });
  });
  // Nothing is written after this offset yet.
  if (status === 416) return { content: new Uint8Array(), total: begin };
  const total = Number(/\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1] ?? content.length);
  if (status === 200 || status === 206) return { content, total };
  throw new AzureError(`HTTP ${status} ${new TextDecoder().decode(content.subarray(0, 300))}`.trim(), { status });
}

/** So much of the end is read for `keptLines`. */
const endBytes = 64 * 1024;

/** The last lines of the first node, for the reason of a failed job. */
export const logEnd = (details: RunDetails): Promise<string> =>
  logEndBy(() =>
    guarded('reading the end of its log', async () => {
      const url = urlOf(details);
      if (url === undefined) return undefined;
      const { content, total } = await bytesOf(url, 0, endBytes);
      const end = total > endBytes ? (await bytesOf(url, total - endBytes, endBytes)).content : content;
      return lastLines(end, keptLines);
    }),
  );

/** Reads what the first node of a job printed, in whole lines; a position is a byte. `undefined`: there is no such job. */
export function jobLogs({ installation, ...place }: Place) {
  const jobs = commandJobs(place);
  return (
    job: Pick<Job, 'project' | 'key' | 'kind'> & { readonly id?: string },
    from: number,
    max: number,
  ): Promise<LogPart | undefined> =>
    guarded(`reading the log of ${job.key}`, async () => {
      const name = job.id ?? jobName(installation, job);
      const found = await jobs.find(name);
      if (found === undefined && job.id !== undefined) throw noJobToRead(name);
      if (found === undefined) return undefined;
      const url = urlOf((await jobs.details(name)) ?? {});
      if (url === undefined) return { text: '', next: from };
      const read = async (begin: number, bytes: number) => (await bytesOf(url, begin, bytes)).content;
      return linesFrom({ from, max, isOver: isOver(found) }, read);
    });
}
