import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { modelOf, problemsOf } from './botocore.ts';
import { emulated } from './emulated.ts';
import { matcherOf } from './patterns.ts';

interface Example {
  readonly service: string;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** Calls that botocore's own ParamValidator has passed, as JSON: dates are epoch seconds there, and a `Date` in the SDK. */
const examples = JSON.parse(
  readFileSync(join(import.meta.dirname, 'fixtures', 'calls.json'), 'utf8'),
  (key: string, value: unknown) => (/^(Start|End)Time$/.test(key) ? new Date(Number(value) * 1000) : value),
) as readonly Example[];

const called = (operation: string): Example => {
  const found = examples.find((example) => example.operation === operation);
  if (found === undefined) throw new Error(`no example of ${operation}`);
  return found;
};

/** The example of an operation with one value in it replaced (by path), or taken away (`undefined`). */
function mutated(operation: string, path: string, value: unknown): readonly string[] {
  const { service, input } = called(operation);
  const copy = structuredClone(input) as Record<string, unknown>;
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  let place = copy;
  for (const key of keys) place = place[key] as Record<string, unknown>;
  place[last] = value;
  return problemsOf(service, operation, 'input', copy);
}

/** The services whose clients the functions have. */
const ours = 'application-autoscaling cloudwatch dynamodb events logs s3 sagemaker sqs ssm'.split(' ');

emulated("AWS's models", () => {
  test.each(examples)('have nothing against the call $service:$operation', ({ service, operation, input }) => {
    const problems = problemsOf(service, operation, 'input', input);

    expect(problems).toEqual([]);
  });

  test.each([
    [
      'an unknown key',
      'CreateTrainingJob',
      'ResourceConfig.Instances',
      1,
      /^ResourceConfig.Instances: unknown; known are /,
    ],
    [
      'a bad enum',
      'CreateTrainingJob',
      'ResourceConfig.InstanceType',
      'ml.g9.huge',
      /^ResourceConfig.InstanceType: 'ml.g9.huge' is none of /,
    ],
    ['a bad pattern', 'CreateTrainingJob', 'TrainingJobName', 'run_1', /^TrainingJobName: 'run_1' does not match /],
    [
      'a pattern that only a part matches',
      'CreateModel',
      'ModelName',
      'churn 7',
      /^ModelName: 'churn 7' does not match /,
    ],
    [
      'what is too long',
      'CreateTrainingJob',
      'HyperParameters.epochs',
      'x'.repeat(2501),
      /^HyperParameters.epochs: 2501 characters is over the most, 2500$/,
    ],
    ['what is missing', 'CreateTrainingJob', 'OutputDataConfig', undefined, /^OutputDataConfig: missing$/],
    [
      'what is missing deep inside',
      'CreateEndpointConfig',
      'DataCaptureConfig.CaptureOptions.0.CaptureMode',
      undefined,
      /^DataCaptureConfig.CaptureOptions\[0\].CaptureMode: missing$/,
    ],
    [
      'text for a number',
      'CreateTrainingJob',
      'ResourceConfig.InstanceCount',
      '2',
      /^ResourceConfig.InstanceCount: must be a whole number of 32 bits, is string 2$/,
    ],
    [
      'a number for text',
      'CreateTrainingJob',
      'HyperParameters.epochs',
      10,
      /^HyperParameters.epochs: must be a string, is number 10$/,
    ],
    [
      'a number under the least',
      'CreateTrainingJob',
      'StoppingCondition.MaxRuntimeInSeconds',
      0,
      /^StoppingCondition.MaxRuntimeInSeconds: 0 is under the least, 1$/,
    ],
    [
      'a number over the most',
      'UpdateEndpoint',
      'DeploymentConfig.BlueGreenUpdatePolicy.TerminationWaitInSeconds',
      3601,
      /TerminationWaitInSeconds: 3601 is over the most, 3600$/,
    ],
    [
      'too many entries',
      'PutRecord',
      'TargetStores',
      ['OnlineStore', 'OfflineStore', 'OnlineStore'],
      /^TargetStores: 3 entries is over the most, 2$/,
    ],
    [
      'no entries',
      'CreateModelPackage',
      'InferenceSpecification.Containers',
      [],
      /^InferenceSpecification.Containers: 0 entries is under the least, 1$/,
    ],
    [
      'a list for an object',
      'CreateProcessingJob',
      'AppSpecification',
      [],
      /^AppSpecification: must be an object, is a list$/,
    ],
    ['null', 'CreateTransformJob', 'ModelName', null, /^ModelName: must be a string, is null$/],
    [
      'seconds for a Date',
      'GetMetricData',
      'StartTime',
      1795180000,
      /^StartTime: must be a Date, is number 1795180000$/,
    ],
    [
      'a key of a map that is too long',
      'CreateModelPackage',
      'CustomerMetadataProperties',
      { ['k'.repeat(129)]: 'v' },
      /\(key\): 129 characters is over the most, 128$/,
    ],
  ] as const)('refuse %s', (_what, operation, path, value, text) => {
    const problems = mutated(operation, path, value);

    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(text);
  });

  test('refuse a union of two fields, and one of none', () => {
    const filter = (value: unknown) =>
      problemsOf('sagemaker', 'CreateAutoMLJobV2', 'input', {
        AutoMLJobName: 'a',
        AutoMLJobInputDataConfig: [{ DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://b/k' } } }],
        OutputDataConfig: { S3OutputPath: 's3://b/o' },
        RoleArn: 'arn:aws:iam::123456789012:role/sm-train',
        AutoMLProblemTypeConfig: value,
      });

    const [both, none, one] = [
      filter({
        TextClassificationJobConfig: { ContentColumn: 'x', TargetLabelColumn: 'y' },
        ImageClassificationJobConfig: {},
      }),
      filter({}),
      filter({ ImageClassificationJobConfig: {} }),
    ];

    expect(both).toEqual([expect.stringMatching(/^AutoMLProblemTypeConfig: a union has one field, not 2/)]);
    expect(none).toEqual([expect.stringMatching(/^AutoMLProblemTypeConfig: a union has one field, not 0/)]);
    expect(one).toEqual([]);
  });

  test('refuse a value of DynamoDB with two types', () => {
    const problems = mutated('TransactWriteItems', 'TransactItems.0.Put.Item.pk', { S: 'run#1', N: '1' });

    expect(problems).toEqual([expect.stringMatching(/^TransactItems\[0\].Put.Item.pk: a union has one field, not 2 /)]);
  });

  test('take what is undefined for absent, as the SDK does', () => {
    const { service, operation, input } = called('UpdateModelPackage');

    const problems = problemsOf(service, operation, 'input', { ...input, ApprovalDescription: undefined });

    expect(problems).toEqual([]);
  });

  test('check an answer: its own fields, and not those that the SDK adds', () => {
    const answer = {
      $metadata: { httpStatusCode: 200 },
      TrainingJobArn: 'arn:aws:sagemaker:eu-west-1:123456789012:training-job/a',
    };

    const good = problemsOf('sagemaker', 'CreateTrainingJob', 'output', answer);
    const bad = problemsOf('sagemaker', 'CreateTrainingJob', 'output', { TrainingJobArn: 'a', Status: 'InProgress' });

    expect(good).toEqual([]);
    expect(bad).toEqual([
      expect.stringMatching(/^TrainingJobArn: 'a' does not match /),
      expect.stringMatching(/^Status: unknown; known are TrainingJobArn$/),
    ]);
  });

  test('know each operation by its name, and say which they do not know', () => {
    const problems = problemsOf('sagemaker', 'StartTrainingJob', 'input', {});

    expect(problems).toEqual(['sagemaker: no operation StartTrainingJob']);
  });

  test.each(ours)('of %s have no pattern that cannot be tried', (service) => {
    const patterns = Object.values(modelOf(service).shapes).flatMap(({ pattern }) =>
      pattern === undefined ? [] : [pattern],
    );

    expect(() => patterns.map(matcherOf)).not.toThrow();
  });
});

test.each([
  // Tag values of SageMaker: any letters of any language, `_.:/=+-@` and spaces.
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is AWS's own, and no template
  ['([\\p{L}\\p{Z}\\p{N}_.:\\/=+\\-@]*)${1,256}', ['Zürich 7', 'a/b:c', ''], ['a#b', 'a\tb']],
  ['[a-zA-Z0-9\\ \\_\\.]+', ['a b_c.d'], ['a-b', '']],
  ['\\p{Print}+', ['a b~'], ['ü', '\u007f']],
  ['arn:[\\p{Alnum}\\-]+:lambda', ['arn:aws-cn:lambda'], ['arn:p{Alnum}:lambda']],
  ['(?i)all|[0-9]{12}', ['ALL', '123456789012'], ['some']],
  ['\\A\\S[\\p{Print}]*\\z', ['a b'], [' a']],
  ['[\\w-_]*', ['a-_b'], ['a b']],
  ['^[a-z]+$', ['abc'], ['abc1', 'abc\n']],
])('the pattern %s is tried against the whole text', (pattern, good, bad) => {
  const matches = (text: string) => matcherOf(pattern).test(text);

  expect(good.filter((text) => !matches(text))).toEqual([]);
  expect(bad.filter(matches)).toEqual([]);
});

test('a pattern in no known dialect is an error, not a pass', () => {
  expect(() => matcherOf('[\\p{IsGreek}')).toThrow('in no dialect known here');
});
