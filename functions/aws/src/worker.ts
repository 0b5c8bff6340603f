import { asFault, Fault } from '@serin/core/base/fault';
import type { CompiledConfig } from '@serin/core/config/config';
import { bury, queueStream } from '@serin/core/engine/dead-letters';
import type { Engine, Signal } from '@serin/core/engine/engine';
import { routesOf } from '@serin/core/inbound/route';
import { engineActor } from '@serin/core/ports/actors';
import type { Actor, Journal } from '@serin/core/ports/journal';
import type { Facts } from './facts.ts';
import type { Queue } from './queue.ts';
import { type Arrival, type Batch, type LookUp, type Message, readBatch } from './signals.ts';

/** What the functions stand on. */
export interface Clockwork {
  readonly journal: Journal;
  readonly queue: Queue;
  readonly now: () => number;
  readonly facts: Facts;
}
export interface Worker extends Clockwork {
  readonly engine: Engine;
  readonly config: () => Promise<CompiledConfig | undefined>;
  readonly lookUp: LookUp;
}

/**
 * Takes the messages of one batch; answers the ids of those that must come again.
 *
 * A message is done once what it says is durable; what is owed then is paid as far as time allows. What is not ours is
 * counted and done. A message that nobody can read, and a signal that fails for good, become dead letters, alone.
 */
export async function takeBatch(worker: Worker, messages: readonly Message[]): Promise<readonly string[]> {
  const { facts } = worker;
  const again = new Set<string>();
  const batch = await read(worker, messages);
  for (const what of batch.foreign) facts.count('ForeignSignals', { what });
  for (const { messageId, fault } of batch.failed) {
    const body = messages.find((message) => message.messageId === messageId)?.body ?? '';
    if (!(await isOver(worker, fault, { id: messageId, stream: queueStream, signal: { body } }))) again.add(messageId);
  }
  // In the order of each stream; streams do not wait for each other.
  const streams = Map.groupBy(batch.arrivals, ({ stream }) => stream);
  const taken = [...streams.values()].map(async (arrivals) => {
    // A signal that is told once goes before hints: what a hint pays may take as long as the function lasts.
    for (const arrival of arrivals.toSorted((a, b) => Number(a.id === undefined) - Number(b.id === undefined)))
      if (!(await take(worker, arrival))) for (const messageId of arrival.messages) again.add(messageId);
  });
  await Promise.all(taken);
  return [...again];
}

async function read({ config, lookUp }: Worker, messages: readonly Message[]): Promise<Batch> {
  try {
    return await readBatch(messages, routesOf((await config()) ?? { models: {} }), lookUp);
  } catch (error) {
    // No message is to blame, so none may become a dead letter.
    const fault = new Fault('unavailable', `the released config cannot be read: ${asFault(error).message}`, {
      cause: error,
    });
    return { arrivals: [], foreign: [], failed: messages.map(({ messageId }) => ({ messageId, fault })) };
  }
}

/** A tick pays; anything else is decided and then paid. Answers whether its messages are done. */
async function take(worker: Worker, { stream, signal: body, id, by, messages }: Arrival): Promise<boolean> {
  const { engine, facts, now } = worker;
  const actor: Actor = by === undefined ? engineActor : { subject: by, issuer: 'registry', role: 'approver' };
  const signal = { id: id ?? `hint/${messages[0]}`, at: now(), actor, ...body } as Signal;
  try {
    if (signal.type === 'clockTicked') {
      await engine.dispatch(stream);
      return true;
    }
    const outcome = await engine.handle(stream, signal);
    if (outcome.kind === 'refused') facts.say('refused', { stream, signal: signal.type, because: outcome.because });
    return true;
  } catch (error) {
    // The clock sends another tick each minute: they are one letter.
    const letter = signal.type === 'clockTicked' ? `tick.${stream.replace('/', '.')}` : messages.join('+');
    return isOver(worker, error, { id: letter, stream, signal });
  }
}

/** What fails for good is a dead letter once that is durable; everything else comes again. */
async function isOver(
  worker: Clockwork,
  error: unknown,
  letter: { readonly id: string; readonly stream: string; readonly signal: unknown },
): Promise<boolean> {
  worker.facts.fault(`${letter.stream} (${letter.id})`, error);
  return asFault(error).retry === 'never' && (await isBuried(worker, error, letter));
}

async function isBuried(
  { journal, now, facts }: Clockwork,
  error: unknown,
  { id, stream, signal }: { readonly id: string; readonly stream: string; readonly signal: unknown },
): Promise<boolean> {
  const because = asFault(error).message.slice(0, 2000);
  const told = JSON.parse(
    JSON.stringify(signal, (key, value) => (key === 'body' ? withoutEnvironments(value) : value)),
  );
  const letter = { id: id.slice(0, 400), stream, signal: told, because, at: now() };
  try {
    await bury(journal, letter, engineActor).catch((problem: unknown) => {
      if (asFault(problem).code !== 'invalid') throw problem;
      return bury(journal, cut(letter), engineActor);
    });
    facts.count('DeadLetters', { stream, because });
    return true;
  } catch (problem) {
    facts.fault(`burying ${id}`, problem);
    return false;
  }
}

/** SageMaker's events of jobs have the variables of the job, secrets among them: a letter is kept, and has none. */
function withoutEnvironments(body: unknown): unknown {
  if (typeof body !== 'string' || !body.includes('"Environment"')) return body;
  try {
    return JSON.stringify(JSON.parse(body, (key, value) => (key === 'Environment' ? undefined : value)));
  } catch {
    return body; // no event of SageMaker's
  }
}

type Letter = Parameters<typeof bury>[1];

/** Of a letter that the journal has no room for: enough to see what it was. */
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
  const why = new Error('it was delivered several times, and its function failed or ran out of time each time');
  const failed = await Promise.all(
    messages.map(async ({ messageId, body }) => {
      const letter = { id: messageId, stream: queueStream, signal: { body } };
      return (await isBuried(clockwork, why, letter)) ? [] : [messageId];
    }),
  );
  return failed.flat();
}

const clockEveryMs = 60_000;

/** Queues a tick for each stream that is due. Twice, or late: a tick that finds nothing to do changes nothing. */
export async function tickDue({ journal, queue, now, facts }: Clockwork): Promise<void> {
  let ticked = 0;
  let oldest = now();
  let cursor: string | undefined;
  do {
    const page = await journal.due(now(), cursor);
    await queue.ticks(page.items.map(({ stream }) => stream));
    ticked += page.items.length;
    oldest = Math.min(oldest, ...page.items.map(({ due }) => due));
    cursor = page.next;
  } while (cursor !== undefined);
  // A metric costs by the hour in which it is told: one that says nothing is not.
  if (ticked === 0) return;
  facts.count('Ticks', {}, ticked);
  facts.count('OldestDueSeconds', {}, Math.round((now() - oldest) / 1000));
}

/**
 * A stream that waits for less than the clock's minute is ticked in time. Only what was appended is told here, so a
 * tick that finds nothing to do leaves no further one behind.
 */
export async function wakeSoon(
  { queue, now, facts }: Pick<Clockwork, 'queue' | 'now' | 'facts'>,
  due: ReadonlyMap<string, number>,
): Promise<void> {
  const soon = [...due].filter(([, at]) => at - now() < clockEveryMs);
  await Promise.all(
    soon.map(([stream, at]) =>
      queue
        .tick(stream, Math.max(1, Math.ceil((at - now()) / 1000)))
        .catch((error: unknown) => facts.fault(`waking ${stream}`, error)),
    ),
  );
}

interface Delivered {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly attributes: { readonly ApproximateReceiveCount: string };
}

/**
 * What must come again comes in 15 s, then in 60 s, in 4 min, in 12 min: the visibility of the queue is made for a function
 * that was cut off, and an alert cannot wait for so long. A message that cannot be told so comes after that time.
 */
export async function comeSoon(
  { queue, facts }: Pick<Clockwork, 'queue' | 'facts'>,
  records: readonly Delivered[],
  again: readonly string[],
): Promise<void> {
  const late = records.filter(({ messageId }) => again.includes(messageId));
  await Promise.all(
    late.map(({ messageId, receiptHandle, attributes }) =>
      queue
        .again(receiptHandle, Math.min(720, 15 * 4 ** (Number(attributes.ApproximateReceiveCount) - 1)))
        .catch((error: unknown) => facts.fault(`bringing ${messageId} back`, error)),
    ),
  );
}
