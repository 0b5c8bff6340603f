import { type CloudWatchClient, ListMetricsCommand } from '@aws-sdk/client-cloudwatch';
import type { ProductionVariantSummary } from '@aws-sdk/client-sagemaker';
import { guarded } from '../faults.ts';
import type { Endpoints } from './described.ts';

interface Sources {
  readonly cloudwatch: CloudWatchClient;
  readonly endpoints: Endpoints;
}

export interface Variant {
  readonly name: string;
  /** As it is now; 0 of one that is gone. */
  readonly weight: number;
}

/**
 * The variants of an endpoint that may have answered a request in the last two weeks: those that are there, and those
 * that have left metrics. CloudWatch lists a metric up to 15 minutes after its first value and SageMaker forgets a
 * variant when it is gone, so neither alone knows all. A shadow variant answers nobody and is left out.
 */
export async function variantsOf({ cloudwatch, endpoints }: Sources, endpoint: string): Promise<readonly Variant[]> {
  const [present, measured] = await Promise.all([presentIn(endpoints, endpoint), measuredOf(cloudwatch, endpoint)]);
  const weights = new Map(present.production.map(({ name, weight }) => [name, weight]));
  const shadows = new Set(present.shadow.map(({ name }) => name));
  return [...new Set([...weights.keys(), ...measured])]
    .filter((name) => !shadows.has(name))
    .sort()
    .map((name) => ({ name, weight: weights.get(name) ?? 0 }));
}

async function presentIn(endpoints: Endpoints, endpoint: string) {
  const found = await endpoints.described(endpoint);
  const named = (variants: readonly ProductionVariantSummary[] | undefined): readonly Variant[] =>
    (variants ?? []).map(({ VariantName = '', CurrentWeight = 0 }) => ({ name: VariantName, weight: CurrentWeight }));
  return { production: named(found?.ProductionVariants), shadow: named(found?.ShadowProductionVariants) };
}

async function measuredOf(cloudwatch: CloudWatchClient, endpoint: string): Promise<readonly string[]> {
  const names: string[] = [];
  let NextToken: string | undefined;
  do {
    const command = new ListMetricsCommand({
      Namespace: 'AWS/SageMaker',
      MetricName: 'Invocations',
      Dimensions: [{ Name: 'EndpointName', Value: endpoint }],
      ...(NextToken === undefined ? {} : { NextToken }),
    });
    const doing = `listing the metrics of the endpoint ${endpoint}`;
    const answer = await guarded(doing, () => cloudwatch.send(command));
    for (const { Dimensions = [] } of answer.Metrics ?? []) {
      const variant = Dimensions.find(({ Name }) => Name === 'VariantName')?.Value;
      if (variant) names.push(variant);
    }
    NextToken = answer.NextToken;
  } while (NextToken !== undefined);
  return names;
}
