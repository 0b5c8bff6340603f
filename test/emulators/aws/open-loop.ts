import { endpointName } from '@serin/aws/names';
import { expect } from 'vitest';
import { installation, type Loop } from '../loop.contract.ts';
import { labour } from './loop-labour.ts';
import { type LoopWorld, openWorld, sqsEvent, type WorldOptions } from './loop-world.ts';

export interface AwsLoop extends Loop {
  readonly world: LoopWorld;
}

interface How extends WorldOptions {
  readonly models?: readonly string[];
  readonly told?: number;
}

/** The loop of these models; `told`: how often each thing that happens is told. */
export async function openLoop({ models = ['prices'], told = 1, ...how }: How = {}): Promise<AwsLoop> {
  const world = await openWorld(how);
  const work = labour(world, models, told);
  const { handlers, names, provider, roles } = world;
  const trainings = () =>
    provider.calls.flatMap(({ operation, input }) =>
      operation === 'sagemaker:CreateTrainingJob' ? [String(input.TrainingJobName)] : [],
    );
  return {
    ...{ world, work, platform: 'aws', call: world.call, pump: world.pump, minute: work.minute, pass: work.pass },
    ...{ written: world.written, putSecret: world.putSecret },
    image:
      '123456789012.dkr.ecr.eu-west-1.amazonaws.com/prices@sha256:4dc8a7e4a010a19bb9e0a6b063f355393f6e623603361bd8b105f554d4f0c004',
    store: (key, content) => world.put(names.own, key, content),
    async drop(key, content) {
      await world.put(names.drops, key, content);
      for (let time = 0; time < told; time += 1) await world.send(objectCreated(names.drops, key));
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
