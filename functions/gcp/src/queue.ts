import { tickBody } from '@serin/platform/message';
import type { Queue } from '@serin/platform/queue';
import { publish, type Topic } from './calls/publish.ts';

/** The queue of signals: a topic of Pub/Sub, which delays nothing. A tick with a delay is left to the clock. */
export function pubsubQueue(topic: Topic): Queue {
  const send = (bodies: readonly string[]) =>
    publish(
      topic,
      bodies.map((text) => ({ text })),
    );
  return {
    tick: async (stream, delaySeconds = 0) => (delaySeconds > 0 ? undefined : send([tickBody(stream)])),
    ticks: (streams) => send(streams.map(tickBody)),
    send: (body) => send([body]),
  };
}
