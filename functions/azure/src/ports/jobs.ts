import { Fault } from '@serin/core/base/fault';
import { checkJob, nameTaken } from '@serin/core/job-contract/check';
import { ownBucket } from '@serin/core/ports/bucket';
import type { Job, Jobs } from '@serin/core/ports/jobs';
import { notYet } from '@serin/platform/faults';
import { mountedInputs } from '@serin/platform/jobs/inputs';
import type { ProgramSecrets } from '@serin/platform/jobs/program-secrets';
import type { Supplies } from '@serin/platform/jobs/supplies';
import { type Azure, AzureError } from '../calls/azure.ts';
import { guarded } from '../faults.ts';
import { type CommandJob, commandJobs, isOver } from '../jobs/command-jobs.ts';
import { description, type Known, waitedTooLong } from '../jobs/described.ts';
import { environmentOf } from '../jobs/environments.ts';
import { logEnd } from '../jobs/logs.ts';
import { chosenFor } from '../jobs/machine.ts';
import { mounted } from '../jobs/mounts.ts';
import { requestOf, tagsOfJob } from '../jobs/request.ts';
import { type Buckets, blobObjects, type JobSettings, jobName } from '../jobs/settings.ts';
import { mlSupplies } from '../supplies.ts';

interface Options extends JobSettings {
  readonly azure: Azure;
  readonly buckets: Buckets;
  readonly secrets: ProgramSecrets;
  readonly supplies?: Supplies;
  readonly now: () => number;
}

/**
 * Command jobs of Azure ML. The id is the name of the job, which follows from project and key: that makes one paid job
 * of many starts.
 *
 * A job that is there is looked at before it is asked for, for a PUT would take over the tags of somebody else's job. It
 * is ours when its tags name the same key. Before a job is asked for, its code becomes an archive, its dataset a list of
 * files and its start a script in the own container, and code, dataset and artifacts are compared with their digests.
 */
export function mlJobs({ azure, buckets, secrets, supplies, now, ...settings }: Options): Jobs {
  const jobs = commandJobs({ azure, ...settings });
  const stores = { supplies: supplies ?? mlSupplies(buckets), objects: blobObjects(buckets, settings) };
  const realName = (bucket: string): string => (bucket === ownBucket ? settings.ownContainer : bucket);

  async function create(job: Job, name: string): Promise<void> {
    // Only to fail early: the start script reads the texts where they are needed.
    await secrets(job.environment);
    const inputs = await mountedInputs(job, { ...stores, mounted: (name, key) => mounted(realName(name), key) });
    const archive = job.code === undefined ? undefined : await stores.supplies.archive(job.code.digest);
    const chosen = await chosenFor(job, { azure, ...settings });
    const environmentId = await environmentOf(job.image ?? settings.nodeImage, { azure, ...settings });
    const { request, start } = requestOf(job, { name, settings, inputs, archive, chosen, environmentId });
    await buckets(ownBucket).write(start.key, Buffer.from(start.text));
    try {
      await jobs.put(name, request);
    } catch (error) {
      if (!saysExists(error)) throw refusal(error, settings) ?? error;
      const found = await jobs.find(name);
      if (found === undefined) throw notYet(`the job ${name} exists, but Azure ML does not show it yet`, error);
      checkOurs(job, found);
    }
  }

  function checkOurs(job: Job, { name, properties: { tags = {} } }: CommandJob): void {
    const ours = tagsOfJob(job, settings);
    if (identity.every((tag) => tags[tag] === ours[tag])) return;
    throw nameTaken(job, name, tags['serin-key']);
  }

  async function known(name: string): Promise<Known> {
    const job = await jobs.get(name);
    try {
      return { job, details: (await jobs.details(name)) ?? {} };
    } catch (error) {
      // Its state is known without, so a right that is missing keeps no run waiting.
      if (error instanceof Fault && error.retry === 'never') return { job, details: {}, unread: error.message };
      throw error;
    }
  }

  return {
    start: (job) =>
      guarded(`starting ${job.key}`, async () => {
        checkJob(job, { images: false, maxName: 64, reserved: 'serin-' });
        const name = jobName(settings.installation, job);
        const found = await jobs.find(name);
        if (found === undefined) await create(job, name);
        else checkOurs(job, found);
        return { id: name };
      }),

    describe: (id) =>
      guarded(`describing the job ${id}`, async () => {
        const found = await known(id);
        if (!isOver(found.job) && waitedTooLong(found, now())) await jobs.cancel(id);
        return description(found, { buckets, accounts: settings, logEnd: () => logEnd(found.details) });
      }),

    stop: (id) =>
      guarded(`stopping the job ${id}`, async () => {
        await jobs.get(id);
        await jobs.cancel(id);
      }),
  };
}

const identity = ['serin-project', 'serin-environment', 'serin-key'] as const;

// "A job with this name already exists. If you are trying to create a new job, use a different name." (UserError, when
// what cannot be changed differs: https://github.com/MicrosoftDocs/azure-docs/issues/122250), and "Cannot create a run with
// runId=... already exists in the workspace." (https://github.com/Azure/azureml-previews/issues/267)
const saysExists = (error: unknown): boolean =>
  error instanceof AzureError &&
  (error.status === 400 || error.status === 409) &&
  /job with this (?:name|id) already exists|already exists in the workspace/i.test(error.message);

function refusal(error: unknown, { jobIdentity, workspace }: JobSettings): Fault | undefined {
  if (!(error instanceof AzureError) || error.status !== 400 || !/identity/i.test(error.message)) return undefined;
  return new Fault(
    'invalid',
    `Azure ML refused the identity of the job; give the workspace ${workspace} the identity ${jobIdentity}: ${error.message}`,
    { cause: error },
  );
}
