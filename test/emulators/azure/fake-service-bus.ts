import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Variables } from '@serin/platform/settings';
import rhea, {
  type Connection,
  type Delivery,
  type EventContext,
  type Message,
  type Receiver,
  type Sender,
} from 'rhea';
import { callsOf } from '../fidelity-calls.ts';
import {
  AmqpRefusal,
  type Disposition,
  type Entities,
  type Kept,
  type Queue,
  type QueueOptions,
  serviceBusEntities,
  type Taker,
  type TopicOptions,
} from './service-bus-entities.ts';

const { types, message } = rhea;
/** What its types leave out. */
const codec = message as unknown as {
  decode(bytes: Buffer): Message;
} & Readonly<Record<'accepted' | 'rejected' | 'modified', (fields?: object) => { described(): unknown }>>;
const creditOf = (sender: Sender): number => (sender as unknown as { readonly credit: number }).credit;

/**
 * What happens to a send: a refusal; `lost`: taken, but the connection breaks before the answer; `detached`: not taken,
 * and the link is detached, as Service Bus does when it moves an entity to another machine; `silent`: not taken, and no
 * answer ever.
 */
export type SendMood = AmqpRefusal | 'lost' | 'detached' | 'silent';

export interface FakeServiceBus {
  /** Under which the code of functions finds it: a connection string, as of the emulator. */
  readonly variables: Variables & { readonly SERIN_SERVICE_BUS: string };
  /** For the next sends to a queue or topic, one each. */
  mood(entity: string, ...moods: readonly SendMood[]): void;
  /** The entities that were sent to, with how many messages came in one delivery: also those that were refused. */
  readonly sent: readonly { readonly entity: string; readonly messages: readonly Message[] }[];
  /** What lies in a queue, a subscription (`topic/Subscriptions/name`) or a `$DeadLetterQueue`, in order: not what is locked. */
  waiting(address: string): readonly Kept[];
  /** How many messages come later. */
  scheduled(address: string): number;
  locked(address: string): number;
  /** That much time is over: locks are lost, and what was scheduled comes. */
  pass(ms: number): void;
  /** The connections that are open are broken. */
  cut(): void;
  stop(): Promise<void>;
}

// Of the Standard tier. https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas
const maxMessageBytes = 256 * 1024;
const batchFormat = 0x80013700;

/** What is known of a link of ours, by which messages go out. */
interface Outgoing {
  readonly address: string;
  /** What requests name to have their answer by this link. */
  readonly replyTo: readonly (string | undefined)[];
  readonly queue?: Queue;
  readonly taker?: Taker;
  budget: number;
}

interface World {
  readonly entities: Entities;
  readonly moods: Map<string, SendMood[]>;
  readonly sent: { readonly entity: string; readonly messages: readonly Message[] }[];
  readonly senders: Map<Sender, Outgoing>;
  readonly locks: WeakMap<Delivery, { readonly queue: Queue; readonly token: string }>;
  readonly connections: Set<Connection>;
  count(call: string, isAnswered: boolean): void;
}

/**
 * Service Bus on 127.0.0.1, as Microsoft's client speaks to it: AMQP 1.0 with its tokens, batches, peek-lock, settlement,
 * dead letters, scheduled messages, sessions and duplicate detection. The calls are counted for the README's table under
 * `name`, the name of the suite.
 *
 * https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-protocol-guide
 */
export async function startServiceBus(
  name: string,
  entities: Readonly<Record<string, QueueOptions | TopicOptions>>,
): Promise<FakeServiceBus> {
  const counts = callsOf(name);
  const world: World = {
    entities: serviceBusEntities(entities),
    moods: new Map(),
    sent: [],
    senders: new Map(),
    locks: new WeakMap(),
    connections: new Set(),
    count: (call, isAnswered) =>
      counts.count(`servicebus:${call}`, { who: 'a fake of ours', isAnswered, checkedBy: "Microsoft's client" }),
  };
  const container = rhea.create_container({ id: 'service-bus', treat_modified_as_released: false });
  container.sasl_server_mechanisms.enable_anonymous();
  listen(world, container);
  const server = container.listen({
    ...{ port: 0, host: '127.0.0.1', max_frame_size: 65_536 },
    receiver_options: { autoaccept: false, credit_window: 100, max_message_size: maxMessageBytes },
    sender_options: { autosettle: false },
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const queueAt = (address: string): Queue => {
    const queue = world.entities.queueAt(address);
    if (queue === undefined) throw new Error(`there is no queue '${address}'`);
    return queue;
  };
  const cut = () => {
    for (const { socket } of world.connections) (socket as { destroy(): void }).destroy();
  };
  return {
    variables: {
      SERIN_SERVICE_BUS: `Endpoint=sb://127.0.0.1:${port};SharedAccessKeyName=R;SharedAccessKey=a2V5;UseDevelopmentEmulator=true;`,
    },
    mood: (entity, ...moods) => void world.moods.set(entity, [...(world.moods.get(entity) ?? []), ...moods]),
    sent: world.sent,
    waiting: (address) => queueAt(address).ready,
    scheduled: (address) => queueAt(address).scheduled.size,
    locked: (address) => queueAt(address).locked.size,
    pass: world.entities.pass,
    cut,
    async stop() {
      world.entities.stop();
      cut();
      server.close();
      await once(server, 'close');
      counts.save();
    },
  };
}

/** `sb://host:port/queue` and `queue` are the same. */
const addressOf = (address = ''): string => address.replace(/^(?:amqps?|sb):\/\/[^/]+\//, '').replace(/^\//, '');
const isManagement = (address: string): boolean => address.endsWith('/$management');

function listen(world: World, container: ReturnType<typeof rhea.create_container>): void {
  container.on('connection_open', ({ connection }: EventContext) => world.connections.add(connection));
  for (const event of ['connection_close', 'disconnected', 'connection_error', 'protocol_error', 'error'])
    container.on(event, ({ connection }: EventContext) => {
      world.connections.delete(connection);
      for (const sender of world.senders.keys()) if (sender.connection === connection) forget(world, sender);
    });
  container.on('receiver_open', ({ receiver }: EventContext) => receiver && openForSends(world, receiver));
  container.on('sender_open', ({ sender }: EventContext) => sender && openForReceives(world, sender));
  container.on('sender_close', ({ sender }: EventContext) => sender && forget(world, sender));
  container.on('sender_flow', ({ sender }: EventContext) => {
    const of = sender && world.senders.get(sender);
    if (sender === undefined || of === undefined) return;
    // `sendable` does not count what is queued for the wire.
    of.budget = creditOf(sender);
    if (of.queue !== undefined) world.entities.pump(of.queue);
  });
  container.on('sender_draining', ({ sender }: EventContext) => {
    const of = sender && world.senders.get(sender);
    if (of !== undefined) of.budget = 0;
    sender?.set_drained(true);
  });
  container.on('message', (context: EventContext) => takeMessage(world, context));
  for (const [event, how] of Object.entries(outcomes))
    container.on(event, ({ delivery }: EventContext) => delivery && settle(world, delivery, event, how));
}

function forget({ senders, entities }: World, sender: Sender): void {
  const { queue, taker } = senders.get(sender) ?? {};
  senders.delete(sender);
  if (queue !== undefined && taker !== undefined) entities.detach(queue, taker);
}

/** A link by which a client sends, also its requests. */
function openForSends({ entities }: World, receiver: Receiver): void {
  const address = addressOf(receiver.target?.address);
  receiver.set_target({ address });
  const isThere = address === '$cbs' || entities.isThere(address) || isManagement(address);
  if (!isThere) receiver.close(notFound(address));
}

const notFound = (address: string) => ({
  condition: 'amqp:not-found',
  description: `The messaging entity '${address}' could not be found.`,
});

const sessionFilter = 'com.microsoft:session-filter';
const ticksOf = (time: number): number => time * 10_000 + 621_355_968_000_000_000;

/** A link by which a client receives, also the answers to its requests. */
function openForReceives(world: World, sender: Sender): void {
  const address = addressOf(sender.source?.address);
  sender.set_target(sender.target);
  const replyTo = [sender.name, sender.target?.address];
  const queue = world.entities.queueAt(address);
  if (address === '$cbs' || isManagement(address)) {
    sender.set_source({ address });
    world.senders.set(sender, { address, replyTo, budget: 0 });
  } else if (queue === undefined) sender.close(notFound(address));
  else {
    try {
      attach(world, sender, address, queue);
    } catch (error) {
      if (!(error instanceof AmqpRefusal)) throw error;
      sender.close({ condition: error.condition, description: error.message });
    }
  }
}

function attach({ entities, senders, locks }: World, sender: Sender, address: string, queue: Queue): void {
  const filter = sender.source?.filter as Readonly<Record<string, unknown>> | undefined;
  const asksSession = filter !== undefined && sessionFilter in filter;
  if (queue.options.sessions === true && !asksSession)
    throw new AmqpRefusal('amqp:not-allowed', 'An entity that requires sessions takes no receiver without a session.');
  const session = asksSession ? entities.freeSession(queue, sessionIn(filter[sessionFilter])) : undefined;
  const taker: Taker = {
    session,
    credit: () => (sender.is_open() ? of.budget : 0),
    take(kept, { token, until }) {
      of.budget -= 1;
      const delivery = sender.send(onWire(kept, until), guidOf(token));
      locks.set(delivery, { queue, token });
    },
    lose: () =>
      sender.close({ condition: 'com.microsoft:session-lock-lost', description: 'The session lock expired.' }),
  };
  const of: Outgoing = { address, replyTo: [], queue, taker, budget: 0 };
  senders.set(sender, of);
  entities.attach(queue, taker);
  if (session === undefined) {
    sender.set_source({ address });
    return;
  }
  const until = entities.lockSession(queue, session, taker);
  sender.set_source({ address, filter: { [sessionFilter]: session } });
  const { local } = sender as unknown as { readonly local: { readonly attach: { properties?: object } } };
  local.attach.properties = { 'com.microsoft:locked-until-utc': types.wrap_long(ticksOf(until)) };
}

function sessionIn(said: unknown): string | undefined {
  const value = typeof said === 'string' ? said : (said as { readonly value?: unknown } | null)?.value;
  return typeof value === 'string' ? value : undefined;
}

/** A delivery tag is a GUID as .NET writes it; a lock token as everybody else does. */
const guidOf = (token: string): Buffer => {
  const bytes = Buffer.from(token, 'hex');
  return Buffer.from([3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map((index) => bytes[index] ?? 0));
};

const onWire = ({ message, sequence, enqueuedAt, deliveries }: Kept, until: number): Message =>
  ({
    ...message,
    delivery_count: deliveries,
    message_annotations: {
      ...message.message_annotations,
      'x-opt-sequence-number': types.wrap_long(sequence),
      'x-opt-enqueued-time': types.wrap_timestamp(enqueuedAt),
      'x-opt-locked-until': types.wrap_timestamp(until),
    },
  }) as Message;

const outcomes: Readonly<Record<string, Disposition>> = {
  accepted: 'completed',
  released: 'abandoned',
  modified: 'abandoned',
  rejected: 'suspended',
};

function settle({ entities, locks }: World, delivery: Delivery, event: string, how: Disposition): void {
  const held = locks.get(delivery);
  const info = delivery.remote_state?.error?.info ?? {};
  try {
    if (held === undefined) throw new AmqpRefusal('amqp:not-found', 'Nobody knows this delivery.');
    const { DeadLetterReason: reason, DeadLetterErrorDescription: description } = info;
    entities.settle(held.queue, held.token, how, { reason, description });
    // An error that is echoed would be one of ours for the client.
    const state =
      event === 'accepted' ? codec.accepted() : event === 'rejected' ? codec.rejected({}) : codec.modified({});
    delivery.update(true, state.described());
  } catch (error) {
    delivery.update(true, codec.rejected({ error: errorOf(error) }).described());
  }
}

const errorOf = (error: unknown) =>
  error instanceof AmqpRefusal
    ? { condition: error.condition, description: error.message }
    : { condition: 'amqp:internal-error', description: String(error) };

function takeMessage(world: World, { receiver, message, delivery, connection }: EventContext): void {
  const address = addressOf(receiver?.target?.address);
  if (message === undefined || delivery === undefined) return;
  if (address === '$cbs' || isManagement(address)) {
    delivery.accept();
    answerRequest(world, connection, address, message);
    return;
  }
  const messages = messagesIn(delivery, message);
  world.sent.push({ entity: address, messages });
  const mood = world.moods.get(address)?.shift();
  const description = 'The link is force detached by the broker because the entity moves to another machine.';
  if (mood === 'detached') receiver?.close({ condition: 'amqp:link:detach-forced', description });
  if (mood === 'detached' || mood === 'silent') return;
  try {
    if (mood instanceof AmqpRefusal) throw mood;
    if (bytesOf(message) > maxMessageBytes)
      throw new AmqpRefusal('amqp:link:message-size-exceeded', 'The received message has more than 262144 bytes.');
    if (new Set(messages.map(({ group_id }) => group_id)).size > 1)
      throw new AmqpRefusal('amqp:not-allowed', 'Messages of several sessions cannot be sent together.');
    for (const one of messages) world.entities.send(address, one);
    world.count('Send', true);
    if (mood === 'lost') (connection.socket as { destroy(): void }).destroy();
    else delivery.accept();
  } catch (error) {
    world.count('Send', false);
    delivery.reject(errorOf(error));
  }
}

const bytesOf = (of: Message | Buffer): number => (Buffer.isBuffer(of) ? of : message.encode(of)).length;

/** One message, or those of a batch, each of which is encoded by itself. */
function messagesIn({ format }: Delivery, message: Message): readonly Message[] {
  if (format !== batchFormat && !Buffer.isBuffer(message)) return [message];
  const { body } = Buffer.isBuffer(message) ? codec.decode(message) : message;
  const parts: readonly Buffer[] = body.multiple ? body.content : [body.content];
  return parts.map((part) => codec.decode(part));
}

interface Answered {
  readonly status: number;
  readonly body?: object;
  readonly error?: { readonly condition: string; readonly description: string };
}

/** Requests and answers go by two links, which the name of the second joins. */
function answerRequest(world: World, connection: Connection, address: string, request: Message): void {
  const { status, body, error } = answerOf(world, address, request);
  const back = [...world.senders].find(
    ([sender, { replyTo }]) => sender.connection === connection && replyTo.includes(request.reply_to),
  );
  const text = error?.description ?? 'OK';
  back?.[0].send({
    to: request.reply_to,
    correlation_id: request.message_id,
    application_properties: {
      'status-code': types.wrap_int(status),
      'status-description': text,
      statusCode: types.wrap_int(status),
      statusDescription: text,
      ...(error === undefined ? {} : { errorCondition: error.condition }),
    },
    body: body ?? {},
  } as unknown as Message);
}

function answerOf({ entities }: World, address: string, { application_properties, body }: Message): Answered {
  if (address === '$cbs') return { status: 202 };
  const operation: string = application_properties?.operation;
  try {
    const to = address.replace(/\/\$management$/, '');
    const queue = entities.queueAt(to);
    if (queue === undefined) throw new AmqpRefusal('amqp:not-found', `There is no queue '${to}'.`);
    const work = operations[operation.replace('com.microsoft:', '')];
    if (work === undefined) throw new AmqpRefusal('amqp:not-implemented', `The fake has no ${operation}.`);
    return { status: 200, ...work({ entities, queue, to, body }) };
  } catch (error) {
    const { condition, description } = errorOf(error);
    const status = { 'amqp:not-implemented': 501, 'com.microsoft:message-not-found': 404 }[condition] ?? 410;
    return { status, error: { condition, description } };
  }
}

interface Asked {
  readonly entities: Entities;
  readonly queue: Queue;
  readonly to: string;
  // The client's own requests: what they hold is looked at where it is used.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: any;
}

const longOf = (value: unknown): number =>
  typeof value === 'number' ? value : Number(Buffer.from(value as Uint8Array).readBigInt64BE(0));
const hexOf = (token: Uint8Array): string => Buffer.from(token).toString('hex');
const arrayOf = (values: readonly number[], code: number) => types.wrap_array([...values], code, undefined);

const operations: Readonly<Record<string, (asked: Asked) => { readonly body?: object }>> = {
  'schedule-message': ({ entities, to, body }) => {
    const messages: readonly { readonly message: Buffer }[] = body.messages;
    const sequences = messages.map(({ message }) => entities.send(to, codec.decode(message)));
    return { body: { 'sequence-numbers': arrayOf(sequences, 0x81) } };
  },
  'cancel-scheduled-message': ({ entities, queue, body }) => {
    for (const sequence of body['sequence-numbers']) entities.cancel(queue, longOf(sequence));
    return {};
  },
  'renew-lock': ({ entities, queue, body }) => {
    const tokens: readonly Uint8Array[] = body['lock-tokens'];
    return {
      body: {
        expirations: arrayOf(
          tokens.map((token) => entities.renewLock(queue, hexOf(token))),
          0x83,
        ),
      },
    };
  },
  'renew-session-lock': ({ entities, queue, body }) => {
    const until = entities.renewSession(queue, body['session-id']);
    return { body: { expiration: types.wrap_timestamp(until) } };
  },
  // How a client settles after the link is gone by which the message came.
  'update-disposition': ({ entities, queue, body }) => {
    const reasons = { reason: body['deadletter-reason'], description: body['deadletter-description'] };
    for (const token of body['lock-tokens']) entities.settle(queue, hexOf(token), body['disposition-status'], reasons);
    return {};
  },
};
