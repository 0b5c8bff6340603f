import type { Bucket } from '@serin/core/ports/bucket';
import type { Bus, CloudEvent } from '@serin/core/ports/bus';
import { attributesOf, eventText, eventType, streamOf } from '@serin/platform/events';
import { type Message, publish, type Topic } from '../calls/publish.ts';

interface Options extends Topic {
  /** Takes the data of events that are too large. */
  readonly bucket: Bucket;
  /** As Google names it, for `gs://` addresses. */
  readonly bucketName: string;
}

// Pub/Sub takes 10 MB, but not everything that is subscribed by way of Eventarc does: Workflows takes 512 KB, in Base64.
// https://docs.cloud.google.com/eventarc/docs/quotas
const maxBytes = 200_000;

/**
 * A bus on a topic of Pub/Sub: each message is an event in structured mode of the CloudEvents binding, with its
 * attributes beside it, by which a subscription can filter. The ordering key is the stream, so a subscription with
 * message ordering gets a stream in its order.
 *
 * Over 200 KB a message has `dataref`, the address of an object with the whole event, in place of `data`.
 *
 * https://github.com/googleapis/google-cloudevents/blob/main/docs/spec/pubsub.md
 */
export function pubsubBus({ google, topic, bucket, bucketName }: Options): Bus {
  async function messageOf(event: CloudEvent): Promise<Message> {
    const text = await eventText(event, { maxBytes, bucket, uriOf: (key) => `gs://${bucketName}/${key}` });
    return {
      text,
      orderingKey: streamOf(event),
      attributes: { 'content-type': eventType, ...attributesOf(event, 'ce-') },
    };
  }

  return {
    async publish(events) {
      const messages = await Promise.all(events.map(messageOf));
      // All messages of a request have the same key.
      for (const stream of Map.groupBy(messages, ({ orderingKey }) => orderingKey).values())
        await publish({ google, topic }, stream);
    },
  };
}
