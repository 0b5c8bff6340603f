import { type EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { Fault } from '@serin/core/base/fault';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Bus, CloudEvent } from '@serin/core/ports/bus';
import { batches, eventText } from '@serin/platform/events';
import { guarded } from '../faults.ts';

interface Options {
  readonly client: EventBridgeClient;
  readonly eventBus: string;
  /** Holds what is too large for an event. */
  readonly bucket: Bucket;
  /** Its real name, for the reference in the event. */
  readonly bucketName: string;
}

// PutEvents takes 1 to 10 entries; the limit of bytes is 1 MB in the service's model and 256 KB in older documents.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
const maxEntries = 10;
const maxBytes = 200_000;
const tries = 4;

/**
 * A bus on EventBridge: source `dev.serin`, detail type the type of the event, detail the whole CloudEvent.
 *
 * An event over 200 KB carries `dataref` (the CloudEvents claim check) instead of `data`. EventBridge keeps no order:
 * receivers that want one have the sequence number in the id. Entries that were refused alone are sent again alone.
 */
export function eventBridgeBus({ client, eventBus, bucket, bucketName }: Options): Bus {
  async function entryOf(event: CloudEvent): Promise<PutEventsRequestEntry> {
    const detail = await eventText(event, { maxBytes, bucket, uriOf: (key) => `s3://${bucketName}/${key}` });
    return {
      EventBusName: eventBus,
      Source: 'dev.serin',
      DetailType: event.type,
      Detail: detail,
      Time: new Date(event.time),
    };
  }

  async function send(entries: readonly PutEventsRequestEntry[]): Promise<void> {
    let left = entries;
    let why = '';
    for (let attempt = 0; attempt < tries && left.length > 0; attempt += 1) {
      const command = new PutEventsCommand({ Entries: [...left] });
      const { Entries = [] } = await guarded(`publishing to the event bus ${eventBus}`, () => client.send(command));
      why = Entries.find(({ ErrorCode }) => ErrorCode !== undefined)?.ErrorCode ?? 'no answer for an entry';
      left = left.filter((_, index) => Entries[index]?.EventId === undefined);
    }
    if (left.length > 0)
      throw new Fault(
        'unavailable',
        `the event bus ${eventBus} refused ${left.length} of ${entries.length} events; try again later: ${why}`,
      );
  }

  return {
    async publish(events) {
      const entries = await Promise.all(events.map(entryOf));
      const bytesOf = ({ Detail = '' }: PutEventsRequestEntry) => Buffer.byteLength(Detail);
      for (const batch of batches(entries, bytesOf, { items: maxEntries, bytes: maxBytes })) await send(batch);
    },
  };
}
