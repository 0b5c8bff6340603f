import { isArchive, type Layout } from '@serin/platform/jobs/layout';

const around = (outputData: string) => ({
  outputData,
  logs: `${outputData}/logs`,
  tracking: `${outputData}/mlruns`,
  code: '/opt/ml/code',
  output: '/opt/ml/output',
  checkpoints: '/opt/ml/checkpoints',
});

const trainingChannel = (name: string): string => `/opt/ml/input/data/${name}`;

// https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
export const trainingLayout: Layout = {
  ...around('/opt/ml/output/data'),
  model: '/opt/ml/model',
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
  ...around(processingOutput('output')),
  model: processingOutput('model'),
  exitMessage: '/opt/ml/output/message',
  input: '/opt/ml/processing/input',
  config: '/opt/ml/config',
  resourceConfig: '/opt/ml/config/resourceconfig.json',
  channel: processingChannel,
  found: (name, source) => (isArchive(source) ? `/opt/ml/processing/unpacked/${name}` : processingChannel(name)),
  outputOf: processingOutput,
};
