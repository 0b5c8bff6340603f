import { encodeText, sha256Hex } from '@serin/core/base/json';
import type { Bucket } from '@serin/core/ports/bucket';
import type { CloudEvent } from '@serin/core/ports/bus';

interface ClaimCheck {
  /** Bytes of JSON that a message of the bus holds. */
  readonly maxBytes: number;
  /** Holds the data of larger events. Readers of the events can read it. */
  readonly bucket: Bucket;
  /** How receivers find an object of the bucket. */
  readonly uriOf: (key: string) => string;
}

/** An event as JSON. One that is too large carries `dataref` (the CloudEvents claim check) instead of `data`. */
export async function eventText(event: CloudEvent, { maxBytes, bucket, uriOf }: ClaimCheck): Promise<string> {
  const whole = JSON.stringify(event);
  if (encodeText(whole).length <= maxBytes) return whole;
  const { data: _, ...rest } = event;
  const key = `events/${sha256Hex(event.id)}.json`;
  await bucket.write(key, encodeText(whole), { ifAbsent: true });
  return JSON.stringify({ ...rest, dataref: uriOf(key) });
}

/** Of the text of a message that is a whole event: the structured mode of CloudEvents. */
export const eventType = 'application/cloudevents+json; charset=utf-8';

/** What a message says of its event beside the text, to filter by; `prefix` as the binding of the bus has it. */
export function attributesOf(event: CloudEvent, prefix: string): Readonly<Record<string, string>> {
  const { data: _, datacontenttype: __, ...attributes } = event;
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`${prefix}${name}`, value]));
}

/** The stream that an event is of, whose events keep their order. An event of another id is a stream of its own. */
export const streamOf = ({ id }: CloudEvent): string => id.replace(/\/\d+\/\d+$/, '');

/** The events in order, in groups that fit into one call of the bus. */
export function batches<Item>(
  items: readonly Item[],
  bytesOf: (item: Item) => number,
  most: { readonly items: number; readonly bytes: number },
): readonly (readonly Item[])[] {
  const all: Item[][] = [];
  let bytes = 0;
  for (const item of items) {
    const size = bytesOf(item);
    const batch = all.at(-1);
    if (batch === undefined || batch.length === most.items || bytes + size > most.bytes) {
      all.push([item]);
      bytes = size;
    } else {
      batch.push(item);
      bytes += size;
    }
  }
  return all;
}
