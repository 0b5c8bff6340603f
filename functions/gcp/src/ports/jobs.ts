import { Fault } from '@serin/core/base/fault';
import { checkJob } from '@serin/core/job-contract/check';
import { ownBucket } from '@serin/core/ports/bucket';
import type { Job, Jobs } from '@serin/core/ports/jobs';
import { mountedInputs } from '@serin/platform/jobs/inputs';
import type { ProgramSecrets } from '@serin/platform/jobs/program-secrets';
import { startOnce, stopOthers } from '@serin/platform/jobs/start-once';
import type { Supplies } from '@serin/platform/jobs/supplies';
import { type Google, GoogleError } from '../calls/google.ts';
import { guarded } from '../faults.ts';
import { customJobs } from '../jobs/custom-jobs.ts';
import { description, waitedTooLong } from '../jobs/described.ts';
import { noteIntent } from '../jobs/intents.ts';
import { logEnd } from '../jobs/logs.ts';
import { requestOf } from '../jobs/request.ts';
import { type Buckets, gsObjects, type JobSettings, jobName, mounted, startsFolder } from '../jobs/settings.ts';
import { vertexSupplies } from '../supplies.ts';

interface Options extends JobSettings {
  readonly google: Google;
  readonly buckets: Buckets;
  readonly secrets: ProgramSecrets;
  readonly supplies?: Supplies;
  readonly now: () => number;
}

/**
 * Custom jobs of Vertex AI. The id is the number of the job.
 *
 * Vertex AI makes a job at each request. So a job has a label that follows from project and key, and an intent stands in the
 * own bucket before it is asked for (`startOnce`). Before a job is asked for, its code becomes an archive, its dataset a list
 * of files and its start a script in the own bucket, and code, dataset and artifacts are compared with their digests.
 */
export function vertexJobs({ google, buckets, secrets, now, supplies, ...settings }: Options): Jobs {
  const jobs = customJobs({ google, ...settings });
  const stores = {
    supplies: supplies ?? vertexSupplies(buckets),
    objects: gsObjects(buckets),
    mounted: (bucket: string, key: string) => mounted(bucket === ownBucket ? settings.ownBucket : bucket, key),
  };

  async function prepare(job: Job, name: string): Promise<() => Promise<string>> {
    // Looked up so that one that is missing fails before it is paid for: the container reads its text by itself.
    await secrets(job.environment);
    const inputs = await mountedInputs(job, stores);
    const archive = job.code === undefined ? undefined : await stores.supplies.archive(job.code.digest);
    const { request, start } = requestOf(job, { name, at: now(), settings, inputs, archive });
    await buckets(ownBucket).write(start.key, Buffer.from(start.text));
    return () =>
      guarded('asking Vertex AI for the job', async () => {
        try {
          return await jobs.create(request);
        } catch (error) {
          throw refusal(error, settings) ?? error;
        }
      });
  }

  return {
    start: (job) =>
      guarded(`starting ${job.key}`, async () => {
        checkJob(job, { images: false, maxName: 64, reserved: 'serin-' });
        const name = jobName(settings.installation, job);
        return startOnce(job.key, {
          ...jobs.ofKey(name),
          now,
          prepare: () => prepare(job, name),
          intend: () => noteIntent({ google, bucket: settings.ownBucket, key: `${startsFolder(name)}/intent` }),
        });
      }),

    describe: (id) =>
      guarded(`describing the job ${id}`, async () => {
        const found = await jobs.get(id);
        await stopOthers(jobs.ofKey(found.label), id);
        if (found.endTime === undefined && waitedTooLong(found, now())) await jobs.cancel(id);
        return description(found, { buckets, logEnd: () => logEnd({ google, ...settings }, id) });
      }),

    stop: (id) =>
      guarded(`stopping the job ${id}`, async () => {
        await jobs.get(id);
        await jobs.cancel(id);
      }),
  };
}

// "You do not have permission to act as service_account: a@p.iam.gserviceaccount.com. (or it may not exist)." and
// "Machine type "a2-highgpu-1g" is not supported.": both INVALID_ARGUMENT, as logs of gcloud have them.
function refusal(error: unknown, { jobAccount, region }: JobSettings): Fault | undefined {
  if (!(error instanceof GoogleError) || error.rpc !== 'INVALID_ARGUMENT') return undefined;
  const mended = (mend: string) =>
    new Fault('invalid', `Vertex AI refused the job; ${mend}: ${error.message}`, { cause: error });
  if (/permission to act as service_account/i.test(error.message))
    return mended(
      `let the function use the service account of jobs: \`gcloud iam service-accounts add-iam-policy-binding ${jobAccount} --member=serviceAccount:<account of the function> --role=roles/iam.serviceAccountUser\``,
    );
  if (/machine type .* is not supported/i.test(error.message))
    return mended(
      `${region} does not have this machine type; use another accelerator, or an installation in another region`,
    );
  return undefined;
}
