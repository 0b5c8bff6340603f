import { routesOf } from '@serin/core/route';
import { expect, test } from 'vitest';
import { endpointName } from './names.ts';
import { readBatch } from './signals.ts';

const plan = { data: { bucket: 'drops', prefix: 'fraud/' }, on: {} };
const routes = routesOf({ models: { fraud: plan } } as never); // routes read no more of a config
const nothing = async () => undefined;

const alarmOn = (environment: string) =>
  JSON.stringify({
    'detail-type': 'CloudWatch Alarm State Change',
    source: 'aws.cloudwatch',
    resources: [`arn:aws:cloudwatch:eu-west-1:123456789012:alarm:${environment}-fraud-errors`],
    detail: {
      alarmName: `${environment}-fraud-errors`,
      configuration: {
        description: 'serin_model=fraud',
        metrics: [
          {
            metricStat: {
              metric: { dimensions: { EndpointName: endpointName({ project: 'shop', environment }, 'fraud') } },
            },
          },
        ],
      },
      state: { value: 'ALARM', timestamp: '2026-11-20T14:04:40.989+0000' },
    },
  });

test("an alarm of staging's endpoint does not take back production's model, though its description names one", async () => {
  const lookUp = {
    modelOfEndpoint: async (name: string) =>
      name === endpointName({ project: 'shop', environment: 'prod' }, 'fraud') ? 'fraud' : undefined,
    modelOfJob: nothing,
    versionOfPackage: nothing,
  };
  const read = (environment: string) => readBatch([{ messageId: 'm', body: alarmOn(environment) }], routes, lookUp);

  expect((await read('staging')).arrivals).toEqual([]);
  expect((await read('prod')).arrivals).toMatchObject([{ stream: 'model/fraud', signal: { type: 'alertRaised' } }]);
});
