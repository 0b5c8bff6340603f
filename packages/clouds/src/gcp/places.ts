import type { Places } from '../facts.ts';

export const places: Places = {
  // https://docs.cloud.google.com/resource-manager/docs/creating-managing-projects
  account: {
    of: /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/,
    mend: 'give 6 to 30 lower-case letters, digits and hyphens: `gcloud config get-value project` shows your project',
  },
  region: { of: /^[a-z]+-[a-z]+\d{1,2}$/, mend: "give a region such as 'europe-west4'" },
  regionVariables: ['GOOGLE_CLOUD_REGION', 'CLOUDSDK_COMPUTE_REGION'],
  partitionOf: () => ({}),
};
