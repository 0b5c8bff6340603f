import type { Credentials, Places } from '../facts.ts';

export const places: Places = {
  account: {
    of: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
    mend: 'give the id of a subscription, a GUID, and not its name: `az account show --query id` shows yours',
  },
  region: {
    of: /^[a-z]+\d?$/,
    mend: "give a region as Azure's resources name it, such as 'westeurope', and not as the portal does: `az account list-locations --query [].name` shows all",
  },
  accountVariables: ['AZURE_SUBSCRIPTION_ID', 'ARM_SUBSCRIPTION_ID'],
  regionVariables: ['AZURE_LOCATION', 'AZURE_DEFAULTS_LOCATION'],
  kept: {
    account: 'subscription',
    region: 'region',
    missing:
      'the subscription and the region: set AZURE_SUBSCRIPTION_ID and AZURE_LOCATION, or write "subscription" and "region" into serin.azure.json',
  },
  partitionOf: () => ({}),
};

// What deploys asks the Azure CLI. https://www.pulumi.com/registry/packages/azure-native/installation-configuration
export const credentials: Credentials = {
  variables: [],
  file: { variable: 'AZURE_CONFIG_DIR', path: '.azure/azureProfile.json' },
  missing: "a login to Azure: run 'az login', in a pipeline with '--service-principal' or '--identity'",
};
