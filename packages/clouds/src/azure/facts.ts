import type { CloudFacts } from '../facts.ts';
import { instanceTypes } from './instance-types.ts';
import { limits, problemsOf } from './limits.ts';
import { credentials, places } from './places.ts';
import { prices } from './prices.ts';
import { quotas } from './quotas.ts';

export const azure: CloudFacts = {
  cloud: 'azure',
  imageName: 'acme.azurecr.io/first-steps',
  instanceTypes,
  limits,
  problemsOf,
  quotas,
  prices,
  places,
  deploys: { credentials, endpoints: 'Azure ML' },
};
