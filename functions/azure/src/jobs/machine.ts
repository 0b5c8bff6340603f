import { instanceTypes } from '@serin/clouds/azure/instance-types';
import { instanceTypeFor } from '@serin/clouds/instance-types';
import { Fault } from '@serin/core/base/fault';
import type { Job } from '@serin/core/ports/jobs';
import type { Azure } from '../calls/azure.ts';
import { type MlPlace, mlCall, workspaceId } from '../calls/ml.ts';

interface Machine {
  readonly name: string;
  readonly vcpus: number;
  readonly accelerator?: { readonly count: number };
}

/** On what a job runs, and the part of its request that says so. */
interface Chosen {
  readonly machine: Machine;
  readonly asked: object;
}

interface Place extends MlPlace {
  readonly azure: Azure;
  readonly cluster?: string;
}

/**
 * Without a cluster a job is serverless: Azure ML makes the machines of its type for it, of spot capacity where it is
 * asked to. The machines of a cluster are of one type, all spot or none, so a job that asks for others is refused.
 *
 * https://learn.microsoft.com/azure/machine-learning/how-to-use-serverless-compute
 */
export async function chosenFor(job: Job, { azure, cluster, ...place }: Place): Promise<Chosen> {
  const { accelerator, nodes, spot } = job.compute;
  const wanted = instanceTypeFor(instanceTypes, job.kind === 'train' ? 'train' : 'process', accelerator);
  if (cluster === undefined) {
    const resources = { instanceCount: nodes, instanceType: wanted.name };
    return { machine: wanted, asked: { resources, queueSettings: { jobTier: spot ? 'Spot' : 'Standard' } } };
  }
  const type = await clusterType(cluster, { azure, ...place });
  const refuse = (why: string, mend: string) =>
    new Fault('invalid', `the job ${job.key} cannot run on the cluster ${cluster}, ${why}; ${mend}`);
  if (accelerator !== undefined && !isSame(type.name, wanted.name))
    throw refuse(
      `whose machines are ${type.name}, not ${wanted.name}`,
      'use another accelerator, or an installation with another cluster',
    );
  if (spot !== type.isSpot)
    throw refuse(
      type.isSpot ? 'whose machines may be taken away' : 'which has no spot machines',
      `set spot to ${type.isSpot}, or use an installation without a cluster`,
    );
  const known = [instanceTypes.plain, ...instanceTypes.rows].find(({ name }) => isSame(name, type.name));
  return {
    machine: known ?? { name: type.name, vcpus: instanceTypes.plain.vcpus },
    asked: { computeId: `${workspaceId(place)}/computes/${cluster}`, resources: { instanceCount: nodes } },
  };
}

/** Azure itself writes the name of one type in several ways. */
const isSame = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

interface Compute {
  readonly properties: { readonly properties?: { readonly vmSize?: string; readonly vmPriority?: string } };
}

async function clusterType(cluster: string, { azure, ...place }: Place): Promise<{ name: string; isSpot: boolean }> {
  const { properties } = await azure.json<Compute>(mlCall(place, `computes/${cluster}`, { method: 'GET' }));
  const { vmSize, vmPriority } = properties.properties ?? {};
  if (vmSize === undefined)
    throw new Fault(
      'invalid',
      `${cluster} is not a cluster of machines in Azure ML; name one, or leave the cluster out`,
    );
  return { name: vmSize, isSpot: vmPriority === 'LowPriority' };
}
