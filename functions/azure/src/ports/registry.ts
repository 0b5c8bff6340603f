import { Fault } from '@serin/core/base/fault';
import type { RegisteredVersion, Registry } from '@serin/core/ports/registry';
import { checkNumber, neverRegistered, refuseOther } from '@serin/platform/registry/versions';
import { AzureError } from '../calls/azure.ts';
import { guarded } from '../faults.ts';
import { modelVersions, type RegistryOptions } from '../registry/versions.ts';

/**
 * A mirror of the versions in Azure ML's model registry: a model per model, and a version of it per version, by our own
 * number. Azure ML has no aliases: `latest` is the only label that it knows.
 */
export function mlRegistry(options: RegistryOptions): Registry {
  const versions = modelVersions(options);

  async function known(model: string, number: number): Promise<RegisteredVersion | undefined> {
    const found = await versions.find(model, number);
    if (found !== 'foreign') return found;
    const mend = 'delete it, or use another project or environment';
    throw new Fault('invalid', `somebody else has registered version ${number} of the model of ${model}; ${mend}`);
  }

  return {
    register: (version) =>
      guarded(`registering version ${version.number} of ${version.model}`, async () => {
        const { model, number } = version;
        checkNumber(version);
        const before = await known(model, number);
        if (before !== undefined) return refuseOther(version, before);
        try {
          refuseOther(version, await versions.put(version));
        } catch (error) {
          // Another content was there first: it is what counts.
          const first = isRefusal(error) ? await known(model, number) : undefined;
          if (first === undefined) throw error;
          refuseOther(version, first);
        }
      }),

    setApproval: (model, number, approval) =>
      guarded(`tagging version ${number} of ${model} as ${approval}`, async () => {
        const found = await known(model, number);
        if (found === undefined) throw neverRegistered(model, number);
        if (found.approval !== approval) await versions.put({ ...found, approval });
      }),

    get: (model, number) => guarded(`reading version ${number} of ${model}`, () => known(model, number)),
  };
}

/** Which of the two Azure ML answers to other content under a number is nowhere documented. */
const isRefusal = (error: unknown): boolean => error instanceof AzureError && [400, 409].includes(error.status);
