import {
  DescribeModelPackageCommand,
  ListModelPackageGroupsCommand,
  ListModelPackagesCommand,
} from '@aws-sdk/client-sagemaker';
import { endpointName } from '@serin/aws/names';
import { expect } from 'vitest';
import { emulated } from '../emulated.ts';
import { canaries, failures, installation, type Loop, loopContract } from '../loop.contract.ts';
import { labour } from './loop-labour.ts';
import { type LoopWorld, openWorld, sqsEvent } from './loop-world.ts';

interface AwsLoop extends Loop {
  readonly world: LoopWorld;
}

async function openLoop(): Promise<AwsLoop> {
  const world = await openWorld();
  const work = labour(world);
  const { handlers, names, provider, roles } = world;
  const trainings = () =>
    provider.calls.flatMap(({ operation, input }) =>
      operation === 'sagemaker:CreateTrainingJob' ? [String(input.TrainingJobName)] : [],
    );
  return {
    ...{ world, work, platform: 'aws', call: world.call, pump: world.pump, minute: work.minute },
    ...{ written: world.written, putSecret: world.putSecret },
    image:
      '123456789012.dkr.ecr.eu-west-1.amazonaws.com/prices@sha256:4dc8a7e4a010a19bb9e0a6b063f355393f6e623603361bd8b105f554d4f0c004',
    store: (key, content) => world.put(names.own, key, content),
    async drop(key, content) {
      await world.put(names.drops, key, content);
      await world.send(objectCreated(names.drops, key));
    },
    async alarm() {
      await world.send(alarm(endpointName(installation, 'prices'), world.now()));
    },
    async weights(model) {
      const { status, weights } = await world.serving(model);
      expect(status).toBe('InService');
      return weights;
    },
    trainings: () => new Set(trainings()).size,
    async deliver(messages) {
      const { batchItemFailures } = await handlers.signals(sqsEvent(messages), context as never);
      return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
    },
    async giveUp(message) {
      const { batchItemFailures } = await handlers.deadLetters(sqsEvent([message]));
      return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
    },
    bodies: {
      poison: '{"Records": [{"eventSource": "aws:s3"}]}',
      foreign: '{"source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification", "detail": {}}',
      object: (key) => JSON.stringify(objectCreated(names.drops, key)),
    },
    async close() {
      const { violations } = provider;
      await world.close();
      expect([violations, roles.refused()]).toEqual([[], []]);
    },
  };
}

const context = { getRemainingTimeInMillis: () => 120_000 };

emulated('the whole loop on AWS', () => {
  loopContract(openLoop, {
    creates: ['aws ssm put-parameter', '--name /serin/shop/prod/programs/other-key'],
    alarms: 'cloudwatch',
    silence: failures,
    async afterStory({ world, written }) {
      const { ModelPackageGroupSummaryList: groups = [] } = await world.sagemaker.send(
        new ListModelPackageGroupsCommand({}),
      );
      const { ModelPackageSummaryList: packages = [] } = await world.sagemaker.send(
        new ListModelPackagesCommand({ ModelPackageGroupName: groups[0]?.ModelPackageGroupName }),
      );
      expect(packages).toHaveLength(3);
      const described = await world.sagemaker.send(
        new DescribeModelPackageCommand({ ModelPackageName: packages[0]?.ModelPackageArn }),
      );
      expect(described.ModelApprovalStatus).toBe('Approved');
      // Each of them is held against the role of its function when the loop is closed.
      expect(world.roles.done()).toEqual(
        expect.arrayContaining([
          'api s3:GetObject own code',
          'api s3:GetObject own datasets',
          'api s3:ListBucket own',
          'api s3:PutObject own configs',
          'signals s3:GetObject data prices',
          'signals s3:PutObject own starts',
          'signals ssm:GetParameters',
        ]),
      );
      const places = await written();
      for (const place of [/^starts\//, /^configs\//, /^the table/, /PutEvents/, /^the log/])
        expect([place, places.some(([where]) => place.test(where))]).toEqual([place, true]);
      expectSecretsInVariablesOnly(world);
    },
  });
});

function expectSecretsInVariablesOnly({ provider }: LoopWorld): void {
  const has = (text: string, of: keyof typeof canaries) => text.includes(canaries[of]);
  const started = (of: keyof typeof canaries) => [
    ...new Set(
      provider.calls
        .filter(({ input }) => has(JSON.stringify(input), of))
        .flatMap(({ operation, input: { Environment, PrimaryContainer, ...rest } }) => [
          operation,
          ...(has(JSON.stringify(rest), of) ? ['beside the variables'] : []),
        ]),
    ),
  ];

  expect(started('api-key').toSorted()).toEqual(['sagemaker:CreateProcessingJob', 'sagemaker:CreateTrainingJob']);
  expect(started('model-key')).toEqual(['sagemaker:CreateModel']);
}

/** As EventBridge tells it; it does not encode keys. */
const objectCreated = (bucket: string, key: string) => ({
  version: '0',
  id: `event-${key}`,
  'detail-type': 'Object Created',
  source: 'aws.s3',
  account: '123456789012',
  time: '2026-11-20T12:00:00Z',
  region: 'eu-west-1',
  resources: [`arn:aws:s3:::${bucket}`],
  detail: {
    version: '0',
    bucket: { name: bucket },
    object: { key, size: 1, etag: 'e', sequencer: '00617F08299329D189' },
    reason: 'PutObject',
  },
});

const alarm = (endpoint: string, at: number) => ({
  version: '0',
  id: 'alarm',
  'detail-type': 'CloudWatch Alarm State Change',
  source: 'aws.cloudwatch',
  account: '123456789012',
  time: new Date(at).toISOString(),
  region: 'eu-west-1',
  resources: ['arn:aws:cloudwatch:eu-west-1:123456789012:alarm:implausible'],
  detail: {
    alarmName: 'implausible',
    configuration: {
      description: 'predictions are implausible',
      metrics: [
        {
          id: 'm1',
          metricStat: {
            metric: {
              namespace: 'AWS/SageMaker',
              name: 'Invocation5XXErrors',
              dimensions: { EndpointName: endpoint, VariantName: 'v3' },
            },
            period: 60,
            stat: 'Sum',
          },
          returnData: true,
        },
      ],
    },
    previousState: { value: 'OK', timestamp: '2026-11-20T12:00:00.987+0000' },
    state: { value: 'ALARM', reason: 'Threshold Crossed', timestamp: new Date(at).toISOString().replace('Z', '+0000') },
  },
});
