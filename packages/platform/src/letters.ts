import { asFault } from '@serin/core/base/fault';
import { bury, queueStream } from '@serin/core/engine/dead-letters';
import { engineActor } from '@serin/core/ports/actors';
import type { Journal } from '@serin/core/ports/journal';
import type { Message } from './arrivals.ts';
import type { Clockwork } from './clock.ts';

/** What fails for good is done once its dead letter is durable. Everything else comes again. */
export async function isOver(
  worker: Clockwork,
  error: unknown,
  letter: { readonly id: string; readonly stream: string; readonly signal: unknown },
): Promise<boolean> {
  worker.log.fault(`${letter.stream} (${letter.id})`, error);
  return asFault(error).retry === 'never' && (await isBuried(worker, error, letter));
}

async function isBuried(
  { journal, now, log, withoutSecrets }: Clockwork,
  error: unknown,
  { id, stream, signal }: { readonly id: string; readonly stream: string; readonly signal: unknown },
): Promise<boolean> {
  try {
    const kept = JSON.parse(
      JSON.stringify(signal, (key, value) =>
        key === 'body' && typeof value === 'string' ? concealed(withoutSecrets, value) : value,
      ),
    );
    const { because } = await buryFailed(journal, error, { id, stream, signal: kept, at: now() });
    log.count('DeadLetters', { stream, because });
    return true;
  } catch (problem) {
    log.fault(`burying ${id}`, problem);
    return false;
  }
}

/** A body in which nobody can look for secrets, such as one that is nested too deeply, is not kept. */
function concealed(withoutSecrets: Clockwork['withoutSecrets'], body: string): string {
  try {
    return withoutSecrets(body);
  } catch {
    return '(not kept: nobody could look for secrets in it)';
  }
}

/** An id that names a dead letter: what is longer, or in other characters, none can have. */
export const isLetterId = (id: unknown): id is string => typeof id === 'string' && /^[!-~]{1,400}$/.test(id);

type Letter = Parameters<typeof bury>[1];

/** Writes what failed for good as a dead letter; one that the journal has no room for is cut. Twice: one letter. */
export async function buryFailed(
  journal: Journal,
  error: unknown,
  { id, ...failed }: Omit<Letter, 'because'>,
): Promise<Letter> {
  const letter = { ...failed, id: id.slice(0, 400), because: asFault(error).message.slice(0, 2000) };
  await bury(journal, letter, engineActor).catch((problem: unknown) => {
    if (asFault(problem).code !== 'invalid') throw problem;
    return bury(journal, cut(letter), engineActor);
  });
  return letter;
}

/** What is kept of a letter that is too large for the journal: enough to see what it was. */
function cut({ signal, because, ...letter }: Letter): Letter {
  const { body } = signal as { readonly body?: string };
  return {
    ...letter,
    signal: body === undefined ? signal : { body: body.slice(0, 50_000) },
    because: `${because.slice(0, 100)} (cut: there was no room for all of it)`,
  };
}

/** What the queue gave up, as dead letters; answers the ids of those that could not be written. */
export async function buryBatch(clockwork: Clockwork, messages: readonly Message[]): Promise<readonly string[]> {
  const why = new Error(
    'it was delivered several times and its function failed or ran out of time each time; look at its log, then replay it',
  );
  const failed = await Promise.all(
    messages.map(async ({ id, body }) => {
      const letter = { id, stream: queueStream, signal: { body } };
      return (await isBuried(clockwork, why, letter)) ? [] : [id];
    }),
  );
  return failed.flat();
}
