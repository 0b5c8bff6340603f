import { CfnRole } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { rolePolicy, trustPolicy } from '../topology/policy.ts';
import type { Role } from '../topology/shapes.ts';

/** The role with its policy inside, so that nothing can take it before it may do what it must. */
export const renderRole = (scope: Construct, id: string, role: Role): CfnRole =>
  new CfnRole(scope, id, {
    roleName: role.name,
    assumeRolePolicyDocument: trustPolicy(role),
    policies: [{ policyName: 'serin', policyDocument: rolePolicy(role) }],
  });
