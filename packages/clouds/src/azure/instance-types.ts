import { everyUse, type InstanceTypes, type Row, row } from '../instance-types.ts';

// Names, families and what can serve: the list of instance types for managed online endpoints, which has no H200.
// https://github.com/MicrosoftDocs/azure-ai-docs, articles/machine-learning/reference-managed-online-endpoints-vm-sku-list.md
const t4 = { countedAs: 'standard NCASv3_T4 Family' };
const a10 = { countedAs: 'standardNVADSA10v5Family' };
const a100 = { countedAs: 'standardNCADSA100v4Family' };
const nd40 = { countedAs: 'standard NDASv4_A100 Family' };
const nd80 = { countedAs: 'standard NDAMSv4_A100Family' };
const h100 = { countedAs: 'standardNCADSH100v5Family' };
const ndH100 = { countedAs: 'standardNDv5H100Family' };
const notServed = { uses: ['train', 'process'] } as const;

// Azure has the A10 where AWS has the A10G, and no L4. Its B200s come as GB200, four a machine: no row until asked for.
const rows: readonly Row[] = [
  row('Standard_NC4as_T4_v3', [4, 28], ['T4', 1, 16], t4),
  row('Standard_NC64as_T4_v3', [64, 440], ['T4', 4, 16], t4),
  row('Standard_NV36ads_A10_v5', [36, 440], ['A10', 1, 24], a10),
  row('Standard_NV72ads_A10_v5', [72, 880], ['A10', 2, 24], a10),
  row('Standard_NC24ads_A100_v4', [24, 220], ['A100', 1, 80], a100),
  row('Standard_NC48ads_A100_v4', [48, 440], ['A100', 2, 80], a100),
  row('Standard_NC96ads_A100_v4', [96, 880], ['A100', 4, 80], a100),
  row('Standard_ND96asr_v4', [96, 900], ['A100', 8, 40], nd40),
  row('Standard_ND96amsr_A100_v4', [96, 1900], ['A100', 8, 80], nd80),
  row('Standard_NC40ads_H100_v5', [40, 320], ['H100', 1, 94], h100),
  row('Standard_NC80adis_H100_v5', [80, 640], ['H100', 2, 94], h100),
  row('Standard_ND96isr_H100_v5', [96, 1900], ['H100', 8, 80], ndH100),
  row('Standard_ND96isr_H200_v5', [96, 1850], ['H200', 8, 141], notServed),
];

export const instanceTypes: InstanceTypes = {
  cloud: 'azure',
  source: 'the list for managed online endpoints in MicrosoftDocs/azure-ai-docs (1d987e37), memory unconfirmed',
  asOf: '2026-11-29',
  plain: { name: 'Standard_DS3_v2', vcpus: 4, memoryGb: 14, countedAs: 'standardDSv2Family', uses: everyUse },
  rows,
};
