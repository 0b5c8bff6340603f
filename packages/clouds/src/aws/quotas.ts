import type { Part } from '@serin/core/config/parts';
import type { Quotas } from '../facts.ts';

// The names are those of the error that SageMaker answers when a quota is used up: "The account-level service limit
// 'ml.g5.xlarge for training job usage' is 0 Instances". Its defaults differ by account and are published nowhere.
const uses: Readonly<Record<Part['use'], string>> = {
  train: 'training job',
  process: 'processing job',
  serve: 'endpoint',
};

export const quotas: Quotas = {
  where: 'Service Quotas (often 0 for accelerators in a new account; no list of defaults is published)',
  of: ({ use, spot }, { name }) => ({ quota: `${name} for ${spot ? 'spot ' : ''}${uses[use]} usage`, each: 1 }),
  // SageMaker builds an updated endpoint whole before it takes the old one away: when a candidate comes the champion is
  // there twice, and when the champion goes the candidate is. Rolling updates, which need less, are for endpoints of one
  // variant only. https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html
  atUpdate: (instances) => 3 * instances,
  atUpdateText:
    'of an endpoint 3 times its instances: each update builds it anew beside the old one, with champion and candidate; less is a failed update, and the candidate is taken back',
};
