import { type Fields, longest, pairOf, recordsOf, tagOf, textOf } from './fields.ts';
import { type Asked, needs, needsClients, type Routes, seenModel } from './house.ts';
import { forbidden, noSuch, Refused, wrong } from './refused.ts';
import { descriptionIn, found, nameOf, needsOwn, versionView } from './registry-found.ts';
import { searchModels, searchVersions } from './registry-search.ts';
import { changeVersion, createVersion, downloadUri, removeVersion } from './registry-versions.ts';
import { aliasesIn, clientModel, ownAliases } from './registry-views.ts';
import { checkFree, type Item } from './store.ts';

export const registryRoutes: Routes = {
  'POST registered-models/create': create,
  'GET registered-models/get': async (asked) => ({ registered_model: (await found(asked, nameOf(asked))).view }),
  'GET registered-models/search': searchModels,
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

const versionOwner = (asked: Asked) => (name: string) => `version/${name}/${textOf(asked.fields, 'version', 20)}`;
function stageIn(fields: Fields): string {
  const stage = textOf(fields, 'stage');
  const known = ['None', 'Staging', 'Production', 'Archived'].find(
    (name) => name.toLowerCase() === stage.toLowerCase(),
  );
  if (known === undefined)
    throw wrong(`'${stage.slice(0, 50)}' is not a stage; use None, Staging, Production or Archived`);
  return known;
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

/** No decision of Serin depends on tags, so its models and versions take them too. */
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

async function latest(asked: Asked) {
  return { model_versions: (await found(asked, nameOf(asked))).view.latest_versions };
}
