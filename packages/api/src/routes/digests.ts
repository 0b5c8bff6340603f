import { asFault } from '@serin/core/base/fault';
import { datasetParts, digestOfManifest } from '@serin/core/engine/dataset';
import { digestInKey, otherDigest, type ReadOwn, readNamed } from '@serin/core/engine/stored';
import type { Model } from '@serin/core/model/state';
import { upgrade } from '@serin/core/model/upgrade';
import { type Bucket, ownBucket } from '@serin/core/ports/bucket';
import type { Artifact } from '@serin/core/ports/jobs';
import * as z from 'zod';
import { listPage, pageQuery } from '../cursor.ts';
import type { Api } from '../options.ts';
import { type Route, route } from '../route.ts';
import { paged } from '../views.ts';
import type { Visible } from '../visible.ts';

const report = z.object({
  ok: z.boolean(),
  checked: z.int(),
  /** Artifacts that this platform keeps where the server cannot read them whole. */
  unchecked: z.int(),
  bytes: z.int(),
  problems: z.array(z.object({ name: z.string(), problem: z.string() })),
  next: z.string().optional(),
});

interface Checked {
  readonly name: string;
  readonly bytes: number;
  /** `undefined`: as it should be. */
  readonly problem?: string | undefined;
  readonly isUnchecked?: true;
}

const objectsPerCall = 50;
const modelsPerCall = 5;

export const digestRoutes = (api: Api): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/audit/digests',
    summary:
      'reads what is stored under a digest, whole, and compares it: code, configs and datasets, or model artifacts',
    role: 'admin',
    scope: 'project',
    query: z.strictObject({ cursor: pageQuery.cursor, of: z.enum(['objects', 'artifacts']) }),
    answers: { 200: { description: 'what was read; go on with `next`', schema: report } },
    problems: [400],
    async handle(asked) {
      const { of, cursor } = asked.query;
      const { checked, next } =
        of === 'objects' ? await objectsOf(api, cursor) : await artifactsOf(api, asked.project, cursor);
      const problems = checked.flatMap(({ name, problem }) => (problem === undefined ? [] : [{ name, problem }]));
      const unchecked = checked.filter(({ isUnchecked }) => isUnchecked).length;
      const bytes = checked.reduce((sum, item) => sum + item.bytes, 0);
      const body = { ok: problems.length === 0, checked: checked.length - unchecked, unchecked, bytes, problems };
      return paged(asked, { body, next });
    },
  }),
];

async function objectsOf({ ports }: Api, cursor: string | undefined) {
  const own = ports.bucket(ownBucket);
  const { items, ...rest } = await listPage({
    list: 'digests',
    cursor,
    limit: objectsPerCall,
    fetch: (page) => own.list('', page),
    keyOf: ({ key }) => key,
    keep: ({ key }) => digestInKey(key) !== undefined || digestOfManifest(key) !== undefined,
  });
  const checked: Checked[] = [];
  for (const { key, bytes } of items)
    checked.push({ name: key, bytes, problem: await problemOf(() => readWhole(own, key, bytes)) });
  return { checked, ...rest };
}

async function readWhole(own: Bucket, key: string, bytes: number): Promise<void> {
  const read: ReadOwn = (name, maxBytes) => own.read({ key: name, maxBytes });
  if (digestInKey(key) !== undefined) await readNamed(read, key, { maxBytes: bytes });
  else for await (const _ of datasetParts(read, key));
}

/** Of the models of one call, the artifacts of all versions that their state remembers. */
async function artifactsOf({ ports, digestOfArtifact }: Api, project: Visible, cursor: string | undefined) {
  const { items, ...rest } = await project.names('model/', { cursor, limit: modelsPerCall });
  const checked: Checked[] = [];
  for (const { stream } of items) {
    const head = await ports.journal.head(stream);
    const { model, versions } = upgrade(head?.state) as Model; // written by the engine
    for (const { number, artifact } of Object.values(versions)) {
      const name = `${model} v${number} (${artifact.uri})`;
      if (digestOfArtifact === undefined) checked.push({ name, bytes: 0, isUnchecked: true });
      else checked.push({ name, bytes: artifact.bytes, problem: await problemOf(() => compare(name, artifact)) });
    }
  }
  return { checked, ...rest };

  async function compare(name: string, artifact: Artifact): Promise<void> {
    const found = await digestOfArtifact?.(artifact);
    if (found !== undefined && found !== artifact.digest)
      throw otherDigest(name, artifact.digest, found, 'restore it from a backup, or start the run that made it again');
  }
}

/** What cannot be read is a problem of this thing, and the others are still looked at. */
async function problemOf(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return asFault(error).message;
  }
}
