import { randomUUID } from 'node:crypto';
import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import {
  CreateTableCommand,
  DynamoDBClient,
  type ServiceInputTypes,
  type ServiceOutputTypes,
} from '@aws-sdk/client-dynamodb';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { s3Objects } from '@serin/aws/jobs/settings';
import { endpointName } from '@serin/aws/names';
import { dynamoJournal } from '@serin/aws/ports/journal';
import { sageMakerServing } from '@serin/aws/ports/serving';
import { cloudWatchTelemetry } from '@serin/aws/ports/telemetry';
import { sqsQueue } from '@serin/aws/queue';
import { sageMakerEndpoints } from '@serin/aws/serving/described';
import { step } from '@serin/core/base/table';
import { bury } from '@serin/core/engine/dead-letters';
import { monitorStart, monitorTable } from '@serin/core/model/monitor/monitor';
import { engineActor } from '@serin/core/ports/actors';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Deployment, Observation } from '@serin/core/ports/serving';
import { artifactAt } from '@serin/platform/jobs/artifacts';
import type { FinalizeRequestMiddleware } from '@smithy/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { planOf } from '../../../packages/core/src/model/model.fixture.ts';
import { appendOf } from '../../contract/journal.contract.ts';
import { memoryBucket } from '../../simulation/fakes/bucket.ts';
import { atOnce } from '../../simulation/fakes/sync.ts';
import { emulated } from '../emulated.ts';
import { type Emulator, startDynamoDb, startMoto } from '../installed.ts';
import { reach, recorder } from './clients.ts';
import { fakeEndpoints, minute } from './fake-endpoints.ts';
import { fakeMetrics } from './fake-metrics.ts';
import { fakeWire, type Operations, Refusal, seconds } from './fake-wire.ts';
import { imageJob, jobsWorld } from './jobs-world.ts';

const recorded = recorder({ suite: 'attack', against: 'fakes of ours' });
afterAll(() => recorded.save());

const installation = { project: 'shop', environment: 'prod' };

const deployment = (version: number, instances = { min: 1, max: 1 }): Deployment => ({
  name: `v${version}`,
  version,
  artifact: { uri: `s3://models/v${version}/model.tar.gz`, digest: `d${version}`, bytes: 10 },
  image: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/serve:1',
  command: [],
  environment: {},
  instances,
  compute: { nodes: 1, spot: false },
  readyTimeoutMs: 60_000,
});

/** SageMaker's hosting, in which `instead` may answer for it. */
function hosting() {
  const clock = { now: Date.UTC(2026, 10, 20, 12) };
  const cloud = fakeEndpoints({ now: () => clock.now });
  const instead: { sagemaker: Operations; autoscaling: Operations } = { sagemaker: {}, autoscaling: {} };
  const requestHandler = {
    ...fakeWire({}),
    handle: (request: Parameters<ReturnType<typeof fakeWire>['handle']>[0]) =>
      fakeWire({
        SageMaker: { ...cloud.sagemaker, ...instead.sagemaker },
        AnyScaleFrontendService: { ...cloud.autoscaling, ...instead.autoscaling },
      }).handle(request),
  };
  const settings = { ...reach('http://fake'), requestHandler };
  const bucket = atOnce<Bucket>(memoryBucket());
  const sagemaker = recorded.watch(new SageMakerClient(settings));
  const serving = sageMakerServing({
    sagemaker,
    endpoints: sageMakerEndpoints({ sagemaker, now: () => clock.now }),
    now: () => clock.now,
    autoscaling: recorded.watch(new ApplicationAutoScalingClient(settings)),
    installation,
    modelRole: 'arn:aws:iam::123456789012:role/serin-model',
    bucket,
    ownBucket: 'serin-own',
    secrets: async () => ({}),
  });
  async function settled(): Promise<Observation | 'absent'> {
    for (;;) {
      const seen = await serving.observe('e');
      if (seen === 'absent' || !seen.busy) return seen;
      clock.now += minute / 2;
    }
  }
  return {
    cloud,
    instead,
    bucket,
    serving,
    settled,
    async deployed(one: Deployment) {
      expect(await serving.change('e', { kind: 'deploy', deployment: one })).toBe('accepted');
      return settled();
    },
  };
}

emulated('an attack on AWS', () => {
  describe('serving', () => {
    test.each([
      ['ThrottlingException', 'Rate exceeded'],
      [
        'AccessDeniedException',
        'User: arn:aws:sts::1:x is not authorized to perform: application-autoscaling:Describe',
      ],
    ])('traffic can be taken back while auto scaling answers %s', async (type, message) => {
      const { serving, deployed, instead, settled } = hosting();
      await deployed(deployment(1, { min: 1, max: 4 }));
      await deployed(deployment(2, { min: 1, max: 4 }));
      await serving.change('e', { kind: 'weigh', weights: { v1: 90, v2: 10 } });
      await settled();
      instead.autoscaling = {
        DescribeScalingPolicies() {
          throw new Refusal(type, message);
        },
      };

      const seen = await serving.observe('e');
      await serving.change('e', { kind: 'weigh', weights: { v1: 100 } });

      expect(seen).toMatchObject({ weights: { v1: 90, v2: 10 }, busy: false });
      expect(await settled()).toMatchObject({
        weights: { v1: 100 },
        deployments: [{ name: 'v1', status: 'ready', reason: expect.stringContaining(message) }, { name: 'v2' }],
      });
    });

    test('a deployment is not said to have failed by a look that does not show yet that it was ordered', async () => {
      const { cloud, serving, deployed, instead, settled } = hosting();
      await deployed(deployment(1));
      const before = cloud.sagemaker.DescribeEndpoint({ EndpointName: endpointName(installation, 'e') });
      await serving.change('e', { kind: 'deploy', deployment: deployment(2) });

      instead.sagemaker = { DescribeEndpoint: () => before };
      const stale = await serving.observe('e');
      instead.sagemaker = {};

      expect(stale).not.toHaveProperty('revertedByProvider');
      expect(stale).toMatchObject({ deployments: [{ name: 'v1', status: 'ready' }] });
      expect(await settled()).toMatchObject({ deployments: [{ name: 'v1' }, { name: 'v2', status: 'ready' }] });
    });
  });

  describe('evidence', () => {
    /** v1 has 90 % of the weight and v2 10 %; both answered in the first minute, v1 200 requests, and v2 20. */
    function metered(lagMs: (metric: string, variant: string) => number) {
      const start = Date.UTC(2026, 10, 20, 12);
      const clock = { now: start };
      const { cloudwatch, answered } = fakeMetrics({ now: () => clock.now, lagMs });
      const endpoint = endpointName(installation, 'e');
      for (const [variant, count] of Object.entries({ v1: 200, v2: 20 }))
        for (let at = 0; at < count; at += 1)
          answered.push({ endpoint, variant, at: start + at, latencyMs: 5, outcome: '2xx' });
      const DescribeEndpoint = () => ({
        EndpointName: endpoint,
        EndpointArn: `arn:aws:sagemaker:eu-west-1:123456789012:endpoint/${endpoint}`,
        EndpointStatus: 'InService',
        CreationTime: seconds(start),
        LastModifiedTime: seconds(start),
        ProductionVariants: [
          { VariantName: 'v1', CurrentWeight: 90 },
          { VariantName: 'v2', CurrentWeight: 10 },
        ],
      });
      const requestHandler = fakeWire({ GraniteServiceVersion20100801: cloudwatch, SageMaker: { DescribeEndpoint } });
      const settings = { ...reach('http://fake'), requestHandler };
      const telemetry = cloudWatchTelemetry({
        cloudwatch: recorded.watch(new CloudWatchClient(settings)),
        endpoints: sageMakerEndpoints({
          sagemaker: recorded.watch(new SageMakerClient(settings)),
          now: () => clock.now,
        }),
        installation,
        now: () => clock.now,
        bucket: atOnce<Bucket>(memoryBucket()),
      });
      const readAfter = (minutes: number) => {
        clock.now = start + minutes * minute;
        return telemetry.ticks({
          endpoint: 'e',
          from: start,
          to: start + minute,
          tickMs: minute,
          measures: ['errors'],
        });
      };
      return { readAfter };
    }

    test('waits for the champion, whose metrics are late: without them the candidate would seem to get all requests', async () => {
      const { readAfter } = metered((_, variant) => (variant === 'v1' ? 6 * minute : minute));

      expect(await readAfter(5)).toEqual([]);
      expect(await readAfter(8)).toMatchObject([{ counts: { v1: { requests: 200 }, v2: { requests: 20 } } }]);
    });

    test('that one deployment gets nothing is told after a quarter of an hour, for it may be so', async () => {
      const { readAfter } = metered((_, variant) => (variant === 'v1' ? 600 * minute : minute));

      expect(await readAfter(15)).toEqual([]);
      expect((await readAfter(17)).map(({ counts }) => counts)).toMatchObject([{ v2: { requests: 20 } }]);
    });
  });

  describe('what a job left', () => {
    test('is not served when another job has written over it since it was judged', async () => {
      const { serving, bucket, settled } = hosting();
      const uri = 's3://serin-own/jobs/prod-shop-train-1-abc/output/model.tar.gz';
      await bucket.write('jobs/prod-shop-train-1-abc/output/model.tar.gz', Buffer.from('judged'));
      const artifact = await artifactAt(
        uri,
        s3Objects(() => bucket),
      );
      if (artifact === undefined) throw new Error('it was just written');

      expect(await serving.change('e', { kind: 'deploy', deployment: { ...deployment(1), artifact } })).toBe(
        'accepted',
      );
      await settled();
      await bucket.write('jobs/prod-shop-train-1-abc/output/model.tar.gz', Buffer.from('of somebody else'));
      const second = serving.change('e', { kind: 'deploy', deployment: { ...deployment(2), artifact } });

      await expect(second).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('was changed since it was judged'),
      });
    });

    test('a machine that was taken away is worth another attempt, also when the log cannot be read', async () => {
      const world = jobsWorld(recorded);
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));
      const [name = ''] = world.created;
      world.fake.train(name, { TrainingJobStatus: 'Failed', FailureReason: 'CapacityError: Unable to provision' });
      world.fake.services.Logs_20140328.DescribeLogStreams = () => {
        throw new Refusal('AccessDeniedException', 'not authorized to perform: logs:DescribeLogStreams');
      };

      expect(await world.jobs.describe(id)).toMatchObject({
        status: 'failed',
        retryable: 'capacity',
        reason: expect.stringMatching(/^CapacityError.*its log cannot be read/),
      });
    });

    test('two instances that start one job at once pay for one', async () => {
      const world = jobsWorld(recorded);

      const ids = await Promise.all(Array.from({ length: 6 }, () => world.jobs.start(imageJob('run_1/train/1'))));

      expect(new Set(ids.map(({ id }) => id)).size).toBe(1);
      expect(world.created).toHaveLength(1);
    });
  });

  describe('the stores', () => {
    let dynamo: Emulator;
    let moto: Emulator;
    beforeAll(async () => {
      [dynamo, moto] = await Promise.all([startDynamoDb(), startMoto()]);
    });
    afterAll(async () => {
      await Promise.all([dynamo?.stop(), moto?.stop()]);
    });

    async function journals(change: (client: DynamoDBClient) => void = () => {}) {
      const client = new DynamoDBClient({ ...reach(dynamo.url), maxAttempts: 2 });
      change(client);
      const table = `journal-${randomUUID()}`;
      const keys = ['pk', 'sk'] as const;
      await client.send(
        new CreateTableCommand({
          TableName: table,
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
          KeySchema: keys.map((AttributeName, index) => ({ AttributeName, KeyType: index === 0 ? 'HASH' : 'RANGE' })),
        }),
      );
      return [dynamoJournal({ client, table }), dynamoJournal({ client, table })] as const;
    }

    test('an append whose answer was lost is no conflict with itself', async () => {
      let sent = 0;
      // The first answer of the transaction never arrives; the SDK asks again.
      const losing: FinalizeRequestMiddleware<ServiceInputTypes, ServiceOutputTypes> = (next) => async (args) => {
        const answer = await next(args);
        const isAppend = 'TransactItems' in args.input;
        sent += Number(isAppend);
        if (isAppend && sent === 1) throw Object.assign(new Error('lost'), { name: 'TimeoutError' });
        return answer;
      };
      const [journal] = await journals((client) =>
        client.middlewareStack.addRelativeTo(losing, { relation: 'after', toMiddleware: 'retryMiddleware' }),
      );

      await journal.append(0, appendOf('fraud', 1));

      expect(sent).toBe(2);
      expect(await journal.head('fraud')).toMatchObject({ seq: 1 });
    });

    test('of an append whose answer never came the next one knows the truth', async () => {
      let losing = false;
      const [journal] = await journals((client) =>
        client.middlewareStack.add(
          (next) => async (args) => {
            const answer = await next(args);
            if (losing && 'TransactItems' in args.input) throw Object.assign(new Error('lost'), { code: 'ECONNRESET' });
            return answer;
          },
          { step: 'initialize', name: 'losing' },
        ),
      );
      await journal.append(0, appendOf('fraud', 1, {}, { due: 5 }));
      losing = true;
      await expect(journal.append(1, appendOf('fraud', 2, {}, { due: 9 }))).rejects.toMatchObject({ retry: 'later' });
      losing = false;

      await expect(journal.append(1, appendOf('fraud', 2))).rejects.toMatchObject({ code: 'conflict' });
      await journal.append(2, appendOf('fraud', 3, {}, { due: 20 }));

      expect((await journal.due(100)).items).toEqual([{ stream: 'fraud', due: 20 }]);
    });

    test('two instances that take the same signal at once start one stream, and one entry', async () => {
      const [one, other] = await journals();
      const appends = [one, other].flatMap((journal) =>
        Array.from({ length: 10 }, (_, seq) => journal.append(seq, appendOf('fraud', seq + 1)).then(() => seq + 1)),
      );

      const done = (await Promise.allSettled(appends)).flatMap((each) =>
        each.status === 'fulfilled' ? [each.value] : [],
      );

      const history = await one.history('fraud', undefined, 100);
      expect(history.map(({ seq }) => seq).toReversed()).toEqual(done.toSorted((a, b) => a - b));
      expect(new Set(done).size).toBe(done.length);
    });

    // Not mended, it is of core (dead-letters.ts): a summary is cut to 400 characters, and its bound is 1 KB. The worker of
    // AWS cuts the reason and buries again; an engine without it fails for good.
    test('a signal that failed for a reason in Chinese can be buried', async () => {
      const [journal] = await journals();
      const because = '\u6a21\u578b\u4e0d\u5b58\u5728'.repeat(80);

      await bury(journal, { id: 'm1', stream: 'model/fraud', signal: {}, because, at: 1 }, engineActor);
    });

    test('a message that failed for a moment is there again when it was said, not when the queue would say', async () => {
      const client = recorded.watch(new SQSClient(reach(moto.url)));
      const { QueueUrl = '' } = await client.send(
        new CreateQueueCommand({ QueueName: `q-${randomUUID()}`, Attributes: { VisibilityTimeout: '720' } }),
      );
      const queue = sqsQueue({ client, url: QueueUrl });
      await queue.send('{}');
      const receive = async () => (await client.send(new ReceiveMessageCommand({ QueueUrl }))).Messages ?? [];
      const [taken] = await receive();
      expect(await receive()).toEqual([]);

      await queue.again(taken?.ReceiptHandle ?? '', 0);

      expect((await receive()).map(({ MessageId }) => MessageId)).toEqual([taken?.MessageId]);
    });
  });

  // SQS keeps no order.
  test('an alarm that is delivered after its end raises nothing', () => {
    const context = { plan: planOf(), releasing: true };
    const stamp = { id: 's', at: Date.UTC(2026, 10, 20, 12), actor: engineActor };
    const said = {
      ...stamp,
      sender: 'cloudwatch',
      fingerprint: 'arn:aws:cloudwatch:eu-west-1:123456789012:alarm:errors',
    };

    const ended = step(
      monitorTable,
      monitorStart,
      { ...said, type: 'alertResolved', endedAt: '2026-11-20T11:05:00.000Z' },
      context,
    );
    const late = step(
      monitorTable,
      'moved' in ended ? ended.moved : monitorStart,
      { ...said, type: 'alertRaised', kind: 'alert', startedAt: '2026-11-20T11:00:00.000Z', title: 'errors' },
      context,
    );

    expect('moved' in late ? late.moved.wants : undefined).toBeUndefined();
  });
});
