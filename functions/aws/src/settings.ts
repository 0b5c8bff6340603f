import { listOf, required, type Variables } from '@serin/platform/settings';

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
