import type { CustomJob } from '@serin/gcp/jobs/custom-jobs';
import { type Handlers, LostAnswer, Refusal, type Request } from './discovery.ts';

type Kept = { -readonly [Field in keyof CustomJob]: CustomJob[Field] };

interface Line {
  readonly job: string;
  readonly task: string;
  readonly at: number;
  readonly entry: object;
}

interface Options {
  readonly now: () => number;
  /** Of a page of jobs, and of log lines where no size is asked for. */
  readonly pageSize?: number;
}

const parent = 'projects/123456789012/locations/europe-west4/customJobs';
const over = /^JOB_STATE_(SUCCEEDED|FAILED|CANCELLED|EXPIRED|PARTIALLY_SUCCEEDED)$/;

/**
 * Vertex AI's custom jobs, as far as their labels and states go, with the log of their nodes, and the objects of one bucket
 * that are written under a condition; nothing runs. A job stays queued until the test moves it.
 *
 * It takes no key: each creation makes a job. What is said of it: aiplatform v1, job_service.proto. The text of a refused
 * cancellation is that of training pipelines (GoogleCloudPlatform/java-docs-samples#9281), of a missing job a guess.
 */
export function fakeJobs({ now, pageSize = 2 }: Options) {
  const jobs: Kept[] = [];
  const lines: Line[] = [];
  const intents = new Map<string, { readonly generation: number; createdAt: number }>();
  const fate: { refusal?: Refusal; isLost?: boolean; unseenMs: number; bucketIsGone?: boolean } = { unseenMs: 0 };
  let generations = 1_795_169_730_123_456;

  const find = ({ params }: Request): Kept => {
    const found = jobs.find(({ name }) => name.endsWith(`/${(params.name ?? '').replace(/^.*\//, '')}`));
    if (found === undefined) throw new Refusal('NOT_FOUND', `The CustomJob does not exist: ${params.name}`);
    return found;
  };

  const handlers: Handlers = {
    'aiplatform.projects.locations.customJobs.create': ({ body }) => {
      if (fate.refusal !== undefined) throw fate.refusal;
      const pools = body.jobSpec.workerPoolSpecs as { readonly replicaCount: string }[];
      if (pools[0]?.replicaCount !== '1')
        throw new Refusal('INVALID_ARGUMENT', 'The first worker pool has one replica.');
      const odd = Object.entries<string>(body.labels).find(
        (pair) => !pair.every((text) => /^[a-z0-9_-]{0,63}$/.test(text)),
      );
      if (odd !== undefined) throw new Refusal('INVALID_ARGUMENT', `Invalid label ${odd}`);
      const job = {
        ...body,
        name: `${parent}/${4_215_678_901_234_567_890n + BigInt(jobs.length)}`,
        state: 'JOB_STATE_QUEUED',
        createTime: new Date(now()).toISOString(),
      };
      jobs.push(job);
      if (fate.isLost) throw new LostAnswer();
      return job;
    },
    'aiplatform.projects.locations.customJobs.list': ({ query }) => {
      const [, label] = /^labels\.serin_key="([^"]+)"$/.exec(query.get('filter') ?? '') ?? [];
      if (label === undefined) throw new Refusal('INVALID_ARGUMENT', `Invalid filter ${query.get('filter')}`);
      const found = jobs
        .filter(
          ({ labels, createTime }) => labels?.serin_key === label && now() >= Date.parse(createTime) + fate.unseenMs,
        )
        .reverse(); // the newest first
      const from = Number(query.get('pageToken') ?? 0);
      const customJobs = found.slice(from, from + pageSize);
      const next = from + pageSize;
      return { customJobs, ...(next < found.length ? { nextPageToken: String(next) } : {}) };
    },
    'aiplatform.projects.locations.customJobs.get': find,
    'aiplatform.projects.locations.customJobs.cancel': (request) => {
      const job = find(request);
      if (over.test(job.state))
        throw new Refusal(
          'FAILED_PRECONDITION',
          `The CustomJob "${job.name}" is in state ${job.state} and cannot be canceled.`,
        );
      job.state = 'JOB_STATE_CANCELLING';
      return {};
    },
    'storage.objects.insert': ({ query }) => {
      if (fate.bucketIsGone)
        throw new Refusal('NOT_FOUND', 'The specified bucket does not exist.', { reason: 'notFound' });
      const key = query.get('name') ?? '';
      if (query.get('ifGenerationMatch') !== String(intents.get(key)?.generation ?? 0)) throw conditionNotMet();
      generations += 1;
      intents.set(key, { generation: generations, createdAt: Date.now() });
      return objectOf(key);
    },
    'storage.objects.get': ({ params }) => {
      if (!intents.has(params.object ?? '')) throw new Refusal('NOT_FOUND', 'No such object', { reason: 'notFound' });
      return objectOf(params.object ?? '');
    },
    'storage.objects.delete': ({ params, query }) => {
      const { object = '' } = params;
      if (query.get('ifGenerationMatch') !== String(intents.get(object)?.generation)) throw conditionNotMet();
      intents.delete(object);
    },
    'logging.entries.list': ({ body }) => {
      const { filter = '', orderBy, pageSize: asked = pageSize, pageToken = '0' } = body;
      const [, job, task, since = ''] =
        /^resource\.type="ml_job" AND resource\.labels\.job_id="(\d+)" AND resource\.labels\.task_name="([a-z0-9-]+)"(?: AND timestamp>="([^"]+)")?$/.exec(
          filter,
        ) ?? [];
      if (job === undefined) throw new Refusal('INVALID_ARGUMENT', `Unparseable filter: ${filter}`);
      const from = since === '' ? 0 : Date.parse(since);
      const found = lines
        .filter((line) => line.job === job && line.task === task && line.at >= from)
        .toSorted((one, other) => (orderBy === 'timestamp desc' ? other.at - one.at : one.at - other.at));
      const begin = Number(pageToken);
      const size = Math.min(asked, orderBy === 'timestamp desc' ? asked : pageSize);
      const entries = found.slice(begin, begin + size).map(({ at, entry }) => ({
        ...entry,
        timestamp: new Date(at).toISOString(),
      }));
      return { entries, ...(begin + size < found.length ? { nextPageToken: String(begin + size) } : {}) };
    },
  };

  const objectOf = (name: string) => {
    const { generation = 0, createdAt = 0 } = intents.get(name) ?? {};
    return { name, generation: String(generation), timeCreated: new Date(createdAt).toISOString() };
  };

  return {
    handlers,
    jobs: jobs as readonly CustomJob[],
    intents: intents as ReadonlyMap<string, unknown>,
    fate,
    /** Changes what is answered about a job from now on. */
    move(id: string, change: Partial<CustomJob>): void {
      const job = jobs.find(({ name }) => name.endsWith(`/${id}`));
      if (job !== undefined) Object.assign(job, change);
    },
    /** Lets so much time pass since the intents, by a clock whose `date` has whole seconds. */
    age(ms: number): void {
      for (const intent of intents.values()) intent.createdAt -= ms;
    },
    /** Another process notes every intent again. */
    noteAgain(): void {
      for (const [key, { createdAt }] of intents) {
        generations += 1;
        intents.set(key, { generation: generations, createdAt });
      }
    },
    log(job: string, at: number, entry: object, task = 'workerpool0-0'): void {
      lines.push({ job, task, at, entry });
    },
  };
}

const conditionNotMet = (): Refusal =>
  new Refusal('FAILED_PRECONDITION', 'At least one of the pre-conditions you specified did not hold.', {
    reason: 'conditionNotMet',
    status: 412,
  });
