import { canonical } from '@serin/core/base/json';
import { type Azure, AzureError } from '../calls/azure.ts';
import { type MlPlace, mlCall, workspaceId } from '../calls/ml.ts';
import { mlName } from '../names.ts';
import type { JobSettings } from './settings.ts';

type Place = MlPlace & Pick<JobSettings, 'installation'> & { readonly azure: Azure };

/**
 * The id of the environment of an image, and of what else is said of it, which is made if it is not there. A version of an environment never changes, so
 * each image has one of its own: that it is made again says nothing new.
 */
export async function environmentOf(
  image: string,
  { azure, installation, ...place }: Place,
  more: object = {},
): Promise<string> {
  const path = `environments/${mlName(installation, 'environment', 'image', keyOf(image, more))}/versions/1`;
  const body = { properties: { image, osType: 'Linux', ...more } };
  try {
    await azure.json(mlCall(place, path, { method: 'PUT', body, repeatable: true }));
  } catch (error) {
    if (!saysThere(error)) throw error;
  }
  return `${workspaceId(place)}/${path}`;
}

/**
 * "Environment e with version 6 is already registered and cannot be changed.": said also to whoever changes nothing, for
 * Azure ML adds fields of its own. https://github.com/Azure/azure-cli-extensions/issues/5440
 */
export const saysThere = (error: unknown): boolean =>
  error instanceof AzureError &&
  (error.status === 400 || error.status === 409) &&
  /already registered|already exists|cannot be changed/i.test(error.message);

const keyOf = (image: string, more: object): string =>
  Object.keys(more).length === 0 ? image : canonical({ image, ...more });
