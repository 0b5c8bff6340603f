import { randomUUID } from 'node:crypto';
import type { ServiceBusClient, ServiceBusError, ServiceBusMessage, ServiceBusSender } from '@azure/service-bus';
import { sha256Hex } from '@serin/core/base/json';
import { required, type Variables } from '@serin/platform/settings';
import { guarded } from '../faults.ts';
import { AzureError } from './azure.ts';
import type { ResourceTokens } from './token.ts';

export interface BusMessage {
  readonly text: string;
  /** A message of the same id is taken once, while the queue or topic remembers it; without one it is another message. */
  readonly id?: string;
  /** Messages of a session keep their order. */
  readonly session?: string;
  readonly delaySeconds?: number;
  /** The type of the text, if it is not JSON. */
  readonly type?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface ServiceBus {
  /** Sends to a queue or topic, in order for each session. Durable when it resolves; what was sent before a fault stays. */
  send(entity: string, messages: readonly BusMessage[]): Promise<void>;
  /** Ends its connection; the next message makes another one. */
  close(): Promise<void>;
}

interface Options {
  /** `SERIN_SERVICE_BUS__fullyQualifiedNamespace`, or a connection string in `SERIN_SERVICE_BUS`. */
  readonly variables: Variables;
  readonly tokens: ResourceTokens;
  readonly patience?: Patience;
}

export interface Patience {
  /** Until a send is given up, its repetitions included. */
  readonly wholeMs: number;
  /** Until it is made once more. */
  readonly onceMs: number;
  readonly repetitions: number;
  readonly pauseMs: number;
}

// Microsoft's client waits a minute for an answer, and 30 s before it repeats: longer than most functions have.
const usual: Patience = { wholeMs: 25_000, onceMs: 8000, repetitions: 2, pauseMs: 500 };

/**
 * Service Bus over AMQP, by Microsoft's client, which is loaded and connected with the first message.
 *
 * Each message has an id. So a message that was taken although its answer was lost, and is sent again, is one message
 * where the queue or topic detects duplicates.
 */
export function serviceBus({ variables, tokens, patience = usual }: Options): ServiceBus {
  let connected: Promise<ServiceBusClient> | undefined;
  const senders = new Map<string, ServiceBusSender>();

  async function senderOf(entity: string): Promise<ServiceBusSender> {
    connected ??= connect(variables, tokens, patience);
    const client = await connected;
    const sender = senders.get(entity) ?? client.createSender(entity);
    senders.set(entity, sender);
    return sender;
  }

  async function sendAll(entity: string, messages: readonly ServiceBusMessage[]): Promise<void> {
    const sender = await senderOf(entity);
    const within = () => ({ abortSignal: AbortSignal.timeout(patience.wholeMs) });
    let batch = await sender.createMessageBatch(within());
    for (const message of messages) {
      if (batch.tryAddMessage(message)) continue;
      if (batch.count > 0) await sender.sendMessages(batch, within());
      batch = await sender.createMessageBatch(within());
      if (batch.tryAddMessage(message)) continue;
      const size = `it has more than the ${batch.maxSizeInBytes} bytes of a message`;
      throw new AzureError(size, { code: 'MessageSizeExceeded', status: 413 });
    }
    if (batch.count > 0) await sender.sendMessages(batch, within());
  }

  return {
    async send(entity, messages) {
      // What is sent together must have one session.
      // https://github.com/Azure/azure-sdk-for-net/blob/main/sdk/servicebus/Azure.Messaging.ServiceBus/TROUBLESHOOTING.md
      for (const ofSession of Map.groupBy(messages, ({ session }) => session).values())
        await guarded(`sending to ${entity} of Service Bus`, () =>
          sendAll(entity, ofSession.map(messageOf)).catch((error: unknown) => Promise.reject(errorOf(error))),
        );
    },
    async close() {
      const client = await connected;
      connected = undefined;
      senders.clear();
      await client?.close();
    },
  };
}

async function connect(variables: Variables, tokens: ResourceTokens, patience: Patience): Promise<ServiceBusClient> {
  const { ServiceBusClient } = await import('@azure/service-bus');
  const { onceMs, repetitions, pauseMs } = patience;
  const retryOptions = { maxRetries: repetitions, timeoutInMs: onceMs, retryDelayInMs: pauseMs };
  const { SERIN_SERVICE_BUS: connection = '' } = variables;
  if (connection !== '') return new ServiceBusClient(connection, { retryOptions });
  const namespace = required(variables, 'SERIN_SERVICE_BUS__fullyQualifiedNamespace');
  return new ServiceBusClient(namespace, credentialOf(tokens), { retryOptions });
}

const minute = 60_000;

/**
 * Our tokens, as Microsoft's client asks for them. It asks again two minutes before a token ends, so one that is said to
 * end sooner would be asked for without a pause.
 *
 * https://learn.microsoft.com/azure/service-bus-messaging/authenticate-application#authenticate-from-an-application
 */
export const credentialOf = (tokens: ResourceTokens) => ({
  async getToken() {
    const token = await tokens('https://servicebus.azure.net/')();
    return { token, expiresOnTimestamp: Math.max(endOf(token), Date.now() + 3 * minute) };
  },
});

/** In ms since 1970, of a token that is a JWT; 0 of any other. */
function endOf(token: string): number {
  try {
    return Number(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).exp) * 1000 || 0;
  } catch {
    return 0;
  }
}

/** Ids of messages and of sessions have 128 characters at most. https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas */
const shortened = (id: string): string => (id.length > 128 ? sha256Hex(id) : id);

const messageOf = ({ text, id, session, delaySeconds = 0, type, attributes }: BusMessage): ServiceBusMessage => ({
  body: Buffer.from(text),
  messageId: shortened(id ?? randomUUID()),
  contentType: type ?? 'application/json',
  ...(session === undefined ? {} : { sessionId: shortened(session) }),
  ...(delaySeconds > 0 ? { scheduledEnqueueTimeUtc: new Date(Date.now() + delaySeconds * 1000) } : {}),
  ...(attributes === undefined ? {} : { applicationProperties: { ...attributes } }),
});

/** What HTTP would say for the codes of Microsoft's client; every other one passes, as one without an answer does. */
const statuses: Readonly<Record<string, number>> = {
  MessageSizeExceeded: 413,
  MessagingEntityNotFound: 404,
  ServiceBusy: 429,
  UnauthorizedAccess: 403,
};

/** Whatever Microsoft's client threw; an error that it never throws stays what it is. */
function errorOf(error: unknown): unknown {
  // What every repetition threw.
  if (error instanceof AggregateError) return errorOf(error.errors.at(-1));
  const { name, code, message } = error as ServiceBusError;
  if (name === 'AbortError') return new AzureError('no answer from Service Bus in time', { cause: error });
  // A queue that is full takes messages again: it is no quota that somebody must raise.
  if (code === 'QuotaExceeded') return new AzureError(message, { code: 'EntityFull', status: 503, cause: error });
  if (name === 'ServiceBusError') return new AzureError(message, { code, status: statuses[code] ?? 503, cause: error });
  return name === 'MessagingError' ? new AzureError(message, { status: 503, cause: error }) : error;
}
