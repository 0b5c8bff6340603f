import { everyUse, type InstanceTypes, type Row, row } from '../instance-types.ts';

// What quotas count: _ACCELERATOR_TYPE_TP_QUOTA_METRIC_MAP in lib/googlecloudsdk/command_lib/ai/model_garden_utils.py of the
// Google Cloud CLI 528.0.0. It names none for the H200 and the B200.
const t4 = { countedAs: 'nvidia_t4_gpus' };
const l4 = { countedAs: 'nvidia_l4_gpus' };
const a100 = { countedAs: 'nvidia_a100_gpus' };
const a100With80Gb = { countedAs: 'nvidia_a100_80gb_gpus' };
const h100 = { countedAs: 'nvidia_h100_gpus' };

// A TPU is told by machine type and topology, without an accelerator type, and trains on one worker only. Not here: v2 and
// v3, slices of several hosts, and 7x. https://docs.cloud.google.com/vertex-ai/docs/training/configure-compute#tpus
const tpu = (topology: string) => ({ uses: ['train'] as const, topology });

// Not checked: which of these Vertex AI's batch prediction takes, and which regions have them.
const rows: readonly Row[] = [
  row('n1-standard-4', [4, 15], ['T4', 1, 16, 'NVIDIA_TESLA_T4'], t4),
  row('n1-standard-8', [8, 30], ['T4', 2, 16, 'NVIDIA_TESLA_T4'], t4),
  row('n1-standard-16', [16, 60], ['T4', 4, 16, 'NVIDIA_TESLA_T4'], t4),
  row('g2-standard-4', [4, 16], ['L4', 1, 24, 'NVIDIA_L4'], l4),
  row('g2-standard-24', [24, 96], ['L4', 2, 24, 'NVIDIA_L4'], l4),
  row('g2-standard-48', [48, 192], ['L4', 4, 24, 'NVIDIA_L4'], l4),
  row('g2-standard-96', [96, 384], ['L4', 8, 24, 'NVIDIA_L4'], l4),
  row('a2-highgpu-1g', [12, 85], ['A100', 1, 40, 'NVIDIA_TESLA_A100'], a100),
  row('a2-highgpu-2g', [24, 170], ['A100', 2, 40, 'NVIDIA_TESLA_A100'], a100),
  row('a2-highgpu-4g', [48, 340], ['A100', 4, 40, 'NVIDIA_TESLA_A100'], a100),
  row('a2-highgpu-8g', [96, 680], ['A100', 8, 40, 'NVIDIA_TESLA_A100'], a100),
  row('a2-ultragpu-1g', [12, 170], ['A100', 1, 80, 'NVIDIA_A100_80GB'], a100With80Gb),
  row('a2-ultragpu-2g', [24, 340], ['A100', 2, 80, 'NVIDIA_A100_80GB'], a100With80Gb),
  row('a2-ultragpu-4g', [48, 680], ['A100', 4, 80, 'NVIDIA_A100_80GB'], a100With80Gb),
  row('a2-ultragpu-8g', [96, 1360], ['A100', 8, 80, 'NVIDIA_A100_80GB'], a100With80Gb),
  row('a3-highgpu-1g', [26, 234], ['H100', 1, 80, 'NVIDIA_H100_80GB'], h100),
  row('a3-highgpu-2g', [52, 468], ['H100', 2, 80, 'NVIDIA_H100_80GB'], h100),
  row('a3-highgpu-4g', [104, 936], ['H100', 4, 80, 'NVIDIA_H100_80GB'], h100),
  row('a3-highgpu-8g', [208, 1872], ['H100', 8, 80, 'NVIDIA_H100_80GB'], h100),
  row('a3-ultragpu-8g', [224, 2952], ['H200', 8, 141, 'NVIDIA_H200_141GB']),
  row('a4-highgpu-8g', [224, 3968], ['B200', 8, 180, 'NVIDIA_B200']),
  row('ct5lp-hightpu-1t', [24, 48], ['TPU-v5e', 1, 16], tpu('1x1')),
  row('ct5lp-hightpu-4t', [112, 192], ['TPU-v5e', 4, 16], tpu('2x2')),
  row('ct5lp-hightpu-8t', [224, 384], ['TPU-v5e', 8, 16], tpu('2x4')),
  row('ct6e-standard-1t', [44, 48], ['TPU-v6e', 1, 32], tpu('1x1')),
  row('ct6e-standard-4t', [180, 720], ['TPU-v6e', 4, 32], tpu('2x2')),
  row('ct6e-standard-8t', [180, 1440], ['TPU-v6e', 8, 32], tpu('2x4')),
];

export const instanceTypes: InstanceTypes = {
  cloud: 'gcp',
  source: 'accelerator_type.proto of @google-cloud/aiplatform 6.11.0; machine types unconfirmed',
  asOf: '2026-11-20',
  plain: { name: 'n1-standard-4', vcpus: 4, memoryGb: 15, uses: everyUse },
  rows,
};
