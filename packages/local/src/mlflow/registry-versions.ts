import { optionalText, pairOf, recordsOf, textOf } from './fields.ts';
import { type Asked, needs, needsClients } from './house.ts';
import { loggedModel } from './logged-models.ts';
import { noSuch, wrong } from './refused.ts';
import { registerComing } from './registered-by-job.ts';
import { descriptionIn, nameOf, needsOwn, versionView } from './registry-found.ts';
import { aliasesIn, clientVersion } from './registry-views.ts';
import { runView } from './runs.ts';
import type { Item } from './store.ts';

/** As MLflow has it: every address but a path. */
const schemes = /^(?!file:)[a-z][a-z0-9+.-]+:/i;

export async function createVersion(asked: Asked) {
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

export async function changeVersion(asked: Asked, change: { readonly description?: string; readonly stage?: string }) {
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

export async function removeVersion(asked: Asked) {
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

export async function downloadUri(asked: Asked) {
  const name = nameOf(asked);
  const { source } = await versionView(asked, name, textOf(asked.fields, 'version', 20));
  const [, logged] = /^models:\/(m-\w+)$/.exec(source) ?? [];
  if (logged === undefined) return { artifact_uri: source };
  return { artifact_uri: `mlflow-artifacts:/${loggedModel(asked, logged).body.root}` };
}
