import { aliasesOf } from '@serin/core/model/owed';
import type { Model } from '@serin/core/model/state';
import { type Version, versionOf } from '@serin/core/model/version';
import { recordOf } from './experiments.ts';
import type { Item, Store } from './store.ts';

/** A model version as clients read it. */
export type VersionView = ReturnType<typeof clientVersion>;

/** Where the files of a version of Serin are, below the folder of artifacts. */
const versionRoot = (model: string, number: number): string => `versions/${model}/${number}`;

const uriOf = (root: string): string => `mlflow-artifacts:/${root}`;

/** Serin moves these; others on the models of Serin are the clients' own. */
export const ownAliases = ['champion', 'challenger'];

const tagsOf = (store: Store, owner: string, facts: Readonly<Record<string, string>> = {}) =>
  Object.entries({ ...facts, ...recordOf(store.texts('tag', owner)) }).map(([key, value]) => ({ key, value }));

/** Every alias of a registered model, with its version. */
export function aliasesIn(store: Store, name: string, model?: Model): readonly { alias: string; version: string }[] {
  const own = model === undefined ? {} : aliasesOf(model);
  const clients = store.texts('alias', `registered/${name}`).map(({ key, value }) => [key, value] as const);
  const all = [...clients, ...Object.entries(own).map(([alias, number]) => [alias, String(number)] as const)];
  return all.map(([alias, version]) => ({ alias, version }));
}

/** The versions that passed the gate, the newest first: the others are of their runs only. */
export const registeredVersions = ({ versions }: Model): readonly Version[] =>
  Object.values(versions)
    .filter(({ registered }) => registered === true)
    .toSorted((a, b) => b.number - a.number);

export function serinVersion(store: Store, model: Model, version: Version): VersionView {
  const { number, at, run, artifact, approval, quarantined, lineage } = version;
  const facts = {
    'serin.run': run,
    'serin.digest': artifact.digest,
    'serin.approval': approval?.status ?? 'approved',
    ...(quarantined === undefined ? {} : { 'serin.quarantined': quarantined.because }),
    ...Object.fromEntries(Object.entries(lineage).map(([name, value]) => [`serin.lineage.${name}`, value])),
  };
  return {
    ...bothOf(model.model, { number, at, updatedAt: approval?.at ?? at }),
    description: '',
    current_stage: 'None',
    source: uriOf(versionRoot(model.model, number)),
    run_id: run,
    tags: tagsOf(store, `version/${model.model}/${number}`, facts),
    aliases: namesAt(aliasesIn(store, model.model, model), number),
  };
}

/** The version that a run is going to make: its program asked to register it, and Serin does so after the gate. */
export const comingVersion = (store: Store, model: Model, run: string) => ({
  ...bothOf(model.model, { number: comingNumber(model), at: model.at, updatedAt: model.at }),
  description: 'Serin registers it if it passes the gate',
  current_stage: 'None',
  source: uriOf(versionRoot(model.model, comingNumber(model))),
  run_id: run,
  tags: tagsOf(store, `version/${model.model}/${comingNumber(model)}`),
  aliases: [],
});

export const comingNumber = ({ run, nextNumber }: Model): number => run?.trained?.number ?? nextNumber;

export function clientVersion(store: Store, { parent, at, body }: Item<'version'>) {
  const { number, source, run, description, stage, updatedAt } = body;
  return {
    ...bothOf(parent, { number, at, updatedAt }),
    description,
    current_stage: stage,
    source,
    run_id: run,
    tags: tagsOf(store, `version/${parent}/${number}`),
    aliases: namesAt(aliasesIn(store, parent), number),
  };
}

const bothOf = (
  name: string,
  { number, at, updatedAt }: { readonly number: number; readonly at: number; readonly updatedAt: number },
) => ({
  name,
  version: String(number),
  creation_timestamp: at,
  last_updated_timestamp: updatedAt,
  status: 'READY',
});

const namesAt = (aliases: readonly { alias: string; version: string }[], number: number): readonly string[] =>
  aliases.filter(({ version }) => version === String(number)).map(({ alias }) => alias);

export type RegisteredView = ReturnType<typeof clientModel>;

export function serinModel(store: Store, model: Model): RegisteredView {
  const [newest] = registeredVersions(model);
  return {
    name: model.model,
    creation_timestamp: registeredVersions(model).at(-1)?.at ?? model.at,
    last_updated_timestamp: model.at,
    description: 'a model of Serin',
    latest_versions: newest === undefined ? [] : [serinVersion(store, model, newest)],
    tags: tagsOf(store, `registered/${model.model}`, { 'serin.model': model.model }),
    aliases: aliasesIn(store, model.model, model),
  };
}

export function clientModel(store: Store, { name, at, body }: Item<'registered'>) {
  const [newest] = store.below('version', name);
  return {
    name,
    creation_timestamp: at,
    last_updated_timestamp: body.updatedAt,
    description: body.description,
    latest_versions: newest === undefined ? [] : [clientVersion(store, newest)],
    tags: tagsOf(store, `registered/${name}`),
    aliases: aliasesIn(store, name),
  };
}

export const readVersion = (model: Model, number: number): Version | undefined => {
  const version = versionOf(model.versions, number);
  return version?.registered === true ? version : undefined;
};
