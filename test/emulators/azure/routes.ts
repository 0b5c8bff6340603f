import { type Api, apis } from './apis.ts';
import { modelsOfAzureMl, type Operation } from './models.ts';

export const hosts = ['management', 'blob', 'table', 'vault', 'logs', 'history'] as const;
export type Host = (typeof hosts)[number];

/** A call that a fake answers, and what is known of it. */
export interface Route {
  readonly verb: string;
  readonly host: Host;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  /** For the table of calls: as Microsoft's client names its parts. */
  readonly id: string;
  /** Of Azure ML. */
  readonly operation?: Operation;
  readonly api?: Api;
}

const workspace =
  '/subscriptions/{subscription}/resourceGroups/{resourceGroup}/providers/Microsoft.MachineLearningServices/workspaces/{workspace}/';

/** A path without the names of its parts. */
const shapeOf = (path: string): string => path.replace(/\{\w+(\+?)\}/g, '{$1}');

function patternOf(path: string): Pick<Route, 'pattern' | 'names'> {
  const names: string[] = [];
  const pattern = path
    .split(/(\{\w+\+?\})/)
    .map((part) => {
      const [, name, plus] = /^\{(\w+)(\+?)\}$/.exec(part) ?? [];
      if (name === undefined) return part.replace(/[.*?^$()|[\]\\]/g, '\\$&');
      names.push(name);
      return plus === '+' ? '(.+)' : '([^/]+)';
    })
    .join('');
  // Azure Resource Manager takes `resourcegroups` as well, and Microsoft's clients write it.
  return { names, pattern: new RegExp(`^${pattern}$`, 'i') };
}

/** `PUT jobs/{name}` is of a workspace of Azure ML; `GET vault:/secrets/{name}` and `GET /{resource+}/...` are not. */
export function routeOf(key: string): Route {
  const [, verb = '', path = ''] = /^(\S+) (\S+)$/.exec(key) ?? [];
  if (!path.includes(':/') && !path.startsWith('/')) return ofWorkspace(verb, path);
  const [, host = 'management', rest = path] = /^(\w+):(\/.*)$/.exec(path) ?? [];
  const api = apis.find((known) => known.verb === verb && shapeOf(known.path) === shapeOf(path));
  if (api === undefined) throw new Error(`apis.ts has no ${verb} ${path}`);
  return { verb, host: hostOf(host), id: `${verb} ${api.path}`, api, ...patternOf(rest) };
}

function hostOf(name: string): Host {
  const found = hosts.find((host) => host === name);
  if (found === undefined) throw new Error(`no service ${name}; there are ${hosts.join(', ')}`);
  return found;
}

function ofWorkspace(verb: string, path: string): Route {
  const whole = `${workspace}${path}`;
  const operation = modelsOfAzureMl().operations.find(
    (known) => known.verb === verb && shapeOf(known.path) === shapeOf(whole),
  );
  if (operation === undefined) throw new Error(`Microsoft's models of Azure ML have no ${verb} ${path}`);
  const id = `${verb} ${operation.path.replace(/^.*\/workspaces\/\{workspaceName\}\//, '')}`;
  return { verb, host: 'management', id, operation, ...patternOf(whole) };
}

/** The names of the parts of a path as Microsoft's client has them, with what stands there. */
export function namedAsByMicrosoft(
  operation: Operation,
  { names }: Route,
  params: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const theirs = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  return Object.fromEntries(theirs.map((name, at) => [name, params[names[at] ?? ''] ?? '']));
}

export interface Matched {
  readonly route: Route;
  /** Decoded. */
  readonly params: Readonly<Record<string, string>>;
}

/** The route of a request; of several the one with the fewest variables. */
export function matchOf(
  routes: readonly Route[],
  asked: { verb: string; host: Host; path: string },
): Matched | undefined {
  const found = routes.flatMap((route) => {
    const match = route.verb === asked.verb && route.host === asked.host ? route.pattern.exec(asked.path) : null;
    if (match === null) return [];
    const params = route.names.map((name, at) => [name, decodeURIComponent(match[at + 1] ?? '')]);
    return [{ route, params: Object.fromEntries(params) as Readonly<Record<string, string>> }];
  });
  return found.toSorted((a, b) => a.route.names.length - b.route.names.length)[0];
}
