/** How a caller speaks to the gateway. */
export type Protocol = 'invocations' | 'vertex' | 'v2';

/** What a request is for. */
export type Target =
  /** A prediction; `path`: the model server's, with the query. `version`: the caller wants this one and no other. */
  | {
      readonly kind: 'predict';
      readonly endpoint: string;
      readonly protocol: Protocol;
      readonly path: string;
      readonly version?: string;
    }
  /** Whether something is served; of version 2 of the Open Inference Protocol (`ready`), also what (`metadata`). */
  | { readonly kind: 'ping'; readonly endpoint: string }
  | { readonly kind: 'ready' | 'metadata'; readonly endpoint: string; readonly version?: string }
  /** The whole server, as version 2 of the Open Inference Protocol has it; `nowhere`: a path that it does not have. */
  | { readonly kind: 'server'; readonly what: 'metadata' | 'live' | 'ready' | 'nowhere' };

/** What a request asks of which endpoint; `undefined` when it is for no model. */
export function targetOf(method: string, url: string): Target | undefined {
  const query = url.indexOf('?');
  const path = query === -1 ? url : url.slice(0, query);
  const rest = query === -1 ? '' : url.slice(query);
  if (path.startsWith('/v2') && (path.length === 3 || path[3] === '/')) return ofV2(method, path, rest);
  if (method === 'POST') return invoked(path, rest);
  if (method !== 'GET' || !path.startsWith('/endpoints/') || !path.endsWith('/ping')) return undefined;
  const endpoint = named(path.slice('/endpoints/'.length, -'/ping'.length));
  return endpoint === undefined ? undefined : { kind: 'ping', endpoint };
}

// https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.endpoints/predict
const vertexPredict = /^\/v1\/projects\/[^/]+\/locations\/[^/]+\/endpoints\/([^/]+):predict$/;

function invoked(path: string, query: string): Target | undefined {
  const isOwn = path.startsWith('/endpoints/') && path.endsWith('/invocations');
  const name = isOwn ? path.slice('/endpoints/'.length, -'/invocations'.length) : vertexPredict.exec(path)?.[1];
  const endpoint = name === undefined ? undefined : named(name);
  if (endpoint === undefined) return undefined;
  return { kind: 'predict', endpoint, protocol: isOwn ? 'invocations' : 'vertex', path: `/invocations${query}` };
}

const ofServer = {
  '/v2': 'metadata',
  '/v2/': 'metadata',
  '/v2/health/live': 'live',
  '/v2/health/ready': 'ready',
} as const;

// https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
const ofModel = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(\/ready|\/infer)?$/;

/** A model server knows one version, its own: it is asked without one. */
function ofV2(method: string, path: string, query: string): Target {
  const nowhere = { kind: 'server', what: 'nowhere' } as const;
  if (method === 'GET' && path in ofServer) return { kind: 'server', what: ofServer[path as keyof typeof ofServer] };
  const [, name = '', pinned, what] = ofModel.exec(path) ?? [];
  const [endpoint, version] = [named(name), pinned === undefined ? undefined : named(pinned)];
  if (endpoint === undefined || (pinned !== undefined && version === undefined)) return nowhere;
  const asked = version === undefined ? { endpoint } : { endpoint, version };
  if (what === '/infer') {
    if (method !== 'POST') return nowhere;
    return { kind: 'predict', ...asked, protocol: 'v2', path: `/v2/models/${name}/infer${query}` };
  }
  if (method !== 'GET') return nowhere;
  return { kind: what === '/ready' ? 'ready' : 'metadata', ...asked };
}

function named(name: string): string | undefined {
  if (name === '' || name.includes('/')) return undefined;
  if (!name.includes('%')) return name;
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}
