import type { Source } from '@serin/core/ports/jobs';

/** Where a container of SageMaker finds and leaves things. */
export interface Layout {
  /** The working directory of the command, and the unpacked code. */
  readonly code: string;
  readonly model: string;
  /** What stands around `data`: the file `failure` is written here. */
  readonly output: string;
  /** `metrics.json` is looked for here. */
  readonly outputData: string;
  /** The file whose text SageMaker takes for the last words of the job, where that is not `failure`. */
  readonly exitMessage?: string;
  readonly checkpoints: string;
  readonly input: string;
  readonly config: string;
  readonly resourceConfig: string;
  /** Where the files of a channel are brought to. */
  channel(name: string): string;
  /** Where the command finds them: an archive of an artifact is unpacked first, where we start the command. */
  found(name: string, source: Source): string;
  outputOf(name: string): string;
}

export const isArchive = (source: Source): boolean =>
  source.kind === 'artifact' && source.artifact.uri.endsWith('.tar.gz');

const trainingChannel = (name: string): string => `/opt/ml/input/data/${name}`;

// https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
export const trainingLayout: Layout = {
  code: '/opt/ml/code',
  model: '/opt/ml/model',
  output: '/opt/ml/output',
  outputData: '/opt/ml/output/data',
  checkpoints: '/opt/ml/checkpoints',
  input: '/opt/ml/input',
  config: '/opt/ml/input/config',
  resourceConfig: '/opt/ml/input/config/resourceconfig.json',
  channel: trainingChannel,
  found: trainingChannel,
  outputOf: (name) => (name === 'model' ? '/opt/ml/model' : `/opt/ml/output/data/${name}`),
};

const processingOutput = (name: string): string => `/opt/ml/processing/output/${name}`;
const processingChannel = (name: string): string => `/opt/ml/processing/input/${name}`;

// https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
export const processingLayout: Layout = {
  code: '/opt/ml/code',
  model: processingOutput('model'),
  output: '/opt/ml/output',
  outputData: processingOutput('output'),
  exitMessage: '/opt/ml/output/message',
  checkpoints: '/opt/ml/checkpoints',
  input: '/opt/ml/processing/input',
  config: '/opt/ml/config',
  resourceConfig: '/opt/ml/config/resourceconfig.json',
  channel: processingChannel,
  found: (name, source) => (isArchive(source) ? `/opt/ml/processing/unpacked/${name}` : processingChannel(name)),
  outputOf: processingOutput,
};
