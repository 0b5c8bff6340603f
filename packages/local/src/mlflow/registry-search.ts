import { recordOf } from './experiments.ts';
import { type Asked, seenModels, seesClients } from './house.ts';
import { clientModel, clientVersion, registeredVersions, serinModel, serinVersion } from './registry-views.ts';
import { searched } from './search.ts';

export async function searchModels(asked: Asked) {
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

export async function searchVersions(asked: Asked) {
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
