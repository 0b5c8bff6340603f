import { idOf } from '@serin/core/inbound/fact';
import { type Fields, fieldsOf } from '@serin/platform/fields';
import { isLetterId } from '@serin/platform/letters';
import type { Delivered } from '@serin/platform/worker';
import type { HttpRequest } from './http.ts';
import { decoded, notificationIn } from './signals.ts';

type Posted = Pick<HttpRequest, 'headers' | 'rawBody'>;

/**
 * What was posted, as a message: a push of Pub/Sub, or an event of Eventarc. It comes again when the request is not
 * answered with success, after the pause that its subscription says.
 *
 * https://docs.cloud.google.com/pubsub/docs/push
 */
export function deliveredOf({ headers, rawBody = new Uint8Array() }: Posted): Delivered {
  const sent = new TextDecoder().decode(rawBody);
  const text = headers['ce-specversion'] === undefined ? sent : structured(headers, sent, rawBody);
  const envelope = fieldsOf(parsed(text)) ?? {};
  const message = fieldsOf(envelope.message) ?? fieldsOf(fieldsOf(envelope.data)?.message) ?? {};
  const attempt = Number(envelope.deliveryAttempt);
  return {
    id: idIn(envelope, message) ?? idOf('posted', text),
    // Only a subscription with a topic for dead letters counts them.
    attempt: Number.isInteger(attempt) && attempt > 0 ? attempt : 1,
    body: publishedIn(message) ?? text,
    again: async () => {},
  };
}

const idIn = ({ id, eventId, context }: Fields, { messageId, message_id }: Fields): string | undefined =>
  [messageId, message_id, id, eventId, fieldsOf(context)?.eventId].find(isLetterId);

/**
 * The text that was published, so that a dead letter can be read, and is the same when it is sent again. Bytes that are
 * no text, and what is said by attributes, stay as they were delivered.
 */
function publishedIn(message: Fields): string | undefined {
  const { data } = message;
  if (typeof data !== 'string' || data === '' || notificationIn(message) !== undefined) return undefined;
  try {
    return decoded(data);
  } catch {
    return undefined;
  }
}

/**
 * A CloudEvent whose attributes are headers, as one whose attributes are fields.
 *
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
 */
function structured(headers: Posted['headers'], text: string, bytes: Uint8Array): string {
  const attributes = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith('ce-') ? [[name.slice('ce-'.length), value]] : [],
  );
  const data =
    parsed(text) === undefined ? `"data_base64":"${Buffer.from(bytes).toString('base64')}"` : `"data":${text}`;
  return `${JSON.stringify(Object.fromEntries(attributes)).slice(0, -1)},${data}}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
