import type { Quotas } from '../facts.ts';

/**
 * Quotas of Vertex AI count accelerators, and processors where there are none; those of Compute Engine do not matter.
 *
 * Unproven: whether the processors beside an accelerator count as well. Somebody's spot job with a T4 was refused for
 * `custom_model_training_preemptible_cpus`.
 */
export const quotas: Quotas = {
  where:
    'IAM & Admin, Quotas, of the service aiplatform.googleapis.com (often 0 for accelerators in a new project; the processors beside them may count as well, as ..._cpus)',
  of({ use, spot }, { countedAs, accelerator, vcpus }) {
    const of = use === 'serve' ? 'custom_model_serving' : 'custom_model_training';
    // https://docs.cloud.google.com/vertex-ai/docs/training/use-spot-vms: spot instances have quotas of their own.
    const kind = spot ? `${of}_preemptible` : of;
    if (accelerator === undefined) return { quota: `${kind}_cpus`, each: vcpus };
    return countedAs === undefined ? undefined : { quota: `${kind}_${countedAs}`, each: accelerator.count };
  },
  // DedicatedResources.maxReplicaCount (aiplatform v1): all instances of a deployment are charged against the quota.
  atUpdate: (instances) => 2 * instances,
  atUpdateText: 'of an endpoint twice its instances: champion and candidate stand side by side during a rollout',
};
