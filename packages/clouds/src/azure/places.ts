import type { Places } from '../facts.ts';

export const places: Places = {
  account: {
    of: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
    mend: 'give a GUID: `az account show --query id` shows your subscription',
  },
  region: { of: /^[a-z]+\d?$/, mend: "give a region such as 'westeurope'" },
  accountVariables: [],
  regionVariables: [],
  partitionOf: () => ({}),
};
