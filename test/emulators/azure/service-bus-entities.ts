import type { Message } from 'rhea';

/** As infra would make a queue or a subscription. */
export interface QueueOptions {
  readonly lockMs?: number;
  readonly maxDeliveries?: number;
  readonly sessions?: boolean;
  /** How long an id is remembered; without it no duplicate is detected. */
  readonly duplicatesMs?: number;
}

export interface TopicOptions {
  readonly duplicatesMs?: number;
  readonly subscriptions: Readonly<Record<string, Subscription>>;
}

export interface Subscription extends QueueOptions {
  /** By its application properties and system properties. */
  readonly filter?: (message: Message) => boolean;
}

/** A refusal in words of AMQP and of Service Bus. */
export class AmqpRefusal extends Error {
  readonly condition: string;

  constructor(condition: string, description: string) {
    super(description);
    this.condition = condition;
  }
}

export interface Kept {
  readonly sequence: number;
  readonly message: Message;
  readonly enqueuedAt: number;
  /** How often it was delivered and given back. */
  readonly deliveries: number;
}

/** A link that takes messages of a queue. */
export interface Taker {
  readonly session: string | undefined;
  /** How many it takes at the moment. */
  credit(): number;
  /** `token`: of its lock. */
  take(kept: Kept, lock: { readonly token: string; readonly until: number }): void;
  /** Its session belongs to it no longer. */
  lose(): void;
}

interface Lock {
  readonly kept: Kept;
  readonly taker: Taker;
  until: number;
}

export interface Queue {
  readonly name: string;
  readonly options: QueueOptions;
  readonly ready: Kept[];
  readonly scheduled: Map<number, Kept>;
  readonly locked: Map<string, Lock>;
  readonly sessions: Map<string, { readonly taker: Taker; until: number }>;
  readonly takers: Set<Taker>;
  readonly dead: Queue | undefined;
  sequence: number;
}

interface Topic {
  readonly queues: readonly { readonly queue: Queue; readonly filter: (message: Message) => boolean }[];
}

export type Disposition = 'completed' | 'abandoned' | 'suspended';
export interface Reasons {
  readonly reason?: string | undefined;
  readonly description?: string | undefined;
}

export const lockMsOf = ({ options: { lockMs = 30_000 } }: Queue): number => lockMs;
const lost = () =>
  new AmqpRefusal(
    'com.microsoft:message-lock-lost',
    'The lock supplied is invalid. Either the lock expired, or the message has already been removed from the queue.',
  );

/**
 * Queues, topics and subscriptions in memory, in a time that a test can move on. Names are told apart without their
 * case.
 *
 * https://learn.microsoft.com/azure/service-bus-messaging/message-transfers-locks-settlement
 */
export function serviceBusEntities(entities: Readonly<Record<string, QueueOptions | TopicOptions>>) {
  const queues = new Map<string, Queue>();
  const targets = new Map<
    string,
    { readonly topic: Topic; readonly seen: Map<unknown, number>; duplicatesMs: number }
  >();
  const due: { readonly at: number; readonly work: () => void }[] = [];
  let ahead = 0;
  let timer: NodeJS.Timeout | undefined;
  let tokens = 0;
  const now = () => Date.now() + ahead;

  function queueOf(name: string, options: QueueOptions, dead?: Queue): Queue {
    const parts = { ready: [], scheduled: new Map(), locked: new Map(), sessions: new Map(), takers: new Set<Taker>() };
    const queue: Queue = { name, options, dead, sequence: 0, ...parts };
    queues.set(name.toLowerCase(), queue);
    return queue;
  }
  const withDead = (name: string, options: QueueOptions): Queue =>
    queueOf(name, options, queueOf(`${name}/$DeadLetterQueue`, { maxDeliveries: Number.POSITIVE_INFINITY }));

  for (const [name, options] of Object.entries(entities)) {
    const of = 'subscriptions' in options ? options.subscriptions : undefined;
    const subscribed = Object.entries(of ?? {}).map(([subscription, { filter = () => true, ...more }]) => ({
      queue: withDead(`${name}/Subscriptions/${subscription}`, more),
      filter,
    }));
    const topic = { queues: of === undefined ? [{ queue: withDead(name, options), filter: () => true }] : subscribed };
    targets.set(name.toLowerCase(), { topic, seen: new Map(), duplicatesMs: options.duplicatesMs ?? 0 });
  }

  /** What is due by now is done, in order of time; the next is waited for. */
  function run(): void {
    for (;;) {
      due.sort((a, b) => a.at - b.at);
      const next = due[0];
      if (next === undefined || next.at > now()) break;
      due.shift();
      next.work();
    }
    clearTimeout(timer);
    const next = due[0];
    if (next !== undefined) timer = setTimeout(run, Math.min(next.at - now(), 60_000)).unref();
  }
  function at(time: number, work: () => void): void {
    due.push({ at: time, work });
    run();
  }

  function pump(queue: Queue): void {
    for (const taker of queue.takers) {
      while (taker.credit() > 0) {
        const index = queue.ready.findIndex(
          ({ message }) => queue.options.sessions !== true || message.group_id === taker.session,
        );
        const [kept] = index < 0 ? [] : queue.ready.splice(index, 1);
        if (kept === undefined) break;
        lock(queue, kept, taker);
      }
    }
  }

  function lock(queue: Queue, kept: Kept, taker: Taker): void {
    tokens += 1;
    const token = tokens.toString(16).padStart(32, '0');
    const held = { kept, taker, until: queue.sessions.get(taker.session ?? '')?.until ?? now() + lockMsOf(queue) };
    queue.locked.set(token, held);
    if (taker.session === undefined) expire(queue, token, held);
    taker.take(kept, { token, until: held.until });
  }
  function expire(queue: Queue, token: string, held: Lock): void {
    at(held.until, () => {
      if (queue.locked.get(token) !== held) return;
      if (held.until > now()) return expire(queue, token, held);
      queue.locked.delete(token);
      giveBack(queue, held.kept);
    });
  }

  function giveBack(queue: Queue, kept: Kept): void {
    const again = { ...kept, deliveries: kept.deliveries + 1 };
    const most = queue.options.maxDeliveries ?? 10;
    const description = `Message could not be consumed after ${again.deliveries} delivery attempts.`;
    if (again.deliveries < most) makeReady(queue, again);
    else bury(queue, again, { reason: 'MaxDeliveryCountExceeded', description });
  }
  function makeReady(queue: Queue, kept: Kept): void {
    const index = queue.ready.findIndex(({ sequence }) => sequence > kept.sequence);
    queue.ready.splice(index < 0 ? queue.ready.length : index, 0, kept);
    pump(queue);
  }
  function bury(queue: Queue, kept: Kept, { reason, description }: Reasons): void {
    if (queue.dead === undefined) throw new AmqpRefusal('amqp:not-allowed', 'A dead letter has no dead letter queue.');
    const properties = {
      ...kept.message.application_properties,
      ...(reason === undefined ? {} : { DeadLetterReason: reason }),
      ...(description === undefined ? {} : { DeadLetterErrorDescription: description }),
    };
    const message = { ...kept.message, application_properties: properties } as Message;
    queue.dead.sequence += 1;
    makeReady(queue.dead, { ...kept, message, sequence: queue.dead.sequence });
  }

  function keep(queue: Queue, message: Message): number {
    if (queue.options.sessions === true && message.group_id == null)
      throw new AmqpRefusal(
        'amqp:not-allowed',
        'The SessionId was not set on a message, and it cannot be sent to the entity.',
      );
    queue.sequence += 1;
    const { sequence } = queue;
    const start = Number(message.message_annotations?.['x-opt-scheduled-enqueue-time'] ?? 0);
    const kept = { sequence, message, enqueuedAt: Math.max(start, now()), deliveries: 0 };
    if (start <= now()) makeReady(queue, kept);
    else {
      queue.scheduled.set(sequence, kept);
      at(start, () => {
        if (!queue.scheduled.delete(sequence)) return;
        // From then on it is one that came now. https://learn.microsoft.com/azure/service-bus-messaging/message-sequencing
        queue.sequence += 1;
        makeReady(queue, { ...kept, sequence: queue.sequence });
      });
    }
    return sequence;
  }

  /** A link has gone. Locks of messages outlive it, as they do in Service Bus; those of its session do not. */
  function detach(queue: Queue, taker: Taker): void {
    queue.takers.delete(taker);
    if (taker.session === undefined) return;
    queue.sessions.delete(taker.session);
    for (const [token, held] of queue.locked)
      if (held.taker === taker && queue.locked.delete(token)) giveBack(queue, held.kept);
  }

  return {
    now,
    /** That much time is over: locks are lost, and what was scheduled comes. */
    pass(ms: number): void {
      ahead += ms;
      run();
    },
    /** By the address of its link; `undefined` where there is none. A topic has none itself. */
    queueAt: (address: string): Queue | undefined => queues.get(address.toLowerCase()),
    isThere: (address: string): boolean => targets.has(address.toLowerCase()),
    /** Keeps a message, or throws; answers its sequence number in a queue. A duplicate is dropped in silence. */
    send(address: string, message: Message): number {
      const target = targets.get(address.toLowerCase());
      if (target === undefined)
        throw new AmqpRefusal('amqp:not-found', `The messaging entity '${address}' was not found.`);
      const { topic, seen, duplicatesMs } = target;
      const id: unknown = message.message_id;
      const before = seen.get(id);
      if (duplicatesMs > 0 && id != null && before !== undefined && now() - before < duplicatesMs) return 0;
      const taken = topic.queues.filter(({ filter }) => filter(message)).map(({ queue }) => keep(queue, message));
      if (id != null) seen.set(id, now());
      return taken[0] ?? 0;
    },
    cancel(queue: Queue, sequence: number): void {
      if (!queue.scheduled.delete(sequence))
        throw new AmqpRefusal('com.microsoft:message-not-found', `There is no message ${sequence} that is scheduled.`);
    },
    pump,
    attach(queue: Queue, taker: Taker): void {
      queue.takers.add(taker);
    },
    detach,
    /** The session that is asked for, or the next one that is free. */
    freeSession(queue: Queue, wanted: string | undefined): string {
      const next =
        wanted ?? queue.ready.map(({ message }) => message.group_id).find((id) => !queue.sessions.has(id ?? ''));
      if (next === undefined) throw new AmqpRefusal('com.microsoft:timeout', 'No session is available.');
      if (!queue.sessions.has(next)) return next;
      throw new AmqpRefusal(
        'com.microsoft:session-cannot-be-locked',
        `The requested session '${next}' cannot be accepted. It may be locked by another receiver.`,
      );
    },
    /** Answers until when the session belongs to the link. */
    lockSession(queue: Queue, session: string, taker: Taker): number {
      const held = { taker, until: now() + lockMsOf(queue) };
      queue.sessions.set(session, held);
      const look = () => {
        if (queue.sessions.get(session) !== held) return;
        if (held.until > now()) at(held.until, look);
        else {
          detach(queue, taker);
          taker.lose();
        }
      };
      at(held.until, look);
      return held.until;
    },
    renewLock(queue: Queue, token: string): number {
      const held = queue.locked.get(token);
      if (held === undefined) throw lost();
      held.until = now() + lockMsOf(queue);
      return held.until;
    },
    renewSession(queue: Queue, session: string): number {
      const held = queue.sessions.get(session);
      if (held === undefined) throw new AmqpRefusal('com.microsoft:session-lock-lost', 'The session lock has expired.');
      held.until = now() + lockMsOf(queue);
      return held.until;
    },
    settle(queue: Queue, token: string, how: Disposition, reasons: Reasons = {}): void {
      const held = queue.locked.get(token);
      if (held === undefined) throw lost();
      queue.locked.delete(token);
      if (how === 'abandoned') giveBack(queue, held.kept);
      if (how === 'suspended') bury(queue, held.kept, reasons);
    },
    stop: () => clearTimeout(timer),
  };
}

export type Entities = ReturnType<typeof serviceBusEntities>;
