import { Aws, type CfnResource, Validations } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { withoutResource } from '../topology/calls.ts';
import type { Role, Topology } from '../topology/shapes.ts';

/** Findings of cdk-nag's AwsSolutions that stay, by the type of what they are about, with the reason. */
const accepted: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'AWS::S3::Bucket': {
    'AwsSolutions-S1': 'who reads objects is told by CloudTrail data events, which the owner of the account decides on',
  },
  'AWS::EC2::VPC': {
    'AwsSolutions-VPC7': 'the network has no gateway: there is no traffic but to the doors of AWS services',
  },
  'AWS::ApiGateway::RestApi': {
    'AwsSolutions-APIG2': 'requests are validated by the API itself, against the schemas of its OpenAPI document',
  },
  'AWS::ApiGateway::Method': {
    'AwsSolutions-APIG4': 'the API checks bearer tokens itself; the network decides who reaches it',
    'AwsSolutions-COG4': 'the API checks bearer tokens itself; the network decides who reaches it',
  },
  'AWS::ApiGateway::Stage': {
    'AwsSolutions-APIG1': 'each request that changes something is an entry of the journal, with its actor',
    'AwsSolutions-APIG3': 'the API is private: no request from the internet reaches it',
    'AwsSolutions-APIG6': "the function's log has what the stage's would have",
  },
};

/** Why a resource of a policy ends in a wildcard; the first that fits. One without a reason fails the synth. */
const wildcards: readonly (readonly [RegExp, string])[] = [
  [/:s3:::.*\/\*$/, 'keys of objects are made at run time; the bucket, and where possible the prefix, is fixed'],
  [/:sagemaker:.*-\*$/, 'SageMaker resources are named at run time; the prefix is this installation'],
  [/:log-stream:.*-\*$/, 'log streams are named after jobs; the prefix is this installation'],
  [/:log-group:.*:\*$/, 'log streams are named by the service; the group is fixed'],
  [/:scalable-target\/\*$/, 'ids of scalable targets are made by the service; a condition holds it to SageMaker'],
  [/:alarm:TargetTracking-endpoint\/.*-\*$/, 'Auto Scaling names these alarms; the prefix is this installation'],
  [/:repository\/\*$/, 'configs name the images, and may be released at any time; images are only read'],
  [
    /:parameter\/serin\/.*\/programs\/\*$/,
    'configs name the secrets, and may be released at any time; the path is this installation',
  ],
  [
    /:(network-interface|security-group|subnet)\/\*$/,
    'interfaces are made by the service, in the subnets that it is given',
  ],
];

/** Each acknowledgement stands on the one resource that it is about. */
export function acknowledge(scope: Construct, topology: Topology): void {
  const { functions, jobRole, modelRole } = topology;
  const roles = new Map([jobRole, modelRole, ...functions.flatMap(rolesOf)].map((role) => [role.name, role]));
  for (const construct of scope.node.findAll()) {
    // Only resources of CloudFormation have a type.
    const { cfnResourceType: type, roleName } = construct as Partial<CfnResource & { readonly roleName: string }>;
    if (type === undefined) continue;
    for (const [id, reason] of Object.entries(accepted[type] ?? {}))
      Validations.of(construct).acknowledge({ id, reason });
    const role = type === 'AWS::IAM::Role' ? roles.get(roleName ?? '') : undefined;
    if (role !== undefined) for (const each of acknowledgedIn(role)) Validations.of(construct).acknowledge(each);
  }
}

const rolesOf = ({ role, trigger }: Topology['functions'][number]): readonly Role[] =>
  trigger.kind === 'schedule' ? [role, trigger.schedule.role] : [role];

function acknowledgedIn({ name, statements }: Role): readonly { readonly id: string; readonly reason: string }[] {
  const resources = new Set(statements.flatMap(({ resources }) => resources));
  return [...resources]
    .filter((resource) => resource.includes('*'))
    .map((resource) => {
      const reason = resource === '*' ? noResource(statements) : wildcards.find(([shape]) => shape.test(resource))?.[1];
      if (reason === undefined)
        throw new Error(
          `the role ${name} has the wildcard ${resource} without a reason; add the reason to acknowledged.ts`,
        );
      return { id: `AwsSolutions-IAM5[Resource::${asFound(resource)}]`, reason };
    });
}

function noResource(statements: Role['statements']): string {
  const actions = statements.filter(({ resources }) => resources.includes('*')).flatMap(({ actions }) => actions);
  return actions.map((action) => `${action}: ${withoutResource[action]}`).join('; ');
}

/** As cdk-nag writes a reference. */
const asFound = (resource: string): string =>
  resource
    .replaceAll(Aws.PARTITION, '<AWS::Partition>')
    .replaceAll(Aws.REGION, '<AWS::Region>')
    .replaceAll(Aws.ACCOUNT_ID, '<AWS::AccountId>')
    .replaceAll(Aws.URL_SUFFIX, '<AWS::URLSuffix>');
