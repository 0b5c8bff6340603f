import { decodeText } from '@serin/core/base/json';
import * as z from 'zod';
import { mediaType, parseJson } from './bodies.ts';
import { Problem, wrongs } from './problem.ts';

/** A CloudEvent 1.0 from outside: the attributes that Serin reads; extensions are kept as text. */
export interface IncomingEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  /** RFC 3339, as the sender says it. */
  readonly time?: string;
  readonly extensions: Readonly<Record<string, string>>;
  readonly data: unknown;
}

export const cloudEventMedia = {
  structured: 'application/cloudevents+json',
  batch: 'application/cloudevents-batch+json',
} as const;

const maxEvents = 200;
const attribute = z.string().min(1).max(1024);

const envelope = z.looseObject({
  specversion: z.literal('1.0'),
  id: attribute,
  source: attribute,
  type: attribute,
  subject: attribute.optional(),
  time: z.iso.datetime({ offset: true }).max(64).optional(),
  datacontenttype: z.string().max(256).optional(),
  dataschema: z.string().max(1024).optional(),
  data: z.unknown().optional(),
  data_base64: z.base64().optional(),
});

const known: ReadonlySet<string> = new Set(Object.keys(envelope.shape));

/**
 * The events of an HTTP request in structured, batch or binary content mode; anything else throws a `Problem`.
 *
 * Twice: the same. A batch is read whole or not at all, 200 events at most.
 */
export function readCloudEvents(
  header: (name: string) => string | undefined,
  body: Uint8Array,
): readonly IncomingEvent[] {
  const media = mediaType(header('content-type'));
  if (media === cloudEventMedia.structured) return [read(parseJson(body), '')];
  if (media === cloudEventMedia.batch) {
    const batch = parseJson(body);
    if (!Array.isArray(batch)) throw new Problem('invalid', 'the batch of CloudEvents is not a JSON array; send one');
    if (batch.length > maxEvents)
      throw new Problem('invalid', `the batch has more than ${maxEvents} CloudEvents; send fewer at once`);
    return batch.map((event, index) => read(event, `/${index}`));
  }
  if (header('ce-specversion') === undefined)
    throw new Problem(
      'unsupportedMedia',
      `the body is not a CloudEvent; send it as ${cloudEventMedia.structured}, as ${cloudEventMedia.batch}, or with ce-* headers`,
    );
  return [readBinary(header, media, body)];
}

function readBinary(header: (name: string) => string | undefined, media: string, body: Uint8Array): IncomingEvent {
  const named = ['specversion', 'id', 'source', 'type', 'subject', 'time', 'model'].flatMap((name) => {
    const value = header(`ce-${name}`);
    return value === undefined ? [] : [[name, decoded(value)] as const];
  });
  const isJson = media === 'application/json' || media.endsWith('+json');
  const data = body.length === 0 ? {} : { data: isJson ? parseJson(body) : decodeText(body) };
  return read({ ...Object.fromEntries(named), ...data }, '');
}

/** Header values are percent-encoded where they are not printable ASCII (CloudEvents HTTP binding, 3.1.3.2). */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function read(value: unknown, pointer: string): IncomingEvent {
  const parsed = envelope.safeParse(withoutNulls(value));
  if (!parsed.success)
    throw new Problem('invalid', 'the body is not a CloudEvent 1.0; correct the attributes named in errors', {
      errors: wrongs(parsed.error, pointer),
    });
  const { id, source, type, subject, time, data, data_base64: encoded, ...rest } = parsed.data;
  const extensions = Object.entries(rest).filter(
    (pair): pair is [string, string] => !known.has(pair[0]) && typeof pair[1] === 'string',
  );
  return {
    id,
    source,
    type,
    ...(subject === undefined ? {} : { subject }),
    ...(time === undefined ? {} : { time }),
    extensions: Object.fromEntries(extensions),
    data: encoded === undefined ? data : dataOf(encoded),
  };
}

/** An attribute that is null is as one that is absent (CloudEvents JSON format 1.0.1, 2.2). */
const withoutNulls = (value: unknown): unknown =>
  typeof value !== 'object' || value === null || Array.isArray(value)
    ? value
    : Object.fromEntries(Object.entries(value).filter(([, attribute]) => attribute !== null));

function dataOf(encoded: string): unknown {
  const bytes = Uint8Array.from(atob(encoded), (byte) => byte.charCodeAt(0));
  try {
    return parseJson(bytes);
  } catch {
    return decodeText(bytes);
  }
}
