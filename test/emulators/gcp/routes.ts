import type { Service } from '@serin/gcp/calls/google';
import { documentOf, type Method, methodsOf } from './documents.ts';

/** A request, matched to a method by its verb and path. */
export interface Matched {
  readonly method: Method;
  /** Decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** By the path for content, `/upload/...`. */
  readonly isUpload: boolean;
}

interface Route {
  readonly method: Method;
  readonly isUpload: boolean;
  readonly pattern: RegExp;
  readonly names: readonly { readonly name: string; readonly isReserved: boolean }[];
}

const routes = new Map<Service, readonly Route[]>();

function routesOf(service: Service): readonly Route[] {
  const known = routes.get(service);
  if (known !== undefined) return known;
  const { servicePath } = documentOf(service);
  const made = methodsOf(service).flatMap((method) => {
    const upload = method.mediaUpload?.protocols.simple.path;
    const plain = routeOf(method, `${servicePath}${method.path}`, false);
    return upload === undefined ? [plain] : [plain, routeOf(method, upload.slice(1), true)];
  });
  routes.set(service, made);
  return made;
}

function routeOf(method: Method, path: string, isUpload: boolean): Route {
  const names: { name: string; isReserved: boolean }[] = [];
  const pattern = path
    .split(/(\{\+?\w+\})/)
    .map((part) => {
      const [, plus, name] = /^\{(\+?)(\w+)\}$/.exec(part) ?? [];
      if (name === undefined) return part.replace(/[.*?^$()|[\]\\]/g, '\\$&');
      names.push({ name, isReserved: plus === '+' });
      return `(${partOf(method, name)})`;
    })
    .join('');
  return { method, isUpload, names, pattern: new RegExp(`^${pattern}$`) };
}

/** What a part of a path may be. The `:` of a custom verb is never within a part: a client encodes its own. */
function partOf({ path, parameters }: Method, name: string): string {
  const given = parameters?.[name]?.pattern;
  if (given === undefined) return path.startsWith('b/') ? '[^/]+' : '[^/:]+';
  return (
    given
      .replace(/^\^|\$$/g, '')
      // Documents of Firestore: each is a collection and an id. A query, or what creates one, may begin at the root, which
      // the protos say and the discovery document leaves out.
      // https://github.com/googleapis/googleapis/blob/master/google/firestore/v1/firestore.proto
      .replace(/\/documents\/\[\^\/\]\+\/\.\*$/, `/documents(?:/[^/:]+/[^/:]+)${path.includes('}:') ? '*' : '+'}`)
      .replace(/\/documents\/\.\*$/, '/documents(?:/[^/:]+/[^/:]+)*')
      .replaceAll('[^/]+', '[^/:]+')
      .replace(/\.\*$/, '[^:]*')
  );
}

// In a variable of several parts an encoded `/` stays encoded.
// https://github.com/googleapis/googleapis/blob/master/google/api/http.proto
const decoded = (text: string, isReserved: boolean): string =>
  decodeURIComponent(isReserved ? text.replace(/%2f/gi, '%252F') : text);

const variablesIn = ({ path, flatPath }: Method): number => (flatPath ?? path).split('{').length;

/**
 * The method of a verb and a path (as it is on the wire, without a leading `/`); none or several are an error.
 *
 * Cloud Logging has methods twice, for a project and for anything that has logs: the one with fewer variables is meant.
 */
export function matchOf(service: Service, verb: string, path: string): Matched {
  const found = routesOf(service).flatMap(({ method, isUpload, pattern, names }) => {
    const match = method.httpMethod === verb ? pattern.exec(path) : null;
    if (match === null) return [];
    const params = names.map(({ name, isReserved }, at) => [name, decoded(match[at + 1] ?? '', isReserved)]);
    return [{ method, isUpload, params: Object.fromEntries(params) as Readonly<Record<string, string>> }];
  });
  const least = Math.min(...found.map(({ method }) => variablesIn(method)));
  const [first, second] = found.filter(({ method }) => variablesIn(method) === least);
  if (first === undefined) throw new Error(`${service} has no method ${verb} ${path}`);
  if (second !== undefined)
    throw new Error(`${verb} ${path} is several methods: ${found.map(({ method }) => method.id).join(', ')}`);
  return first;
}
