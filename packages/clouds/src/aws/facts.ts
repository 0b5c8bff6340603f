import type { CloudFacts } from '../facts.ts';
import { instanceTypes } from './instance-types.ts';
import { limits, problemsOf } from './limits.ts';
import { credentials, places } from './places.ts';
import { prices } from './prices.ts';
import { quotas } from './quotas.ts';

export const aws: CloudFacts = {
  cloud: 'aws',
  imageName: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/first-steps',
  instanceTypes,
  limits,
  problemsOf,
  quotas,
  prices,
  places,
  deploys: { credentials, endpoints: 'SageMaker' },
};
