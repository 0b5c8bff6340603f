import { sha256Hex } from '@serin/core/base/json';
import { type CodeFile, codeKey, isSafePath, type ReadOwn, readCode } from '@serin/core/engine/stored';
import { routesOf, takersOf } from '@serin/core/inbound/route';
import { type ObjectInfo, ownBucket } from '@serin/core/ports/bucket';
import * as z from 'zod';
import { parseJson } from '../bodies.ts';
import { listPage, pageQuery } from '../cursor.ts';
import type { Api } from '../options.ts';
import { Problem, wrongs } from '../problem.ts';
import { mayAct } from '../roles.ts';
import { type Asked, type Route, route } from '../route.ts';
import { paged } from '../views.ts';

const bucketName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/);
const object = z.object({ key: z.string(), version: z.string(), bytes: z.int() });

/** A code folder as it is released; what a program is given of it, core reads by the same rules. */
const codeManifest: z.ZodType<{ readonly files: readonly CodeFile[] }> = z.strictObject({
  files: z
    .array(
      z.strictObject({
        path: z.string().refine(isSafePath, {
          error: "use a relative path without '..', ':' and '\\', with names of at most 200 bytes",
        }),
        blob: z.string().regex(/^[0-9a-f]{64}$/),
        bytes: z.int().min(0),
        executable: z.boolean(),
      }),
    )
    .max(20_000),
});

export const bucketRoutes = (api: Api): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/buckets/{bucket}/objects',
    summary: 'objects whose key starts with a prefix, by key',
    role: 'viewer',
    scope: 'models',
    params: z.object({ bucket: bucketName }),
    query: z.strictObject({ ...pageQuery, prefix: z.string().max(1024).optional() }),
    answers: {
      200: { description: 'a page', schema: z.object({ objects: z.array(object), next: z.string().optional() }) },
    },
    async handle(asked) {
      const { params, query, caller } = asked;
      const takers = await takersIn(api, params.bucket);
      const { items, next } = await listPage<ObjectInfo>({
        list: `${params.bucket}/${query.prefix ?? ''}`,
        cursor: query.cursor,
        limit: query.limit ?? 100,
        fetch: (page) => api.ports.bucket(params.bucket).list(query.prefix ?? '', page),
        keyOf: ({ key }) => key,
        keep: ({ key }) => caller.models === undefined || takers(key).models.some((model) => asked.project.sees(model)),
      });
      return paged(asked, {
        body: { objects: items.map(({ key, version, bytes }) => ({ key, version, bytes })) },
        next,
      });
    },
  }),
  route({
    method: 'put',
    path: '/v1/buckets/{bucket}/objects/{key*}',
    summary: 'writes an object, then tells the models that take data from there',
    role: 'operator',
    scope: 'models',
    params: z.object({ bucket: bucketName, key: z.string().min(1).max(1024) }),
    media: ['application/octet-stream'],
    maxBytes: api.maxObjectBytes ?? 64_000_000,
    answers: {
      201: { description: 'written, durably', schema: z.object({ key: z.string(), models: z.array(z.string()) }) },
      200: {
        description: 'it was there already (only keys that are content-addressed)',
        schema: z.object({ key: z.string(), models: z.array(z.string()) }),
      },
    },
    problems: [400, 409, 422, 501],
    async handle(asked) {
      const { bucket, key } = asked.params;
      if (bucket === ownBucket) return writeOwn(api, asked, key);
      if (api.platform !== 'local')
        throw new Problem(
          'notImplemented',
          `the bucket '${bucket}' is not on this machine; put the object there with the tools of ${api.platform}`,
        );
      const { models, type } = (await takersIn(api, bucket))(key);
      // Whoever writes an object changes the data of every model that takes it.
      if (
        asked.caller.models !== undefined &&
        !(models.length > 0 && models.every((model) => asked.project.sees(model)))
      )
        throw new Problem(
          'forbidden',
          'the token is not scoped to all models that take data under this key; use another token',
        );
      await api.ports.bucket(bucket).write(key, asked.raw);
      // The object is the truth and the signal a hint: should it be lost, the daily listing finds the object.
      for (const model of models) await asked.project.tell(model, { type, keys: [key] }, asked.id);
      return { status: 201, body: { key, models } };
    },
  }),
];

async function takersIn({ config }: Api, bucket: string) {
  const released = await config();
  const routes = released === undefined ? undefined : routesOf(released);
  return (key: string) =>
    routes === undefined ? { models: [], type: 'dataHinted' as const } : takersOf(routes, bucket, key);
}

/** The project's own bucket takes code alone, under the digest of its content, from an admin. */
async function writeOwn(
  api: Api,
  asked: Pick<Asked<unknown, unknown, unknown>, 'raw' | 'caller' | 'project'>,
  key: string,
) {
  asked.project.whole();
  if (!mayAct(asked.caller, 'admin'))
    throw new Problem('forbidden', `the bucket '${ownBucket}' needs the role admin; use a token that has it`);
  const [, blob, manifest] = /^code\/(?:blobs\/([0-9a-f]{64})|([0-9a-f]{64})\.json)$/.exec(key) ?? [];
  const digest = blob ?? manifest;
  if (digest === undefined)
    throw new Problem(
      'invalid',
      `the bucket '${ownBucket}' does not take this key; use code/blobs/<sha256> or code/<sha256>.json`,
    );
  if (sha256Hex(asked.raw) !== digest)
    throw new Problem(
      'invalid',
      `the SHA-256 of the body is ${sha256Hex(asked.raw)}, not that of the key; send the file that the key names`,
    );
  if (manifest !== undefined) checkManifest(asked.raw);
  const written = await api.ports.bucket(ownBucket).write(key, asked.raw, { ifAbsent: true });
  return { status: written === 'exists' ? 200 : 201, body: { key, models: [] } };
}

function checkManifest(bytes: Uint8Array): void {
  const parsed = codeManifest.safeParse(parseJson(bytes));
  if (!parsed.success)
    throw new Problem('invalid', 'the body is not a code manifest; correct the fields named in errors', {
      errors: wrongs(parsed.error),
    });
}

/** Code blobs of a manifest in the project's own bucket; `undefined`: there is no such manifest. */
export async function blobsOf({ ports }: Api, digest: string): Promise<readonly string[] | undefined> {
  const read: ReadOwn = (key, maxBytes) => ports.bucket(ownBucket).read({ key, maxBytes });
  if ((await read(codeKey(digest), 1)) === undefined) return undefined;
  return [...new Set((await readCode(read, digest)).map(({ blob }) => blob))];
}
