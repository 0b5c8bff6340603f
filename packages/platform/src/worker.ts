import { asFault, Fault } from '@serin/core/base/fault';
import type { CompiledConfig } from '@serin/core/config/config';
import { queueStream } from '@serin/core/engine/dead-letters';
import type { Engine } from '@serin/core/engine/engine';
import type { Signal } from '@serin/core/engine/outcome';
import type { Owners } from '@serin/core/inbound/fact';
import { routesOf } from '@serin/core/inbound/route';
import { engineActor } from '@serin/core/ports/actors';
import type { Actor } from '@serin/core/ports/journal';
import { type Arrival, type Batch, type Message, type Read, readBatch } from './arrivals.ts';
import type { Clockwork } from './clock.ts';
import { isOver } from './letters.ts';
import type { LogLines } from './log-lines.ts';

export interface Worker extends Clockwork {
  readonly engine: Engine;
  readonly config: () => Promise<CompiledConfig | undefined>;
  readonly read: Read;
  readonly owners: Owners;
}

/** A message as the queue delivered it. */
export interface Delivered extends Message {
  /** 1: for the first time. */
  readonly attempt: number;
  /** Makes it come again after this many seconds. A queue that cannot do so brings it in its own time. */
  again(seconds: number): Promise<void>;
}

/**
 * Takes the messages of one batch; answers the ids of those that must come again.
 *
 * A message is done once what it says is durable. Then what is owed is dispatched as far as time allows. A message that
 * is not for us is counted and done. A message that nobody can read, and a signal that fails for good, become dead
 * letters.
 */
export async function takeBatch(worker: Worker, messages: readonly Message[]): Promise<readonly string[]> {
  const again = new Set<string>();
  const batch = await readAll(worker, messages);
  for (const what of batch.unrouted) countUnrouted(worker.log, what);
  for (const { id, fault } of batch.failed) {
    const body = messages.find((message) => message.id === id)?.body ?? '';
    if (!(await isOver(worker, fault, { id, stream: queueStream, signal: { body } }))) again.add(id);
  }
  // Streams do not wait for each other.
  const streams = Map.groupBy(batch.arrivals, ({ stream }) => stream);
  const taken = [...streams].map(async ([stream, arrivals]) => {
    for (const id of await takeInOrder(worker, stream, arrivals)) again.add(id);
  });
  await Promise.all(taken);
  return [...again];
}

/**
 * What came for one stream; answers the messages that must come again.
 *
 * A dispatch may take all the time of the function. So a signal that comes only once goes before hints, and if there are
 * several, all are decided before anything is dispatched.
 */
async function takeInOrder(worker: Worker, stream: string, arrivals: readonly Arrival[]): Promise<readonly string[]> {
  const { once = [], hints = [] } = Object.groupBy(arrivals, ({ id }) => (id === undefined ? 'hints' : 'once'));
  const isOne = once.length <= 1;
  const late: string[] = [];
  for (const arrival of once) if (!(await take(worker, arrival, isOne))) late.push(...arrival.messages);
  const tick = { stream, signal: { type: 'clockTicked' }, messages: once.flatMap(({ messages }) => messages) } as const;
  for (const arrival of isOne ? hints : [tick, ...hints])
    if (!(await take(worker, arrival, true))) late.push(...arrival.messages);
  return late;
}

async function readAll({ config, read, owners }: Worker, messages: readonly Message[]): Promise<Batch> {
  try {
    const routes = routesOf((await config()) ?? { models: {} });
    return await readBatch(messages, { read, routes, owners });
  } catch (error) {
    // No message is to blame, so none may become a dead letter.
    const fault = new Fault(
      'unavailable',
      `the released config cannot be read; restore it, or release again: ${asFault(error).message}`,
      {
        cause: error,
      },
    );
    return { arrivals: [], unrouted: [], failed: messages.map(({ id }) => ({ id, fault })) };
  }
}

/**
 * A tick is dispatched. Anything else is decided first, and then dispatched if `dispatches`. Answers whether its messages
 * are done.
 */
async function take(
  worker: Worker,
  { stream, signal: body, id, by, messages }: Arrival,
  dispatches: boolean,
): Promise<boolean> {
  const { engine, log, now } = worker;
  const actor: Actor = by === undefined ? engineActor : { subject: by, issuer: 'registry', role: 'approver' };
  const signal = { id: id ?? `hint/${messages[0]}`, at: now(), actor, ...body } as Signal;
  try {
    if (signal.type === 'clockTicked') {
      await engine.dispatch(stream);
      return true;
    }
    const outcome = await (dispatches ? engine.handle(stream, signal) : engine.receive(stream, signal));
    if (outcome.kind === 'refused') log.say('refused', { stream, signal: signal.type, because: outcome.because });
    return true;
  } catch (error) {
    // The clock sends another tick each minute, so all of them are one letter.
    const letter = signal.type === 'clockTicked' ? `tick.${stream.replace('/', '.')}` : messages.join('+');
    return isOver(worker, error, { id: letter, stream, signal });
  }
}

/** What was for nobody is counted, by what it is. */
export const countUnrouted = (log: LogLines, what: string): void =>
  log.count('ForeignSignals', { what: what.slice(0, 120) });

/**
 * A message comes again after 15 s, then after 60 s, 4 min and 12 min. The queue's own pause is made for a function
 * that was cut off, and an alert cannot wait so long. If the queue cannot be asked the message comes after that pause.
 */
export async function comeSoon(
  { log }: Pick<Clockwork, 'log'>,
  messages: readonly Delivered[],
  late: readonly string[],
): Promise<void> {
  await Promise.all(
    messages
      .filter(({ id }) => late.includes(id))
      .map((message) =>
        message
          .again(Math.min(720, 15 * 4 ** (message.attempt - 1)))
          .catch((error: unknown) => log.fault(`bringing ${message.id} back`, error)),
      ),
  );
}
