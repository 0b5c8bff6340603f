import { sha256Hex } from '@serin/core/base/json';
import { type Call, callsOf, type On, type PortName } from './calls.ts';
import type { Place, Places } from './places.ts';
import type { Binding, Condition, CustomRole, Grant, Target } from './shapes.ts';

/** A permission that somebody needs, before its folders are put into one condition. */
export interface Wanted {
  readonly call: string;
  readonly why: string;
  readonly action: string;
  readonly on: readonly On[];
}

/** The permissions of some ports, one row for each call and permission. */
export const wantedBy = (ports: readonly PortName[]): readonly Wanted[] =>
  ports
    .flatMap((port): readonly Call[] => callsOf[port])
    .flatMap(({ call, why, needs }) => needs.map(({ action, on }) => ({ call, why, action, on })));

/** One grant for each target. Those on nothing (no data buckets) are left out. */
export function grantsOf(places: Places, wanted: readonly Wanted[]): readonly Grant[] {
  return wanted.flatMap(({ on, ...row }) => {
    const all = on.flatMap((each) => places.on[each]);
    const targets = Map.groupBy(all, ({ target, when }) => JSON.stringify([target, when]));
    return [...targets.values()].flatMap((group) => {
      const [first] = group;
      if (first === undefined) return [];
      const when = first.when ?? foldersCondition(group);
      return [
        {
          ...row,
          target: first.target,
          resources: group.map(({ says }) => says),
          ...(when === undefined ? {} : { when }),
        },
      ];
    });
  });
}

/**
 * The folders of a bucket, or all of it. Without the slash behind a folder, for Cloud Storage FUSE first asks for an
 * object with the name of the folder, and a refusal would be its last word.
 *
 * https://docs.cloud.google.com/storage/docs/access-control/iam#conditions
 */
function foldersCondition(group: readonly Place[]): Condition | undefined {
  const folders = [...new Set(group.flatMap(({ folder }) => folder ?? []))].sort();
  const [first] = group;
  if (folders.length === 0 || first === undefined) return undefined;
  const under = (folder: string): string =>
    `resource.name.startsWith("projects/_/buckets/${first.target.name}/objects/${folder}")`;
  return { title: folders.join(', '), expression: folders.map(under).join(' || ') };
}

/** Who has which permissions on what, in as few roles as say the same. */
export interface Bound {
  readonly customRoles: readonly CustomRole[];
  readonly bindings: readonly Binding[];
}

/** Somebody who is granted something: an account of ours, or the agent of a service. */
export interface Grantee {
  /** Names its bindings: unique, and the same in each deployment. */
  readonly id: string;
  readonly member: string;
  readonly grants: readonly Grant[];
}

/**
 * The roles are of the Google project, so none of them can be given on what lies in another one: there the owner gives
 * one of Google's. A role is named by what it holds, so a changed one is a new one, and no binding says more meanwhile.
 */
export function boundOf({ settings, where }: Places, grantees: readonly Grantee[]): Bound {
  const { project, environment, roleGeneration = 1 } = settings;
  const roles = new Map<string, CustomRole>();
  const suffix = roleGeneration === 1 ? '' : `_${roleGeneration}`;
  function roleOf(permissions: readonly string[]): string {
    const held = permissions.join('\n');
    const id = `serin_${project}_${environment}_${sha256Hex(held).slice(0, 8)}${suffix}`.replaceAll('-', '_');
    roles.set(id, { id, title: titleOf(`Serin ${project} ${environment}: ${permissions.join(', ')}`), permissions });
    return `projects/${where.account}/roles/${id}`;
  }
  const bindings = grantees.flatMap(({ id, member, grants }) =>
    bundles(grants).map(({ target, when, permissions, whys }) => ({
      id: `${id}-${target.kind}-${sha256Hex(JSON.stringify([target, when, permissions])).slice(0, 8)}`,
      member,
      role: roleOf(permissions),
      target,
      why: whys.join('; '),
      ...(when === undefined ? {} : { when }),
    })),
  );
  return { customRoles: [...roles.values()], bindings };
}

/** https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.roles: "Limited to 100 UTF-8 bytes". */
const titleOf = (text: string): string => (text.length <= 100 ? text : `${text.slice(0, 97)}...`);

interface Bundle {
  readonly target: Target;
  readonly when?: Condition;
  readonly permissions: readonly string[];
  readonly whys: readonly string[];
}

/** Each permission with all its conditions on a target; those with equal ones together. */
function bundles(grants: readonly Grant[]): readonly Bundle[] {
  const byPermission = Map.groupBy(grants, ({ action, target }) => JSON.stringify([action, target]));
  const merged = [...byPermission.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const when = eitherOf(group.map((grant) => grant.when));
    return [{ target: first.target, action: first.action, why: first.why, ...(when === undefined ? {} : { when }) }];
  });
  const byPlace = Map.groupBy(merged, ({ target, when }) => JSON.stringify([target, when]));
  return [...byPlace.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { target, when } = first;
    return [
      {
        target,
        ...(when === undefined ? {} : { when }),
        permissions: [...new Set(group.map(({ action }) => action))].sort(),
        whys: [...new Set(group.map(({ why }) => why))],
      },
    ];
  });
}

/** Without a condition it is everything; else what any of them allows. */
function eitherOf(conditions: readonly (Condition | undefined)[]): Condition | undefined {
  const given = conditions.flatMap((each) => each ?? []);
  if (given.length < conditions.length) return undefined;
  const parts = [...new Set(given.flatMap(({ expression }) => expression.split(' || ')))].sort();
  const titles = [...new Set(given.flatMap(({ title }) => title.split(', ')))].sort();
  return { title: titles.join(', '), expression: parts.join(' || ') };
}
