import {
  type ApplicationAutoScalingClient,
  DeregisterScalableTargetCommand,
  DescribeScalingPoliciesCommand,
  PutScalingPolicyCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import type { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { tagsOn } from '../calls/tags.ts';
import { awsFault, guarded, nameOfError } from '../faults.ts';
import { scaleTag } from './models.ts';

interface Variant {
  readonly name: string;
  readonly model: string;
}

/** Instances that follow the load; what a deployment wants is in the tags of its model. */
export interface Scaling {
  /** Registers the variants that want it and have no policy yet. Twice: the same. They must be in service. */
  keep(endpoint: { readonly name: string; readonly arn: string }, variants: readonly Variant[]): Promise<void>;
  /** Before a variant leaves: SageMaker refuses an update that takes a registered one away. Twice: the same. */
  release(endpoint: { readonly name: string; readonly arn: string }, variants: readonly Variant[]): Promise<void>;
}

/** A target is tracked in requests per instance and minute (SageMakerVariantInvocationsPerInstance). */
export function variantScaling(options: {
  readonly sagemaker: SageMakerClient;
  readonly autoscaling: ApplicationAutoScalingClient;
  readonly invocationsPerInstance: number;
}): Scaling {
  const { sagemaker, autoscaling, invocationsPerInstance } = options;
  const known = new Map<string, string>();

  async function wanted(endpointArn: string, model: string): Promise<readonly [number, number] | undefined> {
    const arn = endpointArn.replace(/:endpoint\/.*$/, `:model/${model}`);
    const text = known.get(model) ?? (await tagsOn(sagemaker, arn)).get(scaleTag);
    // A tag that is not there may only not be shown yet; one that is there never changes.
    if (text !== undefined) {
      if (known.size >= remembers) known.clear();
      known.set(model, text);
    }
    const range = /^(\d+)-(\d+)$/.exec(text ?? '');
    return range === null ? undefined : [Number(range[1]), Number(range[2])];
  }

  async function register(target: ReturnType<typeof targetOf>, [MinCapacity, MaxCapacity]: readonly [number, number]) {
    const { ScalingPolicies = [] } = await autoscaling.send(new DescribeScalingPoliciesCommand(target));
    if (ScalingPolicies.some(({ PolicyName }) => PolicyName === policyName)) return;
    await autoscaling.send(new RegisterScalableTargetCommand({ ...target, MinCapacity, MaxCapacity }));
    // Last, so that its being there says that all of it is.
    await autoscaling.send(new PutScalingPolicyCommand({ ...target, ...policy(invocationsPerInstance) }));
  }

  return {
    async keep(endpoint, variants) {
      for (const { name, model } of variants) {
        const range = await wanted(endpoint.arn, model);
        if (range === undefined) continue;
        await guarded(`scaling ${name} of the endpoint ${endpoint.name}`, () =>
          register(targetOf(endpoint.name, name), range),
        );
      }
    },

    async release(endpoint, variants) {
      for (const { name, model } of variants) {
        if ((await wanted(endpoint.arn, model)) === undefined) continue;
        try {
          await autoscaling.send(new DeregisterScalableTargetCommand(targetOf(endpoint.name, name)));
        } catch (error) {
          if (nameOfError(error) === 'ObjectNotFoundException') continue;
          throw awsFault(error, `ending the scaling of ${name} of the endpoint ${endpoint.name}`);
        }
      }
    },
  };
}

const remembers = 500;
const policyName = 'serin-invocations';

const targetOf = (endpoint: string, variant: string) => ({
  ServiceNamespace: 'sagemaker' as const,
  ResourceId: `endpoint/${endpoint}/variant/${variant}`,
  ScalableDimension: 'sagemaker:variant:DesiredInstanceCount' as const,
});

const policy = (TargetValue: number) => ({
  PolicyName: policyName,
  PolicyType: 'TargetTrackingScaling' as const,
  TargetTrackingScalingPolicyConfiguration: {
    TargetValue,
    PredefinedMetricSpecification: { PredefinedMetricType: 'SageMakerVariantInvocationsPerInstance' as const },
    ScaleInCooldown: 600,
    ScaleOutCooldown: 60,
  },
});
