import { tickBody } from '@serin/platform/message';
import type { Queue } from '@serin/platform/queue';
import type { ServiceBus } from './calls/service-bus.ts';

interface Options {
  readonly bus: ServiceBus;
  /** Its name in the namespace. */
  readonly queue: string;
}

/** The queue of signals in Service Bus, which holds back a message for as long as is wished. */
export function serviceBusQueue({ bus, queue }: Options): Queue {
  const send = (texts: readonly string[], delaySeconds = 0) =>
    bus.send(
      queue,
      texts.map((text) => ({ text, delaySeconds })),
    );
  return {
    tick: (stream, delaySeconds) => send([tickBody(stream)], delaySeconds),
    ticks: (streams) => send(streams.map(tickBody)),
    send: (body) => send([body]),
  };
}
