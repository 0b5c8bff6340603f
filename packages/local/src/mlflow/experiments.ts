import type { SeenModel } from '@serin/api/visible';
import { type Fields, optionalText, pairOf, recordsOf, textOf } from './fields.ts';
import {
  type Asked,
  type House,
  needs,
  needsClients,
  type Party,
  type Routes,
  seenModel,
  seenModels,
  seesClients,
} from './house.ts';
import { forbidden, noSuch, Refused, wrong } from './refused.ts';
import { searched } from './search.ts';
import { checkFree, type Item } from './store.ts';

/** The experiment of a model of Serin; those of clients have numbers. */
const prefix = 'model-';
export const experimentOf = (model: string): string => `${prefix}${model}`;
export const modelOf = (experiment: string): string | undefined =>
  experiment.startsWith(prefix) ? experiment.slice(prefix.length) : undefined;

export const experimentRoutes: Routes = {
  'POST experiments/create': create,
  'GET experiments/get': async (asked) => ({
    experiment: await experiment(asked, textOf(asked.fields, 'experiment_id')),
  }),
  'GET experiments/get-by-name': byName,
  'GET experiments/search': search,
  'POST experiments/search': search,
  'POST experiments/update': (asked) =>
    change(asked, (item) => {
      const name = optionalText(asked.fields, 'new_name') ?? item.name;
      if (name !== item.name) checkFree(asked.house.store, 'experiment', name);
      return { ...item, name };
    }),
  'POST experiments/delete': (asked) =>
    change(asked, ({ body: { updatedAt }, ...item }) => ({ ...item, body: { updatedAt, isDeleted: true } })),
  'POST experiments/restore': (asked) =>
    change(asked, ({ body: { updatedAt }, ...item }) => ({ ...item, body: { updatedAt } })),
  'POST experiments/set-experiment-tag': (asked) =>
    change(asked, (item) => {
      asked.house.store.setText('tag', `experiment/${item.id}`, pairOf(asked.fields, 'tag'));
      return item;
    }),
  'POST experiments/delete-experiment-tag': (asked) =>
    change(asked, (item) => {
      asked.house.store.removeText('tag', `experiment/${item.id}`, textOf(asked.fields, 'key'));
      return item;
    }),
};

/** Where runs go whose client names no experiment. */
export async function beginDefault({ store, now }: Pick<House, 'store' | 'now'>): Promise<void> {
  await store.commit(() => {
    const at = now();
    if (store.item('experiment', '0') === undefined)
      store.put('experiment', { id: '0', parent: '', name: 'Default', at, body: { updatedAt: at } });
  });
}

/** A job has one experiment, that of its model, by whatever name its program asks: the program logs into its run. */
async function create({ house, party, fields }: Asked) {
  const name = textOf(fields, 'name');
  if (party.job !== undefined) return { experiment_id: experimentOf(party.job.model) };
  needsClients(party);
  if ((await seenModel(party, name)) !== undefined)
    throw new Refused('RESOURCE_ALREADY_EXISTS', `'${name}' is a model of Serin and has an experiment; use it to read`);
  const tags = recordsOf(fields, 'tags').map((tag) => pairOf(tag, 'tag'));
  const { store, now } = house;
  return store.commit(() => {
    checkFree(store, 'experiment', name);
    const at = now();
    const id = store.nextExperiment();
    store.put('experiment', { id, parent: '', name, at, body: { updatedAt: at } });
    for (const tag of tags) store.setText('tag', `experiment/${id}`, tag);
    return { experiment_id: id };
  });
}

async function byName({ house, party, fields }: Asked) {
  const name = textOf(fields, 'experiment_name');
  const model = party.job === undefined ? await seenModel(party, name) : { state: party.job.state };
  if (model !== undefined) return { experiment: ofModel(model) };
  const [item] = seesClients(party) ? house.store.named('experiment', name) : [];
  if (item === undefined) throw noSuch('experiment', name);
  return { experiment: ofClient(house, item) };
}

/** The experiment of an id, as the caller sees it. */
async function experiment({ house, party }: Asked, id: string) {
  const name = modelOf(id);
  if (name === undefined) return ofClient(house, clientExperiment(house, party, id));
  const model = await seenModel(party, name);
  if (model === undefined) throw noSuch('experiment', id);
  return ofModel(model);
}

export function clientExperiment({ store }: House, party: Party, id: string): Item<'experiment'> {
  const item = seesClients(party) ? store.item('experiment', id) : undefined;
  if (item === undefined) throw noSuch('experiment', id);
  return item;
}

const states: Readonly<Record<string, readonly string[]>> = {
  ACTIVE_ONLY: ['active'],
  DELETED_ONLY: ['deleted'],
  ALL: ['active', 'deleted'],
  // The numbers of MLflow's enumeration, which protobuf takes as well.
  1: ['active'],
  2: ['deleted'],
  3: ['active', 'deleted'],
};

/** Which lifecycles a search is for. */
export function viewOf(fields: Fields, name: string): readonly string[] {
  const view = String(fields[name] ?? 'ACTIVE_ONLY');
  const found = Object.hasOwn(states, view) ? states[view] : undefined;
  if (found === undefined) throw wrong(`'${name}' is '${view.slice(0, 50)}'; use ACTIVE_ONLY, DELETED_ONLY or ALL`);
  return found;
}

async function search({ house, party, fields }: Asked) {
  const view = viewOf(fields, 'view_type');
  const clients = seesClients(party) ? house.store.every('experiment').map((item) => ofClient(house, item)) : [];
  const all = [...(await seenModels(party)).map(ofModel), ...clients];
  const { rows, ...next } = searched(
    all.filter(({ lifecycle_stage }) => view.includes(lifecycle_stage)),
    fields,
    {
      usually: 1000,
      most: 50_000,
      seenAs: ({ tags, ...attributes }) => ({ attributes, tags: recordOf(tags), metrics: {}, params: {} }),
    },
  );
  return { experiments: rows, ...next };
}

export const recordOf = (pairs: readonly { readonly key: string; readonly value: string }[]): Record<string, string> =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, value]));

function ofModel({ state }: Pick<SeenModel, 'state'>) {
  const { model, at, retired } = state;
  const began = state.served[0]?.at ?? at;
  const note = retired === true ? 'this model left the config of Serin' : 'the runs of a model of Serin';
  return {
    experiment_id: experimentOf(model),
    name: model,
    artifact_location: 'mlflow-artifacts:/runs',
    lifecycle_stage: 'active',
    creation_time: began,
    last_update_time: at,
    tags: [
      { key: 'serin.model', value: model },
      { key: 'mlflow.note.content', value: note },
    ],
  };
}

function ofClient({ store }: House, { id, name, at, body }: Item<'experiment'>) {
  return {
    experiment_id: id,
    name,
    artifact_location: 'mlflow-artifacts:/runs',
    lifecycle_stage: body.isDeleted === true ? 'deleted' : 'active',
    creation_time: at,
    last_update_time: body.updatedAt,
    tags: store.texts('tag', `experiment/${id}`).map(({ key, value }) => ({ key, value })),
  };
}

/** Changes an experiment of a client. */
async function change({ house, party, fields }: Asked, to: (item: Item<'experiment'>) => Item<'experiment'>) {
  const id = textOf(fields, 'experiment_id');
  const { store, now } = house;
  const model = modelOf(id);
  if (model !== undefined) {
    needs(party, 'operator');
    throw forbidden(
      `the experiment of the model '${model}' follows the config of Serin; change it there and release it`,
    );
  }
  needsClients(party);
  return store.commit(() => {
    const item = to(clientExperiment(house, party, id));
    store.put('experiment', { ...item, body: { ...item.body, updatedAt: now() } });
    return {};
  });
}
