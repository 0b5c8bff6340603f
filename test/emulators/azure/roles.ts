import { type Need, needsOf, type Where } from './needs.ts';
import type { Called } from './rest.ts';
import type { StorageCall } from './storage.ts';

/** Of a topology: who has which role on what. */
export interface Roles {
  readonly customRoles: readonly {
    readonly id: string;
    readonly actions: readonly string[];
    readonly dataActions: readonly string[];
  }[];
  readonly assignments: readonly {
    readonly principal: { readonly identity: string } | { readonly of: string };
    /** Ends with the id of a custom role. */
    readonly role: string;
    readonly target: string;
    readonly when?: { readonly expression: string };
  }[];
}

/**
 * Calls that were sent, held against the roles of the identities that sent them: no emulator asks for permissions.
 * `identityOf`: whose token it was, by its client id; nothing for a call that is not of a function.
 */
export function rolesIn(made: Roles, where: Where, identityOf: (client: string) => string | undefined) {
  const permissionsOf = (role: string): ReadonlySet<string> => {
    const { actions = [], dataActions = [] } = made.customRoles.find(({ id }) => role.endsWith(`/${id}`)) ?? {};
    return new Set([...actions, ...dataActions].map((permission) => permission.toLowerCase()));
  };

  const mayDo = (identity: string, permission: string, need: Need): boolean =>
    made.assignments.some(
      ({ principal, role, target, when }) =>
        'identity' in principal &&
        principal.identity === identity &&
        isWithin(need.scope, target) &&
        permissionsOf(role).has(permission.toLowerCase()) &&
        (when === undefined || holds(when.expression, permission, need)),
    );

  /** `<identity>: <permission> on <what>` of each that was needed, and whether it is allowed. */
  function looked(calls: readonly (Called | StorageCall)[]): ReadonlyMap<string, boolean> {
    const found = new Map<string, boolean>();
    for (const call of calls) {
      const identity = identityOf(call.client);
      if (identity === undefined) continue;
      for (const need of needsOf(call, where)) {
        const enough = need.anyOf.find((all) => all.every((permission) => mayDo(identity, permission, need)));
        const said = (enough ?? need.anyOf.at(-1) ?? []).join(' and ');
        found.set(`${identity}: ${said} on ${need.scope}${shown(need)}`, enough !== undefined);
      }
    }
    return found;
  }

  return {
    /** What the roles allow, as it was needed. */
    done: (calls: readonly (Called | StorageCall)[]): readonly string[] =>
      [...looked(calls)].flatMap(([said, isAllowed]) => (isAllowed ? [said] : [])).toSorted(),
    /** What the roles do not allow. */
    refused: (calls: readonly (Called | StorageCall)[]): readonly string[] =>
      [...looked(calls)].flatMap(([said, isAllowed]) => (isAllowed ? [] : [said])).toSorted(),
  };
}

const shown = ({ blob }: Need): string => (blob === undefined ? '' : ` ${blob.name?.split('/')[0] ?? '(its names)'}`);

const isWithin = (scope: string, target: string): boolean =>
  `${scope.toLowerCase()}/`.startsWith(`${target.toLowerCase().replace(/\/$/, '')}/`);

/** https://learn.microsoft.com/azure/role-based-access-control/conditions-format, as far as conditions of ours go. */
const clause =
  /\(\(!\(ActionMatches\{'([^']+)'\}( AND NOT SubOperationMatches\{'Blob\.List'\})?\)\)(?: OR \(([^)]*)\))?\)/g;
const start = /^@Resource\[[\w./]+:path\] StringStartsWith '([^']*)'$/;

/** A clause leaves every other action as it is. */
function holds(expression: string, permission: string, { blob }: Need): boolean {
  const rest = expression.replace(clause, '').replaceAll(' AND ', '');
  if (rest !== '') throw new Error(`a condition that is not read here: ${rest}`);
  return [...expression.matchAll(clause)].every(([, action = '', exceptLists, starts = '']) => {
    if (action.toLowerCase() !== permission.toLowerCase()) return true;
    if (blob?.name === undefined) return exceptLists !== undefined;
    return starts.split(' OR ').some((part) => {
      const prefix = start.exec(part)?.[1];
      return prefix !== undefined && blob.name?.startsWith(prefix) === true;
    });
  });
}
