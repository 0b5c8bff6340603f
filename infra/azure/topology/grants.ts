import { sha256Hex } from '@serin/core/base/json';
import { type Call, callsOf, isDataAction, type Need, type PortName } from './calls.ts';
import type { Places } from './places.ts';
import type { Assignment, Condition, CustomRole, Grant, Limit, Principal } from './shapes.ts';

/** A permission that somebody needs, before its folders are put together. */
export type Wanted = Need & { readonly call: string; readonly why: string };

/** The permissions of some ports, one row for each call and permission. */
export const wantedBy = (ports: readonly PortName[]): readonly Wanted[] =>
  ports
    .flatMap((port): readonly Call[] => callsOf[port])
    .flatMap(({ call, why, needs }) => needs.map((need) => ({ ...need, call, why })));

/** One grant for each target. Those on nothing (no data containers) are left out. */
export function grantsOf(places: Places, wanted: readonly Wanted[]): readonly Grant[] {
  return wanted.flatMap(({ on, only, ...row }) => {
    const byTarget = Map.groupBy(
      on.flatMap((each) => places.on[each]),
      ({ target }) => target,
    );
    return [...byTarget].map(([target, group]) => {
      const folders = group.flatMap(({ folder }) => folder ?? []);
      const when: Limit | undefined = only ?? (folders.length === 0 ? undefined : { folders });
      return { ...row, target, resources: group.map(({ says }) => says), ...(when === undefined ? {} : { when }) };
    });
  });
}

/** Who has which permissions on what, in as few roles as say the same. */
export interface Assigned {
  readonly customRoles: readonly CustomRole[];
  readonly assignments: readonly Assignment[];
}

/** Somebody who is granted something. */
export interface Grantee {
  readonly principal: Principal;
  readonly grants: readonly Grant[];
}

/**
 * A role is named by what it holds and where, so a changed one is a new one: no assignment says more meanwhile, and no
 * role is made again under an id that is in use. None of Azure's own roles holds exactly what is needed.
 */
export function assignedTo(places: Places, grantees: readonly Grantee[]): Assigned {
  const { project, environment } = places.settings;
  const roles = new Map<string, CustomRole>();
  function roleOf(permissions: readonly string[], target: string): string {
    const scope = groupOf(target);
    const id = guidOf(`${scope}/${project}/${environment}/${sha256Hex(permissions.join('\n'))}`);
    roles.set(id, {
      ...{ id, scope },
      // A name is taken for all subscriptions of a tenant.
      // https://learn.microsoft.com/azure/role-based-access-control/custom-roles#custom-role-properties
      name: `Serin ${project} ${environment} ${id.slice(0, 8)}`,
      actions: permissions.filter((each) => !isDataAction(each)),
      dataActions: permissions.filter(isDataAction),
    });
    return roleId(places, id);
  }
  const assignments = grantees.flatMap(({ principal, grants }) =>
    [...Map.groupBy(grants, ({ target }) => target)].map(([target, group]) => {
      const permissions = [...new Set(group.map(({ action }) => action))].sort();
      const when = conditionOf(group);
      const role = roleOf(permissions, target);
      return {
        id: guidOf(JSON.stringify([principal, target, role])),
        principal,
        role,
        target,
        why: [...new Set(group.map(({ why }) => why))].join('; '),
        ...(when === undefined ? {} : { when }),
      };
    }),
  );
  return { customRoles: [...roles.values()], assignments };
}

/** A role can be given below the groups that it names, or the subscription. */
const groupOf = (target: string): string => target.split('/').slice(0, 5).join('/');

/** A role definition's resource id. */
export const roleId = ({ where }: Pick<Places, 'where'>, guid: string): string =>
  `/subscriptions/${where.account}/providers/Microsoft.Authorization/roleDefinitions/${guid}`;

/** A GUID that is the same for the same text: version 8 of RFC 9562. */
export function guidOf(text: string): string {
  const hash = sha256Hex(text);
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    `a${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ].join('-');
}

/**
 * Below which folders each permission on blobs holds: conditions of all permissions together, since each leaves the
 * others as they are.
 *
 * https://learn.microsoft.com/azure/storage/blobs/storage-auth-abac-examples
 */
function conditionOf(grants: readonly Grant[]): Condition | undefined {
  const parts = [...Map.groupBy(grants, ({ action }) => action)].flatMap(([action, group]) => {
    if (group.some(({ when }) => when === undefined)) return [];
    const folders = [...new Set(group.flatMap(({ when }) => (typeof when === 'object' ? when.folders : [])))].sort();
    const lists = group.some(({ when }) => when === 'list');
    return [{ title: `${verbOf(action)} ${folders.join(', ')}`.trim(), expression: clauseOf(action, folders, lists) }];
  });
  if (parts.length === 0) return undefined;
  return {
    title: parts.map(({ title }) => title).join('; '),
    expression: parts.map(({ expression }) => expression).join(' AND '),
  };
}

const path = '@Resource[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:path]';
const verbOf = (action: string): string => /blobs\/(\w+)/.exec(action)?.[1] ?? action;

/** `lists`: names may be listed wherever they are, for a list has no path. */
function clauseOf(action: string, folders: readonly string[], lists: boolean): string {
  const about = `ActionMatches{'${action}'}${lists ? " AND NOT SubOperationMatches{'Blob.List'}" : ''}`;
  const under = folders.map((folder) => `${path} StringStartsWith '${folder}/'`);
  return under.length === 0 ? `((!(${about})))` : `((!(${about})) OR (${under.join(' OR ')}))`;
}
