import { Fault } from '@serin/core/base/fault';
import { decodeText } from '@serin/core/base/json';
import type { Manifest } from '@serin/core/engine/dataset';
import { type ObjectInfo, ownBucket } from '@serin/core/ports/bucket';
import * as z from 'zod';
import { onlyOne } from '../beginnings.ts';
import { listPage, pageQuery } from '../cursor.ts';
import type { Api } from '../options.ts';
import { type Route, route } from '../route.ts';
import { digestText, inModel, pageOf } from '../shapes.ts';
import { paged } from '../views.ts';
import type { SeenModel } from '../visible.ts';

const dataset = z.looseObject({
  digest: z.string(),
  current: z.boolean(),
  objects: z.int(),
  bytes: z.int(),
  versions: z.array(z.int()),
});

export const datasetRoutes = ({ ports }: Api): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/models/{model}/datasets',
    summary: 'dataset versions of a model, by digest',
    role: 'viewer',
    scope: 'models',
    params: inModel,
    query: z.strictObject(pageQuery),
    answers: { 200: { description: 'a page', schema: pageOf('datasets', dataset) } },
    async handle(asked) {
      const { model } = asked.params;
      const seen = await asked.project.model(model);
      const own = ports.bucket(ownBucket);
      const prefix = `datasets/${model}/`;
      const { items, next } = await listPage<ObjectInfo>({
        list: prefix,
        cursor: asked.query.cursor,
        limit: asked.query.limit ?? 50,
        fetch: (page) => own.list(prefix, page),
        keyOf: ({ key }) => key,
        keep: () => true,
      });
      const digests = items.map(({ key }) => key.slice(prefix.length).replace(/\.json$/, ''));
      const rows = await Promise.all(
        digests.map(async (digest) => view(seen, digest, await readManifest(ports, model, digest))),
      );
      return paged(asked, { body: { datasets: rows.filter((row) => row !== undefined) }, next });
    },
  }),
  route({
    method: 'get',
    path: '/v1/models/{model}/datasets/{digest}',
    summary: 'one dataset version, by its digest or the beginning of it, and the versions that were trained on it',
    role: 'viewer',
    scope: 'models',
    params: inModel.extend({ digest: digestText }),
    answers: { 200: { description: 'the dataset version', schema: dataset } },
    async handle({ project, params: { model, digest: begin } }) {
      const seen = await project.model(model);
      const digest = await digestBeginning(ports, model, begin);
      const found = view(seen, digest, await readManifest(ports, model, digest));
      if (found === undefined)
        throw new Fault(
          'notFound',
          `there is no dataset version '${digest}' of ${model}; name one of 'serin datasets list ${model}'`,
        );
      return { status: 200, body: found };
    },
  }),
];

/** The whole digest that begins so, as far as there is one. */
export async function digestBeginning(ports: Api['ports'], model: string, begin: string): Promise<string> {
  if (begin.length === 64) return begin;
  const prefix = `datasets/${model}/`;
  const { items, next } = await ports.bucket(ownBucket).list(prefix + begin);
  const digests = items.map(({ key }) => key.slice(prefix.length).replace(/\.json$/, ''));
  return onlyOne(begin, digests, (digest) => digest, next !== undefined) ?? begin;
}

/** Written once by the listing, in the project's own bucket. */
async function readManifest(ports: Api['ports'], model: string, digest: string): Promise<Manifest | undefined> {
  const key = `datasets/${model}/${digest}.json`;
  const object = await ports.bucket(ownBucket).read({ key, maxBytes: 8_000_000 });
  return object === undefined || object.truncated ? undefined : (JSON.parse(decodeText(object.content)) as Manifest);
}

function view({ state }: SeenModel, digest: string, manifest: Manifest | undefined) {
  if (manifest === undefined) return undefined;
  const { bucket, prefix, objects, bytes } = manifest;
  const trained = Object.values(state.versions).filter((version) => version.dataset === digest);
  return {
    digest,
    current: state.intake.dataset?.digest === digest,
    bucket,
    prefix,
    objects,
    bytes,
    manifest: `datasets/${state.model}/${digest}.json`,
    versions: trained.map(({ number }) => number),
  };
}
