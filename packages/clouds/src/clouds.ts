import { aws } from './aws/facts.ts';
import { azure } from './azure/facts.ts';
import type { Cloud, CloudFacts } from './facts.ts';
import { gcp } from './gcp/facts.ts';

/** The facts of every cloud that Serin knows. */
export const clouds: Readonly<Record<Cloud, CloudFacts>> = { aws, gcp, azure };
