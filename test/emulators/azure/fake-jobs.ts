import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { RunDetails } from '@serin/azure/jobs/command-jobs';
import { LostAnswer, Refusal, Reply, type Request, type Routes } from './rest.ts';

// biome-ignore lint/suspicious/noExplicitAny: properties of a job that Microsoft's models have checked
type Properties = any;

interface Kept {
  properties: Properties;
  readonly createdAt: number;
}

interface Cluster {
  readonly vmSize: string;
  readonly vmPriority: 'Dedicated' | 'LowPriority';
}

const mutable = new Set(['description', 'tags', 'displayName', 'properties', 'isArchived']);
const over = new Set(['Completed', 'Failed', 'Canceled']);

const fixed = (properties: Properties): object =>
  Object.fromEntries(Object.entries(properties).filter(([name]) => !mutable.has(name) && name !== 'status'));

/**
 * Azure ML's jobs, environments and clusters of machines, as far as names, tags and states go, with the history of runs;
 * nothing runs. A job has not started until the test moves it.
 *
 * A PUT of a name that is there is held to what the service says (MicrosoftDocs/azure-docs#122250,
 * Azure/azure-sdk-for-python#47389): an equal job takes over tags, for another one it is refused. The text of a refused
 * cancellation is a guess; that it is refused is known (Azure/azureml-assets#2496).
 */
export function fakeJobs({ now }: { readonly now: () => number }) {
  const jobs = new Map<string, Kept>();
  const environments = new Map<string, string>();
  const clusters = new Map<string, Cluster>();
  const runs = new Map<string, RunDetails>();
  const late: (() => void)[] = [];
  const fate: { refusal?: Refusal; isLost?: boolean; isLate?: boolean; historyRefusal?: Refusal; isUnseen?: boolean } =
    {};

  const nameOf = ({ params }: Request): string => params.name ?? '';
  function find(request: Request): Kept {
    const found = fate.isUnseen ? undefined : jobs.get(nameOf(request));
    if (found === undefined) throw new Refusal(404, 'UserError', `Job ${nameOf(request)} not found.`);
    return found;
  }
  const shown = (name: string, { properties, createdAt }: Kept): object => ({
    id: `/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/jobs/${name}`,
    name,
    type: 'Microsoft.MachineLearningServices/workspaces/jobs',
    properties,
    systemData: { createdAt: new Date(createdAt).toISOString() },
  });

  function put(name: string, properties: Properties): Reply {
    const known = jobs.get(name);
    if (known === undefined) {
      jobs.set(name, { properties: { ...properties, status: 'NotStarted' }, createdAt: now() });
      return new Reply(201, shown(name, jobs.get(name) as Kept));
    }
    const other = Object.keys(properties).find(
      (field) => !mutable.has(field) && !isDeepStrictEqual(properties[field], known.properties[field]),
    );
    if (
      other !== undefined ||
      !isDeepStrictEqual(Object.keys(fixed(properties)).sort(), Object.keys(fixed(known.properties)).sort())
    )
      throw new Refusal(
        400,
        'UserError',
        `A job with this name already exists. If you are trying to create a new job, use a different name. If you are trying to update an existing job, the existing job's ${other} cannot be changed. Only description, tags, displayName, properties, and isArchived can be updated.`,
      );
    // Tags are added, and never taken away (Azure/azure-sdk-for-python#30671).
    known.properties = { ...known.properties, tags: { ...known.properties.tags, ...properties.tags } };
    return new Reply(200, shown(name, known));
  }

  const routes: Routes = {
    'GET jobs/{name}': (request) => shown(nameOf(request), find(request)),
    'PUT jobs/{name}': (request) => {
      if (fate.refusal !== undefined) throw fate.refusal;
      const name = nameOf(request);
      if (fate.isLate) {
        late.push(() => void put(name, request.body.properties));
        throw new LostAnswer();
      }
      const reply = put(name, request.body.properties);
      if (fate.isLost) throw new LostAnswer();
      return reply;
    },
    'POST jobs/{name}/cancel': (request) => {
      const job = find(request);
      const { status } = job.properties;
      if (over.has(status) || status === 'Finalizing')
        throw new Refusal(400, 'UserError', `Job ${nameOf(request)} cannot be canceled in state ${status}.`);
      job.properties = { ...job.properties, status: 'CancelRequested' };
      const path =
        '/subscriptions/s/providers/Microsoft.MachineLearningServices/locations/westeurope/mfeOperationResults/jc';
      return new Reply(202, undefined, { location: `${request.origin}${path}?api-version=2025-12-01` });
    },
    'PUT environments/{name}/versions/{version}': ({ params, body }) => {
      const id = `${params.name}/${params.version}`;
      const known = environments.get(id) ?? body.properties.image;
      if (known !== body.properties.image)
        throw new Refusal(400, 'UserError', 'The environment version is immutable: image cannot be changed.');
      environments.set(id, known);
      return new Reply(200, { id, name: params.version, properties: body.properties });
    },
    'GET computes/{name}': (request) => {
      const found = clusters.get(nameOf(request));
      if (found === undefined) throw new Refusal(404, 'NotFound', `Compute ${nameOf(request)} not found.`);
      return { name: nameOf(request), properties: { computeType: 'AmlCompute', properties: found } };
    },
    'GET history:/history/v1.0/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.MachineLearningServices/workspaces/{workspace}/runs/{run}/details':
      ({ params }) => {
        if (fate.historyRefusal !== undefined) throw fate.historyRefusal;
        const run = params.run ?? '';
        if (!jobs.has(run)) throw new Refusal(404, 'UserError', `Run ${run} not found`);
        return { runId: run, ...runs.get(run) };
      },
  };

  return {
    routes,
    jobs: jobs as ReadonlyMap<string, Kept>,
    environments: environments as ReadonlyMap<string, string>,
    clusters,
    fate,
    /** A job that somebody else made. */
    make: (name: string, properties: Properties): void => void put(name, properties),
    /** Changes what is answered about a job from now on. */
    move(name: string, status: string, details: RunDetails = {}): void {
      const job = jobs.get(name);
      if (job === undefined) throw new Error(`there is no job ${name}`);
      job.properties = { ...job.properties, status };
      runs.set(name, { ...runs.get(name), ...details });
    },
    /** Requests arrive that got no answer. */
    arrive(): void {
      for (const land of late.splice(0)) land();
    },
  };
}

/** Logs under URLs that carry the right to read them, as Blob Storage serves them: without a range from the end. */
export async function serveLogs() {
  const logs = new Map<string, Buffer>();
  let status = 206;
  const server = createServer(({ url = '', headers }, response) => {
    const content = logs.get(url);
    const [, from = '', to = ''] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
    const isRefused = content === undefined || headers.authorization !== undefined || from === '' || status !== 206;
    if (isRefused) return response.writeHead(status === 206 ? 403 : status).end('AuthenticationFailed');
    if (Number(from) >= content.length) return response.writeHead(416).end();
    const part = content.subarray(Number(from), Number(to) + 1);
    return response
      .writeHead(206, { 'content-range': `bytes ${from}-${Number(from) + part.length - 1}/${content.length}` })
      .end(part);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    /** Writes a log of a run, and answers its URL. */
    write(run: string, text: string): string {
      const path = `/azureml/ExperimentRun/dcid.${run}/user_logs/std_log.txt?sp=r&sig=x`;
      logs.set(path, Buffer.from(text));
      return `${origin}${path}`;
    },
    answer(other: number): void {
      status = other;
    },
    stop: () => void server.close(),
  };
}
