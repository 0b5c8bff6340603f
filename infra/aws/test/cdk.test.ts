import { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { expect, test } from 'vitest';
import { topology } from '../topology.ts';
import { factsOf } from './facts.ts';
import { all, plain, where } from './settings.ts';
import { synthesized } from './synthesized.ts';
import { factsOfTemplate } from './template-facts.ts';

test.each(Object.entries(all))('%s: the CDK renders what the topology says', (_, settings) => {
  const template = synthesized(settings);

  expect(factsOfTemplate(template)).toEqual(factsOf(topology(settings, where)));
});

test('a finding of cdk-nag that nobody acknowledged fails the synth', () => {
  expect(() => synthesized(plain, (stack) => new CfnBucket(stack, 'Open'))).toThrow('AwsSolutions-S10');
});

/** What is paid for by the request, by the byte, or not at all. Anything else wants a second look. */
const atRest: Readonly<Record<string, readonly string[]>> = {
  always: [
    'AWS::CloudWatch::Alarm',
    'AWS::CloudWatch::Dashboard',
    'AWS::DynamoDB::Table',
    'AWS::ECR::PullThroughCacheRule',
    'AWS::Events::EventBus',
    'AWS::Events::Rule',
    'AWS::IAM::Role',
    'AWS::Lambda::EventInvokeConfig',
    'AWS::Lambda::EventSourceMapping',
    'AWS::Lambda::Function',
    'AWS::Lambda::Permission',
    'AWS::Logs::LogGroup',
    'AWS::S3::Bucket',
    'AWS::S3::BucketPolicy',
    'AWS::SQS::Queue',
    'AWS::SQS::QueuePolicy',
    'AWS::Scheduler::Schedule',
    'AWS::Scheduler::ScheduleGroup',
  ],
  plain: ['AWS::Lambda::Url'],
  joined: ['AWS::Lambda::Url'],
  isolated: [
    'AWS::ApiGateway::Deployment',
    'AWS::ApiGateway::Method',
    'AWS::ApiGateway::Resource',
    'AWS::ApiGateway::RestApi',
    'AWS::ApiGateway::Stage',
    'AWS::EC2::RouteTable',
    'AWS::EC2::SecurityGroup',
    'AWS::EC2::Subnet',
    'AWS::EC2::SubnetRouteTableAssociation',
    'AWS::EC2::VPC',
    'AWS::EC2::VPCEndpoint',
    'AWS::SNS::Subscription',
    'AWS::SNS::Topic',
    'AWS::SNS::TopicPolicy',
  ],
};

test.each(Object.entries(all))(
  '%s: nothing computes, and no gateway stands, while nothing happens',
  (name, settings) => {
    const { Resources } = synthesized(settings);

    const types = new Set(Object.values(Resources).map(({ Type }) => Type));
    const allowed = [...(atRest.always ?? []), ...(atRest[name] ?? [])];
    expect([...types].filter((type) => !allowed.includes(type))).toEqual([]);
    expect(JSON.stringify(Resources)).not.toMatch(/ProvisionedConcurrency|NatGateway|InternetGateway/);
  },
);

test('the API is open to whoever has a token, by both permissions that a public URL needs', () => {
  const { Resources } = synthesized(plain);

  const permissions = Object.values(Resources)
    .filter(({ Type }) => Type === 'AWS::Lambda::Permission')
    .map(({ Properties: { Action, Principal, FunctionUrlAuthType, InvokedViaFunctionUrl } }) => [
      Action,
      Principal,
      FunctionUrlAuthType ?? InvokedViaFunctionUrl,
    ]);
  expect(permissions).toEqual([
    ['lambda:InvokeFunctionUrl', '*', 'NONE'],
    ['lambda:InvokeFunction', '*', true],
  ]);
});

test('the isolated API answers one VPC endpoint alone', () => {
  const { Resources } = synthesized(all.isolated);

  const api = Object.values(Resources).find(({ Type }) => Type === 'AWS::ApiGateway::RestApi');
  const door = Object.entries(Resources).find(([, { Properties }]) =>
    JSON.stringify(Properties?.ServiceName ?? '').includes('.execute-api'),
  );
  expect(door).toBeDefined();
  expect(api?.Properties.EndpointConfiguration.VpcEndpointIds).toEqual([{ Ref: door?.[0] }]);
  expect(api?.Properties.Policy.Statement[1]).toMatchObject({
    Effect: 'Deny',
    Condition: { StringNotEquals: { 'aws:SourceVpce': { Ref: door?.[0] } } },
  });
});
