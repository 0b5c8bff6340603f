import type { Owners } from '@serin/core/inbound/fact';
import { routesOf } from '@serin/core/inbound/route';
import { readBatch } from '@serin/platform/arrivals';
import { expect, test } from 'vitest';
import { endpointName } from './names.ts';
import { read as readFacts, withoutVariables } from './signals.ts';

const plan = { data: { bucket: 'drops', prefix: 'fraud/' }, on: {}, alerts: {} };
const routes = routesOf({ models: { fraud: plan } } as never); // routes read no more of a config
const nothing = async () => undefined;

const installation = { project: 'shop', environment: 'prod' };
const owners: Owners = {
  installation,
  modelOfEndpoint: async (name) => (name === endpointName(installation, 'fraud') ? 'fraud' : undefined),
  modelOfJob: nothing,
  versionOf: nothing,
};
const read = (body: string) => readBatch([{ id: 'm', body }], { read: readFacts, routes, owners });

const alarmOn = (environment: string, description = 'serin_model=fraud', dimensions?: Record<string, string>) =>
  JSON.stringify({
    'detail-type': 'CloudWatch Alarm State Change',
    source: 'aws.cloudwatch',
    resources: [`arn:aws:cloudwatch:eu-west-1:123456789012:alarm:${environment}-fraud-errors`],
    detail: {
      alarmName: `${environment}-fraud-errors`,
      configuration: {
        description,
        metrics: [
          {
            metricStat: {
              metric: {
                dimensions: dimensions ?? { EndpointName: endpointName({ project: 'shop', environment }, 'fraud') },
              },
            },
          },
        ],
      },
      state: { value: 'ALARM', timestamp: '2026-11-20T14:04:40.989+0000' },
    },
  });

test("an alarm of staging's endpoint does not take back production's model, though its description names one", async () => {
  expect((await read(alarmOn('staging'))).arrivals).toEqual([]);
  expect((await read(alarmOn('prod'))).arrivals).toMatchObject([
    { stream: 'model/fraud', signal: { type: 'alertRaised' } },
  ]);
});

test.each([
  ['prod/fraud', true],
  ['prod/shop/fraud', true],
  ['staging/fraud', false],
  ['prod/other/fraud', false],
  ['eu/prod/shop/fraud', false],
  ['fraud', false],
])('an alarm that is of no endpoint names its model together with the environment: %s', async (named, taken) => {
  const { arrivals, unrouted } = await read(alarmOn('any', `serin_model=${named}`, { Pipeline: 'features' }));

  expect(arrivals).toHaveLength(taken ? 1 : 0);
  expect(unrouted).toEqual(taken ? [] : ['alarm of no model']);
});

test('each series of an alarm over many fires and ends by itself, for the endpoint among its attributes', async () => {
  const contributor = (id: string, value: 'ALARM' | 'OK', environment = 'prod') => {
    const event = JSON.parse(alarmOn(environment, 'all endpoints', {}));
    const attributes = { EndpointName: endpointName({ project: 'shop', environment }, 'fraud') };
    return JSON.stringify({
      ...event,
      'detail-type': 'CloudWatch Alarm Contributor State Change',
      detail: { ...event.detail, alarmContributor: { id, attributes }, state: { ...event.detail.state, value } },
    });
  };
  const told = async (body: string) => (await read(body)).arrivals.map(({ signal }) => signal);
  const arn = 'arn:aws:cloudwatch:eu-west-1:123456789012:alarm:prod-fraud-errors';

  expect(await told(contributor('6d44', 'ALARM'))).toMatchObject([{ type: 'alertRaised', fingerprint: `${arn}#6d44` }]);
  expect(await told(contributor('6d44', 'OK'))).toMatchObject([{ type: 'alertResolved', fingerprint: `${arn}#6d44` }]);
  expect(await told(contributor('6d44', 'ALARM', 'staging'))).toEqual([]);
});

test('of an event of a job nothing is kept of the variables of the job, secrets among them', () => {
  const detail = { TrainingJobName: 'j', Environment: { API_KEY: 'canary-of-a-secret' }, TrainingJobStatus: 'Failed' };
  const event = { source: 'aws.sagemaker', 'detail-type': 'SageMaker Training Job State Change', detail };

  const { Environment: _, ...bare } = detail;
  expect(withoutVariables(JSON.stringify(event))).toBe(JSON.stringify({ ...event, detail: bare }));
  expect(withoutVariables('not JSON "Environment"')).toBe('not JSON "Environment"');
});

test.each([
  ['a change of the approval', ['ModelApprovalStatus'], 'approval'],
  ['a change of something else', ['CustomerMetadataProperties'], 'unrouted'],
  ['a change of nothing', [], 'unrouted'],
  ['an event without that list', undefined, 'approval'],
])('%s of a model package that says Approved: %j is of the kind %s', (_, UpdatedModelPackageFields, kind) => {
  const detail = {
    ...{ ModelPackageGroupName: 'prod-shop--fraud', ModelPackageArn: 'arn:v7', ModelApprovalStatus: 'Approved' },
    ...(UpdatedModelPackageFields === undefined ? {} : { UpdatedModelPackageFields }),
  };
  const source = { source: 'aws.sagemaker', 'detail-type': 'SageMaker Model Package State Change' };

  const facts = readFacts(JSON.stringify({ ...source, time: '2026-11-20T14:04:40Z', detail }));

  expect(facts.map((fact) => fact.kind)).toEqual([kind]);
});

test('a key that may be encoded is said in both forms, and no other', () => {
  const factOf = (key: string) =>
    readFacts(
      JSON.stringify({
        source: 'aws.s3',
        'detail-type': 'Object Created',
        detail: { bucket: { name: 'drops' }, object: { key } },
      }),
    );

  expect(factOf('my+data/a.csv')).toMatchObject([{ key: 'my+data/a.csv', orKey: 'my data/a.csv' }]);
  expect(factOf('my%20data/a.csv')).toMatchObject([{ orKey: 'my data/a.csv' }]);
  expect(factOf('data/a.csv')[0]).not.toHaveProperty('orKey');
});
