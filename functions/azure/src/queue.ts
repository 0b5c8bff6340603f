import { tickBody } from '@serin/platform/message';
import type { Queue } from '@serin/platform/queue';
import type { Delivered } from '@serin/platform/worker';
import type { ServiceBus } from './calls/service-bus.ts';

interface Options {
  readonly bus: ServiceBus;
  /** Its name in the namespace. */
  readonly queue: string;
}

/** The queue of signals in Service Bus, which holds back a message for as long as is wished. */
export interface ServiceBusQueue extends Queue {
  /** Several in few requests: whoever delivers a batch does not wait for long. */
  sendAll(bodies: readonly string[]): Promise<void>;
  /** A message that is being worked on comes again after this many seconds: as a copy, for what is given back comes at once. */
  again(message: Pick<Delivered, 'id' | 'body' | 'attempt'>, seconds: number): Promise<void>;
}

/** The properties of a copy: which message it is of, and how often that was delivered before. */
export interface Copied {
  readonly copyOf: string;
  readonly attempt: string;
}

export function serviceBusQueue({ bus, queue }: Options): ServiceBusQueue {
  const send = (texts: readonly string[], delaySeconds = 0) =>
    bus.send(
      queue,
      texts.map((text) => ({ text, delaySeconds })),
    );
  return {
    tick: (stream, delaySeconds) => send([tickBody(stream)], delaySeconds),
    ticks: (streams) => send(streams.map(tickBody)),
    send: (body) => send([body]),
    sendAll: (bodies) => send(bodies),
    async again({ id, body, attempt }, delaySeconds) {
      const attributes = { copyOf: id, attempt: String(attempt + 1) } satisfies Copied;
      // Made twice for one delivery, it is one copy.
      await bus.send(queue, [{ text: body, id: `${id}/${attempt + 1}`, delaySeconds, attributes }]);
    },
  };
}
