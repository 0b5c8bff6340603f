import { Fault } from '@serin/core/base/fault';
import { minute } from '@serin/core/base/time';
import { notYet } from '../faults.ts';

/** Who has noted an intent asks for the job within this time, or not at all. */
const askWithinMs = minute;

/** So long after an intent its job may still come, or may not be listed yet: a guess, nobody documents it. */
export const unknownMs = 15 * minute;

/** A job that was made for a key. */
export interface KnownJob {
  readonly id: string;
  readonly createdAt: number;
  /** `stopped`: also one that was only asked to stop. */
  readonly state: 'live' | 'ended' | 'stopped';
}

/** The jobs of one key, at a provider that takes no key. */
export interface JobsOfKey {
  /** Those that carry the key as a label, as far as the provider lists them yet. */
  list(): Promise<readonly KnownJob[]>;
  stop(id: string): Promise<void>;
}

export interface Creation extends JobsOfKey {
  /** The clock of the process. */
  now(): number;
  /** Brings what the job needs to its place; answers the call that asks for the job, and answers its id. */
  prepare(): Promise<() => Promise<string>>;
  /**
   * Notes that a job will be asked for, and answers how to take the note back. `undefined`: it was noted already, less than
   * `unknownMs` ago by the clock of the store.
   */
  intend(): Promise<(() => Promise<void>) | undefined>;
}

/**
 * One paid job for a key, at a provider that would make another one at each request.
 *
 * What is listed is adopted. Else an intent is noted, it is looked once more, and only then the job is asked for. Until
 * `unknownMs` after an intent nobody asks again: a start that finds no job is `unavailable`. If the job of a lost request
 * shows even later than that, there are two for a while: the next look stops the one that is not kept.
 */
export async function startOnce(key: string, creation: Creation): Promise<{ readonly id: string }> {
  const known = await adopted(creation);
  if (known !== undefined) return known;
  const create = await creation.prepare();
  const notedAt = creation.now();
  const takeBack = await creation.intend();
  if (takeBack === undefined) throw notYet(`whether the job ${key} was started is not known yet`);
  // Who was held up after the first look may come when the job is there, or even over.
  const late = await adopted(creation);
  if (late !== undefined) return late;
  if (creation.now() - notedAt > askWithinMs) {
    await takeBack();
    throw notYet(`the job ${key} could not be asked for within a minute of its intent`);
  }
  try {
    return { id: await create() };
  } catch (error) {
    // A refusal is an answer: there will be no job.
    if (error instanceof Fault && error.code !== 'unavailable') await takeBack();
    throw error;
  }
}

/** Stops the jobs of a key that were made beside the one that is kept. */
export async function stopOthers({ list, stop }: JobsOfKey, kept: string): Promise<void> {
  await stopAllBut(kept, await list(), stop);
}

/** Of several jobs the earliest is kept, unless it was stopped as the one too many. */
export function keptOf(known: readonly KnownJob[]): KnownJob | undefined {
  const inOrder = known.toSorted((one, other) => one.createdAt - other.createdAt || (one.id < other.id ? -1 : 1));
  return inOrder.find(({ state }) => state !== 'stopped') ?? inOrder[0];
}

async function adopted({ list, stop }: JobsOfKey): Promise<{ readonly id: string } | undefined> {
  const known = await list();
  const kept = keptOf(known);
  if (kept === undefined) return undefined;
  await stopAllBut(kept.id, known, stop);
  return { id: kept.id };
}

async function stopAllBut(kept: string, known: readonly KnownJob[], stop: JobsOfKey['stop']): Promise<void> {
  for (const { id, state } of known) if (id !== kept && state === 'live') await stop(id);
}
