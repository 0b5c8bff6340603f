import { type Access, bearerOf } from '@serin/api/access';
import { type Caller, mayAct, type Role } from '@serin/api/roles';
import type { SeenModel, Visible } from '@serin/api/visible';
import { asFault } from '@serin/core/base/fault';
import type { Run } from '@serin/core/model/run/state';
import type { Model } from '@serin/core/model/state';
import type { TreeDigest } from '../machine/checked-trees.ts';
import type { Fields } from './fields.ts';
import { type JobParty, type JobTokens, scopeOf } from './job-tokens.ts';
import { forbidden, Refused } from './refused.ts';
import type { Store } from './store.ts';

/** What all parts of this API stand on. */
export interface House {
  readonly store: Store;
  readonly now: () => number;
  /** Files of artifacts, below the data directory. */
  readonly directory: string;
  /** The folder of the jobs, whose artifacts are versions. */
  readonly jobs: string;
  readonly treeDigest: TreeDigest;
  readonly access: Access;
  readonly tokens: JobTokens;
  readonly visibleTo: (caller: Caller) => Visible;
}

/** Who asks, and what they may see of Serin. */
export interface Party {
  readonly caller: Caller;
  readonly visible: Visible;
  /** Only for the program of a job: its run and its model. */
  readonly job?: JobParty & { readonly scope: string; readonly model: string; readonly state: Model };
}

export interface Asked {
  readonly house: House;
  readonly party: Party;
  readonly fields: Fields;
}

export type Handler = (asked: Asked) => unknown;
export type Routes = Readonly<Record<string, Handler>>;

/** Refuses a token that is unknown or may read nothing, and that of a job that is over. */
export async function partyOf(house: House, authorization: string | undefined): Promise<Party> {
  const text = bearerOf(authorization);
  if (text === undefined)
    throw new Refused(
      'UNAUTHENTICATED',
      'MLflow needs a token here; set MLFLOW_TRACKING_TOKEN to one of serin tokens create',
    );
  const job = house.tokens.read(text);
  if (job !== undefined) return jobParty(house, job);
  const caller = await house.access.callerOf(text);
  if (caller === undefined)
    throw new Refused(
      'UNAUTHENTICATED',
      'the token is unknown, revoked or expired; set MLFLOW_TRACKING_TOKEN to another one',
    );
  const party = { caller, visible: house.visibleTo(caller) };
  needs(party, 'viewer');
  return party;
}

async function jobParty(house: House, job: NonNullable<ReturnType<JobTokens['read']>>): Promise<Party> {
  const ended = () => new Refused('UNAUTHENTICATED', `the job of this token is over; start another run of its model`);
  const all = house.visibleTo(callerOf(job.run));
  const seen = await all.run(job.run).catch((error: unknown) => {
    throw asFault(error).code === 'notFound' ? ended() : error;
  });
  if (!job.isOf(seen.value.plan.project)) throw ended();
  if (!isUnderWay(seen.value, job)) throw ended();
  const caller = { ...callerOf(job.run), models: [seen.model] };
  const visible = house.visibleTo(caller);
  const { state } = await visible.model(seen.model);
  return { caller, visible, job: { ...job, scope: scopeOf(job), model: seen.model, state } };
}

/** Whether the run waits for this very job. */
const isUnderWay = (run: Run, { step, attempt }: JobParty): boolean =>
  'job' in run && run.job.part === step && run.job.attempt === attempt;

const callerOf = (run: string): Caller => ({
  token: run,
  actor: { subject: run, issuer: 'job', role: 'operator' },
});

export function needs({ caller }: Party, role: Role): void {
  const { subject, role: has } = caller.actor;
  if (!mayAct(caller, role))
    throw forbidden(`this needs the role ${role}, and the token '${subject}' has ${has}; use another token`);
}

/** What clients made themselves belongs to the whole project: a token of some models does not see it. */
export const seesClients = ({ caller }: Party): boolean => caller.models === undefined;

export function needsClients(party: Party): void {
  needs(party, 'operator');
  if (!seesClients(party))
    throw forbidden(
      `the token '${party.caller.actor.subject}' is limited to some models; use one for the whole project`,
    );
}

/** A model of Serin that the caller sees, or nothing. */
export async function seenModel({ visible }: Party, name: string): Promise<SeenModel | undefined> {
  try {
    return await visible.model(name);
  } catch (error) {
    if (asFault(error).code === 'notFound') return undefined;
    throw error;
  }
}

/** All models of Serin that the caller sees, by name. */
export async function seenModels({ visible }: Party): Promise<readonly SeenModel[]> {
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const { items, next } = await visible.names('model/', { cursor, limit: 200 });
    names.push(...items.map(({ stream }) => stream.slice('model/'.length)));
    cursor = next;
  } while (cursor !== undefined);
  return Promise.all(names.map((name) => visible.model(name)));
}
