import type { Azure } from '../calls/azure.ts';
import { type MlPlace, mlCall, workspaceId } from '../calls/ml.ts';
import { mlName } from '../names.ts';
import type { JobSettings } from './settings.ts';

type Place = MlPlace & Pick<JobSettings, 'installation'> & { readonly azure: Azure };

/**
 * The id of the environment of an image, which is made if it is not there. A version of an environment never changes, so
 * each image has one of its own: that it is made again says nothing new.
 */
export async function environmentOf(image: string, { azure, installation, ...place }: Place): Promise<string> {
  const path = `environments/${mlName(installation, 'environment', 'image', image)}/versions/1`;
  const body = { properties: { image, osType: 'Linux' } };
  await azure.json(mlCall(place, path, { method: 'PUT', body, repeatable: true }));
  return `${workspaceId(place)}/${path}`;
}
