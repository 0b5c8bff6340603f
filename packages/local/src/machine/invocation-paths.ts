export interface Target {
  readonly endpoint: string;
  /** The model server's path with the query; `undefined`: the gateway answers by itself whether something is served. */
  readonly path: string | undefined;
}

/** Which endpoint and which path of its model server a request is for; `undefined` when it is for no model. */
export function targetOf(method: string, url: string): Target | undefined {
  const query = url.indexOf('?');
  const path = query === -1 ? url : url.slice(0, query);
  const rest = query === -1 ? '' : url.slice(query);
  if (method === 'POST') return invoked(path, rest);
  if (method !== 'GET' || !path.startsWith('/endpoints/') || !path.endsWith('/ping')) return undefined;
  return named(path.slice('/endpoints/'.length, -'/ping'.length), undefined);
}

// https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.endpoints/predict
const vertexPredict = /^\/v1\/projects\/[^/]+\/locations\/[^/]+\/endpoints\/([^/]+):predict$/;

function invoked(path: string, query: string): Target | undefined {
  if (path.startsWith('/endpoints/') && path.endsWith('/invocations')) {
    return named(path.slice('/endpoints/'.length, -'/invocations'.length), `/invocations${query}`);
  }
  const name = vertexPredict.exec(path)?.[1];
  return name === undefined ? undefined : named(name, `/invocations${query}`);
}

function named(name: string, path: string | undefined): Target | undefined {
  if (name === '' || name.includes('/')) return undefined;
  if (!name.includes('%')) return { endpoint: name, path };
  try {
    return { endpoint: decodeURIComponent(name), path };
  } catch {
    return undefined;
  }
}
