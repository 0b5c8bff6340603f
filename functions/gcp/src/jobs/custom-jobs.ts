import { neverStarted } from '@serin/core/job-contract/check';
import { type JobsOfKey, type KnownJob, keptOf } from '@serin/platform/jobs/start-once';
import { type Google, GoogleError } from '../calls/google.ts';
import { lastOf, locationPath, type VertexPlace } from '../calls/vertex.ts';
import { ifThere } from '../faults.ts';

/** A custom job of Vertex AI, as far as it is read. */
export interface CustomJob {
  /** `projects/<number>/locations/<region>/customJobs/<id>` */
  readonly name: string;
  readonly state: string;
  readonly createTime: string;
  readonly startTime?: string;
  readonly endTime?: string;
  readonly error?: { readonly code?: number; readonly message?: string };
  readonly labels?: Readonly<Record<string, string>>;
  readonly jobSpec: CustomJobSpec;
}

export interface CustomJobSpec {
  readonly workerPoolSpecs: readonly {
    readonly containerSpec: { readonly env?: readonly { readonly name: string; readonly value: string }[] };
  }[];
  readonly scheduling?: { readonly timeout?: string };
  readonly baseOutputDirectory?: { readonly outputUriPrefix: string };
}

const ended = new Set(['SUCCEEDED', 'FAILED', 'EXPIRED', 'PARTIALLY_SUCCEEDED']);
const stopped = new Set(['CANCELLED', 'CANCELLING']);

export const stateOf = ({ state }: CustomJob): string => state.replace(/^JOB_STATE_/, '');

/** The custom jobs of a project and region. */
export function customJobs({ google, ...place }: VertexPlace & { readonly google: Google }) {
  const parent = `${locationPath(place)}/customJobs`;
  const pathOf = (id: string): string => {
    if (!isNumber(id)) throw neverStarted(id);
    return `${parent}/${id}`;
  };
  const find = (id: string): Promise<CustomJob | undefined> =>
    ifThere(`reading the job ${id}`, () =>
      google.json<CustomJob>({ service: 'aiplatform', method: 'GET', path: pathOf(id) }),
    );

  /** Those that carry the label of a key. */
  async function labelled(name: string): Promise<readonly CustomJob[]> {
    const found: CustomJob[] = [];
    let pageToken: string | undefined;
    do {
      const query = { filter: `labels.serin_key="${name}"`, pageToken };
      const page: Page = await google.json<Page>({ service: 'aiplatform', method: 'GET', path: parent, query });
      found.push(...(page.customJobs ?? []));
      pageToken = page.nextPageToken === '' ? undefined : page.nextPageToken;
    } while (pageToken !== undefined);
    return found;
  }

  async function cancel(id: string): Promise<void> {
    try {
      const path = `${pathOf(id)}:cancel`;
      await google.json({ service: 'aiplatform', method: 'POST', path, body: {}, repeatable: true });
    } catch (error) {
      if (!saysEnded(error)) throw error;
    }
  }

  return {
    /** Never repeated: each request makes another job. */
    async create(job: object): Promise<string> {
      const made = await google.json<CustomJob>({ service: 'aiplatform', method: 'POST', path: parent, body: job });
      return lastOf(made.name);
    },
    /** `notFound` for an id that no job of ours has. */
    async get(id: string): Promise<CustomJob & { readonly label: string }> {
      const found = await find(id);
      const label = found?.labels?.serin_key;
      if (found === undefined || label === undefined) throw neverStarted(id);
      return { ...found, label };
    },
    labelsOf: async (id: string): Promise<NonNullable<CustomJob['labels']>> =>
      (isNumber(id) ? await find(id) : undefined)?.labels ?? {},
    cancel,
    /** The number of the job of a name. */
    numberOf: async (name: string): Promise<string | undefined> => keptOf((await labelled(name)).map(known))?.id,
    ofKey: (name: string): JobsOfKey => ({
      list: async () => (await labelled(name)).map(known),
      stop: cancel,
    }),
  };
}

interface Page {
  readonly customJobs?: readonly CustomJob[];
  readonly nextPageToken?: string;
}

const isNumber = (id: string): boolean => /^[1-9]\d{0,19}$/.test(id);

function known(job: CustomJob): KnownJob {
  const state = stateOf(job);
  return {
    id: lastOf(job.name),
    createdAt: Date.parse(job.createTime),
    state: stopped.has(state) ? 'stopped' : ended.has(state) ? 'ended' : 'live',
  };
}

// "The TrainingPipeline "projects/..." is in state PIPELINE_STATE_FAILED and cannot be canceled."
// (GoogleCloudPlatform/java-docs-samples#9281); of custom jobs no text is known.
const saysEnded = (error: unknown): boolean =>
  error instanceof GoogleError &&
  error.rpc === 'FAILED_PRECONDITION' &&
  /cannot be cancell?ed|is in state/i.test(error.message);
