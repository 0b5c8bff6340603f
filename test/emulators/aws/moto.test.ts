import {
  ApplicationAutoScalingClient,
  DescribeScalableTargetsCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { CloudWatchClient, GetMetricDataCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  CreateModelPackageCommand,
  CreateModelPackageGroupCommand,
  CreateTrainingJobCommand,
  DeleteEndpointCommand,
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  DescribeModelPackageCommand,
  DescribeTrainingJobCommand,
  ListEndpointConfigsCommand,
  ListModelPackagesCommand,
  SageMakerClient,
  StopTrainingJobCommand,
  UpdateEndpointCommand,
  UpdateEndpointWeightsAndCapacitiesCommand,
  UpdateModelPackageCommand,
} from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { emulated } from '../emulated.ts';
import { startMoto } from '../installed.ts';
import { reach, recorder } from './clients.ts';

const roleArn = 'arn:aws:iam::123456789012:role/sm-train';
const image = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/churn:1';

const calls = recorder({ suite: 'moto', against: 'moto' });
let moto: Awaited<ReturnType<typeof startMoto>>;
let clients: ReturnType<typeof clientsAt>;

const clientsAt = (url: string) => ({
  sagemaker: calls.watch(new SageMakerClient(reach(url))),
  cloudWatch: calls.watch(new CloudWatchClient(reach(url))),
  s3: calls.watch(new S3Client(reach(url))),
  scaling: calls.watch(new ApplicationAutoScalingClient(reach(url))),
});

// What a name answers to beside this suite: README.md. A row that changes here changes there.
emulated('moto', () => {
  beforeAll(async () => {
    moto = await startMoto();
    clients = clientsAt(moto.url);
  });
  beforeEach(() => moto.reset());
  afterAll(async () => {
    await moto?.stop();
    calls.save();
  });

  describe('is what our suites rely on', () => {
    test('an object is created once: the second with If-None-Match is refused, also by parts', async () => {
      const { s3 } = clients;
      const object = { Bucket: 'drops', Key: 'a b/ü+1' };
      await openBucket();
      await s3.send(new PutObjectCommand({ ...object, Body: 'one', IfNoneMatch: '*' }));

      const { UploadId } = await s3.send(new CreateMultipartUploadCommand(object));
      const { ETag } = await s3.send(new UploadPartCommand({ ...object, UploadId, PartNumber: 1, Body: 'three' }));

      const again = await Promise.allSettled([
        s3.send(new PutObjectCommand({ ...object, Body: 'two', IfNoneMatch: '*' })),
        s3.send(
          new CompleteMultipartUploadCommand({
            ...object,
            UploadId,
            MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
            IfNoneMatch: '*',
          }),
        ),
      ]);

      const refused = {
        status: 'rejected',
        reason: { name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } },
      };
      expect(again).toMatchObject([refused, refused]);
    });

    test('an object of which a version was read before is read by that version for ever', async () => {
      const { s3 } = clients;
      const object = { Bucket: 'drops', Key: 'day.csv' };
      await openBucket();
      const { VersionId } = await s3.send(new PutObjectCommand({ ...object, Body: 'one' }));
      await s3.send(new PutObjectCommand({ ...object, Body: 'two' }));
      await s3.send(new DeleteObjectCommand(object));

      const old = await s3.send(new GetObjectCommand({ ...object, VersionId }));
      const versions = await s3.send(new ListObjectVersionsCommand({ Bucket: 'drops' }));

      expect(await old.Body?.transformToString()).toBe('one');
      expect(versions.Versions).toHaveLength(2);
      expect(versions.DeleteMarkers).toHaveLength(1);
      await expect(s3.send(new GetObjectCommand(object))).rejects.toMatchObject({ name: 'NoSuchKey' });
      await expect(s3.send(new HeadObjectCommand(object))).rejects.toMatchObject({ name: 'NotFound' });
    });

    test('model versions count from 1 in their group, and are listed newest first, by page', async () => {
      const { sagemaker } = clients;
      await openGroup();
      for (const run of ['r1', 'r2', 'r3']) await sagemaker.send(aPackage(run));
      const query = { ModelPackageGroupName: 'churn', SortBy: 'CreationTime', SortOrder: 'Descending' } as const;

      const first = await sagemaker.send(new ListModelPackagesCommand({ ...query, MaxResults: 2 }));
      const { NextToken } = first;
      const second = await sagemaker.send(new ListModelPackagesCommand({ ...query, MaxResults: 2, NextToken }));

      const versions = [first, second].map((page) =>
        page.ModelPackageSummaryList?.map((one) => one.ModelPackageVersion),
      );
      expect(versions).toEqual([[3, 2], [1]]);
      expect(second.NextToken).toBeUndefined();
    });

    test('an approval is kept with its words', async () => {
      const { sagemaker } = clients;
      await openGroup();
      const { ModelPackageArn } = await sagemaker.send(aPackage('r1'));

      await sagemaker.send(
        new UpdateModelPackageCommand({
          ModelPackageArn,
          ModelApprovalStatus: 'Approved',
          ApprovalDescription: 'gate passed',
        }),
      );

      const found = await sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: ModelPackageArn }));
      expect(found).toMatchObject({ ModelApprovalStatus: 'Approved', ApprovalDescription: 'gate passed' });
    });

    test.each([
      ['a training job', () => new DescribeTrainingJobCommand({ TrainingJobName: 'nope' })],
      ['an endpoint', () => new DescribeEndpointCommand({ EndpointName: 'nope' })],
      ['an endpoint that is to go', () => new DeleteEndpointCommand({ EndpointName: 'nope' })],
      ['an endpoint config', () => new DescribeEndpointConfigCommand({ EndpointConfigName: 'nope' })],
    ] as const)('%s that is not there is a ValidationException that says so', async (_what, command) => {
      // The clients' commands are a union that no `send` takes as one.
      const asking = clients.sagemaker.send(command() as DescribeEndpointCommand);

      await expect(asking).rejects.toMatchObject({
        name: 'ValidationException',
        message: expect.stringMatching(/^Could not find .*nope'\.$/),
      });
    });

    test('the configs of an endpoint are found by the beginning of their names', async () => {
      await openEndpoint();

      const { EndpointConfigs } = await clients.sagemaker.send(
        new ListEndpointConfigsCommand({ NameContains: 'churn-' }),
      );

      expect(EndpointConfigs?.map((config) => config.EndpointConfigName)).toEqual(['churn-cfg']);
    });

    test('sums of a minute come back by minute, and a minute without traffic not at all', async () => {
      const at = await writeMetrics();

      const { MetricDataResults } = await clients.cloudWatch.send(metricData(at, ['Sum', 'SampleCount']));

      expect(MetricDataResults?.map(({ Values }) => Values)).toEqual([[3_000], [2]]);
      expect(MetricDataResults?.[0]?.Timestamps).toEqual([at]);
    });

    test('a scalable target that is registered again has the new limits', async () => {
      const { scaling } = clients;
      await scaling.send(scalable(4));

      await scaling.send(scalable(6));

      const { ScalableTargets } = await scaling.send(
        new DescribeScalableTargetsCommand({ ServiceNamespace: 'sagemaker', ResourceIds: [resourceId] }),
      );
      expect(ScalableTargets?.map(({ MaxCapacity }) => MaxCapacity)).toEqual([6]);
    });
  });

  // Each of these failing is good news: moto has learnt it, and a fake of ours may go.
  describe('is not AWS, so a fake stands in', () => {
    test.each([
      ['StopTrainingJob', () => new StopTrainingJobCommand({ TrainingJobName: 'churn' })],
      ['UpdateEndpoint', () => new UpdateEndpointCommand({ EndpointName: 'churn', EndpointConfigName: 'churn-cfg' })],
    ] as const)('%s is not there', async (_name, command) => {
      await openEndpoint();

      const calling = clients.sagemaker.send(command() as UpdateEndpointCommand);

      await expect(calling).rejects.toMatchObject({ name: 'SyntaxError', $metadata: { httpStatusCode: 500 } });
    });

    test('a name that is taken is taken over: a training job is started twice, and is done at once', async () => {
      const { sagemaker } = clients;
      await sagemaker.send(aTrainingJob('s3://acme-ml-models/one/'));

      await sagemaker.send(aTrainingJob('s3://acme-ml-models/two/'));

      const found = await sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: 'churn-1' }));
      expect(found).toMatchObject({
        TrainingJobStatus: 'Completed',
        OutputDataConfig: { S3OutputPath: 's3://acme-ml-models/two/' },
      });
    });

    test('a client token is not heeded: the same model version is registered twice', async () => {
      const { sagemaker } = clients;
      await openGroup();

      const first = await sagemaker.send(aPackage('r1'));
      const second = await sagemaker.send(aPackage('r1'));

      expect(second.ModelPackageArn).not.toBe(first.ModelPackageArn);
    });

    test('an update of a model version wipes what it does not name', async () => {
      const { sagemaker } = clients;
      await openGroup();
      const { ModelPackageArn } = await sagemaker.send(aPackage('r1'));

      await sagemaker.send(new UpdateModelPackageCommand({ ModelPackageArn, ApprovalDescription: 'seen' }));

      const found = await sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: ModelPackageArn }));
      expect(found.ModelApprovalStatus).toBeUndefined();
      expect(found.CustomerMetadataProperties).toBeUndefined();
    });

    test('an endpoint is in service from the first moment, and its shadow is forgotten', async () => {
      await openEndpoint();

      const config = { EndpointConfigName: 'churn-cfg' };
      const found = await clients.sagemaker.send(new DescribeEndpointCommand({ EndpointName: 'churn' }));
      const described = await clients.sagemaker.send(new DescribeEndpointConfigCommand(config));

      expect(found.EndpointStatus).toBe('InService');
      expect(described.ShadowProductionVariants).toBeUndefined();
    });

    test('a shift of weights is done at once, and takes the instance counts away', async () => {
      const { sagemaker } = clients;
      await openEndpoint();

      await sagemaker.send(
        new UpdateEndpointWeightsAndCapacitiesCommand({
          EndpointName: 'churn',
          DesiredWeightsAndCapacities: [{ VariantName: 'v7', DesiredWeight: 5 }],
        }),
      );

      const { EndpointStatus, ProductionVariants } = await sagemaker.send(
        new DescribeEndpointCommand({ EndpointName: 'churn' }),
      );
      expect(EndpointStatus).toBe('InService');
      expect(ProductionVariants).toEqual([{ VariantName: 'v7', CurrentWeight: 5, DesiredWeight: 5 }]);
    });

    test.each(['p99', 'TC(:2000)', 'TC(1000:)', 'PR(:2000)'])('the statistic %s is not there', async (statistic) => {
      const at = await writeMetrics();

      const reading = clients.cloudWatch.send(metricData(at, [statistic]));

      await expect(reading).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
    });

    test('a copy overwrites, whatever If-None-Match says', async () => {
      const { s3 } = clients;
      await openBucket();
      await s3.send(new PutObjectCommand({ Bucket: 'drops', Key: 'from', Body: 'one' }));
      await s3.send(new PutObjectCommand({ Bucket: 'drops', Key: 'to', Body: 'two' }));

      await s3.send(new CopyObjectCommand({ Bucket: 'drops', Key: 'to', CopySource: 'drops/from', IfNoneMatch: '*' }));

      const found = await s3.send(new GetObjectCommand({ Bucket: 'drops', Key: 'to' }));
      expect(await found.Body?.transformToString()).toBe('one');
    });
  });
});

async function openBucket(): Promise<void> {
  const { s3 } = clients;
  await s3.send(
    new CreateBucketCommand({ Bucket: 'drops', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }),
  );
  await s3.send(new PutBucketVersioningCommand({ Bucket: 'drops', VersioningConfiguration: { Status: 'Enabled' } }));
}

const openGroup = () => clients.sagemaker.send(new CreateModelPackageGroupCommand({ ModelPackageGroupName: 'churn' }));

const aPackage = (run: string) =>
  new CreateModelPackageCommand({
    ModelPackageGroupName: 'churn',
    ModelApprovalStatus: 'PendingManualApproval',
    InferenceSpecification: {
      Containers: [{ Image: image, ModelDataUrl: `s3://acme-ml-models/${run}/model.tar.gz` }],
      SupportedContentTypes: ['application/json'],
      SupportedResponseMIMETypes: ['application/json'],
    },
    CustomerMetadataProperties: { run },
    ClientToken: run,
  });

const aTrainingJob = (S3OutputPath: string) =>
  new CreateTrainingJobCommand({
    TrainingJobName: 'churn-1',
    RoleArn: roleArn,
    AlgorithmSpecification: { TrainingImage: image, TrainingInputMode: 'File' },
    OutputDataConfig: { S3OutputPath },
    ResourceConfig: { InstanceType: 'ml.m5.xlarge', InstanceCount: 1, VolumeSizeInGB: 30 },
    StoppingCondition: { MaxRuntimeInSeconds: 3600 },
  });

/** The endpoint `churn` with one variant `v7` and its shadow `v8`. */
async function openEndpoint(): Promise<void> {
  const { sagemaker } = clients;
  const variant = (VariantName: string) =>
    ({ VariantName, ModelName: 'churn-7', InstanceType: 'ml.m5.xlarge', InitialInstanceCount: 2 }) as const;
  await sagemaker.send(
    new CreateModelCommand({ ModelName: 'churn-7', ExecutionRoleArn: roleArn, PrimaryContainer: { Image: image } }),
  );
  await sagemaker.send(
    new CreateEndpointConfigCommand({
      EndpointConfigName: 'churn-cfg',
      ProductionVariants: [variant('v7')],
      ShadowProductionVariants: [variant('v8')],
    }),
  );
  await sagemaker.send(new CreateEndpointCommand({ EndpointName: 'churn', EndpointConfigName: 'churn-cfg' }));
}

const metric = {
  Namespace: 'AWS/SageMaker',
  MetricName: 'ModelLatency',
  Dimensions: [{ Name: 'EndpointName', Value: 'churn' }],
};

/** Two latencies in one minute; gives that minute. */
async function writeMetrics(): Promise<Date> {
  const at = new Date('2026-11-20T10:15:00Z');
  const { Namespace, ...named } = metric;
  for (const Value of [1_000, 2_000])
    await clients.cloudWatch.send(
      new PutMetricDataCommand({ Namespace, MetricData: [{ ...named, Timestamp: at, Value }] }),
    );
  return at;
}

const metricData = (at: Date, statistics: readonly string[]) =>
  new GetMetricDataCommand({
    StartTime: at,
    EndTime: new Date(at.getTime() + 300_000),
    ScanBy: 'TimestampAscending',
    MetricDataQueries: statistics.map((Stat, index) => ({
      Id: `q${index}`,
      MetricStat: { Metric: metric, Period: 60, Stat },
    })),
  });

const resourceId = 'endpoint/churn/variant/v7';

const scalable = (MaxCapacity: number) =>
  new RegisterScalableTargetCommand({
    ServiceNamespace: 'sagemaker',
    ResourceId: resourceId,
    ScalableDimension: 'sagemaker:variant:DesiredInstanceCount',
    MinCapacity: 1,
    MaxCapacity,
  });
