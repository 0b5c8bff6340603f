import type { IdentityId, Principal } from '../topology/shapes.ts';
import { type Around, type Made, type Pulumi, placed } from './pulumi.ts';

type Before = Omit<Around, 'identities'>;

/** Managed identities: nobody knows a secret of theirs. */
export function renderIdentities(around: Before): Around['identities'] & {
  readonly all: readonly Pulumi.Resource[];
} {
  const { azure, topology, after } = around;
  const made = topology.identities.map(
    ({ id, name }) =>
      [
        id,
        new azure.managedidentity.UserAssignedIdentity(
          `Identity-${id}`,
          { ...placed(around), resourceName: name },
          { dependsOn: [...after] },
        ),
      ] as const,
  );
  // All six are there.
  const byId = Object.fromEntries(made) as unknown as Record<IdentityId, Made>;
  return { ...byId, all: made.map(([, resource]) => resource) };
}

export function renderRoles({ azure, topology, after }: Before): readonly Pulumi.Resource[] {
  return topology.customRoles.map(
    ({ id, name, scope, actions, dataActions }) =>
      new azure.authorization.RoleDefinition(
        `Role-${id.slice(0, 8)}`,
        {
          scope,
          roleDefinitionId: id,
          roleName: name,
          roleType: 'CustomRole',
          description: [...actions, ...dataActions].join(' ').slice(0, 1000),
          permissions: [{ actions: [...actions], dataActions: [...dataActions], notActions: [], notDataActions: [] }],
          assignableScopes: [scope],
        },
        { dependsOn: [...after] },
      ),
  );
}

/** Who is meant, once it stands. */
export type Principals = (principal: Principal) => Pulumi.Input<string>;

/** Of those that `isMeant`: what they are given on stands by now. */
export function renderAssignments(
  { azure, topology, after }: Before,
  principalOf: Principals,
): readonly Pulumi.Resource[] {
  return topology.assignments.map(
    ({ id, principal, role, target, why, when }) =>
      new azure.authorization.RoleAssignment(
        `Grant-${id.slice(0, 8)}`,
        {
          roleAssignmentName: id,
          roleDefinitionId: role,
          scope: target,
          principalId: principalOf(principal),
          principalType: 'ServicePrincipal',
          description: why.slice(0, 1000),
          ...(when === undefined ? {} : { condition: when.expression, conditionVersion: '2.0' }),
        },
        { dependsOn: [...after] },
      ),
  );
}
