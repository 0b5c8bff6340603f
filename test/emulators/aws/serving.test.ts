import { inspect } from 'node:util';
import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { type DataCaptureConfig, DescribeEndpointCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { toolkitStart } from '@serin/aws/jobs/toolkit';
import { endpointName } from '@serin/aws/names';
import { sageMakerServing } from '@serin/aws/ports/serving';
import { sageMakerEndpoints } from '@serin/aws/serving/described';
import { percentages } from '@serin/aws/serving/shares';
import { instanceTypes } from '@serin/clouds/aws/instance-types';
import { instanceTypeFor } from '@serin/clouds/instance-types';
import { Fault } from '@serin/core/base/fault';
import { secretsOf } from '@serin/core/base/variables';
import { isFulfilled, nextOperation } from '@serin/core/model/endpoint/wish';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Deployment, Observation, Operation, Weights } from '@serin/core/ports/serving';
import { archiveKey } from '@serin/platform/code/archive';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { servingContract } from '../../contract/serving.contract.ts';
import { seeded } from '../../contract/serving-machine.ts';
import { memoryBucket } from '../../simulation/fakes/bucket.ts';
import { atOnce } from '../../simulation/fakes/sync.ts';
import { modelOf } from '../botocore.ts';
import { emulated } from '../emulated.ts';
import { startMoto } from '../installed.ts';
import { reach, recorder } from './clients.ts';
import { fakeEndpoints, minute } from './fake-endpoints.ts';
import { fakeWire, Refusal } from './fake-wire.ts';
import { storeCode } from './stored.ts';

const installation = { project: 'shop', environment: 'prod' };
/** The text of each secret begins so. */
const planted = 'canary-decaf-of-a-secret';
const recorded = recorder({ suite: 'serving', against: 'fake-endpoints.ts' });
afterAll(() => recorded.save());

function opened(options: { readonly configLagMs?: number; readonly kmsKey?: string; readonly secret?: string } = {}) {
  const clock = { now: Date.UTC(2026, 10, 20, 12) };
  const cloud = fakeEndpoints({ now: () => clock.now, ...options });
  /** What happens just before a call comes to SageMaker, once. */
  const meanwhile = new Map<string, () => void>();
  const sagemaker = Object.fromEntries(
    Object.entries<(input: never) => object>(cloud.sagemaker).map(([name, operation]) => [
      name,
      (input: never) => {
        const happens = meanwhile.get(name);
        meanwhile.delete(name);
        happens?.();
        return operation(input);
      },
    ]),
  );
  const requestHandler = fakeWire({ SageMaker: sagemaker, AnyScaleFrontendService: cloud.autoscaling });
  const settings = { ...reach('http://fake'), requestHandler };
  const bucket = atOnce<Bucket>(memoryBucket());
  const client = recorded.watch(new SageMakerClient(settings));
  const serving = sageMakerServing({
    sagemaker: client,
    endpoints: sageMakerEndpoints({ sagemaker: client, now: () => clock.now }),
    now: () => clock.now,
    autoscaling: recorded.watch(new ApplicationAutoScalingClient(settings)),
    installation,
    modelRole: 'arn:aws:iam::123456789012:role/serin-model',
    bucket,
    ownBucket: 'serin-own',
    secrets: async (variables) => secretsOf(variables, (name) => options.secret ?? `${planted} of ${name}`),
    ...(options.kmsKey === undefined ? {} : { kmsKey: options.kmsKey }),
  });
  return { clock, cloud, meanwhile, bucket, serving, name: endpointName(installation, 'e') };
}

const deploymentOf = (version: number, more: Partial<Deployment> = {}): Deployment => ({
  name: `v${version}`,
  version,
  artifact: { uri: `s3://models/v${version}/model.tar.gz`, digest: `d${version}`, bytes: 10 },
  image: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/serve:1',
  command: ['python', 'serve.py'],
  environment: {},
  instances: { min: 1, max: 1 },
  compute: { nodes: 1, spot: false },
  readyTimeoutMs: 60_000,
  ...more,
});
/** It starts and never answers its ping: the fake reads it from the image. */
const mute = (version: number) =>
  deploymentOf(version, { image: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/mute:1' });

emulated('SageMaker serving', () => {
  servingContract('sageMakerServing', async () => {
    const { serving, clock } = opened();
    return {
      serving,
      good: (version) => deploymentOf(version),
      broken: mute,
      impossible: (version) =>
        deploymentOf(version, { artifact: { uri: 's3://models/missing/model.tar.gz', digest: 'd', bytes: 1 } }),
      servesAlone: true,
      pause: async () => {
        clock.now += minute / 2;
      },
      close: async () => {},
    };
  });

  type Opened = ReturnType<typeof opened>;
  async function settled({ serving, clock }: Opened): Promise<Observation | 'absent'> {
    for (;;) {
      const seen = await serving.observe('e');
      if (seen === 'absent' || !seen.busy) return seen;
      clock.now += minute / 2;
    }
  }
  async function change(world: Opened, operation: Operation): Promise<Observation | 'absent'> {
    expect(await world.serving.change('e', operation)).toBe('accepted');
    return settled(world);
  }
  const deploy = (deployment: Deployment): Operation => ({ kind: 'deploy', deployment });
  const weigh = (weights: Weights): Operation => ({ kind: 'weigh', weights });
  async function canary(): Promise<Opened> {
    const world = opened();
    await change(world, deploy(deploymentOf(1)));
    await change(world, deploy(deploymentOf(2)));
    return world;
  }

  test('a secret that a model names stands in the variables of its model, and in nothing else that is sent or said', async () => {
    const world = opened();
    const before = recorded.recorded.length;
    const environment = { API_KEY: { secret: 'api-key' }, MODE: 'plain' };

    const seen = await change(world, deploy(deploymentOf(1, { environment })));

    const sent = recorded.recorded
      .slice(before)
      .map(({ operation, input }) => [operation, JSON.stringify(input)] as const);
    expect(sent.filter(([, text]) => text.includes(planted)).map(([operation]) => operation)).toEqual(['CreateModel']);
    expect(sent.find(([operation]) => operation === 'CreateModel')?.[1]).toContain(`"API_KEY":"${planted} of api-key"`);
    expect(JSON.stringify(seen)).not.toContain(planted);
  });

  test('an endpoint captures the share that its last deployment says, whatever is done with it after', async () => {
    const kmsKey = 'arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555';
    const world = opened({ kmsKey });
    const capture = (percent: number) => ({ percent, fields: ['size'], keepMs: 1, atMostBytes: 1 });
    const before = recorded.recorded.length;

    await change(world, deploy(deploymentOf(1)));
    await change(world, deploy(deploymentOf(2, { capture: capture(10) })));
    await change(world, { kind: 'weigh', weights: { v1: 100 }, mirror: { deployment: 'v2', percent: 5 } });
    await change(world, weigh({ v1: 100 }));
    await change(world, { kind: 'retire', deployment: 'v2' });
    await change(world, deploy(deploymentOf(3, { capture: capture(100) })));
    await change(world, deploy(deploymentOf(4)));

    const sent = recorded.recorded
      .slice(before)
      .filter(({ operation }) => operation === 'CreateEndpointConfig')
      .map(({ input }) => (input as { readonly DataCaptureConfig?: DataCaptureConfig }).DataCaptureConfig);
    expect(sent.map((each) => each?.InitialSamplingPercentage)).toEqual([undefined, 10, 10, 10, 10, 100, undefined]);
    expect(sent[1]).toEqual({
      EnableCapture: true,
      InitialSamplingPercentage: 10,
      DestinationS3Uri: 's3://serin-own/captured',
      KmsKeyId: kmsKey,
      CaptureOptions: [{ CaptureMode: 'Input' }, { CaptureMode: 'Output' }],
      CaptureContentTypeHeader: { CsvContentTypes: ['text/csv'], JsonContentTypes: ['application/json'] },
    });
  });

  test('a deployment that is ordered again while its capture changes is the same', async () => {
    const world = opened();
    const capture = { percent: 10, fields: ['size'], keepMs: 1, atMostBytes: 1 };
    await change(world, deploy(deploymentOf(1)));

    expect(await world.serving.change('e', deploy(deploymentOf(1, { capture })))).toBe('accepted');
  });

  test('a secret that a model names, and that is longer than a variable may be, is refused and not told', async () => {
    const world = opened({ secret: planted.repeat(50) });
    const environment = { API_KEY: { secret: 'api-key' } };

    const said = await world.serving
      .change('e', deploy(deploymentOf(1, { environment })))
      .catch((fault: Fault) => fault);

    expect(said).toMatchObject({ code: 'invalid', message: expect.stringContaining('API_KEY') });
    expect(String(said)).not.toContain(planted);
  });

  test('a secret that a model names is not told when SageMaker refuses the model and quotes it', async () => {
    const world = opened();
    world.meanwhile.set('CreateModel', () => {
      throw new Refusal('ValidationException', `Value '{API_KEY=${planted} of api-key}' at 'environment' failed`);
    });
    const environment = { API_KEY: { secret: 'api-key' } };

    const said = await world.serving
      .change('e', deploy(deploymentOf(1, { environment })))
      .catch((fault: Fault) => fault);

    expect(said).toMatchObject({ code: 'invalid', message: expect.stringContaining('{API_KEY=<secret>}') });
    expect(inspect(said, { depth: 10 })).not.toContain(planted);
  });

  type Wish = Parameters<typeof nextOperation>[1];
  const wish = (versions: number[], weights: Record<string, number>, more: Partial<Wish> = {}): Wish => ({
    versions,
    weights,
    extras: 'keep',
    urgent: false,
    needs: versions,
    ...more,
  });
  const nothing = wish([], {}, { extras: 'retire' });

  async function walk(
    { serving, clock }: Opened,
    desired: Wish,
    of: (version: number) => Deployment = (version) => deploymentOf(version),
    limit = 500,
  ): Promise<Observation | 'absent'> {
    for (let steps = 0; steps < limit; steps++) {
      const seen = await serving.observe('e');
      if (isFulfilled(seen, desired)) return seen;
      const isBusy = seen !== 'absent' && seen.busy;
      const operation = isBusy ? undefined : nextOperation(seen, desired, of);
      if (operation !== undefined) await serving.change('e', operation).catch(askedAgain);
      clock.now += minute / 4;
    }
    throw new Error(`never as wished: ${JSON.stringify(desired)}`);
  }

  /** "Later" is asked again, as the engine does. */
  function askedAgain(error: unknown): void {
    if (!(error instanceof Fault) || error.retry !== 'later') throw error;
  }

  describe('an endpoint of SageMaker', () => {
    test('sets no weights for a function that stood still since its order', async () => {
      const world = await canary();
      world.meanwhile.set('DescribeEndpoint', () => {
        world.clock.now += minute;
      });

      const late = world.serving.change('e', weigh({ v1: 90, v2: 10 }));

      await expect(late).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('its order') });
      expect(await world.serving.observe('e')).toMatchObject({ busy: false, weights: { v1: 100 } });
    });

    test('keeps serving by the old weights until a change of weights has ended', async () => {
      const world = await canary();
      await world.serving.change('e', weigh({ v1: 90, v2: 10 }));

      expect(await world.serving.observe('e')).toMatchObject({ busy: true, weights: { v1: 100 } });
      expect(await settled(world)).toMatchObject({ busy: false, weights: { v1: 90, v2: 10 } });
    });

    test('is busy while something of its own is under way, and every change is', async () => {
      const world = await canary();

      for (const status of ['SystemUpdating', 'RollingBack', 'Updating', 'Creating', 'Deleting']) {
        world.cloud.strike(world.name, status);
        expect(await world.serving.observe('e')).toMatchObject({ busy: true });
        for (const operation of [deploy(deploymentOf(3)), weigh({ v2: 100 }), { kind: 'retire', deployment: 'v2' }])
          expect(await world.serving.change('e', operation as Operation)).toBe('busy');
      }
    });

    test('that lost all its instances has failed deployments, no weight, and is made anew by the next deploy', async () => {
      const world = await canary();
      world.cloud.strike(world.name, 'OutOfService', 'no instances');

      const seen = await world.serving.observe('e');
      expect(seen).toMatchObject({ weights: {}, deployments: [{ status: 'failed', reason: 'no instances' }, {}] });
      expect(await world.serving.change('e', deploy(deploymentOf(2)))).toBe('busy');
      expect(await settled(world)).toBe('absent');
      expect(await change(world, deploy(deploymentOf(2)))).toMatchObject({ weights: { v2: 100 } });
    });

    test('whose last update and its rollback failed says so, and can be weighed back', async () => {
      const world = await canary();
      await change(world, weigh({ v1: 50, v2: 50 }));
      world.cloud.strike(world.name, 'UpdateRollbackFailed', 'both failed');

      expect(await world.serving.observe('e')).toMatchObject({
        weights: { v1: 50, v2: 50 },
        revertedByProvider: expect.stringContaining('both failed'),
      });
      expect(await change(world, weigh({ v1: 100 }))).toMatchObject({ weights: { v1: 100 } });
    });
  });

  describe('a deployment that SageMaker took back', () => {
    async function takenBack(): Promise<Opened> {
      const world = opened();
      await change(world, deploy(deploymentOf(1)));
      await change(world, deploy(mute(2)));
      return world;
    }

    test('is failed with the reason of the provider, who is said to have reverted', async () => {
      const { serving } = await takenBack();

      const seen = await serving.observe('e');

      const reason = expect.stringContaining('did not pass the ping health check');
      expect(seen).toMatchObject({
        deployments: [
          { name: 'v1', status: 'ready' },
          { name: 'v2', status: 'failed', reason },
        ],
        weights: { v1: 100 },
        revertedByProvider: expect.stringContaining('v2'),
      });
    });

    test('is forgotten when it is retired, with its model and its config', async () => {
      const world = await takenBack();

      await change(world, { kind: 'retire', deployment: 'v2' });

      const seen = await world.serving.observe('e');
      expect(seen).toMatchObject({ deployments: [{ name: 'v1' }] });
      expect(seen).not.toHaveProperty('revertedByProvider');
      expect([world.cloud.models.size, world.cloud.configs.size]).toEqual([1, 1]);
    });

    test('is not seen any more once another change has succeeded', async () => {
      const world = await takenBack();

      const seen = await change(world, deploy(deploymentOf(3)));

      expect(seen).toMatchObject({ deployments: [{ name: 'v1' }, { name: 'v3' }] });
      expect(seen).not.toHaveProperty('revertedByProvider');
    });

    test('is forgotten when another is deployed, also when that one fails too', async () => {
      const world = await takenBack();

      const seen = await change(world, deploy(mute(3)));
      const left = await change(world, { kind: 'retire', deployment: 'v3' });

      expect(seen).toMatchObject({ deployments: [{ name: 'v1' }, { name: 'v3', status: 'failed' }] });
      expect(left).toEqual({
        deployments: [{ name: 'v1', version: 1, status: 'ready' }],
        weights: { v1: 100 },
        busy: false,
      });
    });

    test('is tried again when it is deployed again', async () => {
      const world = await takenBack();
      const before = world.clock.now;

      const seen = await change(world, deploy(mute(2)));

      expect(world.clock.now).toBeGreaterThan(before);
      expect(seen).toMatchObject({ deployments: [{ name: 'v1' }, { name: 'v2', status: 'failed' }] });
      const other = world.serving.change('e', deploy(deploymentOf(2)));
      await expect(other).rejects.toMatchObject({ code: 'defect' });
    });

    test('is none where a mirror was taken back: all are ready, and the provider is said to have reverted', async () => {
      const world = await canary();
      world.cloud.failNext('no capacity for the shadow variant');

      const mirror = { deployment: 'v2', percent: 20 };
      const seen = await change(world, { kind: 'weigh', weights: { v1: 100 }, mirror });
      const left = await change(world, { kind: 'retire', deployment: 'v2' });

      expect(seen).toMatchObject({
        deployments: [{ status: 'ready' }, { status: 'ready' }],
        revertedByProvider: expect.stringContaining('no capacity'),
      });
      expect(seen).not.toHaveProperty('mirror');
      expect(left).not.toHaveProperty('revertedByProvider');
    });

    test('is not a config that another change left behind without a try', async () => {
      const world = await canary();
      const raced = world.serving.change('e', deploy(deploymentOf(3)));
      const other = world.serving.change('e', { kind: 'retire', deployment: 'v2' });

      const answers = await Promise.all([raced, other]);
      await settled(world);
      world.clock.now += minute;
      await change(world, weigh({ v1: 100 }));

      expect(answers.toSorted()).toEqual(['accepted', 'busy']);
      expect(await world.serving.observe('e')).not.toHaveProperty('revertedByProvider');
    });

    test('is not one that could not be tried because the load changed the instances at that moment', async () => {
      const world = await canary();
      world.meanwhile.set('UpdateEndpoint', () => {
        const DesiredWeightsAndCapacities = [{ VariantName: 'v1', DesiredInstanceCount: 3 }];
        world.cloud.sagemaker.UpdateEndpointWeightsAndCapacities({
          EndpointName: world.name,
          DesiredWeightsAndCapacities,
        });
      });

      world.clock.now += minute;
      const answer = await world.serving.change('e', deploy(deploymentOf(3)));
      const seen = await settled(world);

      expect(answer).toBe('busy');
      expect(seen).toMatchObject({ deployments: [{ name: 'v1' }, { name: 'v2' }] });
      expect(seen).not.toHaveProperty('revertedByProvider');
    });

    test('is not one that another writer is trying: what was made for it stays', async () => {
      const world = await canary();
      world.meanwhile.set('UpdateEndpoint', () => {
        const mine = [...world.cloud.configs.keys()].at(-1) ?? '';
        world.cloud.sagemaker.UpdateEndpoint({ EndpointName: world.name, EndpointConfigName: mine });
      });

      expect(await world.serving.change('e', deploy(deploymentOf(3)))).toBe('busy');

      expect(await settled(world)).toMatchObject({ deployments: [{ name: 'v1' }, { name: 'v2' }, { name: 'v3' }] });
    });

    test('is not one of an earlier life of the endpoint', async () => {
      const world = await takenBack();
      await change(world, weigh({}));
      world.clock.now += minute;

      const seen = await change(world, deploy(deploymentOf(1)));

      expect(seen).toEqual({
        deployments: [{ name: 'v1', version: 1, status: 'ready' }],
        weights: { v1: 100 },
        busy: false,
      });
    });
  });

  describe('a config', () => {
    test('that cannot be found yet is tried again later, and no second one is made', async () => {
      const world = opened({ configLagMs: 2000 });

      const early = world.serving.change('e', deploy(deploymentOf(1)));
      await expect(early).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
      world.clock.now += 2000;

      expect(await change(world, deploy(deploymentOf(1)))).toMatchObject({ weights: { v1: 100 } });
      expect(world.cloud.configs.size).toBe(1);
    });

    test('of long ago and its models are deleted, those in use are not', async () => {
      const world = await canary();
      await change(world, weigh({ v2: 100 }));
      await change(world, { kind: 'retire', deployment: 'v1' });
      await change(world, deploy(deploymentOf(3)));
      await change(world, weigh({ v3: 100 }));
      await change(world, { kind: 'retire', deployment: 'v2' });
      await change(world, deploy(deploymentOf(4)));

      const versions = [...world.cloud.models.values()].map(({ PrimaryContainer }) => PrimaryContainer?.Environment);
      expect(versions.map((environment) => environment?.SERIN_DEPLOYMENT)).toEqual(['v3', 'v4']);
      expect(world.cloud.configs.size).toBeLessThanOrEqual(2);
    });

    test.each([
      ['a machine without local disks', undefined, 'alias/serin'],
      ['a machine that encrypts its local disks itself', { type: 'T4', count: 1 }, undefined],
    ])('on %s has the key that SageMaker takes', async (_, accelerator, expected) => {
      const world = opened({ kmsKey: 'alias/serin' });
      const compute = { nodes: 1, spot: false, ...(accelerator === undefined ? {} : { accelerator }) };

      await change(world, deploy(deploymentOf(1, { compute })));

      const [config] = world.cloud.configs.values();
      expect(config?.input.KmsKeyId).toBe(expected);
    });
  });

  describe('the instances of a deployment', () => {
    const scaled = (version: number) => deploymentOf(version, { instances: { min: 2, max: 5 } });

    test('follow the load once it is in service, and are let go before it leaves', async () => {
      const world = opened();
      await change(world, deploy(scaled(1)));
      await change(world, deploy(deploymentOf(2)));

      const registered = [...world.cloud.targets];
      await change(world, weigh({ v2: 100 }));
      const left = await change(world, { kind: 'retire', deployment: 'v1' });

      expect(registered).toEqual([
        [
          `endpoint/${world.name}/variant/v1`,
          { MinCapacity: 2, MaxCapacity: 5, policies: new Set(['serin-invocations']) },
        ],
      ]);
      expect(left).toMatchObject({ deployments: [{ name: 'v2' }] });
      expect(world.cloud.targets.size).toBe(0);
    });

    test('stay as many as the load has made them when another is deployed', async () => {
      const world = opened();
      await change(world, deploy(scaled(1)));
      world.cloud.scale(world.name, 'v1', 4);

      await world.serving.change('e', deploy(deploymentOf(2)));
      world.cloud.scale(world.name, 'v1', 5);
      await settled(world);

      expect(world.cloud.endpointOf(world.name).production).toMatchObject([
        { name: 'v1', count: 5, weight: 100 },
        { name: 'v2', count: 1, weight: 0 },
      ]);
    });
  });

  describe('a deployment', () => {
    test.each<[string, string, Partial<Deployment>]>([
      ['has no image', 'serve.image', { image: '' }],
      ['has its model outside of S3', 'file:///m', { artifact: { uri: 'file:///m', digest: 'd', bytes: 1 } }],
      ['wants no instance at all', 'at least one', { instances: { min: 0, max: 1 } }],
      ['wants spot machines', 'spot', { compute: { nodes: 1, spot: true } }],
      [
        'wants an accelerator that AWS has not',
        'X1',
        { compute: { nodes: 1, spot: false, accelerator: { type: 'X1', count: 1 } } },
      ],
    ])('that %s is refused in words and nothing is made', async (_, word, more) => {
      const { serving, cloud } = opened();

      const deploying = serving.change('e', deploy(deploymentOf(1, more)));

      await expect(deploying).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining(word) });
      expect([cloud.models.size, cloud.configs.size]).toEqual([0, 0]);
    });

    test('brings its code beside its model, with its command', async () => {
      const world = opened();
      const digest = await storeCode({ 'serve.py': 'print(1)' }, (_, key, text) =>
        world.bucket.write(key, Buffer.from(text)),
      );

      await change(world, deploy(deploymentOf(1, { code: { digest } })));

      const [model] = world.cloud.models.values();
      expect(model?.PrimaryContainer).toMatchObject({
        ModelDataSource: { S3DataSource: { S3Uri: 's3://models/v1/model.tar.gz', CompressionType: 'Gzip' } },
        AdditionalModelDataSources: [
          { ChannelName: 'code', S3DataSource: { S3Uri: `s3://serin-own/${archiveKey(digest, toolkitStart)}` } },
        ],
        Environment: { SERIN_COMMAND: '["python","serve.py"]', SAGEMAKER_PROGRAM: 'serve.py' },
      });
    });

    test('gets a machine that SageMaker hosts', () => {
      const hosted = modelOf('sagemaker').shapes.ProductionVariantInstanceType?.enum ?? [];

      for (const type of ['T4', 'A10G', 'L4', 'A100', 'H100'])
        for (const count of [1, 4, 8]) {
          const machine = nameOrNone(type, count);
          if (machine !== undefined) expect(hosted).toContain(machine);
        }
      expect(hosted).toContain(instanceTypeFor(instanceTypes, 'serve').name);
    });
  });

  describe('a mirror', () => {
    test('takes away what neither serves nor mirrors, for SageMaker mirrors between two', async () => {
      const world = await canary();
      await change(world, deploy(deploymentOf(3)));

      const seen = await change(world, {
        kind: 'weigh',
        weights: { v1: 100 },
        mirror: { deployment: 'v3', percent: 20 },
      });

      expect(seen).toMatchObject({
        deployments: [{ name: 'v1' }, { name: 'v3', status: 'ready' }],
        mirror: { deployment: 'v3', percent: 20 },
      });
      const another = world.serving.change('e', deploy(deploymentOf(4)));
      await expect(another).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('v3') });
    });

    test('beside a split is refused in words', async () => {
      const world = await canary();
      await change(world, deploy(deploymentOf(3)));

      const mirroring = world.serving.change('e', {
        kind: 'weigh',
        weights: { v1: 50, v2: 50 },
        mirror: { deployment: 'v3', percent: 20 },
      });

      await expect(mirroring).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('one') });
    });
  });

  describe('every wish of the core', () => {
    test('is fulfilled one after the other, from nothing to nothing', async () => {
      const world = opened();
      const mirror = { version: 2, percent: 20 };

      for (const desired of [
        wish([1], { 1: 100 }),
        wish([1, 2], { 1: 100 }),
        wish([1, 2], { 1: 100 }, { mirror }),
        wish([1, 2], { 1: 95, 2: 5 }),
        wish([1, 2], { 1: 50, 2: 50 }),
        wish([1], { 1: 100 }, { urgent: true }),
        wish([1], { 1: 100 }, { extras: 'retire' }),
        wish([1, 2], { 2: 100 }),
        wish([2], { 2: 100 }, { extras: 'retire' }),
        wish([2, 3], { 2: 100 }, { mirror: { version: 3, percent: 100 } }),
        wish([3], { 3: 100 }, { extras: 'retire' }),
        nothing,
        wish([3], { 3: 100 }),
        nothing,
      ])
        await walk(world, desired);

      expect(await world.serving.observe('e')).toBe('absent');
      expect(world.cloud.targets.size).toBe(0);
    });

    test('comes true when a first version that failed is replaced by a good one', async () => {
      const world = opened();
      await change(world, deploy(mute(1)));

      const seen = await walk(world, wish([2], { 2: 100 }, { extras: 'retire' }));

      expect(seen).toMatchObject({ deployments: [{ name: 'v2', status: 'ready' }], weights: { v2: 100 } });
    });
  });

  test.each(Array.from({ length: 8 }, (_, seed) => seed + 1))(
    'whatever fails and comes between, the core brings an endpoint to its wish (walk %i)',
    async (seed) => {
      const random = seeded(seed);
      const world = opened({ configLagMs: 20_000 });
      const broken = new Set<number>();
      const of = (version: number) => (broken.has(version) ? mute(version) : deploymentOf(version));
      let champion = 1;
      await walk(world, wish([champion], { [champion]: 100 }), of);

      for (let version = 2; version < 8; version++) {
        if (random() < 40) broken.add(version);
        if (random() < 30)
          world.meanwhile.set('UpdateEndpoint', () =>
            world.cloud.sagemaker.UpdateEndpointWeightsAndCapacities({
              EndpointName: world.name,
              DesiredWeightsAndCapacities: [{ VariantName: `v${champion}`, DesiredInstanceCount: 2 }],
            }),
          );
        const share = 1 + (random() % 99);
        const mirror = random() < 50 ? { mirror: { version, percent: share } } : {};
        const both = [champion, version];
        if (broken.has(version)) {
          await expect(walk(world, wish(both, { [champion]: 100 }, mirror), of, 60)).rejects.toThrow('never');
          world.clock.now += 10 * minute;
        } else {
          await walk(world, wish(both, { [champion]: 100 }, mirror), of);
          await walk(world, wish(both, { [champion]: 100 - share, [version]: share }), of);
          if (random() < 50) champion = version;
        }
        const seen = await walk(world, wish([champion], { [champion]: 100 }, { extras: 'retire' }), of);
        expect(seen).toMatchObject({ deployments: [{ name: `v${champion}`, status: 'ready' }] });
        expect(seen).not.toHaveProperty('revertedByProvider');
      }

      await walk(world, nothing, of);
      expect(await world.serving.observe('e')).toBe('absent');
    },
  );

  describe('with moto for SageMaker, which others wrote', () => {
    // It has no UpdateEndpoint, and every operation ends at once.
    let moto: Awaited<ReturnType<typeof startMoto>>;
    beforeAll(async () => {
      moto = await startMoto();
    });
    afterAll(() => moto?.stop());

    test('an endpoint is made, seen, weighed and deleted', async () => {
      const sagemaker = recorded.watch(new SageMakerClient(reach(moto.url)));
      const serving = sageMakerServing({
        sagemaker,
        endpoints: sageMakerEndpoints({ sagemaker, now: Date.now }),
        now: Date.now,
        autoscaling: recorded.watch(new ApplicationAutoScalingClient(reach(moto.url))),
        installation,
        modelRole: 'arn:aws:iam::123456789012:role/serin-model',
        bucket: atOnce<Bucket>(memoryBucket()),
        ownBucket: 'serin-own',
        secrets: async () => ({}),
      });

      const capture = { percent: 10, fields: ['size'], keepMs: 1, atMostBytes: 1 };
      const first = deploy(deploymentOf(1, { instances: { min: 1, max: 3 }, capture }));

      const answers = [
        await serving.observe('e'),
        await serving.change('e', first),
        await serving.observe('e'),
        await serving.change('e', weigh({ v1: 100 })),
        await serving.change('e', first),
      ];
      const EndpointName = endpointName(installation, 'e');
      const { DataCaptureConfig: captures } = await sagemaker.send(new DescribeEndpointCommand({ EndpointName }));
      answers.push(await serving.change('e', weigh({})), await serving.observe('e'));

      const ready = {
        deployments: [{ name: 'v1', version: 1, status: 'ready' }],
        weights: { v1: 100 },
        busy: false,
      };
      expect(answers).toEqual(['absent', 'accepted', ready, 'accepted', 'accepted', 'accepted', 'absent']);
      expect(captures).toMatchObject({ EnableCapture: true, DestinationS3Uri: 's3://serin-own/captured' });
    });
  });

  test('concurrent changes of any kind leave an endpoint that can be brought to any wish', async () => {
    const world = await canary();
    const tries: Operation[] = [
      deploy(deploymentOf(3)),
      weigh({ v1: 10, v2: 90 }),
      { kind: 'weigh', weights: { v1: 100 }, mirror: { deployment: 'v2', percent: 5 } },
      { kind: 'retire', deployment: 'v2' },
      deploy(deploymentOf(3)),
    ];

    const answers = await Promise.all(tries.map((operation) => world.serving.change('e', operation)));

    expect(answers.filter((answer) => answer === 'accepted')).toHaveLength(1);
    await settled(world);
    expect(await change(world, weigh({ v1: 100 }))).toMatchObject({ weights: { v1: 100 } });
  });
});

describe('weights', () => {
  test('that were set as integers come back as they are, and thirds sum to 100', () => {
    for (let weight = 0; weight <= 100; weight++) {
      const expected = Object.fromEntries(
        Object.entries({ v1: weight, v2: 100 - weight }).filter(([, share]) => share),
      );
      expect(percentages({ v1: weight, v2: 100 - weight })).toEqual(expected);
      // A variant weight is a float of 32 bits.
      expect(percentages({ v1: Math.fround(weight / 100), v2: Math.fround(1 - weight / 100) })).toEqual(expected);
    }
    expect(percentages({ a: 1, b: 1, c: 1 })).toEqual({ a: 34, b: 33, c: 33 });
    expect(percentages({ a: 0 })).toEqual({});
  });
});

function nameOrNone(type: string, count: number): string | undefined {
  try {
    return instanceTypeFor(instanceTypes, 'serve', { type, count }).name;
  } catch {
    return undefined;
  }
}
