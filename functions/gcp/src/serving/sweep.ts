import { day } from '@serin/core/base/time';
import { type Google, GoogleError } from '../calls/google.ts';
import { lastOf, locationPath, type VertexPlace } from '../calls/vertex.ts';
import { gcpFault } from '../faults.ts';
import type { Hosted } from './hosted.ts';
import { servesLabel } from './models.ts';

/** Tidying up may not hold up a change of the endpoint. */
const atOnce = 5;

interface Options extends VertexPlace {
  readonly google: Google;
  readonly now: () => number;
}

interface Listed {
  readonly models?: readonly { readonly name: string; readonly createTime?: string }[];
}

/**
 * Begins to delete models that were uploaded for an endpoint a day ago or earlier and that it does not serve, all but the
 * one that is wanted now. At most five at a time; the others go with later operations. Vertex AI itself refuses to delete
 * a model that is deployed anywhere.
 */
export async function sweep(
  { google, now, ...place }: Options,
  { name, endpoint, step }: Hosted,
  wanted?: string,
): Promise<void> {
  const path = `${locationPath(place)}/models`;
  const query = { filter: `labels.${servesLabel}="${name}"`, orderBy: 'create_time', pageSize: 50 };
  const kept = new Set([
    wanted,
    step?.model,
    ...(endpoint?.deployedModels ?? []).map(({ model = '' }) => lastOf(model)),
  ]);
  try {
    const { models = [] } = await google.json<Listed>({ service: 'aiplatform', method: 'GET', path, query });
    const old = models.filter(({ createTime = '' }) => Date.parse(createTime) < now() - day);
    for (const model of old
      .map((each) => lastOf(each.name))
      .filter((id) => !kept.has(id))
      .slice(0, atOnce))
      await google.json({ service: 'aiplatform', method: 'DELETE', path: `${path}/${model}` }).catch(refused);
  } catch (error) {
    throw gcpFault(error, `deleting models that the endpoint ${name} does not serve any more`);
  }
}

/** One that is still in use, or just gone, is looked at again with the next operation. */
function refused(error: unknown): void {
  if (!(error instanceof GoogleError) || ![400, 404, 409].includes(error.status)) throw error;
}
