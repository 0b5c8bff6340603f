import type { Quotas } from '../facts.ts';

const page = 'https://learn.microsoft.com/azure/machine-learning/how-to-manage-quotas';

/** The list of instance types for managed online endpoints says of them: Skip 20% Reservation. */
const withoutReserve = [
  'standardNCADSA100v4Family',
  'standardNCADSH100v5Family',
  'standard NDAMSv4_A100Family',
  'standard NDASv4_A100 Family',
  'standardNDv5H100Family',
];

/** Quotas of Azure Machine Learning count processors by family, for jobs and endpoints together. */
export const quotas: Quotas = {
  where: `Usage + quotas of the workspace (0 for accelerators in a new subscription), in processors: ${page}`,
  of({ spot }, { countedAs, vcpus }) {
    if (spot) return { quota: 'low-priority cores per region', each: vcpus };
    return countedAs === undefined ? undefined : { quota: countedAs, each: vcpus };
  },
  atUpdate: (instances, { countedAs = '' }) =>
    2 * (withoutReserve.includes(countedAs) ? instances : Math.ceil(1.2 * instances)),
  atUpdateText:
    'of an endpoint twice its instances, champion and candidate, and of most families a fifth more, which Azure keeps for upgrades',
};
