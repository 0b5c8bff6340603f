import { textOf } from './fields.ts';
import type { Asked, Party } from './house.ts';
import { chosen, loggedModel, noteFiles, writableModel } from './logged-models.ts';
import { wrong } from './refused.ts';
import { comingVersion } from './registry-views.ts';
import { writable } from './runs.ts';

/**
 * What the program of a job gets that registers its model under the name of the model of Serin: the version that its run
 * is going to make. Nothing is registered here. Serin notes which of the logged models it is, and registers it after the
 * gate. Twice: the same version.
 */
export async function registerComing(asked: Asked, job: NonNullable<Party['job']>) {
  const { house, fields } = asked;
  const model = await sourceOf(asked, textOf(fields, 'source', 2000));
  await house.store.commit(() =>
    house.store.setText('alias', `run/${job.run}`, { key: chosen, value: model }, job.scope),
  );
  return comingVersion(house.store, job.state, job.run);
}

/** The logged model that a source names. */
async function sourceOf(asked: Asked, source: string): Promise<string> {
  const [, logged] = /^models:\/(m-\w+)$/.exec(source) ?? [];
  if (logged !== undefined) return ownModel(asked, logged);
  const [, root, id] = /^mlflow-artifacts:\/((?:models\/(m-\w+)|runs\/\w+)\/artifacts.*)$/.exec(source) ?? [];
  if (id !== undefined) return ownModel(asked, id);
  const [, run] = /^runs\/(\w+)\//.exec(root ?? '') ?? [];
  if (root === undefined || run === undefined)
    throw wrong(`the source '${source.slice(0, 200)}' is not in a run of this server; log the model in this run first`);
  return (await noteFiles(asked, await writable(asked, run), root.replace(/\/$/, ''))).id;
}

/** A model of this run, or of one below it: a version is never made of what another run logged. */
async function ownModel(asked: Asked, id: string): Promise<string> {
  const item = loggedModel(asked, id);
  await writableModel(asked, item);
  return item.id;
}
