import { Fault } from '@serin/core/base/fault';
import { priceOf } from './prices.ts';

export type Cloud = 'aws' | 'gcp' | 'azure';

/** What a machine is wanted for. `process`: prepare, evaluate and package; `transform`: batch predictions. */
export type MachineUse = 'train' | 'process' | 'serve' | 'transform';

export interface Accelerator {
  /** `T4`, or with the least memory that will do: `A100-80GB`. */
  readonly type: string;
  readonly count: number;
}

export interface Machine {
  /** As the cloud's calls want it. */
  readonly name: string;
  readonly vcpus: number;
  /** Memory of the machine in GiB. */
  readonly memoryGb: number;
  readonly accelerator?: {
    readonly type: string;
    readonly count: number;
    readonly memoryGbEach: number;
    /** Where the cloud names the accelerator apart from the machine. */
    readonly providerType?: string;
  };
  /** Price on demand, unconfirmed; its region, source and date are in `prices.ts`. Absent: none is known. */
  readonly usdPerHour?: number;
  /** Where the name and what it can be used for were read, and when. */
  readonly source: string;
  readonly asOf: string;
}

interface Row extends Pick<Machine, 'name' | 'vcpus' | 'memoryGb' | 'accelerator'> {
  readonly uses: readonly MachineUse[];
}

const everyUse: readonly MachineUse[] = ['train', 'process', 'serve', 'transform'];

const row = (
  name: string,
  [vcpus, memoryGb]: readonly [number, number],
  [type, count, memoryGbEach, providerType]: readonly [string, number, number, string?],
  uses: readonly MachineUse[] = everyUse,
): Row => ({
  name,
  vcpus,
  memoryGb,
  accelerator: { type, count, memoryGbEach, ...(providerType === undefined ? {} : { providerType }) },
  uses,
});

// SageMaker's enums: TrainingInstanceType and ProductionVariantInstanceType have these, ProcessingInstanceType and
// TransformInstanceType do not. ml.p5.4xlarge is the exception: processing has it, transform has not.
const trainAndServe: readonly MachineUse[] = ['train', 'serve'];
const allButTransform: readonly MachineUse[] = ['train', 'process', 'serve'];

// Sizes: EC2's table of accelerated instances. Of the 24 GB of an A10G or L4 it says 22 GiB are usable.
const aws: readonly Row[] = [
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
  row('ml.p5.4xlarge', [16, 256], ['H100', 1, 80], allButTransform),
  row('ml.p5.48xlarge', [192, 2048], ['H100', 8, 80], trainAndServe),
  row('ml.p5e.48xlarge', [192, 2048], ['H200', 8, 141], trainAndServe),
  row('ml.p6-b200.48xlarge', [192, 2048], ['B200', 8, 179], trainAndServe),
];

// Not checked: which of these Vertex AI's batch prediction takes, and which regions have them.
const gcp: readonly Row[] = [
  row('n1-standard-4', [4, 15], ['T4', 1, 16, 'NVIDIA_TESLA_T4']),
  row('n1-standard-8', [8, 30], ['T4', 2, 16, 'NVIDIA_TESLA_T4']),
  row('n1-standard-16', [16, 60], ['T4', 4, 16, 'NVIDIA_TESLA_T4']),
  row('g2-standard-4', [4, 16], ['L4', 1, 24, 'NVIDIA_L4']),
  row('g2-standard-24', [24, 96], ['L4', 2, 24, 'NVIDIA_L4']),
  row('g2-standard-48', [48, 192], ['L4', 4, 24, 'NVIDIA_L4']),
  row('g2-standard-96', [96, 384], ['L4', 8, 24, 'NVIDIA_L4']),
  row('a2-highgpu-1g', [12, 85], ['A100', 1, 40, 'NVIDIA_TESLA_A100']),
  row('a2-highgpu-2g', [24, 170], ['A100', 2, 40, 'NVIDIA_TESLA_A100']),
  row('a2-highgpu-4g', [48, 340], ['A100', 4, 40, 'NVIDIA_TESLA_A100']),
  row('a2-highgpu-8g', [96, 680], ['A100', 8, 40, 'NVIDIA_TESLA_A100']),
  row('a2-ultragpu-1g', [12, 170], ['A100', 1, 80, 'NVIDIA_A100_80GB']),
  row('a2-ultragpu-2g', [24, 340], ['A100', 2, 80, 'NVIDIA_A100_80GB']),
  row('a2-ultragpu-4g', [48, 680], ['A100', 4, 80, 'NVIDIA_A100_80GB']),
  row('a2-ultragpu-8g', [96, 1360], ['A100', 8, 80, 'NVIDIA_A100_80GB']),
  row('a3-highgpu-1g', [26, 234], ['H100', 1, 80, 'NVIDIA_H100_80GB']),
  row('a3-highgpu-2g', [52, 468], ['H100', 2, 80, 'NVIDIA_H100_80GB']),
  row('a3-highgpu-4g', [104, 936], ['H100', 4, 80, 'NVIDIA_H100_80GB']),
  row('a3-highgpu-8g', [208, 1872], ['H100', 8, 80, 'NVIDIA_H100_80GB']),
  row('a3-ultragpu-8g', [224, 2952], ['H200', 8, 141, 'NVIDIA_H200_141GB']),
  row('a4-highgpu-8g', [224, 3968], ['B200', 8, 180, 'NVIDIA_B200']),
];

// Azure has the A10 where AWS has the A10G, and no L4. Its B200s come as GB200, four a machine: no row until asked for.
const azure: readonly Row[] = [
  row('Standard_NC4as_T4_v3', [4, 28], ['T4', 1, 16]),
  row('Standard_NC64as_T4_v3', [64, 440], ['T4', 4, 16]),
  row('Standard_NV36ads_A10_v5', [36, 440], ['A10', 1, 24]),
  row('Standard_NV72ads_A10_v5', [72, 880], ['A10', 2, 24]),
  row('Standard_NC24ads_A100_v4', [24, 220], ['A100', 1, 80]),
  row('Standard_NC48ads_A100_v4', [48, 440], ['A100', 2, 80]),
  row('Standard_NC96ads_A100_v4', [96, 880], ['A100', 4, 80]),
  row('Standard_ND96asr_v4', [96, 900], ['A100', 8, 40]),
  row('Standard_ND96amsr_A100_v4', [96, 1900], ['A100', 8, 80]),
  row('Standard_NC40ads_H100_v5', [40, 320], ['H100', 1, 94]),
  row('Standard_NC80adis_H100_v5', [80, 640], ['H100', 2, 94]),
  row('Standard_ND96isr_H100_v5', [96, 1900], ['H100', 8, 80]),
  row('Standard_ND96isr_H200_v5', [96, 1850], ['H200', 8, 141]),
];

const tables: Readonly<Record<Cloud, { source: string; asOf: string; cpu: Row; rows: readonly Row[] }>> = {
  aws: {
    source: 'enums of @aws-sdk/client-sagemaker 3.1141.0; sizes from the EC2 user guide',
    asOf: '2026-11-20',
    cpu: { name: 'ml.m5.xlarge', vcpus: 4, memoryGb: 16, uses: everyUse },
    rows: aws,
  },
  gcp: {
    source: 'accelerator_type.proto of @google-cloud/aiplatform 6.11.0; machine types unconfirmed',
    asOf: '2026-11-20',
    cpu: { name: 'n1-standard-4', vcpus: 4, memoryGb: 15, uses: everyUse },
    rows: gcp,
  },
  azure: {
    source: 'names from documentation, unconfirmed',
    asOf: '2026-11-20',
    cpu: { name: 'Standard_DS3_v2', vcpus: 4, memoryGb: 14, uses: everyUse },
    rows: azure,
  },
};

/** What another cloud has in its place: the same chip generation and memory. */
const aliases: Readonly<Record<string, string>> = { A10G: 'A10', A10: 'A10G' };

/**
 * The smallest machine of a cloud that has at least so many accelerators of this type, and may be used so; without an
 * accelerator the cloud's default machine.
 *
 * Smallest: fewest accelerators, then least memory of each, then fewest processors; within a family that is the
 * cheapest one. It may have more accelerators than were asked for: 1 A100 on AWS comes as 8. Throws an `invalid` Fault
 * that names what is possible.
 */
export function machineFor(cloud: Cloud, use: MachineUse, accelerator?: Accelerator): Machine {
  const { source, asOf, cpu } = tables[cloud];
  const found = accelerator === undefined ? cpu : cheapestFitting(cloud, use, accelerator);
  const { uses: _, ...machine } = found;
  const price = priceOf(cloud, machine.name);
  return { ...machine, ...(price === undefined ? {} : { usdPerHour: price.usdPerHour }), source, asOf };
}

function cheapestFitting(cloud: Cloud, use: MachineUse, { type, count }: Accelerator): Row {
  const ofType = tables[cloud].rows.filter((candidate) => isOfType(candidate, type));
  if (ofType.length === 0)
    throw new Fault('invalid', `${cloud} has no accelerator ${type} in the table; it has ${typesOf(cloud)}`);
  const usable = ofType.filter(({ uses }) => uses.includes(use));
  if (usable.length === 0)
    throw new Fault('invalid', `${cloud} cannot ${use} on ${namesOf(ofType)}; for that it has ${typesOf(cloud, use)}`);
  const [smallest] = usable.filter((candidate) => countOf(candidate) >= count).sort(bySize);
  if (smallest === undefined) {
    const most = Math.max(...usable.map(countOf));
    const more = use === 'train' ? '; more machines come by compute.nodes' : '';
    throw new Fault('invalid', `one machine of ${cloud} has at most ${most} ${type} to ${use} on, not ${count}${more}`);
  }
  return smallest;
}

const countOf = ({ accelerator }: Row): number => accelerator?.count ?? 0;

const bySize = (one: Row, other: Row): number =>
  countOf(one) - countOf(other) ||
  (one.accelerator?.memoryGbEach ?? 0) - (other.accelerator?.memoryGbEach ?? 0) ||
  one.vcpus - other.vcpus;

function isOfType({ accelerator }: Row, wanted: string): boolean {
  const [, type = wanted, least = '0'] = /^(.*?)-(\d+)GB$/.exec(wanted) ?? [];
  const same = accelerator?.type === type || accelerator?.type === aliases[type];
  return same && accelerator !== undefined && accelerator.memoryGbEach >= Number(least);
}

const namesOf = (rows: readonly Row[]): string => rows.map(({ name }) => name).join(', ');

/** What could be asked for: `T4 (1, 4), A100 (8)`. */
function typesOf(cloud: Cloud, use?: MachineUse): string {
  const counts = new Map<string, Set<number>>();
  for (const { accelerator, uses } of tables[cloud].rows) {
    if (accelerator === undefined || (use !== undefined && !uses.includes(use))) continue;
    counts.set(accelerator.type, (counts.get(accelerator.type) ?? new Set()).add(accelerator.count));
  }
  return [...counts].map(([type, sizes]) => `${type} (${[...sizes].join(', ')})`).join(', ');
}
