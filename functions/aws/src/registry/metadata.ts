import { Fault } from '@serin/core/base/fault';
import { decodeText, encodeText } from '@serin/core/base/json';
import type { RegisteredVersion } from '@serin/core/ports/registry';
import type { Installation } from '../names.ts';

type Properties = Readonly<Record<string, string>>;

/** botocore: CustomerMetadataMap, CustomerMetadataKey, CustomerMetadataValue. */
const limits = { entries: 50, key: 128, value: 256 } as const;

/**
 * A version as the metadata of a model package: a property for each metric and each word of the lineage, as a person
 * reads them in the console. When these are too many or too long they become one text in `serin.rest.0`, `.1` and so on;
 * what does not fit then is `invalid`. `versionIn` reads both.
 */
export function propertiesOf({ project, environment }: Installation, version: RegisteredVersion): Properties {
  const { model, number, artifact, metrics, lineage } = version;
  const identity = {
    'serin.project': project,
    'serin.environment': environment,
    'serin.model': model,
    'serin.version': String(number),
    'serin.digest': artifact.digest,
    'serin.bytes': String(artifact.bytes),
  };
  const readable = escaped({
    ...identity,
    'serin.uri': artifact.uri,
    ...named(
      'metric.',
      Object.entries(metrics).map(([name, value]) => [name, String(value)]),
    ),
    ...named('lineage.', Object.entries(lineage)),
  });
  if (fits(readable)) return readable;
  const rest = escapedText(JSON.stringify({ uri: artifact.uri, metrics, lineage }));
  const pieces = rest.match(new RegExp(`.{1,${limits.value}}`, 'gs')) ?? [];
  const packed = {
    ...escaped(identity),
    ...Object.fromEntries(pieces.map((piece, at) => [`serin.rest.${at}`, piece])),
  };
  if (fits(packed)) return packed;
  throw new Fault(
    'invalid',
    `version ${number} of ${model} has more metrics and lineage than a model package holds (${limits.entries} properties of ${limits.value} characters); report fewer metrics`,
  );
}

/** What was registered, but for its approval; `undefined` where a package is not of this installation. */
export function versionIn(
  { project, environment }: Installation,
  properties: Properties,
): Omit<RegisteredVersion, 'approval'> | undefined {
  const all = Object.fromEntries(Object.entries(properties).map(([key, value]) => [unescapedText(key), value]));
  const text = (key: string): string => unescapedText(all[key] ?? '');
  if (
    text('serin.project') !== project ||
    text('serin.environment') !== environment ||
    all['serin.version'] === undefined
  )
    return undefined;
  const pieces = Object.keys(all).filter((key) => key.startsWith('serin.rest.'));
  const rest = pieces.map((_, at) => all[`serin.rest.${at}`] ?? '').join('');
  const { uri, metrics, lineage } =
    pieces.length === 0
      ? { uri: text('serin.uri'), metrics: numbers(under(all, 'metric.')), lineage: under(all, 'lineage.') }
      : (JSON.parse(unescapedText(rest)) as Pick<RegisteredVersion, 'metrics' | 'lineage'> & { readonly uri: string });
  return {
    model: text('serin.model'),
    number: Number(text('serin.version')),
    artifact: { uri, digest: text('serin.digest'), bytes: Number(text('serin.bytes')) },
    metrics,
    lineage,
  };
}

const named = (prefix: string, entries: readonly (readonly [string, string])[]): Properties =>
  Object.fromEntries(entries.map(([name, value]) => [prefix + name, value]));

const under = (all: Properties, prefix: string): Properties =>
  Object.fromEntries(
    Object.entries(all)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), unescapedText(value)]),
  );

const numbers = (texts: Properties): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Number(text)]));

const fits = (properties: Properties): boolean =>
  Object.keys(properties).length <= limits.entries &&
  Object.entries(properties).every(([key, value]) => key.length <= limits.key && value.length <= limits.value);

const escaped = (properties: Properties): Properties =>
  Object.fromEntries(Object.entries(properties).map(([key, value]) => [escapedText(key), escapedText(value)]));

/** Keeps what SageMaker takes but for `=`, which begins a byte in two hex digits; alone it stands for no text at all. */
function escapedText(text: string): string {
  if (text === '') return '=';
  return text.replace(/^ | $|[^\p{L}\p{N} _.:/+\-@]/gu, (character) =>
    [...encodeText(character)].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

function unescapedText(text: string): string {
  if (text === '=') return '';
  return text.replace(/(?:=[0-9A-F]{2})+/g, (bytes) =>
    decodeText(Uint8Array.from(bytes.slice(1).split('='), (byte) => Number.parseInt(byte, 16))),
  );
}
