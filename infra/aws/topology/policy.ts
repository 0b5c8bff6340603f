import type { Conditions, ResourceStatement, Role, Statement } from './shapes.ts';

/** IAM's own JSON, which both renderers hand on as it is. */
export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Readonly<Record<string, unknown>>[];
}

const document = (statements: PolicyDocument['Statement']): PolicyDocument => ({
  Version: '2012-10-17',
  Statement: statements,
});

const condition = (when: Conditions | undefined) =>
  when === undefined || Object.keys(when).length === 0 ? {} : { Condition: when };

export const rolePolicy = ({ statements }: Role): PolicyDocument =>
  document(
    statements.map(({ actions, resources, when }: Statement) => ({
      Effect: 'Allow',
      Action: short(actions),
      Resource: short(resources),
      ...condition(when),
    })),
  );

/** IAM counts the characters of a role's policies, and takes one text for a list of one. */
const short = (list: readonly string[]): string | readonly string[] => (list.length === 1 ? (list[0] ?? list) : list);

export const trustPolicy = ({ trusts, trustedWhen }: Role): PolicyDocument =>
  document([{ Effect: 'Allow', Principal: { Service: trusts }, Action: 'sts:AssumeRole', ...condition(trustedWhen) }]);

export const resourcePolicy = (statements: readonly ResourceStatement[]): PolicyDocument =>
  document(
    statements.map(({ effect, principal, actions, resources, when }) => ({
      Effect: effect,
      Principal: principal === '*' ? '*' : { Service: principal },
      Action: actions,
      Resource: resources,
      ...condition(when),
    })),
  );

/** Who reaches the private API is decided by the network: only through the endpoint of this VPC. */
export const privateApiPolicy = (vpcEndpoint: string): PolicyDocument =>
  document([
    { Effect: 'Allow', Principal: '*', Action: 'execute-api:Invoke', Resource: 'execute-api:/*' },
    {
      Effect: 'Deny',
      Principal: '*',
      Action: 'execute-api:Invoke',
      Resource: 'execute-api:/*',
      Condition: { StringNotEquals: { 'aws:SourceVpce': vpcEndpoint } },
    },
  ]);
