// What Table Storage takes as keys and as values of properties.
// https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model

/** Properties as they are written: text, a whole number of 64 bits, or bytes. */
export type Properties = Readonly<Record<string, string | bigint | Uint8Array>>;

/** Properties as they are read: numbers of 64 bits are text, and bytes are base64. */
export type Row = Readonly<Record<string, string>>;

/** https://learn.microsoft.com/rest/api/storageservices/payload-format-for-table-service-operations */
export const typed = (properties: Properties): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(properties).flatMap(([name, value]) => {
      if (typeof value === 'string') return [[name, value]];
      const [type, text] = typeof value === 'bigint' ? ['Int64', String(value)] : ['Binary', base64(value)];
      return [
        [`${name}@odata.type`, `Edm.${type}`],
        [name, text],
      ];
    }),
  );

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** Bytes of one property. */
const mostBytes = 65_536;

/**
 * So many full properties leave 64 KiB and more of the 1 MiB of an entity for the others, also where an entity is measured
 * as it is sent, in base64: Azurite does so, and nothing says what Azure measures.
 */
const mostParts = 11;

export const mostInParts = mostParts * mostBytes;

/** Bytes as properties `<name>0`, `<name>1`, and so on: at most `mostInParts`. */
export const inParts = (name: string, bytes: Uint8Array): Properties =>
  Object.fromEntries(
    Array.from({ length: Math.ceil(bytes.length / mostBytes) }, (_, at) => [
      `${name}${at}`,
      bytes.subarray(at * mostBytes, (at + 1) * mostBytes),
    ]),
  );

/** What `inParts` was given. */
export const fromParts = (name: string, row: Row): Uint8Array =>
  Buffer.concat(Array.from({ length: mostParts }, (_, at) => Buffer.from(row[`${name}${at}`] ?? '', 'base64')));

/** JSON that says the same in ASCII: nothing says which other characters a property keeps. */
export const inAscii = (json: string): string =>
  json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

// A key has 1 KiB of UTF-16, which is 512 characters, without control characters and `/ \ # ?`.
const plainDigits = 200;
const digitsInCharacter = 3;
/** Ideographs from here on are digits of 12 bits: a block without gaps, and one that no normal form changes. */
const firstIdeograph = 0x4e00;
const end = String.fromCharCode(firstIdeograph + 16 ** digitsInCharacter);

/**
 * A text of up to 650 bytes in the characters of a key, so that keys sort as the UTF-8 bytes of their texts. The first
 * 100 bytes are hexadecimal digits, whose order is the same by every rule; the rest would not fit that way.
 */
export const sortedKey = (text: string): string => digits(text, '0');

/** Texts that begin with the prefix have keys after its `sortedKey` and below this. */
export const endOfPrefix = (prefix: string): string => `${digits(prefix, 'f')}${end}`;

function digits(text: string, fill: string): string {
  const hex = Buffer.from(text).toString('hex');
  const packed = hex
    .slice(plainDigits)
    .replace(/.{1,3}/g, (group) =>
      String.fromCharCode(firstIdeograph + Number.parseInt(group.padEnd(digitsInCharacter, fill), 16)),
    );
  return `${hex.slice(0, plainDigits)}${packed}`;
}
