import type { Service } from '@serin/gcp/calls/google';
import { expect, test } from 'vitest';
import { emulatedGcp } from '../emulated.ts';
import { answerProblems, requestProblems } from './protos.ts';
import { matchOf } from './routes.ts';
import { isInProtos } from './rpcs.ts';

interface Sent {
  readonly query?: string;
  readonly body?: unknown;
}

const place = 'v1/projects/p/locations/europe-west4';

/** What the protos have against a request; its parts that the discovery document looks at may be of any form. */
function against(service: Service, verb: string, path: string, { query = '', body }: Sent = {}): readonly string[] {
  const { method, params } = matchOf(service, verb, path);
  return [...requestProblems(service, method, { params, query: new URLSearchParams(query), body })];
}

const ofEndpoint = (body: object, query = 'updateMask=trafficSplit') =>
  against('aiplatform', 'PATCH', `${place}/endpoints/e`, { query, body });

const ofJob = (jobSpec: object) =>
  against('aiplatform', 'POST', `${place}/customJobs`, { body: { displayName: 'j', jobSpec } });
const pool = { machineSpec: {}, containerSpec: { imageUri: 'i' } };

const ofSeries = (query: string) => against('monitoring', 'GET', 'v3/projects/p/timeSeries', { query });
const series = 'filter=x&view=FULL&interval.endTime=2026-01-01T00:00:00Z';

const ofWrites = (write: object) =>
  against('firestore', 'POST', 'v1/projects/p/databases/d/documents:commit', { body: { writes: [write] } });
const name = 'projects/p/databases/d/documents/c/1';

function ofAnswer(path: string, answer: unknown): readonly string[] {
  return [...answerProblems('aiplatform', matchOf('aiplatform', 'GET', path).method, answer)];
}

emulatedGcp("Google's protos", () => {
  test.each([
    ['a change of one field', ofEndpoint({ trafficSplit: { '12': 90, '13': 10 } })],
    ['a change of what else is required', ofEndpoint({ encryptionSpec: {} }, 'updateMask=encryptionSpec')],
    ['a job', ofJob({ workerPoolSpecs: [pool], scheduling: { timeout: '3.5s', maxWaitDuration: '0s' } })],
    ['time series', ofSeries(`${series}&aggregation.groupByFields=a&aggregation.groupByFields=b&pageSize=10&alt=json`)],
    ['a write', ofWrites({ update: { name, fields: { a: { nullValue: null } } }, currentDocument: { exists: false } })],
    ['bytes', ofWrites({ update: { name, fields: { a: { bytesValue: 'AAE=' } } } })],
    ['a delete', ofWrites({ delete: name, currentDocument: { updateTime: '2026-01-01T00:00:00.000001Z' } })],
    [
      'a query beneath a document',
      against('firestore', 'POST', `v1/${name}:runQuery`, { body: { structuredQuery: { limit: 5 } } }),
    ],
  ])('have nothing against %s', (_what, problems) => {
    expect(problems).toEqual([]);
  });

  test.each([
    ['a change without a mask', ofEndpoint({ displayName: 'd' }, ''), ['request.updateMask: REQUIRED']],
    [
      'what only Google writes',
      ofEndpoint({ name: 'e', deployedModels: [] }),
      ['body.name: OUTPUT_ONLY', 'body.deployedModels: OUTPUT_ONLY'],
    ],
    [
      'shares that are no numbers',
      ofEndpoint({ trafficSplit: { '12': '90%' } }),
      ['body.trafficSplit.12: string 90% is no int32'],
    ],
    ['a list for a map', ofEndpoint({ trafficSplit: [] }), ['body.trafficSplit: must be an object, is a list']],
    [
      'a job without what is required',
      ofJob({ workerPoolSpecs: [{ containerSpec: {} }] }),
      ['body.jobSpec.workerPoolSpecs[0].containerSpec.imageUri: REQUIRED'],
    ],
    ['a job of no pools', ofJob({}), ['body.jobSpec.workerPoolSpecs: REQUIRED']],
    [
      'a pool for a list of pools',
      ofJob({ workerPoolSpecs: pool }),
      ['body.jobSpec.workerPoolSpecs: must be a list, is an object'],
    ],
    [
      'a number of replicas as a number',
      ofJob({ workerPoolSpecs: [{ ...pool, replicaCount: 1 }] }),
      ['body.jobSpec.workerPoolSpecs[0].replicaCount: number 1 is no int64'],
    ],
    [
      'a bad enum',
      ofJob({ workerPoolSpecs: [pool], scheduling: { strategy: 'CHEAP' } }),
      ['body.jobSpec.scheduling.strategy: string CHEAP is none of google.cloud.aiplatform.v1.Scheduling.Strategy'],
    ],
    [
      'seconds for a duration',
      ofJob({ workerPoolSpecs: [pool], scheduling: { timeout: 3600 } }),
      ['body.jobSpec.scheduling.timeout: number 3600 is no Duration'],
    ],
    [
      'an unknown field',
      ofJob({ workerPoolSpecs: [pool], spot: true }),
      ['body.jobSpec.spot: unknown field of google.cloud.aiplatform.v1.CustomJobSpec'],
    ],
    [
      'a time without a zone',
      ofSeries('filter=x&view=FULL&interval.endTime=2026-01-01'),
      ['request.interval.endTime: string 2026-01-01 is no Timestamp'],
    ],
    [
      'an alignment that is none',
      ofSeries(`${series}&aggregation.perSeriesAligner=RATE`),
      ['request.aggregation.perSeriesAligner: string RATE is none of google.monitoring.v3.Aggregation.Aligner'],
    ],
    [
      'a write that is two',
      ofWrites({ update: { name }, delete: name }),
      ['body.writes[0]: one of operation, not both update and delete'],
    ],
    [
      'a value of two types',
      ofWrites({ update: { name, fields: { a: { stringValue: '1', integerValue: '1' } } } }),
      ['body.writes[0].update.fields.a: one of valueType, not both stringValue and integerValue'],
    ],
    [
      'a whole number as a number',
      ofWrites({ update: { name, fields: { a: { integerValue: 1 } } } }),
      ['body.writes[0].update.fields.a.integerValue: number 1 is no int64'],
    ],
  ])('refuse %s', (_what, problems, wanted) => {
    expect(problems.map((problem) => problem.replace(/^request\.writes/, 'body.writes'))).toEqual(wanted);
  });

  test('demand of an answer the texts and messages that are required, and none that zero leaves out', () => {
    const path = `${place}/customJobs/7`;
    const dedicatedResources = { machineSpec: {} };
    const deployed = { model: 'm', dedicatedResources };

    const whole = ofAnswer(path, { displayName: 'j', jobSpec: {} });
    const part = ofAnswer(path, { name: 'j', displayName: 'j' });
    const atZero = ofAnswer(`${place}/endpoints/e`, { displayName: 'e', deployedModels: [deployed] });

    expect([whole, atZero]).toEqual([[], []]);
    expect(part).toEqual(['answer.jobSpec: REQUIRED']);
  });

  test('refuse in an answer what is only ever sent', () => {
    const problems = ofAnswer(`${place}/models/m`, { displayName: 'm', containerSpec: { imageUri: 'i' } });

    expect(problems).toEqual(['answer.containerSpec: INPUT_ONLY']);
  });

  test('know which methods they have', () => {
    const knows = (service: Service, verb: string, path: string) =>
      isInProtos(service, matchOf(service, verb, path).method);

    expect(knows('aiplatform', 'POST', `${place}/endpoints/e:deployModel`)).toBe(true);
    expect(knows('firestore', 'POST', `v1/${name}:runQuery`)).toBe(true);
    expect(knows('aiplatform', 'GET', `${place}/operations/1`)).toBe(true);
    expect(knows('storage', 'GET', 'storage/v1/b/b/o')).toBe(false);
  });
});
