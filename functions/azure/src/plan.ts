import type { ModelAsks } from '@serin/core/ports/ask';
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
import { type Azure, AzureError, type Call } from './calls/azure.ts';
import { blobObjects, blobUri } from './jobs/settings.ts';
import { mlJobs } from './ports/jobs.ts';
import { mlRegistry } from './ports/registry.ts';
import { mlServing } from './ports/serving.ts';
import { settingsOf } from './settings.ts';

/**
 * The requests that the ports send to Azure Resource Manager for this, in order. `variables`: of a function app.
 * What goes to Blob Storage before a job starts is left out.
 */
export async function requestsFor(what: {
  readonly variables: Readonly<Record<string, unknown>>;
  readonly models: readonly ModelAsks[];
}): Promise<readonly Request[]> {
  const settings = settingsOf(textsOf(what.variables));
  return rehearse(what.models, (take) => portsOver(settings, take));
}

function portsOver(settings: ReturnType<typeof settingsOf>, take: (call: string, request: unknown) => void) {
  const azure = recording(take);
  const buckets = () => imagined;
  const secrets: ProgramSecrets = async (variables) => secretNamesOf(variables);
  const shared = { azure, bucket: imagined, secrets, supplies: imaginedSupplies(), now: () => 0, ...settings };
  const serving = inSteps(2, mlServing(shared));
  return {
    ports: { jobs: mlJobs({ ...shared, buckets }), serving: () => serving, registry: mlRegistry(shared) },
    placed: placing((path) => blobUri(settings.account, settings.ownContainer, path), blobObjects(buckets, settings)),
  };
}

/** Writes down what would change something in Azure Resource Manager. What is asked for is there once it was put. */
function recording(take: (call: string, request: unknown) => void): Azure {
  const made = new Map<string, object>();

  function answerTo({ service, method, path, body = {} }: Call): object {
    if (service !== 'management') return absent(method);
    if (method === 'GET') return made.get(path) ?? (path.endsWith('/deployments') ? {} : absent(method));
    take(`${method} ${path.replace(/^.*\/providers\/(?=Microsoft)/, '')}`, body);
    const resource = { ...body, id: `/${path}` };
    made.set(path, resource);
    return resource;
  }

  return answering(answerTo);
}

function absent(method: Call['method']): object {
  if (method !== 'GET') return {};
  throw new AzureError('it is not there', { code: 'ResourceNotFound', status: 404 });
}
