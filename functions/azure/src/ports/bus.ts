import type { Bucket } from '@serin/core/ports/bucket';
import type { Bus, CloudEvent } from '@serin/core/ports/bus';
import { attributesOf, eventText, eventType, streamOf } from '@serin/platform/events';
import type { BusMessage, ServiceBus } from '../calls/service-bus.ts';

interface Options {
  readonly bus: ServiceBus;
  /** Its name in the namespace. */
  readonly topic: string;
  /** Holds the events that are too large for a message. */
  readonly bucket: Bucket;
  /** The address of an object in it. */
  readonly uriOf: (key: string) => string;
}

// A message of the Standard tier has 256 KB, its header of up to 64 KB included.
// https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas
const maxBytes = 180_000;

/**
 * A bus on a topic of Service Bus: each message is an event in structured mode of the CloudEvents binding for AMQP, with
 * its attributes as properties, by which a subscription can filter. The id of the message is that of the event, so a
 * topic that detects duplicates takes an event once. The session is the stream: a subscription with sessions gets a
 * stream in its order.
 *
 * Over 180 KB a message has `dataref`, the address of a blob with the whole event, in place of `data`.
 *
 * https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/amqp-protocol-binding.md
 */
export function serviceBusTopic({ bus, topic, bucket, uriOf }: Options): Bus {
  async function messageOf(event: CloudEvent): Promise<BusMessage> {
    return {
      text: await eventText(event, { maxBytes, bucket, uriOf }),
      id: event.id,
      session: streamOf(event),
      type: eventType,
      attributes: attributesOf(event, 'cloudEvents_'),
    };
  }

  return {
    publish: async (events) => bus.send(topic, await Promise.all(events.map(messageOf))),
  };
}
