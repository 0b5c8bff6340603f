import { everyUse, type InstanceTypes, type Row, row } from '../instance-types.ts';

// SageMaker's enums: TrainingInstanceType and ProductionVariantInstanceType have these, ProcessingInstanceType does not.
const trainAndServe = { uses: ['train', 'serve'] } as const;

// Sizes: EC2's table of accelerated instances. Of the 24 GB of an A10G or L4 it says 22 GiB are usable.
const rows: readonly Row[] = [
  row('ml.g4dn.xlarge', [4, 16], ['T4', 1, 16]),
  row('ml.g4dn.12xlarge', [48, 192], ['T4', 4, 16]),
  row('ml.g5.xlarge', [4, 16], ['A10G', 1, 24]),
  row('ml.g5.12xlarge', [48, 192], ['A10G', 4, 24]),
  row('ml.g5.48xlarge', [192, 768], ['A10G', 8, 24]),
  row('ml.g6.xlarge', [4, 16], ['L4', 1, 24]),
  row('ml.g6.12xlarge', [48, 192], ['L4', 4, 24]),
  row('ml.g6.48xlarge', [192, 768], ['L4', 8, 24]),
  row('ml.p4d.24xlarge', [96, 1152], ['A100', 8, 40], trainAndServe),
  row('ml.p4de.24xlarge', [96, 1152], ['A100', 8, 80], trainAndServe),
  row('ml.p5.4xlarge', [16, 256], ['H100', 1, 80]),
  row('ml.p5.48xlarge', [192, 2048], ['H100', 8, 80], trainAndServe),
  row('ml.p5e.48xlarge', [192, 2048], ['H200', 8, 141], trainAndServe),
  row('ml.p6-b200.48xlarge', [192, 2048], ['B200', 8, 179], trainAndServe),
];

export const instanceTypes: InstanceTypes = {
  cloud: 'aws',
  source: 'enums of @aws-sdk/client-sagemaker 3.1141.0; sizes from the EC2 user guide',
  asOf: '2026-11-20',
  plain: { name: 'ml.m5.xlarge', vcpus: 4, memoryGb: 16, uses: everyUse },
  rows,
};
