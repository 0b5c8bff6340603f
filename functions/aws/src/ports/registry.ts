import type { SageMakerClient } from '@aws-sdk/client-sagemaker';
import type { Registry } from '@serin/core/ports/registry';
import { notYet } from '@serin/platform/faults';
import type { Installation } from '@serin/platform/names';
import { checkNumber, neverRegistered, refuseOther } from '@serin/platform/registry/versions';
import { guarded } from '../faults.ts';
import { isNoted, modelPackages } from '../registry/packages.ts';

export interface AwsRegistry extends Registry {
  /**
   * Whose version a model package is, and who changed it last; `undefined` for one that is not of this installation, or of
   * which something else was decided. Not decided (yet): `unavailable`.
   */
  versionOfPackage(
    arn: string,
    decided: 'approved' | 'rejected',
  ): Promise<{ readonly model: string; readonly version: number; readonly by?: string } | undefined>;
}

interface Options {
  readonly sagemaker: SageMakerClient;
  readonly installation: Installation;
}

/**
 * A mirror of the versions in SageMaker's model registry: a group per model, a versioned package per version.
 *
 * A package is found by listing its group, where its description names our number; SageMaker numbers the packages itself.
 * Twice: the token follows from model and number, and a version that the list shows is not created again. Should two
 * packages of one number come to be, the first counts and the other is never read. `register` resolves once the list
 * shows the version (before that it throws `unavailable`), so that later calls find it.
 *
 * A package names the artifact by its source and has no inference specification: serving takes models by their artifact.
 */
export function sageMakerRegistry(options: Options): AwsRegistry {
  const packages = modelPackages(options);

  return {
    register: (version) =>
      guarded(`registering version ${version.number} of ${version.model}`, async () => {
        const { model, number, approval } = version;
        checkNumber(version);
        const before = await packages.find(model, number);
        if (before !== undefined) return refuseOther(version, before.version);
        await packages.ensureGroup(model);
        await packages.create(version);
        const found = await packages.find(model, number);
        if (found === undefined)
          throw notYet(`version ${number} of ${model} exists, but SageMaker does not list it yet`);
        refuseOther(version, found.version);
        // A package is created with a word of SageMaker's; what it has no word for is written as a note.
        if (isNoted(approval)) await packages.update(found, approval);
      }),

    setApproval: (model, number, approval) =>
      guarded(`setting the approval of version ${number} of ${model}`, async () => {
        const found = await packages.find(model, number);
        if (found === undefined) throw neverRegistered(model, number);
        if (found.version.approval !== approval) await packages.update(found, approval);
      }),

    get: (model, number) =>
      guarded(`reading version ${number} of ${model}`, async () => (await packages.find(model, number))?.version),

    versionOfPackage: (arn, decided) =>
      guarded(`reading the model package ${arn}`, async () => {
        const found = await packages.describe(arn);
        if (found === undefined) return undefined;
        const { version, by } = found;
        if (version.approval === 'pending')
          throw notYet(`${arn} is reported as ${decided}, but SageMaker does not show it yet`);
        if (version.approval !== decided) return undefined;
        return { model: version.model, version: version.number, ...(by === undefined ? {} : { by }) };
      }),
  };
}
