import { asFault, Fault } from '@serin/core/base/fault';
import type { Fact, FactOf, Unreadable } from '@serin/core/inbound/fact';
import { type Fields, fieldsOf, unreadable } from './fields.ts';

/** The body of a message that has a stream looked at. */
export const tickBody = (stream: string): string => JSON.stringify({ serin: { tick: stream } });

/** What a body says: a tick of ours, or what the reader of the platform finds in a JSON object. */
export function readBody(
  body: string,
  readNative: (message: Fields) => readonly (Fact | Unreadable)[],
): readonly (Fact | Unreadable)[] {
  const message = fieldsOf(parsed(body));
  if (message === undefined) throw unreadable('the message', 'a JSON object');
  return message.serin === undefined ? readNative(message) : [ourOwn(message.serin)];
}

/** A part that cannot be read leaves the others readable. If it is the only part, the message fails. */
export function readEach(parts: readonly unknown[], read: (part: unknown) => Fact): readonly (Fact | Unreadable)[] {
  if (parts.length === 1) return parts.map(read);
  return parts.map((part) => {
    try {
      return read(part);
    } catch (error) {
      return { kind: 'unreadable', fault: asFault(error) };
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
