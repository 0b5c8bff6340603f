import type { Approval, RegisteredVersion } from '@serin/core/ports/registry';
import type { Installation } from '@serin/platform/names';
import { versionProperties } from '@serin/platform/registry/properties';
import type { Azure } from '../calls/azure.ts';
import { type MlPlace, mlCall } from '../calls/ml.ts';
import { saysMissing } from '../faults.ts';
import { modelName, tagsOf } from '../names.ts';
import { datastoreUri } from './model-uri.ts';

export interface RegistryOptions extends MlPlace {
  readonly azure: Azure;
  readonly installation: Installation;
  /** The storage account of the own container, and its name: models lie there. */
  readonly account: string;
  readonly ownContainer: string;
  /** That of the own container in the workspace. */
  readonly datastore: string;
}

interface Stored {
  readonly properties?: {
    readonly properties?: Readonly<Record<string, string>>;
    readonly tags?: Readonly<Record<string, string>>;
  };
}

/**
 * Azure ML says no limit for the properties of a version: these are those of tags in all of Azure, with the characters
 * that it refuses in the name of a tag.
 *
 * https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations
 */
const { propertiesOf, versionIn } = versionProperties({
  of: 'a model of Azure ML',
  entries: 50,
  key: 255,
  value: 256,
  unsafe: /^ | $|[<>%&\\?/\p{C}~]/gu,
  mark: '~',
  hex: 'lower',
});

/**
 * The versions of a model in Azure ML's registry. What a call throws, comes out of the methods.
 *
 * What was registered stands in the properties of a version, which Azure ML does not change any more; its approval is a
 * tag, which it does.
 */
export function modelVersions({ azure, installation, account, ownContainer, datastore, ...place }: RegistryOptions) {
  const path = (model: string, number: number) => `models/${modelName(installation, model)}/versions/${number}`;

  const versionOf = ({ properties = {} }: Stored): RegisteredVersion | undefined => {
    const version = versionIn(installation, properties.properties ?? {});
    const approval = properties.tags?.['serin-approval'] as Approval | undefined; // as written below
    return version === undefined ? undefined : { ...version, approval: approval ?? 'pending' };
  };

  return {
    /** `foreign`: there is one, but this installation did not register it. */
    async find(model: string, number: number): Promise<RegisteredVersion | 'foreign' | undefined> {
      try {
        const stored = await azure.json<Stored>(mlCall(place, path(model, number), { method: 'GET' }));
        return versionOf(stored) ?? 'foreign';
      } catch (error) {
        if (saysMissing(error)) return undefined;
        throw error;
      }
    },

    /** The name is the key: a second one with the same content is none. The approval alone may differ. */
    async put(version: RegisteredVersion): Promise<RegisteredVersion | undefined> {
      const { model, number, artifact, approval, metrics, lineage } = version;
      const properties = propertiesOf(installation, { model, number, artifact, metrics, lineage, approval });
      const tags = tagsOf(installation, { 'serin-model': model, 'serin-approval': approval });
      const modelUri = datastoreUri(artifact.uri, { ...place, account, ownContainer, datastore });
      const body = { properties: { modelType: 'custom_model', modelUri, properties, tags } };
      return versionOf(
        await azure.json<Stored>(mlCall(place, path(model, number), { method: 'PUT', body, repeatable: true })),
      );
    },
  };
}
