import type { Credentials, Places } from '../facts.ts';

export const places: Places = {
  account: { of: /^\d{12}$/, mend: 'give 12 digits: `aws sts get-caller-identity` shows your account' },
  region: { of: /^[a-z]{2}(-[a-z]+)+-\d$/, mend: "give a region such as 'eu-west-1'" },
  // Credentials are of one account: nothing else names it.
  accountVariables: [],
  regionVariables: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
  partitionOf: (region) => ({
    partition: region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws',
    urlSuffix: region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com',
  }),
};

export const credentials: Credentials = {
  // A machine with a role of its own says so by AWS_PROFILE with `credential_source = Ec2InstanceMetadata`.
  variables: [
    'AWS_ACCESS_KEY_ID',
    'AWS_PROFILE',
    'AWS_WEB_IDENTITY_TOKEN_FILE',
    'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
    'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  ],
  file: { variable: 'AWS_SHARED_CREDENTIALS_FILE', path: '.aws/credentials' },
  missing: "AWS credentials: set AWS_PROFILE, or run 'aws configure'; whether they are valid, only AWS can say",
};
