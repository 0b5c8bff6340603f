import type { CloudFacts } from '../facts.ts';
import { instanceTypes } from './instance-types.ts';
import { limits, problemsOf } from './limits.ts';
import { credentials, places } from './places.ts';
import { prices } from './prices.ts';
import { quotas } from './quotas.ts';

export const gcp: CloudFacts = {
  cloud: 'gcp',
  imageName: 'europe-west4-docker.pkg.dev/acme/serin/first-steps',
  instanceTypes,
  limits,
  problemsOf,
  quotas,
  prices,
  places,
  deploys: { credentials, endpoints: 'Vertex AI' },
};
