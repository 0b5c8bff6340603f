import type { Model } from '@serin/core/model/state';
import { bounded, type Fields, optionalText, textOf } from './fields.ts';
import { type Asked, needs, needsClients, type Party, seenModel, seesClients } from './house.ts';
import { forbidden, noSuch } from './refused.ts';
import {
  clientModel,
  clientVersion,
  comingNumber,
  comingVersion,
  type RegisteredView,
  readVersion,
  serinModel,
  serinVersion,
  type VersionView,
} from './registry-views.ts';
import type { Item } from './store.ts';

export const nameOf = ({ fields }: Asked): string => textOf(fields, 'name', 250);
export const descriptionIn = (fields: Fields): string =>
  bounded('description', optionalText(fields, 'description') ?? '', 5000);

/** A registered model: one of Serin, or one that a client made. */
type Found = { readonly view: RegisteredView } & (
  | { readonly state: Model; readonly item?: undefined }
  | { readonly item: Item<'registered'>; readonly state?: undefined }
);

export async function found(asked: Asked, name: string): Promise<Found> {
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
export async function needsOwn(asked: Asked, name: string, mendOf: (name: string) => string): Promise<void> {
  const { party } = asked;
  const mend = mendOf(name);
  needs(party, 'operator');
  if (await isSerins(asked, name)) throw forbidden(`'${name}' is a model of Serin; ${mend}`);
  if (party.job === undefined) needsClients(party);
}

export async function versionView(asked: Asked, name: string, text: string): Promise<VersionView> {
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
