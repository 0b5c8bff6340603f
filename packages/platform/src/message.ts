import { asFault, Fault } from '@serin/core/base/fault';
import { type Fact, type FactOf, type Unreadable, unrouted } from '@serin/core/inbound/fact';
import { type Fields, fieldsOf, unreadable } from './fields.ts';

/** The body of a message that has a stream looked at. */
export const tickBody = (stream: string): string => JSON.stringify({ serin: { tick: stream } });

type Facts = readonly (Fact | Unreadable)[];

/** What a body says: a tick of ours, or what the reader of the platform finds in a JSON object. */
export const readBody = (body: string, readNative: (message: Fields) => Facts): Facts =>
  readMessage(parsed(body), readNative);

/** The same of a body that is one message or an array of them. */
export function readBatched(body: string, readNative: (message: Fields) => Facts): Facts {
  const messages = [parsed(body)].flat();
  if (messages.length === 0) return [unrouted('an array of no messages')];
  return readEach(messages, (message) => readMessage(message, readNative));
}

function readMessage(given: unknown, readNative: (message: Fields) => Facts): Facts {
  const message = fieldsOf(given);
  if (message === undefined) throw unreadable('the message', 'a JSON object');
  return message.serin === undefined ? readNative(message) : [ourOwn(message.serin)];
}

/** A part that cannot be read leaves the others readable. If it is the only part, the message fails. */
export function readEach(parts: readonly unknown[], read: (part: unknown) => Fact | Facts): Facts {
  if (parts.length === 1) return parts.flatMap(read);
  return parts.flatMap((part) => {
    try {
      return read(part);
    } catch (error) {
      return [{ kind: 'unreadable', fault: asFault(error) }];
    }
  });
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new Fault('invalid', 'the message is not JSON; correct its sender', { cause: error });
  }
}

function ourOwn(serin: unknown): FactOf<'tick'> {
  const stream = fieldsOf(serin)?.tick;
  if (typeof stream !== 'string' || !/^(project|model\/[a-z][a-z0-9-]{0,62})$/.test(stream))
    throw unreadable('a tick of Serin', '{"serin":{"tick":"model/<name>"}}');
  return { kind: 'tick', stream };
}
