/**
 * The APIs that must be enabled, which are also the services of a perimeter of VPC Service Controls around an
 * installation. https://docs.cloud.google.com/vpc-service-controls/docs/supported-products
 */
export const apis: readonly string[] = [
  'aiplatform',
  'artifactregistry',
  'bigquery',
  'cloudbuild',
  'cloudfunctions',
  'cloudscheduler',
  'firestore',
  'logging',
  'monitoring',
  'pubsub',
  'run',
  'secretmanager',
  'storage',
].map((service) => `${service}.googleapis.com`);
