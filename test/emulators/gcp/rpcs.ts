import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Service } from '@serin/gcp/calls/google';
import protobuf from 'protobufjs';
import { paths } from '../installed.ts';
import { documentOf, type Method } from './documents.ts';

/** Services whose protos are installed: what a discovery document does not say (oneofs, required fields) is in these. */
const packages: Readonly<Partial<Record<Service, readonly [npm: string, proto: string]>>> = {
  aiplatform: ['@google-cloud/aiplatform', 'google.cloud.aiplatform.v1'],
  firestore: ['@google-cloud/firestore-api', 'google.firestore.v1'],
  monitoring: ['@google-cloud/monitoring', 'google.monitoring.v3'],
  pubsub: ['@google-cloud/pubsub-api', 'google.pubsub.v1'],
};

interface Rpc {
  readonly request: protobuf.Type;
  readonly response: protobuf.Type;
  /** The field of the request that is the body; `*` when the body is the request. */
  readonly body: string | undefined;
  /** By the names of the discovery document: the fields that stand in the path. */
  readonly inPath: ReadonlyMap<string, string>;
}

interface Protos {
  readonly root: protobuf.Root;
  readonly rpcs: ReadonlyMap<string, Rpc>;
}

const loaded = new Map<Service, Protos | undefined>();

export function protosOf(service: Service): Protos | undefined {
  if (!loaded.has(service)) loaded.set(service, load(service));
  return loaded.get(service);
}

function load(service: Service): Protos | undefined {
  const [npm, name] = packages[service] ?? [];
  if (npm === undefined || name === undefined) return undefined;
  const from = createRequire(join(paths.gcpFunctions, 'package.json'));
  const file = join(dirname(from.resolve(`${npm}/package.json`)), 'build', 'protos', 'protos.json');
  const root = protobuf.Root.fromJSON(JSON.parse(readFileSync(file, 'utf8')) as protobuf.INamespace);
  root.resolveAll();
  const within = root.lookup(name);
  if (!(within instanceof protobuf.Namespace)) throw new Error(`${npm} has no protos of ${name}`);
  const rpcs = within.nestedArray.flatMap((entry) =>
    entry instanceof protobuf.Service ? entry.methodsArray.flatMap(rpcsOf) : [],
  );
  return { root, rpcs: new Map(rpcs) };
}

const verbs = ['get', 'post', 'put', 'patch', 'delete'] as const;
type Binding = Readonly<Partial<Record<(typeof verbs)[number] | 'body', string>>>;

function rpcsOf(method: protobuf.Method): readonly (readonly [string, Rpc])[] {
  const { resolvedRequestType: request, resolvedResponseType: response } = method;
  if (request === null || response === null) return [];
  return bindingsOf(method).flatMap((binding) =>
    verbs.flatMap((verb) => {
      const template = binding[verb];
      if (template === undefined) return [];
      const rpc: Rpc = { request, response, body: binding.body, inPath: fieldsIn(template) };
      return [[keyOf(verb, template.slice(1)), rpc] as const];
    }),
  );
}

function bindingsOf({ parsedOptions }: protobuf.Method): readonly Binding[] {
  type Rule = Binding & { readonly additional_bindings?: Binding | readonly Binding[] };
  const options = (parsedOptions ?? []) as readonly Readonly<Record<string, Rule>>[];
  return options.flatMap((option) => {
    const rule = option['(google.api.http)'];
    return rule === undefined ? [] : [rule, ...[rule.additional_bindings ?? []].flat()];
  });
}

/** By the last part of a name: `{endpoint.name=projects/*}` is `name` in the discovery document. */
const fieldsIn = (template: string): ReadonlyMap<string, string> =>
  new Map(
    [...template.matchAll(/\{([\w.]+)(?:=[^}]*)?\}/g)].map(([, path = '']) => [
      camel(path.split('.').at(-1) ?? ''),
      path,
    ]),
  );

/** The same for a template of the protos and for a flat path of the discovery document. */
const keyOf = (verb: string, path: string): string => {
  const stars = path
    .replace(/\{[\w.]+=([^}]*)\}/g, '$1')
    .replace(/\{\w+\}/g, '*')
    .replaceAll('**', '*');
  return `${verb.toUpperCase()} ${stars}`;
};

export function rpcOf(service: Service, { httpMethod, flatPath, path }: Method): Rpc | undefined {
  const flat = `${documentOf(service).servicePath}${flatPath ?? path}`;
  return protosOf(service)?.rpcs.get(keyOf(httpMethod, flat));
}

/** The methods of operations are those of another API, which each service has as well. */
const operations: Readonly<Record<string, string>> = { GoogleLongrunningOperation: 'google.longrunning.Operation' };

export function responseOf(service: Service, method: Method): protobuf.Type | undefined {
  const operation = operations[method.response?.$ref ?? ''];
  const found = operation === undefined ? undefined : protosOf(service)?.root.lookup(operation);
  return rpcOf(service, method)?.response ?? (found instanceof protobuf.Type ? found : undefined);
}

/** Whether the protos say more of a method than its discovery document. */
export const isInProtos = (service: Service, method: Method): boolean => responseOf(service, method) !== undefined;

/** As JSON names a field. */
export const camel = (name: string): string =>
  name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
