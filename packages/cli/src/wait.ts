import { setTimeout as pause } from 'node:timers/promises';
import { parseDuration } from '@serin/core/base/time';
import type { Client, Document } from './client.ts';
import { Failure } from './failure.ts';
import { type Invocation, path, textOption } from './invocation.ts';
import { progressOn } from './progress.ts';

const defaultTimeoutMs = 3_600_000;
const fastestLookMs = 200;
const slowestLookMs = 2_000;

/** Looks until `ended` answers something; exit code 6 after `--timeout`, unless it is endless. `what` is waited for. */
export async function waitFor<Found>(
  invocation: Invocation,
  what: string,
  ended: () => Promise<Found | undefined>,
  endless = false,
): Promise<Found> {
  const timeout = textOption(invocation, 'timeout');
  const limit = timeout === undefined ? defaultTimeoutMs : parseDuration(timeout);
  if (limit === undefined) throw new Failure(2, `--timeout is '${timeout}'; give a duration such as '30s' or '10m'`);
  const progress = progressOn(invocation.terminal);
  const begun = performance.now();
  const until = endless ? Number.POSITIVE_INFINITY : begun + limit;
  for (let wait = fastestLookMs; ; wait = Math.min(wait * 1.5, slowestLookMs)) {
    const found = await ended();
    if (found !== undefined) return found;
    if (performance.now() >= until)
      throw new Failure(6, `${what} had not ended within ${timeout ?? '1h'}`, {
        why: 'it continues without this command',
        mend: "look at it with 'serin status'",
      });
    progress.waits(what, performance.now() - begun);
    await pause(Math.min(wait, Math.max(0, until - performance.now())), undefined, { signal: invocation.signal }).catch(
      () => undefined,
    );
    // Before the next look, which may have something to say.
    progress.end();
    if (invocation.signal.aborted) throw new Failure(130, 'interrupted');
  }
}

/** The run or rollout of an id once it has ended; each new line of its timeline is printed on the way. */
export function waitForEnd(
  invocation: Invocation,
  client: Client,
  kind: 'runs' | 'rollouts',
  id: string,
): Promise<Document> {
  let last = '';
  return waitFor(invocation, `${kind.slice(0, -1)} ${id}`, async () => {
    const document = await client.get(path`/v1/${kind}/${id}`);
    const status = String(document.status ?? '');
    if (status !== last) invocation.terminal.say(`${id}  ${status}\n`);
    last = status;
    return document.endedAt === undefined ? undefined : document;
  });
}

/** The id that was given, or that of the newest run or rollout of the model of this name. */
export async function newestOf(client: Client, kind: 'runs' | 'rollouts', given: string): Promise<string> {
  // An id, or its beginning, has an underscore or begins with the digits of its time.
  if (!/^[a-z][a-z0-9-]*$/.test(given)) return given;
  const { items } = await client.list(`/v1/${kind}`, { model: given }, 1);
  const [newest] = items.filter(isDocument);
  if (newest === undefined)
    throw new Failure(3, `${given} has no ${kind} yet`, { mend: `name a model or an id of 'serin ${kind} list'` });
  return String(newest.id);
}

export const isDocument = (value: unknown): value is Document =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function reasonOf({ because }: Document): string {
  if (typeof because === 'string') return because;
  return isDocument(because) && typeof because.text === 'string' ? because.text : '';
}
