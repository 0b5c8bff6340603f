import { Fault } from '@serin/core/base/fault';

/** The variables of a function, as infra/aws/topology/functions.ts gives them. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** What an installation says about all that it starts in SageMaker. Throws `invalid` for a variable that is not set. */
export function settingsOf(variables: Variables) {
  const kmsKey = variables.SERIN_KMS_KEY;
  const [subnets, securityGroups] = [listOf(variables.SERIN_SUBNETS), listOf(variables.SERIN_SECURITY_GROUPS)];
  return {
    installation: {
      project: required(variables, 'SERIN_PROJECT'),
      environment: required(variables, 'SERIN_ENVIRONMENT'),
    },
    region: required(variables, 'AWS_REGION'),
    jobRole: required(variables, 'SERIN_JOB_ROLE'),
    modelRole: required(variables, 'SERIN_MODEL_ROLE'),
    nodeImage: required(variables, 'SERIN_NODE_IMAGE'),
    ownBucket: required(variables, 'SERIN_BUCKET'),
    secretsPath: required(variables, 'SERIN_PROGRAM_SECRETS'),
    ...(kmsKey === undefined || kmsKey === '' ? {} : { kmsKey }),
    ...(subnets.length === 0 ? {} : { vpc: { subnets, securityGroups } }),
  };
}

/** The text of a variable that must be there. */
export function required(variables: Variables, name: string): string {
  const value = variables[name];
  if (value !== undefined && value !== '') return value;
  throw new Fault('invalid', `the environment variable ${name} is not set; deploy again with \`serin deploy\``);
}

const listOf = (text = ''): readonly string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
