import type { ModelAsks } from '@serin/core/ports/ask';
import type { Bucket } from '@serin/core/ports/bucket';
import type { ProgramSecrets } from '@serin/platform/jobs/program-secrets';
import {
  answering,
  imagined,
  imaginedSupplies,
  inSteps,
  placing,
  type Request,
  rehearse,
  secretNamesOf,
  textsOf,
} from '@serin/platform/rehearsal';
import { type Call, type Google, GoogleError } from './calls/google.ts';
import { gsObjects } from './jobs/settings.ts';
import { vertexJobs } from './ports/jobs.ts';
import { vertexRegistry } from './ports/registry.ts';
import { vertexServing } from './ports/serving.ts';
import { settingsOf } from './settings.ts';

/**
 * The requests that the ports send to Vertex AI for this, in order. `variables` are those of the functions. What is
 * written to Cloud Storage before a job starts is not among them.
 */
export async function requestsFor(what: {
  readonly variables: Readonly<Record<string, unknown>>;
  readonly models: readonly ModelAsks[];
}): Promise<readonly Request[]> {
  const settings = settingsOf(textsOf(what.variables));
  return rehearse(what.models, (take) => portsOver(settings, take));
}

function portsOver(settings: ReturnType<typeof settingsOf>, take: (call: string, request: unknown) => void) {
  const google = recording(take);
  const buckets = () => withGenerations;
  const secrets: ProgramSecrets = async (variables) => secretNamesOf(variables);
  const shared = { google, bucket: withGenerations, secrets, supplies: imaginedSupplies(), now: () => 0, ...settings };
  const serving = inSteps(3, vertexServing(shared));
  return {
    ports: { jobs: vertexJobs({ ...shared, buckets }), serving: () => serving, registry: vertexRegistry(shared) },
    placed: placing((path) => `gs://${settings.ownBucket}/${path}`, gsObjects(buckets)),
  };
}

/** A version of Cloud Storage is a number. */
const withGenerations: Bucket = {
  ...imagined,
  async list(prefix, page) {
    const { items, ...rest } = await imagined.list(prefix, page);
    return { ...rest, items: items.map((item) => ({ ...item, version: '1' })) };
  },
};

const location = /^v1\/projects\/[^/]+\/locations\/[^/]+\//;

/** Writes down what would change something in Vertex AI. What is asked for is there once it was asked to be made. */
function recording(take: (call: string, request: unknown) => void): Google {
  const made = new Map<string, object>();

  function answerTo({ service, method, path, query = {}, body = {} }: Call): object {
    if (service !== 'aiplatform') return absent(method);
    if (method === 'GET') return made.get(path) ?? (isList(path) ? {} : absent(method));
    const collection = path.replace(/:\w+$/, '');
    take(`aiplatform.projects.locations.${methodOf(method, path)}`, body);
    const { endpointId } = query;
    const { modelId } = body as { readonly modelId?: string };
    if (endpointId !== undefined) made.set(`${collection}/${endpointId}`, { ...body, name: `${endpointId}` });
    if (modelId !== undefined) made.set(`${collection}/${modelId}`, { name: modelId });
    return { name: `${collection.replace(/^v1\//, '')}/1` };
  }

  return answering(answerTo);
}

function absent(method: Call['method']): object {
  if (method !== 'GET') return { generation: '1' };
  throw new GoogleError('it is not there', { rpc: 'NOT_FOUND', status: 404 });
}

const isList = (path: string): boolean =>
  /^[a-z]\w*$/i.test(path.replace(location, '')) || path.endsWith(':listVersions');

/** As its discovery document names it: `customJobs.create`, `models.upload`, `endpoints.deployModel`. */
function methodOf(method: Call['method'], path: string): string {
  const [collection = '', verb] = path
    .replace(location, '')
    .replace(/\/.*?(?=:|$)/, '')
    .split(':');
  return `${collection}.${verb ?? (method === 'PATCH' ? 'patch' : 'create')}`;
}
