import type { Places } from '../facts.ts';

export const places: Places = {
  account: {
    of: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
    mend: 'a subscription is a GUID: `az account show --query id` shows yours',
  },
  region: { of: /^[a-z]+\d?$/, mend: "a region is one such as 'westeurope'" },
  regionVariables: [],
  partitionOf: () => ({}),
};
