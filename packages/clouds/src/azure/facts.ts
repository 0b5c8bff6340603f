import type { CloudFacts } from '../facts.ts';
import { noPrices } from '../prices.ts';
import { instanceTypes } from './instance-types.ts';
import { limits, problemsOf } from './limits.ts';
import { places } from './places.ts';
import { quotas } from './quotas.ts';

export const azure: CloudFacts = {
  cloud: 'azure',
  instanceTypes,
  limits,
  problemsOf,
  quotas,
  prices: noPrices,
  places,
};
