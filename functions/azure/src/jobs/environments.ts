import { canonical } from '@serin/core/base/json';
import type { Azure } from '../calls/azure.ts';
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
  await azure.json(mlCall(place, path, { method: 'PUT', body, repeatable: true }));
  return `${workspaceId(place)}/${path}`;
}

const keyOf = (image: string, more: object): string =>
  Object.keys(more).length === 0 ? image : canonical({ image, ...more });
