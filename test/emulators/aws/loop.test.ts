import {
  DescribeModelPackageCommand,
  ListModelPackageGroupsCommand,
  ListModelPackagesCommand,
} from '@aws-sdk/client-sagemaker';
import { standardSigned } from '@serin/api/signatures';
import { endpointName } from '@serin/aws/names';
import { compile, parseConfig } from '@serin/core/config/config';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { receiver } from '../../contract/receiver.ts';
import { emulated } from '../emulated.ts';
import { type Labour, labour } from './loop-labour.ts';
import { installation, type Loop, openLoop, sqsEvent } from './loop-world.ts';
import { storeCode } from './stored.ts';

const image =
  '123456789012.dkr.ecr.eu-west-1.amazonaws.com/prices@sha256:4dc8a7e4a010a19bb9e0a6b063f355393f6e623603361bd8b105f554d4f0c004';

const config = {
  project: installation.project,
  environment: installation.environment,
  models: {
    prices: {
      data: { bucket: 'drops', prefix: 'prices/', settle: { quiet: '1m' } },
      split: { holdout: { by: 'rows', share: '20%' } },
      train: {
        code: './src',
        command: ['python', 'train.py'],
        image,
        hyperparameters: { epochs: 3 },
        environment: { API_KEY: { secret: 'api-key' }, MODE: 'plain' },
      },
      evaluate: { command: ['python', 'evaluate.py'], image, environment: { API_KEY: { secret: 'api-key' } } },
      gate: { mape: { direction: 'down', noWorseBy: 0.01 } },
      serve: { command: ['serve'], image, environment: { MODEL_KEY: { secret: 'model-key' } } },
      rollout: { strategy: 'canary', steps: [10, 50], bake: '5m', guard: '5m', readyWithin: '30m', warmUp: 0 },
    },
  },
} as const;

/** Planted where a secret is; found in what starts a program, and nowhere else. */
const canaries = { 'api-key': 'canary-c0ffee-of-the-jobs', 'model-key': 'canary-decaf-of-the-model' };

emulated('the whole loop on AWS', () => {
  let loop: Loop;
  let work: Labour;
  let digests: ReadonlyMap<string, string>;
  beforeEach(async () => {
    loop = await openLoop();
    work = labour(loop);
    for (const [name, text] of Object.entries(canaries)) await loop.putSecret(name, text);
    const digest = await storeCode({ 'train.py': 'print(1)', 'evaluate.py': 'print(2)' }, (_, key, text) =>
      loop.put(loop.names.own, key, text),
    );
    const splitter = await storeCode({ 'split.mjs': '' }, (_, key, text) => loop.put(loop.names.own, key, text));
    digests = new Map([
      ['./src', digest],
      ['builtin:splitter', splitter],
    ]);
    await release(config);
  });
  afterEach(async () => {
    const { violations } = loop.provider;
    await loop.close();
    expect([violations, loop.roles.refused()]).toEqual([[], []]);
  });

  async function release(written: object): Promise<void> {
    const parsed = parseConfig(written);
    if (!('parsed' in parsed)) throw new Error(JSON.stringify(parsed.problems));
    const released = await loop.call('POST', '/v1/releases', { config: compile(parsed.parsed, digests, 'aws') });
    expect(released).toMatchObject({ status: 202 });
    await loop.pump();
  }

  const model = async () => (await loop.call('GET', '/v1/models/prices')).body;

  const ended = async (id: string) => (await loop.call('GET', `/v1/rollouts/${id}`)).body;

  /** New data: an object, and what S3 tells through EventBridge. */
  async function drop(name: string, mape: number): Promise<void> {
    work.nextMape = mape;
    const key = `prices/${name} of 2026+27.csv`;
    await loop.put('drops', key, `price\n${name}\n`);
    await loop.send(objectCreated('drops', key));
    await loop.pump();
  }

  /** Minutes pass, with traffic and with jobs that come to their end, until it is so. */
  async function until(
    isSo: (seen: Awaited<ReturnType<typeof model>>) => boolean,
    minutes = 240,
  ): Promise<Awaited<ReturnType<typeof model>>> {
    for (let passed = 0; passed < minutes; passed += 1) {
      await work.minute();
      const seen = await model();
      if (isSo(seen)) return seen;
    }
    throw new Error(`not so after ${minutes} minutes: ${summary(await model())}`);
  }

  async function expectSecretsInRequestsOnly(): Promise<void> {
    const has = (text: string, of: keyof typeof canaries) => text.includes(canaries[of]);
    const started = (of: keyof typeof canaries) => [
      ...new Set(
        loop.provider.calls
          .filter(({ input }) => has(JSON.stringify(input), of))
          .flatMap(({ operation, input: { Environment, PrimaryContainer, ...rest } }) => [
            operation,
            ...(has(JSON.stringify(rest), of) ? ['beside the variables'] : []),
          ]),
      ),
    ];
    const written = await loop.written();

    expect(started('api-key').toSorted()).toEqual(['sagemaker:CreateProcessingJob', 'sagemaker:CreateTrainingJob']);
    expect(started('model-key')).toEqual(['sagemaker:CreateModel']);
    for (const place of [/^starts\//, /^configs\//, /^the table/, /PutEvents/, /^the log/])
      expect([place, written.some(([where]) => place.test(where))]).toEqual([place, true]);
    expect(written.filter(([, text]) => has(text, 'api-key') || has(text, 'model-key'))).toEqual([]);
  }

  test('a secret that is not there fails the run with the command that creates it, and pays for no training', async () => {
    const { prices } = config.models;
    const train = { ...prices.train, environment: { API_KEY: { secret: 'other-key' } } };
    await release({ ...config, models: { prices: { ...prices, train } } });

    await drop('first', 0.1);
    const failed = await until((seen) => seen.run?.status === 'failed');
    const run = (await loop.call('GET', `/v1/runs/${failed.run.id}`)).body;

    expect(run.because).toContain("there is no secret 'other-key'; create it with `aws ssm put-parameter");
    expect(run.because).toContain('--name /serin/shop/prod/programs/other-key');
    expect(loop.provider.calls.map(({ operation }) => operation)).not.toContain('sagemaker:CreateTrainingJob');
  }, 300_000);

  test('objects become a model that serves, a better one takes over step by step, and an alarm takes a bad one back', async () => {
    await drop('first', 0.1);
    await until(({ champion, endpoint }) => champion === 1 && endpoint.status === 'converged');

    expect(await loop.serving('prices')).toEqual({ status: 'InService', weights: { v1: 100 } });

    await drop('second', 0.09);
    const shares = new Set<number | undefined>();
    await until(({ champion, endpoint }) => {
      shares.add(endpoint.weights.v2);
      return champion === 2 && endpoint.status === 'converged';
    });

    expect([...shares]).toEqual(expect.arrayContaining([10, 50, 100]));
    expect(await loop.serving('prices')).toEqual({ status: 'InService', weights: { v2: 100 } });

    await drop('third', 0.09);
    await until(({ endpoint }) => endpoint.weights.v3 === 10);
    await loop.send(alarm(endpointName(installation, 'prices'), loop.now()));
    await loop.pump();
    const after = await until(
      ({ rollout, endpoint }) => rollout?.status === 'rolledBack' && endpoint.status === 'converged',
    );

    expect(after.champion).toBe(2);
    expect(await ended(after.rollout.id)).toMatchObject({
      candidate: 3,
      because: expect.stringContaining('alert from cloudwatch'),
    });
    expect(await loop.serving('prices')).toEqual({ status: 'InService', weights: { v2: 100 } });
    const { ModelPackageGroupSummaryList: groups = [] } = await loop.sagemaker.send(
      new ListModelPackageGroupsCommand({}),
    );
    const { ModelPackageSummaryList: packages = [] } = await loop.sagemaker.send(
      new ListModelPackagesCommand({ ModelPackageGroupName: groups[0]?.ModelPackageGroupName }),
    );
    expect(packages).toHaveLength(3);
    const described = await loop.sagemaker.send(
      new DescribeModelPackageCommand({ ModelPackageName: packages[0]?.ModelPackageArn }),
    );
    expect(described.ModelApprovalStatus).toBe('Approved');
    const paid = loop.provider.calls.filter(({ operation }) => operation === 'sagemaker:CreateTrainingJob');
    expect(new Set(paid.map(({ input }) => input.TrainingJobName)).size).toBe(3);
    // Each of them is held against the role of its function when the loop is closed.
    expect(await loop.call('GET', '/v1/models/prices/datasets')).toMatchObject({ status: 200 });
    expect(loop.roles.done()).toEqual(
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
    await expectSecretsInRequestsOnly();
  }, 300_000);

  test.each([
    { share: 0.5, by: '5xx' },
    { share: 0.5, by: 'none' },
    { share: 1, by: 'none' },
  ] as const)(
    'a version whose requests fail is rolled back by the evidence of CloudWatch alone: $by, of $share',
    async ({ share, by }) => {
      await drop('first', 0.1);
      await until(({ champion, endpoint }) => champion === 1 && endpoint.status === 'converged');
      work.failing = { variant: 'v2', share, by };

      await drop('second', 0.09);
      const after = await until(
        ({ rollout, endpoint }) => rollout?.status === 'rolledBack' && endpoint.status === 'converged',
      );

      expect(after.champion).toBe(1);
      expect(await ended(after.rollout.id)).toMatchObject({
        candidate: 2,
        because: expect.stringMatching(/failed requests came from the candidate's|requests to the candidate failed/),
      });
      expect(await loop.serving('prices')).toEqual({ status: 'InService', weights: { v1: 100 } });
    },
    300_000,
  );

  test('what happens reaches a webhook over HTTP, signed with the secret of that name', async () => {
    const { host, heard } = await receiver();
    await loop.putSecret('hooks', 'whsec_c2lnbmluZy1rZXktb2YtYS10ZXN0');
    const webhook = { url: `http://${host}/hook`, secret: { secret: 'hooks' } };
    await release({ ...config, notify: [{ webhook, allowPrivate: [host] }] });

    await drop('first', 0.2);
    await until(({ champion, rollout }) => champion === 1 && rollout?.status === 'promoted', 60);
    await work.minute();

    const types = heard.map(({ body }) => JSON.parse(body).type);
    expect(types[0]).toBe('dev.serin.dataset.settled.v1');
    expect(types.at(-1)).toBe('dev.serin.rollout.promoted.v1');
    expect(new Set(heard.map(({ headers }) => headers['webhook-id'])).size).toBe(heard.length);
    for (const { headers, body } of heard) {
      const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = headers;
      const message = { id: String(id), timestamp: String(timestamp), body: Buffer.from(body) };
      expect(await standardSigned(['whsec_c2lnbmluZy1rZXktb2YtYS10ZXN0'], message, String(signature))).toBe(true);
    }
    expect((await loop.written()).filter(([, text]) => text.includes('c2lnbmluZy1rZXktb2YtYS10ZXN0'))).toEqual([]);
  }, 120_000);

  test('a poison message is a dead letter alone, and a message that nobody could take is one in the end', async () => {
    const again = await loop.handlers.signals(
      sqsEvent([
        { id: 'poison', body: '{"Records": [{"eventSource": "aws:s3"}]}' },
        {
          id: 'foreign',
          body: '{"source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification", "detail": {}}',
        },
        { id: 'good', body: JSON.stringify(objectCreated('drops', 'prices/a.csv')) },
      ]),
      { getRemainingTimeInMillis: () => 120_000 } as never,
    );
    const drained = await loop.handlers.deadLetters(sqsEvent([{ id: 'given-up', body: '{"whatever": 1}' }]));

    expect(again.batchItemFailures).toEqual([]);
    expect(drained.batchItemFailures).toEqual([]);
    const { deadLetters } = (await loop.call('GET', '/v1/dead-letters')).body;
    expect(deadLetters.map(({ id }: { id: string }) => id).sort()).toEqual(['given-up', 'poison']);
    expect((await model()).intake.status).toBe('settling');
  }, 60_000);
});

const summary = ({
  champion,
  run,
  rollout,
  endpoint,
  intake,
  versions,
}: Awaited<ReturnType<Loop['call']>>['body']): string =>
  JSON.stringify(
    {
      champion,
      run: [run?.status, run?.because],
      rollout: [rollout?.status, rollout?.candidate, rollout?.because, rollout?.story],
      endpoint,
      intake,
      versions: Object.keys(versions ?? {}),
    },
    null,
    1,
  ).slice(0, 3500);

// The shapes: cloud-facts.md 1.A.2 and 1.A.5; EventBridge does not encode keys.
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
