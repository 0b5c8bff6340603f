import { type Call, callsOf } from '../../../infra/gcp/topology/calls.ts';
import type { Binding, Target } from '../../../infra/gcp/topology/shapes.ts';
import type { Topology } from '../../../infra/gcp/topology.ts';
import type { Handlers, Request } from './discovery.ts';

/** What a call is about, as a policy and its conditions name it. */
interface Resource {
  readonly target: Target;
  /** `resource.name` */
  readonly name: string;
}

const known: readonly Call[] = Object.values(callsOf).flat();

/** Permissions that only some requests of a call need: acting as an account, and writing over what is there. */
const sometimes: Readonly<Record<string, (request: Request) => boolean>> = {
  'iam.serviceAccounts.actAs': () => false,
  'storage.objects.delete': ({ query }) => query.get('ifGenerationMatch') !== '0',
};

/**
 * What the functions ask of Google, held against the roles that they are deployed with: no emulator asks for
 * permissions. Functions run one after the other here, so a request is of the one that runs.
 */
export function rolesIn(made: Topology) {
  const done = new Set<string>();
  const refused = new Set<string>();
  let running: string | undefined;

  const permissionsOf = ({ role }: Binding): readonly string[] =>
    made.customRoles.find(({ id }) => role.endsWith(`/roles/${id}`))?.permissions ?? [];
  const mayDo = (member: string, permission: string, { target, name }: Resource): boolean =>
    made.bindings.some(
      (binding) =>
        binding.member === member &&
        isSame(binding.target, target) &&
        permissionsOf(binding).includes(permission) &&
        (binding.when === undefined || holds(binding.when.expression, name)),
    );

  // A query names its table in SQL only.
  const { dataset } = made.captures;
  const captures: Resource = { target: { kind: 'dataset', name: dataset }, name: dataset };

  function check(id: string, request: Request): void {
    const account = made.functions.find((each) => each.id === running)?.role.email;
    if (account === undefined) return;
    const needs = known.filter(({ call }) => call === id).flatMap((call) => call.needs);
    if (needs.length === 0) refused.add(`${running}: ${id} is in no table of calls`);
    const resource = resourceOf(made, id, request);
    for (const action of new Set(needs.map((need) => need.action))) {
      if (sometimes[action]?.(request) === false) continue;
      const about = action.startsWith('bigquery.tables.') ? captures : resource;
      done.add(`${running} ${action} ${shown(about)}`);
      if (!mayDo(`serviceAccount:${account}`, action, about)) refused.add(`${running}: ${action} on ${about.name}`);
    }
  }

  return {
    /** `<function> <permission> <what>` of each that was needed. */
    done: (): readonly string[] => [...done].toSorted(),
    /** What the roles of a function do not allow. */
    refused: (): readonly string[] => [...refused],
    async as<Answer>(id: string, run: () => Promise<Answer>): Promise<Answer> {
      running = id;
      return run().finally(() => {
        running = undefined;
      });
    },
    /** The same handlers, which look first. */
    watched: (handlers: Handlers): Handlers =>
      Object.fromEntries(
        Object.entries(handlers).map(([id, handler]) => [
          id,
          (request) => {
            check(id, request);
            return handler(request);
          },
        ]),
      ),
  };
}

const isSame = (one: Target, other: Target): boolean => one.kind === other.kind && one.name === other.name;

/** An expression of grants.ts and places.ts: what names begin with, or are. */
const holds = (expression: string, name: string): boolean =>
  expression.split(' || ').some((part) => {
    const [, start, whole] = /^resource\.name(?:\.startsWith\("(.+)"\)| == "(.+)")$/.exec(part) ?? [];
    if (start === undefined && whole === undefined) throw new Error(`a condition that is not read here: ${part}`);
    return start === undefined ? name === whole : name.startsWith(start);
  });

function resourceOf({ where }: Topology, id: string, { params, query, body }: Request): Resource {
  const ofProject: Target = { kind: 'project', name: where.account };
  const [service] = id.split('.');
  if (service === 'storage') {
    const { bucket = '' } = params;
    const object = params.object ?? query.get('name') ?? body?.name;
    const target = { kind: 'bucket', name: bucket } as const;
    if (id === 'storage.objects.list' || object === undefined) return { target, name: `projects/_/buckets/${bucket}` };
    return { target, name: `projects/_/buckets/${bucket}/objects/${object}` };
  }
  const named = params.topic ?? params.name ?? params.database ?? params.parent ?? '';
  if (service === 'pubsub') return { target: { kind: 'topic', name: named }, name: named };
  if (service === 'firestore')
    return { target: ofProject, name: /^projects\/[^/]+\/databases\/[^/]+/.exec(named)?.[0] ?? named };
  // In conditions a secret is named by the number of its project.
  return { target: ofProject, name: named.replace(/^projects\/[^/]+/, `projects/${where.number}`) };
}

const shown = ({ target, name }: Resource): string =>
  target.kind === 'bucket' ? `${target.name} ${name.split('/objects/')[1]?.split('/')[0] ?? ''}`.trim() : target.kind;
