import { Fault } from '@serin/core/base/fault';
import { decodeText } from '@serin/core/base/json';
import { suggestConstraints } from '@serin/core/drift/constraints';
import type { DatasetProfile } from '@serin/core/drift/profile';
import type { DataReport } from '@serin/core/drift/report';
import { profileKey, readNamed, reportKey } from '@serin/core/engine/stored';
import type { DataSeen } from '@serin/core/model/version';
import { ownBucket } from '@serin/core/ports/bucket';
import * as z from 'zod';
import type { Api } from '../options.ts';
import { Problem } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { digestText, inModel, runId } from '../shapes.ts';
import type { Visible } from '../visible.ts';
import { digestBeginning } from './datasets.ts';

const finding = z.looseObject({
  check: z.string(),
  column: z.string().optional(),
  action: z.enum(['warn', 'refuse']),
  value: z.number(),
  limit: z.number(),
  reference: z.number().optional(),
  text: z.string(),
});
const report = z.looseObject({
  model: z.string(),
  dataset: z.string(),
  refused: z.boolean(),
  because: z.string(),
  rows: z.int(),
  findings: z.array(finding),
  more: z.int(),
});
const profile = z.looseObject({
  model: z.string(),
  dataset: z.string(),
  rows: z.int(),
  columns: z.array(z.looseObject({ name: z.string() })),
});
const constraints = z.object({
  model: z.string(),
  dataset: z.string(),
  rows: z.int(),
  columns: z.record(z.string(), z.looseObject({})),
});

/** A cloud's functions answer with 6 MB at most. */
const mostBytes = 5_000_000;

/** What was found of a dataset before it was trained on. Values of the data are in it: extremes and categories. */
export const reportRoutes = ({ ports }: Api): readonly Route[] => {
  const read = async <Kind>(key: string): Promise<{ readonly content: Kind; readonly bytes: number }> => {
    const own = ports.bucket(ownBucket);
    const content = await readNamed((named, maxBytes) => own.read({ key: named, maxBytes }), key);
    if (content === undefined)
      throw new Fault('notFound', `${key} is not in the bucket '${ownBucket}'; restore it from a backup`);
    return { content: JSON.parse(decodeText(content)) as Kind, bytes: content.length }; // written by a run
  };
  const readReport = async (data: DataSeen | undefined, what: string): Promise<DataReport> => {
    if (data?.report === undefined) throw unseen(what);
    return (await read<DataReport>(reportKey(data.report))).content;
  };

  return [
    route({
      method: 'get',
      path: '/v1/runs/{id}/report',
      summary: 'what the validation of the dataset of a run found',
      role: 'viewer',
      scope: 'models',
      params: z.object({ id: runId }),
      answers: { 200: { description: 'refusals first', schema: report } },
      async handle({ project, params }) {
        const { model, value } = await project.run(params.id);
        const found = await readReport(value.data, `run ${value.id}`);
        return { status: 200, body: { model, run: value.id, dataset: value.dataset.digest, ...found } };
      },
    }),
    route({
      method: 'get',
      path: '/v1/models/{model}/datasets/{digest}/report',
      summary: 'what the last validation of a dataset version found',
      role: 'viewer',
      scope: 'models',
      params: inModel.extend({ digest: digestText }),
      answers: { 200: { description: 'refusals first', schema: report } },
      async handle({ project, params: { model, digest: begin } }) {
        await project.model(model);
        const dataset = await digestBeginning(ports, model, begin);
        const found = await readReport(await seenOf(project, model, dataset), `dataset version '${dataset}'`);
        return { status: 200, body: { model, dataset, ...found } };
      },
    }),
    route({
      method: 'get',
      path: '/v1/models/{model}/datasets/{digest}/profile',
      summary: 'what a dataset version looks like, column by column',
      role: 'viewer',
      scope: 'models',
      params: inModel.extend({ digest: digestText }),
      query: z.strictObject({ column: z.string().max(4096).optional() }),
      answers: { 200: { description: 'of all columns, or of one', schema: profile } },
      async handle({ project, params: { model, digest: begin }, query: { column } }) {
        await project.model(model);
        const dataset = await digestBeginning(ports, model, begin);
        const data = await seenOf(project, model, dataset);
        if (data === undefined) throw unseen(`dataset version '${dataset}'`);
        const { content, bytes } = await read<DatasetProfile>(profileKey(data.profile));
        if (column === undefined && bytes > mostBytes)
          throw new Problem('tooLarge', `the profile has ${bytes} bytes; ask for one column with ?column=`);
        const columns = content.columns.filter(({ name }) => column === undefined || name === column);
        return { status: 200, body: { model, dataset, ...content, columns } };
      },
    }),
    route({
      method: 'get',
      path: '/v1/models/{model}/constraints',
      summary: 'what the data of the champion suggests to promise of the next data',
      role: 'viewer',
      scope: 'models',
      params: inModel,
      answers: {
        200: {
          description: 'as `validate.columns` of the config takes them; without a champion of the newest data',
          schema: constraints,
        },
      },
      async handle({ project, params: { model } }) {
        const found = await newestSeen(project, model);
        if (found === undefined) throw unseen(model);
        const { content } = await read<DatasetProfile>(profileKey(found.data.profile));
        const columns = suggestConstraints(content);
        return { status: 200, body: { model, dataset: found.dataset, rows: content.rows, columns } };
      },
    }),
  ];
};

const unseen = (what: string): Fault =>
  new Fault(
    'notFound',
    `nothing was found out about the data of ${what}; add validate: {} to the config and start a run`,
  );

/** The last ones: what is older has records of its own. */
const runsLooked = 20;

type Found = { readonly dataset: string; readonly data: DataSeen };
const sightOf = (dataset: string, data: DataSeen | undefined): readonly Found[] =>
  data === undefined ? [] : [{ dataset, data }];

/** What was found of one dataset version, by the newest run that looked. */
async function seenOf(project: Visible, model: string, dataset: string): Promise<DataSeen | undefined> {
  const { state } = await project.model(model);
  const versions = Object.values(state.versions).sort((one, other) => other.number - one.number);
  const known = [
    ...(state.run === undefined ? [] : sightOf(state.run.dataset.digest, state.run.data)),
    ...versions.flatMap((version) => sightOf(version.dataset, version.data)),
  ].find((seen) => seen.dataset === dataset);
  return known?.data ?? (await seenByRuns(project, model, dataset))?.data;
}

async function newestSeen(project: Visible, model: string): Promise<Found | undefined> {
  const { state } = await project.model(model);
  const { champion, run, versions } = state;
  const version = champion === undefined ? undefined : versions[String(champion)];
  const [known] = [
    ...(version === undefined ? [] : sightOf(version.dataset, version.data)),
    ...(run === undefined ? [] : sightOf(run.dataset.digest, run.data)),
  ];
  return known ?? seenByRuns(project, model);
}

/** A dataset that was refused is known to its run only. */
async function seenByRuns(project: Visible, model: string, dataset?: string): Promise<Found | undefined> {
  const { items } = await project.names(
    'run/',
    { limit: runsLooked },
    (summary) => summary.model === model && (dataset === undefined || summary.dataset === dataset),
  );
  for (const { summary } of items) {
    const { value } = await project.run(String(Object(summary).id));
    if (value.data !== undefined) return { dataset: value.dataset.digest, data: value.data };
  }
  return undefined;
}
