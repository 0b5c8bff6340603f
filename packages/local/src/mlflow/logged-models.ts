import { randomUUID } from 'node:crypto';
import { isSafeArtifact } from './artifact-paths.ts';
import { experimentOf, modelOf, recordOf } from './experiments.ts';
import { type Fields, optionalText, pairOf, recordsOf, textOf, textsOf } from './fields.ts';
import { type Asked, needs, type Party, type Routes, seesClients } from './house.ts';
import { noSuch, wrong } from './refused.ts';
import { runRoot } from './run-views.ts';
import { runnableExperiment, writable } from './runs.ts';
import { searched } from './search.ts';
import type { Item, LoggedBody, Store } from './store.ts';

/** What a program logs as a model: files with an MLmodel among them. Clients before 3 keep them in their run. */
export const loggedModelRoutes: Routes = {
  'POST logged-models': create,
  'POST logged-models/search': search,
  'GET logged-models/*': async (asked) => ({ model: view(asked, await readable(asked)) }),
  'PATCH logged-models/*': (asked) =>
    change(asked, (body) => {
      const status = optionalText(asked.fields, 'status') ?? body.status;
      return { ...body, status: status.replace(/^LOGGED_MODEL_(?=READY|PENDING|UPLOAD_FAILED)/, '') };
    }),
  'PATCH logged-models/*/tags': (asked) =>
    change(asked, (body, id) => {
      for (const tag of recordsOf(asked.fields, 'tags'))
        asked.house.store.setText('tag', `model/${id}`, pairOf(tag, 'tag'));
      return body;
    }),
  'POST logged-models/*/params': (asked) =>
    change(asked, (body) => ({ ...body, params: [...body.params, ...paramsIn(asked.fields)] })),
  'POST runs/log-model': logModel,
  'POST runs/outputs': async (asked) => {
    await writable(asked, textOf(asked.fields, 'run_id'));
    return {};
  },
};

const paramsIn = (fields: Fields) => recordsOf(fields, 'params').map((pair) => pairOf(pair, 'param'));

async function create(asked: Asked) {
  const { house, party, fields } = asked;
  const { store } = house;
  const run = optionalText(fields, 'source_run_id') ?? party.job?.run ?? '';
  const source = run === '' ? undefined : await writable(asked, run);
  const asks = optionalText(fields, 'experiment_id') ?? '0';
  const experiment =
    source?.item?.parent ??
    (party.job === undefined ? await runnableExperiment(asked, asks) : experimentOf(party.job.model));
  const id = `m-${randomUUID().replaceAll('-', '')}`;
  const tags = recordsOf(fields, 'tags').map((tag) => pairOf(tag, 'tag'));
  const at = house.now();
  const item: Item<'model'> = {
    ...{ id, at, parent: `run/${run}`, name: optionalText(fields, 'name') ?? 'model' },
    body: {
      ...{ run, experiment, scope: source?.scope ?? '', root: `models/${id}/artifacts`, status: 'PENDING' },
      ...{ type: optionalText(fields, 'model_type') ?? '', params: paramsIn(fields), updatedAt: at },
    },
  };
  await store.commit(() => {
    store.put('model', item);
    for (const tag of tags) store.setText('tag', `model/${id}`, tag);
  });
  return { model: view(asked, item) };
}

/** The older way: the files are in the artifacts of the run. */
async function logModel(asked: Asked) {
  const { fields } = asked;
  const run = textOf(fields, 'run_id');
  const source = await writable(asked, run);
  const { artifact_path: path } = Object(parsed(textOf(fields, 'model_json', 5_000_000)));
  if (typeof path === 'string') await noteFiles(asked, source, `${runRoot(run)}/${path}`);
  return {};
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw wrong(`'model_json' is not JSON; send the text of MLmodel: ${error instanceof Error ? error.message : ''}`);
  }
}

/** Registers files of a run as its model. The newest one is what the job leaves. Answers what is known of it. */
export async function noteFiles(
  { house, party }: Asked,
  { id: run, scope, item: made }: Awaited<ReturnType<typeof writable>>,
  root: string,
): Promise<Item<'model'>> {
  const { store, now } = house;
  const [, path = '..'] = /^runs\/\w+\/artifacts\/(.*)$/.exec(root) ?? [];
  if (!isSafeArtifact(path))
    throw wrong(`the model ${JSON.stringify(root.slice(0, 200))} is not in its run; log it below its artifacts`);
  const experiment = made?.parent ?? experimentOf(party.job?.model ?? '');
  return store.commit(() => {
    const at = now();
    const item: Item<'model'> = {
      ...{ id: root, at, parent: `run/${run}`, name: root.slice(root.lastIndexOf('/') + 1) },
      body: { run, experiment, scope, root, status: 'READY', type: '', params: [], updatedAt: at },
    };
    store.put('model', item);
    return item;
  });
}

export function loggedModel({ house, party }: Asked, id: string): Item<'model'> {
  const item = house.store.item('model', id);
  if (item === undefined || !isSeenBy(party, item.body.experiment)) throw noSuch('logged model', id);
  return item;
}

const readable = async (asked: Asked): Promise<Item<'model'>> => loggedModel(asked, textOf(asked.fields, 'model_id'));

async function change(asked: Asked, to: (body: LoggedBody, id: string) => LoggedBody) {
  const { house, party } = asked;
  const known = await readable(asked);
  await writableModel(asked, known);
  needs(party, 'operator');
  await house.store.commit(() => {
    const item = loggedModel(asked, known.id);
    house.store.put('model', { ...item, body: { ...to(item.body, item.id), updatedAt: house.now() } });
  });
  return { model: view(asked, loggedModel(asked, known.id)) };
}

/** Whoever may write into the run of a model may write into the model. */
export async function writableModel(asked: Asked, { body }: Item<'model'>): Promise<void> {
  if (body.run !== '') await writable(asked, body.run);
  else await runnableExperiment(asked, body.experiment);
}

function view({ house: { store } }: Pick<Asked, 'house'>, { id, name, at, body }: Item<'model'>) {
  const tags = store.texts('tag', `model/${id}`).map(({ key, value }) => ({ key, value }));
  return {
    info: {
      ...{ model_id: id, name, experiment_id: body.experiment, source_run_id: body.run },
      ...{ artifact_uri: `mlflow-artifacts:/${body.root}`, model_type: body.type },
      ...{ creation_timestamp_ms: at, last_updated_timestamp_ms: body.updatedAt },
      ...{ status: `LOGGED_MODEL_${body.status}`, tags },
    },
    data: { params: body.params, metrics: [] },
  };
}

async function search(asked: Asked) {
  const { fields, house, party } = asked;
  const wanted = textsOf(fields, 'experiment_ids');
  const all = house.store
    .every('model')
    .filter(({ body }) => wanted.includes(body.experiment))
    .filter(({ body }) => isSeenBy(party, body.experiment))
    .map((item) => view(asked, item));
  const { rows, ...next } = searched(
    all,
    // Its order is a list of objects, which only MLflow's own page sends.
    { ...fields, order_by: [] },
    {
      ...{ usually: 100, most: 1000 },
      seenAs: ({ info: { tags, ...attributes }, data }) => ({
        ...{ attributes, tags: recordOf(tags), params: recordOf(data.params), metrics: {} },
      }),
    },
  );
  return { models: rows, ...next };
}

function isSeenBy(party: Party, experiment: string): boolean {
  const model = modelOf(experiment);
  return model === undefined ? seesClients(party) : party.visible.sees(model);
}

/** Under this alias of its run a job names the model that it asked to register. */
export const chosen = 'serin.model';

/** The models that a job logged: the one that it asked to register, then the others, the newest first. */
export function modelsOfJob(store: Store, run: string, scope: string): readonly Item<'model'>[] {
  const logged = store.below('model', `run/${run}`).filter(({ body }) => body.scope === scope);
  const choice = store.texts('alias', `run/${run}`).find((alias) => alias.key === chosen && alias.scope === scope);
  const first = choice === undefined ? undefined : store.item('model', choice.value);
  return first === undefined ? logged : [first, ...logged.filter(({ id }) => id !== first.id)];
}
