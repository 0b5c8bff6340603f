import type { Model } from '@serin/core/model/state';
import { recordOf } from './experiments.ts';
import { bounded, type Fields, longest, optionalText, pairOf, recordsOf, tagOf, textOf } from './fields.ts';
import {
  type Asked,
  needs,
  needsClients,
  type Party,
  type Routes,
  seenModel,
  seenModels,
  seesClients,
} from './house.ts';
import { loggedModel } from './logged-models.ts';
import { forbidden, noSuch, Refused, wrong } from './refused.ts';
import { registerComing } from './registered-by-job.ts';
import {
  aliasesIn,
  clientModel,
  clientVersion,
  comingNumber,
  comingVersion,
  ownAliases,
  type RegisteredView,
  readVersion,
  registeredVersions,
  serinModel,
  serinVersion,
  type VersionView,
} from './registry-views.ts';
import { runView } from './runs.ts';
import { searched } from './search.ts';
import { checkFree, type Item } from './store.ts';

export const registryRoutes: Routes = {
  'POST registered-models/create': create,
  'GET registered-models/get': async (asked) => ({ registered_model: (await found(asked, nameOf(asked))).view }),
  'GET registered-models/search': search,
  'POST registered-models/get-latest-versions': latest,
  'GET registered-models/get-latest-versions': latest,
  'PATCH registered-models/update': (asked) =>
    changeModel(asked, (item) => ({ ...item, body: { ...item.body, description: descriptionIn(asked.fields) } })),
  'POST registered-models/rename': rename,
  'DELETE registered-models/delete': removeModel,
  'POST registered-models/set-tag': (asked) => setTag(asked, (name) => `registered/${name}`),
  'DELETE registered-models/delete-tag': (asked) => removeTag(asked, (name) => `registered/${name}`),
  'GET registered-models/alias': async (asked) => {
    const version = await aliased(asked, nameOf(asked), textOf(asked.fields, 'alias'));
    return { model_version: await versionView(asked, nameOf(asked), version) };
  },
  'POST registered-models/alias': setAlias,
  'DELETE registered-models/alias': removeAlias,
  'POST model-versions/create': createVersion,
  'GET model-versions/get': async (asked) => ({
    model_version: await versionView(asked, nameOf(asked), textOf(asked.fields, 'version')),
  }),
  'GET model-versions/get-download-uri': downloadUri,
  'GET model-versions/search': searchVersions,
  'PATCH model-versions/update': (asked) => changeVersion(asked, { description: descriptionIn(asked.fields) }),
  'POST model-versions/transition-stage': (asked) => changeVersion(asked, { stage: stageIn(asked.fields) }),
  'DELETE model-versions/delete': removeVersion,
  'POST model-versions/set-tag': (asked) => setTag(asked, versionOwner(asked)),
  'DELETE model-versions/delete-tag': (asked) => removeTag(asked, versionOwner(asked)),
};

const nameOf = ({ fields }: Asked): string => textOf(fields, 'name', 250);
const versionOwner = (asked: Asked) => (name: string) => `version/${name}/${textOf(asked.fields, 'version', 20)}`;
const descriptionIn = (fields: Fields): string =>
  bounded('description', optionalText(fields, 'description') ?? '', 5000);

function stageIn(fields: Fields): string {
  const stage = textOf(fields, 'stage');
  const known = ['None', 'Staging', 'Production', 'Archived'].find(
    (name) => name.toLowerCase() === stage.toLowerCase(),
  );
  if (known === undefined)
    throw wrong(`'${stage.slice(0, 50)}' is not a stage; use None, Staging, Production or Archived`);
  return known;
}

/** A registered model: one of Serin, or one that a client made. */
type Found = { readonly view: RegisteredView } & (
  | { readonly state: Model; readonly item?: undefined }
  | { readonly item: Item<'registered'>; readonly state?: undefined }
);

async function found(asked: Asked, name: string): Promise<Found> {
  const { house, party } = asked;
  const model = await seenModel(party, name);
  if (model !== undefined) return { state: model.state, view: serinModel(house.store, model.state) };
  const item =
    seesRegistered(party) && !(await isSerins(asked, name)) ? house.store.item('registered', name) : undefined;
  if (item === undefined) throw noSuch('registered model', name);
  return { item, view: clientModel(house.store, item) };
}

/** A job may register under names that are not of Serin, and reads what is there. */
const seesRegistered = (party: Party): boolean => seesClients(party) || party.job !== undefined;

/** Whether a model of Serin has the name, whoever may see it. */
async function isSerins({ house, party }: Asked, name: string): Promise<boolean> {
  const { models: _, ...everywhere } = party.caller;
  return (await seenModel({ ...party, visible: house.visibleTo(everywhere) }, name)) !== undefined;
}

/** Lets a client change what is not of Serin; `mendOf` says what to do where it is. */
async function needsOwn(asked: Asked, name: string, mendOf: (name: string) => string): Promise<void> {
  const { party } = asked;
  const mend = mendOf(name);
  needs(party, 'operator');
  if (await isSerins(asked, name)) throw forbidden(`'${name}' is a model of Serin; ${mend}`);
  if (party.job === undefined) needsClients(party);
}

const byConfig = (): string => 'change it in serin.config and release it';

function needsPlain(name: string): void {
  if (/[/:\p{Cc}]/u.test(name))
    throw wrong(`the name ${JSON.stringify(name)} is not valid; leave out '/', ':' and control characters`);
}

async function create(asked: Asked) {
  const { house, fields } = asked;
  const { store, now } = house;
  const name = nameOf(asked);
  needsPlain(name);
  needs(asked.party, 'operator');
  if ((await seenModel(asked.party, name)) !== undefined)
    throw new Refused('RESOURCE_ALREADY_EXISTS', `'${name}' already exists, it is a model of Serin; use it as it is`);
  await needsOwn(asked, name, () => 'choose another name');
  const tags = recordsOf(fields, 'tags').map((tag) => pairOf(tag, 'tag'));
  const at = now();
  const item: Item<'registered'> = {
    ...{ id: name, parent: '', name, at },
    body: { description: descriptionIn(fields), updatedAt: at, last: 0 },
  };
  await store.commit(() => {
    checkFree(store, 'registered', name);
    store.put('registered', item);
    for (const tag of tags) store.setText('tag', `registered/${name}`, tag);
  });
  return { registered_model: clientModel(store, item) };
}

async function changeModel(asked: Asked, to: (item: Item<'registered'>) => Item<'registered'>) {
  const { store, now } = asked.house;
  const name = nameOf(asked);
  await needsOwn(asked, name, byConfig);
  await store.commit(() => {
    const item = store.item('registered', name);
    if (item === undefined) throw noSuch('registered model', name);
    const changed = to(item);
    store.put('registered', { ...changed, body: { ...changed.body, updatedAt: now() } });
  });
  return { registered_model: (await found(asked, name)).view };
}

async function rename(asked: Asked) {
  const { house, fields, party } = asked;
  const { store } = house;
  const [name, other] = [nameOf(asked), textOf(fields, 'new_name', 250)];
  needsPlain(other);
  await needsOwn(asked, name, byConfig);
  await needsOwn(asked, other, () => 'choose another name');
  needsClients(party);
  await store.commit(() => {
    const item = store.item('registered', name);
    if (item === undefined) throw noSuch('registered model', name);
    checkFree(store, 'registered', other);
    store.drop('registered', name);
    store.put('registered', { ...item, id: other, name: other });
    for (const version of store.below('version', name)) {
      store.drop('version', version.id);
      store.put('version', { ...version, id: `${other}/${version.body.number}`, parent: other });
      store.moveTexts(`version/${version.id}`, `version/${other}/${version.body.number}`);
    }
    store.moveTexts(`registered/${name}`, `registered/${other}`);
  });
  return { registered_model: (await found(asked, other)).view };
}

async function removeModel(asked: Asked) {
  const { store } = asked.house;
  const name = nameOf(asked);
  await needsOwn(asked, name, byConfig);
  needsClients(asked.party);
  await store.commit(() => {
    for (const { id } of store.below('version', name)) {
      store.drop('version', id);
      store.removeTexts(`version/${id}`);
    }
    store.drop('registered', name);
    store.removeTexts(`registered/${name}`);
  });
  return {};
}

/** Tags change nothing that Serin decides by, so its models and versions take them as well. */
async function setTag(asked: Asked, ownerOf: (name: string) => string) {
  needs(asked.party, 'operator');
  const name = nameOf(asked);
  await found(asked, name);
  const pair = tagOf(asked.fields);
  await asked.house.store.commit(() => asked.house.store.setText('tag', ownerOf(name), pair));
  return {};
}

async function removeTag(asked: Asked, ownerOf: (name: string) => string) {
  needs(asked.party, 'operator');
  const name = nameOf(asked);
  await found(asked, name);
  const key = textOf(asked.fields, 'key');
  await asked.house.store.commit(() => asked.house.store.removeText('tag', ownerOf(name), key));
  return {};
}

async function aliased(asked: Asked, name: string, alias: string): Promise<string> {
  const { state } = await found(asked, name);
  const version = aliasesIn(asked.house.store, name, state).find((known) => known.alias === alias)?.version;
  if (version !== undefined) return version;
  if (state !== undefined && ownAliases.includes(alias))
    throw new Refused('RESOURCE_DOES_NOT_EXIST', `'${name}' has no ${alias} yet; look at 'serin why ${name}'`);
  throw noSuch(`alias of '${name}'`, alias);
}

async function aliasIn(asked: Asked): Promise<string> {
  needs(asked.party, 'operator');
  const name = nameOf(asked);
  const alias = textOf(asked.fields, 'alias', longest.alias);
  if (!/^[\w-]+$/.test(alias) || /^(latest|v\d+)$/i.test(alias))
    throw wrong(
      `'${alias}' cannot be an alias; use letters, digits, '-' and '_', and not 'latest' or a 'v' with a number`,
    );
  const { state } = await found(asked, name);
  if (state !== undefined && ownAliases.includes(alias))
    throw forbidden(
      `the alias ${alias} of '${name}' follows its rollouts; use 'serin rollouts promote' or 'serin rollback ${name}'`,
    );
  return alias;
}

async function setAlias(asked: Asked) {
  const key = await aliasIn(asked);
  const value = textOf(asked.fields, 'version', 20);
  await versionView(asked, nameOf(asked), value);
  const { store } = asked.house;
  await store.commit(() => store.setText('alias', `registered/${nameOf(asked)}`, { key, value }));
  return {};
}

async function removeAlias(asked: Asked) {
  const key = await aliasIn(asked);
  const { store } = asked.house;
  await store.commit(() => store.removeText('alias', `registered/${nameOf(asked)}`, key));
  return {};
}

async function versionView(asked: Asked, name: string, text: string): Promise<VersionView> {
  const { store } = asked.house;
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  const gone = () => noSuch(`version of '${name}'`, text);
  const { state } = await found(asked, name);
  if (state === undefined) {
    const item = store.item('version', `${name}/${number}`);
    if (item === undefined) throw gone();
    return clientVersion(store, item);
  }
  const version = readVersion(state, number);
  if (version !== undefined) return serinVersion(store, state, version);
  const { job } = asked.party;
  if (job?.model === name && number === comingNumber(state)) return comingVersion(store, state, job.run);
  throw gone();
}

/** As MLflow has it: every address but a path. */
const schemes = /^(?!file:)[a-z][a-z0-9+.-]+:/i;

async function createVersion(asked: Asked) {
  const { house, party, fields } = asked;
  const { store, now } = house;
  const name = nameOf(asked);
  needs(party, 'operator');
  if (party.job?.model === name) return { model_version: await registerComing(asked, party.job) };
  await needsOwn(
    asked,
    name,
    (model) => `it makes its versions itself; drop new data, or use 'serin runs start ${model}'`,
  );
  const source = textOf(fields, 'source', 2000);
  if (!schemes.test(source))
    throw wrong(
      `the source '${source.slice(0, 200)}' is on the disk of the client, which nobody else reads; log the model first`,
    );
  const run = optionalText(fields, 'run_id') ?? '';
  if (run !== '') await runView(asked, run);
  const tags = recordsOf(fields, 'tags').map((tag) => pairOf(tag, 'tag'));
  const item = await store.commit(() => {
    const model = store.item('registered', name);
    if (model === undefined) throw noSuch('registered model', name);
    const [number, at] = [model.body.last + 1, now()];
    const body = { number, source, run, description: descriptionIn(fields), stage: 'None', updatedAt: at };
    const made: Item<'version'> = { id: `${name}/${number}`, parent: name, name, at, body };
    store.put('registered', { ...model, body: { ...model.body, last: number, updatedAt: at } });
    store.put('version', made);
    for (const tag of tags) store.setText('tag', `version/${made.id}`, tag);
    return made;
  });
  return { model_version: clientVersion(store, item) };
}

async function changeVersion(asked: Asked, change: { readonly description?: string; readonly stage?: string }) {
  const { store, now } = asked.house;
  const name = nameOf(asked);
  const mend =
    change.stage === undefined
      ? 'set a tag instead'
      : `its stages are the aliases champion and challenger; use 'serin rollouts promote'`;
  await needsOwn(asked, name, () => mend);
  const view = await versionView(asked, name, textOf(asked.fields, 'version', 20));
  await store.commit(() => {
    const item = store.item('version', `${name}/${view.version}`);
    if (item === undefined) throw noSuch(`version of '${name}'`, view.version);
    store.put('version', { ...item, body: { ...item.body, ...change, updatedAt: now() } });
  });
  return { model_version: await versionView(asked, name, view.version) };
}

async function removeVersion(asked: Asked) {
  const { store } = asked.house;
  const name = nameOf(asked);
  await needsOwn(
    asked,
    name,
    (model) => `it keeps its versions; use 'serin versions reject ${model}' to take one out of use`,
  );
  needsClients(asked.party);
  const { version } = await versionView(asked, name, textOf(asked.fields, 'version', 20));
  await store.commit(() => {
    store.drop('version', `${name}/${version}`);
    store.removeTexts(`version/${name}/${version}`);
    for (const alias of aliasesIn(store, name))
      if (alias.version === version) store.removeText('alias', `registered/${name}`, alias.alias);
  });
  return {};
}

async function downloadUri(asked: Asked) {
  const name = nameOf(asked);
  const { source } = await versionView(asked, name, textOf(asked.fields, 'version', 20));
  const [, logged] = /^models:\/(m-\w+)$/.exec(source) ?? [];
  if (logged === undefined) return { artifact_uri: source };
  return { artifact_uri: `mlflow-artifacts:/${loggedModel(asked, logged).body.root}` };
}

async function latest(asked: Asked) {
  return { model_versions: (await found(asked, nameOf(asked))).view.latest_versions };
}

async function search(asked: Asked) {
  const { house, party, fields } = asked;
  const { store } = house;
  const own = (await seenModels(party)).map(({ state }) => serinModel(store, state));
  const names = own.map(({ name }) => name);
  const clients = seesClients(party) ? store.every('registered').map((item) => clientModel(store, item)) : [];
  const all = [...own, ...clients.filter(({ name }) => !names.includes(name))];
  const { rows, ...next } = searched(
    all.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    fields,
    {
      ...{ usually: 100, most: 1000 },
      seenAs: ({ name, creation_timestamp, last_updated_timestamp, tags }) => ({
        attributes: { name, creation_timestamp, last_updated_timestamp, timestamp: last_updated_timestamp },
        ...{ tags: recordOf(tags), metrics: {}, params: {} },
      }),
    },
  );
  return { registered_models: rows, ...next };
}

async function searchVersions(asked: Asked) {
  const { house, party, fields } = asked;
  const { store } = house;
  const models = await seenModels(party);
  const own = models.flatMap(({ state }) =>
    registeredVersions(state).map((version) => serinVersion(store, state, version)),
  );
  const names = models.map(({ state }) => state.model);
  const clients = seesClients(party) ? store.every('version') : [];
  const all = [
    ...own,
    ...clients.filter(({ parent }) => !names.includes(parent)).map((item) => clientVersion(store, item)),
  ];
  const { rows, ...next } = searched(
    all.toSorted(
      (a, b) => b.last_updated_timestamp - a.last_updated_timestamp || Number(b.version) - Number(a.version),
    ),
    fields,
    {
      ...{ usually: 10_000, most: 200_000 },
      seenAs: ({ tags, aliases: _, ...attributes }) => ({
        attributes: { ...attributes, version_number: Number(attributes.version), source_path: attributes.source },
        ...{ tags: recordOf(tags), metrics: {}, params: {} },
      }),
    },
  );
  return { model_versions: rows, ...next };
}
