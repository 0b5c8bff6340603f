import { canonical, encodeText } from '@serin/core/base/json';
import { day } from '@serin/core/base/time';
import type { CompiledConfig } from '@serin/core/config/config';
import { whenPart } from '@serin/core/config/limits';
import { type JobPath, jobPathsOf } from '@serin/core/config/parts';
import type { ConfigProblem } from '@serin/core/config/problems';
import { type CloudLimit, cannot, captured, inRequest, labelled, longestRun, problemsWith } from '../limits.ts';
import { instanceTypes } from './instance-types.ts';
import { awsNameProblems } from './names.ts';

// CreateProcessingJob.
const processing = (path: JobPath): readonly CloudLimit[] => [
  longestRun(
    path,
    9 * day,
    'a processing job of SageMaker runs for at most 9d: lower it',
    'botocore: ProcessingStoppingCondition.MaxRuntimeInSeconds is at most 777600',
  ),
  {
    path: `${path}.compute.spot`,
    broken: whenPart(path, ({ spot }) => spot),
    because: 'processing jobs of SageMaker have no spot instances: leave out spot',
    source: 'botocore: CreateProcessingJobRequest has no field for it',
  },
];

// Both entry points have 100 words of 256 characters, in one line.
const tooManyWords = (words: readonly string[]): boolean =>
  words.length > 100 || words.some((word) => word.length > 256 || /[\r\n]/.test(word));
const wordsInRequest =
  'without code SageMaker takes 100 words of 256 characters in one line, hyperparameters included: bring a folder of code';

// The maps have 100 variables; half of them may be ours.
const tooManyVariables = (environment: Readonly<Record<string, unknown>>, longest: number): boolean =>
  Object.keys(environment).length > 50 ||
  Object.values(environment).some((value) => typeof value === 'string' && value.length > longest);
const variablesInRequest = (longest: number) =>
  `SageMaker takes 50 variables of ${longest} characters beside Serin's own: put the rest into a file`;

const endpointMetrics = 'https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html';

export const limits: readonly CloudLimit[] = [
  cannot('ticksWithinMinutes', "CloudWatch counts the requests by the minute: use a multiple of '1m'", endpointMetrics),
  cannot(
    'shadow',
    'CloudWatch does not count mirrored requests with their answers, which a shadow step needs: use canary, linear or blueGreen',
    endpointMetrics,
  ),
  cannot(
    'segments',
    'CloudWatch counts by variant, not by a header of the request: leave out segments',
    endpointMetrics,
  ),
  cannot(
    'stickyUsers',
    'SageMaker chooses a variant for each request and uses no header for it: leave out stickyBy',
    'https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html',
  ),
  ...captured('the own bucket', 'infra/aws/topology/stores.ts: the rule captured'),
  ...labelled('the own bucket', 'decisions/0093-labels-on-the-clouds.md'),
  {
    path: 'monitor.capture.share',
    broken: ({ monitor: { capture } }) => capture !== undefined && !Number.isInteger(Number.parseFloat(capture.share)),
    because: "SageMaker captures whole percents of the requests: write a whole number, like '10%'",
    source: 'botocore: SamplingPercentage',
  },
  longestRun(
    'train',
    28 * day,
    'a training job of SageMaker runs for at most 28d: lower it',
    'https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StoppingCondition.html',
  ),
  {
    path: 'train.metrics',
    broken: ({ train }) => train.metrics.length > 40,
    because: 'a training job of SageMaker has at most 40 metrics: leave some out',
    source: 'botocore: MetricDefinitionList',
  },
  {
    path: 'train.metrics',
    broken: ({ train }) => train.metrics.some(({ name, regex }) => name.length > 255 || regex.length > 500),
    because: 'SageMaker allows 255 characters in the name of a metric and 500 in its regular expression: shorten it',
    source: 'botocore: MetricName, MetricRegex',
  },
  {
    path: 'train.command',
    broken: inRequest('train', ({ command }, { train }) =>
      tooManyWords([
        ...command,
        ...Object.entries(train.hyperparameters).flatMap(([name, value]) => [name, `${value}`]),
      ]),
    ),
    because: wordsInRequest,
    source: 'botocore: TrainingContainerEntrypoint',
  },
  {
    path: 'split.prepare.command',
    broken: inRequest('split.prepare', ({ command }) => tooManyWords(command)),
    because: wordsInRequest,
    source: 'botocore: ContainerEntrypoint',
  },
  {
    path: 'train.environment',
    broken: inRequest('train', ({ environment }) => tooManyVariables(environment, 512)),
    because: variablesInRequest(512),
    source: 'botocore: TrainingEnvironmentMap, TrainingEnvironmentValue',
  },
  {
    path: 'split.prepare.environment',
    broken: inRequest('split.prepare', ({ environment }) => tooManyVariables(environment, 256)),
    because: variablesInRequest(256),
    source: 'botocore: ProcessingEnvironmentMap, ProcessingEnvironmentValue',
  },
  {
    path: 'serve.environment',
    broken: ({ serve }) => serve !== 'none' && tooManyVariables(serve.environment, 1024),
    because: variablesInRequest(1024),
    source: 'botocore: EnvironmentMap, EnvironmentValue',
  },
  {
    path: 'serve.command',
    broken: ({ serve }) => serve !== 'none' && JSON.stringify(serve.command).length > 1024,
    because: 'a container of SageMaker gets its command in a variable of 1024 characters: shorten it',
    source: 'botocore: EnvironmentValue',
  },
  ...jobPathsOf('process').flatMap(processing),
];

// A request of Lambda has 6 MB. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const releaseBytes = 5_900_000;

function sizeProblems(config: CompiledConfig): readonly ConfigProblem[] {
  const bytes = encodeText(canonical(config)).length;
  if (bytes <= releaseBytes) return [];
  const message = `the config has ${bytes} bytes, and a release on AWS takes ${releaseBytes}: make several projects of it`;
  return [{ path: 'models', message }];
}

export const problemsOf = (config: CompiledConfig): readonly ConfigProblem[] => [
  ...awsNameProblems(config),
  ...sizeProblems(config),
  ...problemsWith({ limits, instanceTypes }, config),
];
