import type { Bucket } from '@serin/core/ports/bucket';
import type { RegisteredVersion, Registry } from '@serin/core/ports/registry';
import { notYet } from '@serin/platform/faults';
import { checkNumber, neverRegistered, refuseOther } from '@serin/platform/registry/versions';
import { gcpFault, guarded, saysExists } from '../faults.ts';
import { modelName } from '../names.ts';
import { uploadIntents } from '../registry/intents.ts';
import { modelVersions, type RegistryOptions } from '../registry/versions.ts';

interface Options extends RegistryOptions {
  /** The own one: what is being uploaded is noted there. */
  readonly bucket: Bucket;
  readonly now: () => number;
}

/**
 * A mirror of the versions in Vertex AI's model registry: a model per model, a version per version, with the aliases
 * `v<number>`, `champion` and `challenger`.
 *
 * A version is found by listing those of its model, where its description names our number; Vertex AI numbers versions
 * itself. An upload is never waited for: `register` resolves once the list shows the version, and is `unavailable` before.
 * Should two versions of one number come to be, the first counts and the other is never read.
 */
export function vertexRegistry(options: Options): Registry {
  const versions = modelVersions(options);
  const intents = uploadIntents(options);
  const { installation } = options;

  async function upload(version: RegisteredVersion, key: string, hasModel: boolean): Promise<void> {
    const doing = `registering version ${version.number} of ${version.model}`;
    try {
      const { name } = await versions.upload(version, hasModel);
      await intents.begun(key, name);
    } catch (error) {
      const fault = gcpFault(error, doing);
      // A refusal is an answer: nothing can come of it any more.
      if (fault.code !== 'unavailable') await intents.release(key);
      // Another version was the first of its model at this moment.
      if (saysExists(error)) throw notYet(`the model of ${version.model} is being made`, error);
      throw fault;
    }
  }

  return {
    register: (version) =>
      guarded(`registering version ${version.number} of ${version.model}`, async () => {
        const { model, number } = version;
        checkNumber(version);
        const before = await versions.find(model, number);
        if (before.found !== undefined) return refuseOther(version, before.found.version);
        const key = `registry/${modelName(installation, model)}/v${number}.json`;
        await intents.claim(key, `registering version ${number} of ${model}`);
        // Who was held up after the first look may come when the version is there.
        const late = await versions.find(model, number);
        if (late.found === undefined) await upload(version, key, late.hasModel);
        const { found } = await versions.find(model, number);
        if (found === undefined) throw notYet(`version ${number} of ${model} is being uploaded to Vertex AI`);
        refuseOther(version, found.version);
      }),

    setApproval: (model, number, approval) =>
      guarded(`writing the approval of version ${number} of ${model}`, async () => {
        const { found } = await versions.find(model, number);
        if (found === undefined) throw neverRegistered(model, number);
        if (found.version.approval !== approval) await versions.update(found, approval);
      }),

    setAliases: (model, aliases) =>
      guarded(`moving the aliases of ${model}`, async () => {
        const missing = await versions.moveAliases(model, aliases);
        if (missing !== undefined) throw neverRegistered(model, missing);
      }),

    get: (model, number) =>
      guarded(`reading version ${number} of ${model}`, async () => (await versions.find(model, number)).found?.version),
  };
}
