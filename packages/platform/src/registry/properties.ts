import { Fault } from '@serin/core/base/fault';
import { decodeText, encodeText } from '@serin/core/base/json';
import { without } from '@serin/core/base/objects';
import type { RegisteredVersion } from '@serin/core/ports/registry';

type Properties = Readonly<Record<string, string>>;

/** To whom versions belong: a registry may hold versions of others. */
interface Owner {
  readonly project: string;
  readonly environment: string;
}

/** What a registry takes as properties (metadata, labels, tags) of a version. */
export interface PropertyRules {
  /** The thing that has the properties, with its article. */
  readonly of: string;
  readonly entries: number;
  /** Characters. */
  readonly key: number;
  readonly value: number;
  /** Matches each character that the registry does not take, and `mark`; global. */
  readonly unsafe: RegExp;
  /** Begins a byte in two hex digits. */
  readonly mark: string;
  readonly hex: 'upper' | 'lower';
}

/** What is kept as one text. `long` are properties of the identity that are longer than the limit. */
interface Rest extends Pick<RegisteredVersion, 'metrics' | 'lineage'> {
  readonly uri: string;
  readonly long?: Properties;
}

/** A version as properties, and back. */
export function versionProperties(rules: PropertyRules) {
  const { entries, mark } = rules;
  const byte = (code: number): string => mark + hexOf(code, rules.hex);
  const digits = new RegExp(`(?:${mark}[0-9a-f]{2})+`, 'gi');

  /** A mark alone stands for no text at all. */
  function escapedText(text: string): string {
    if (text === '') return mark;
    return text.replace(rules.unsafe, (character) => [...encodeText(character)].map(byte).join(''));
  }

  function unescapedText(text: string): string {
    if (text === mark) return '';
    return text.replace(digits, (bytes) =>
      decodeText(Uint8Array.from(bytes.slice(1).split(mark), (code) => Number.parseInt(code, 16))),
    );
  }

  const escaped = (properties: Properties): Properties =>
    Object.fromEntries(Object.entries(properties).map(([key, value]) => [escapedText(key), escapedText(value)]));

  const fits = (properties: Properties): boolean =>
    Object.keys(properties).length <= entries &&
    Object.entries(properties).every(([key, value]) => key.length <= rules.key && value.length <= rules.value);

  /** What was written under a prefix. */
  const under = (all: Properties, prefix: string): Properties =>
    Object.fromEntries(
      Object.entries(all)
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, value]) => [key.slice(prefix.length), unescapedText(value)]),
    );

  /** What did not fit as readable properties. */
  function restIn(all: Properties): Rest | undefined {
    const pieces = Object.keys(all).filter((key) => key.startsWith('serin.rest.'));
    if (pieces.length === 0) return undefined;
    return JSON.parse(unescapedText(pieces.map((_, at) => all[`serin.rest.${at}`] ?? '').join(''))) as Rest; // as written below
  }

  return {
    /**
     * A property for each metric and each word of the lineage, which a person can read in the registry. If these are
     * too many or too long they become one text in `serin.rest.0`, `.1` and so on. What does not fit then is `invalid`.
     */
    propertiesOf({ project, environment }: Owner, version: RegisteredVersion): Properties {
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
        ...prefixed(
          'metric.',
          Object.entries(metrics).map(([name, value]) => [name, String(value)]),
        ),
        ...prefixed('lineage.', Object.entries(lineage)),
      });
      if (fits(readable)) return readable;
      const long = Object.entries(identity).filter(([, text]) => escapedText(text).length > rules.value);
      const rest: Rest = {
        uri: artifact.uri,
        metrics,
        lineage,
        ...(long.length === 0 ? {} : { long: Object.fromEntries(long) }),
      };
      const pieces = escapedText(JSON.stringify(rest)).match(new RegExp(`.{1,${rules.value}}`, 'gs')) ?? [];
      const packed = {
        ...escaped(without(identity, ...long.map(([key]) => key as keyof typeof identity))),
        ...Object.fromEntries(pieces.map((piece, at) => [escapedText(`serin.rest.${at}`), piece])),
      };
      if (fits(packed)) return packed;
      throw new Fault(
        'invalid',
        `version ${number} of ${model} has more metrics and lineage than ${rules.of} can hold (${entries} properties of ${rules.value} characters); report fewer metrics`,
      );
    },

    /** What was registered, in either form, without its approval. `undefined`: it does not belong to this owner. */
    versionIn(
      { project, environment }: Owner,
      properties: Properties,
    ): Omit<RegisteredVersion, 'approval'> | undefined {
      const all = Object.fromEntries(Object.entries(properties).map(([key, value]) => [unescapedText(key), value]));
      const rest = restIn(all);
      const text = (key: string): string => rest?.long?.[key] ?? unescapedText(all[key] ?? '');
      if (text('serin.project') !== project || text('serin.environment') !== environment) return undefined;
      if (text('serin.version') === '') return undefined;
      const { uri, metrics, lineage } = rest ?? {
        uri: text('serin.uri'),
        metrics: numbers(under(all, 'metric.')),
        lineage: under(all, 'lineage.'),
      };
      return {
        model: text('serin.model'),
        number: Number(text('serin.version')),
        artifact: { uri, digest: text('serin.digest'), bytes: Number(text('serin.bytes')) },
        metrics,
        lineage,
      };
    },
  };
}

function hexOf(code: number, letters: 'upper' | 'lower'): string {
  const hex = code.toString(16).padStart(2, '0');
  return letters === 'upper' ? hex.toUpperCase() : hex;
}

const prefixed = (prefix: string, entries: readonly (readonly [string, string])[]): Properties =>
  Object.fromEntries(entries.map(([name, value]) => [prefix + name, value]));

const numbers = (texts: Properties): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Number(text)]));
