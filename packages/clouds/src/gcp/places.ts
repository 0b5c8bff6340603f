import type { Credentials, Places } from '../facts.ts';

export const places: Places = {
  // https://docs.cloud.google.com/resource-manager/docs/creating-managing-projects
  account: {
    of: /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/,
    mend: 'give the id of a Google project, not its number or its name: 6 to 30 lower-case letters, digits and hyphens, a letter first; `gcloud config get-value project` shows yours',
  },
  region: { of: /^[a-z]+-[a-z]+\d{1,2}$/, mend: "give a region such as 'europe-west4'" },
  accountVariables: ['GOOGLE_CLOUD_PROJECT', 'CLOUDSDK_CORE_PROJECT'],
  regionVariables: ['GOOGLE_CLOUD_REGION', 'CLOUDSDK_COMPUTE_REGION'],
  kept: {
    account: 'googleProject',
    region: 'region',
    missing:
      'the Google project and the region: set GOOGLE_CLOUD_PROJECT and GOOGLE_CLOUD_REGION, or write "googleProject" and "region" into serin.gcp.json',
  },
  partitionOf: () => ({}),
};

// Where Google's own libraries look. https://docs.cloud.google.com/docs/authentication/application-default-credentials
export const credentials: Credentials = {
  variables: ['GOOGLE_CREDENTIALS', 'GOOGLE_OAUTH_ACCESS_TOKEN'],
  file: {
    variable: 'GOOGLE_APPLICATION_CREDENTIALS',
    path: '.config/gcloud/application_default_credentials.json',
  },
  missing:
    "Google credentials: run 'gcloud auth application-default login'; whether they are valid, only Google can say",
};
