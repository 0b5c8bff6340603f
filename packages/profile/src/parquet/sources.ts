import { readDeltas } from './delta.ts';
import { Hybrid } from './hybrid.ts';
import { checked, damaged, limits } from './limits.ts';
import type { Meaning } from './meaning.ts';
import type { Physical } from './schema.ts';
import { deltaLengths, deltaTexts, fixedTexts, plainTexts } from './texts.ts';
import { type Source, tooShort, Values } from './values.ts';

/** Values one after the other, each as wide as the others. */
function wideSource(bytes: Uint8Array, at: number, { width = 0, convert }: Meaning): Source {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let from = at;
  return (out, count) => {
    if (from + count * width > bytes.length) tooShort();
    convert?.(view, from, out.doubles, count);
    from += count * width;
  };
}

function bitSource(bytes: Uint8Array, at: number): Source {
  let bit = at * 8;
  return ({ doubles }, count) => {
    if (bit + count > bytes.length * 8) tooShort();
    for (let index = 0; index < count; index += 1, bit += 1)
      doubles[index] = ((bytes[bit >>> 3] ?? 0) >>> (bit & 7)) & 1;
  };
}

function numberSource(hybrid: Hybrid, size: number): Source {
  const numbers = new Uint32Array(size);
  return ({ doubles }, count) => {
    hybrid.fill(numbers, count);
    for (let index = 0; index < count; index += 1) doubles[index] = numbers[index] ?? 0;
  };
}

const plain = (bytes: Uint8Array, at: number, meaning: Meaning): Source => {
  if (meaning.physical === 'boolean') return bitSource(bytes, at);
  if (meaning.physical === 'bytes') return plainTexts(bytes, at, meaning);
  return meaning.physical === 'fixedBytes' ? fixedTexts(bytes, at, meaning) : wideSource(bytes, at, meaning);
};

/** Differences of whole numbers, written out as they would be without. */
function deltaSource(bytes: Uint8Array, at: number, meaning: Meaning): Source {
  const { values } = readDeltas(bytes, at);
  const whole =
    meaning.physical === 'int32' ? Int32Array.from(values, (value) => Number(BigInt.asIntN(32, value))) : values;
  return wideSource(new Uint8Array(whole.buffer), 0, meaning);
}

/** The first bytes of all values, then the second of all, and so on; put together as they would be without. */
function splitSource(bytes: Uint8Array, at: number, meaning: Meaning): Source {
  const { width = 0 } = meaning;
  const count = width === 0 ? 0 : Math.floor((bytes.length - at) / width);
  const joined = new Uint8Array(count * width);
  for (let byte = 0; byte < width; byte += 1)
    for (let index = 0; index < count; index += 1) joined[index * width + byte] = bytes[at + byte * count + index] ?? 0;
  return plain(joined, 0, meaning);
}

function dictionarySource(hybrid: Hybrid, dictionary: Values, size: number, meaning: Meaning): Source {
  const places = new Uint32Array(size);
  const areTexts = meaning.as === 'text';
  return (out, count) => {
    hybrid.fill(places, count);
    out.bytes = dictionary.bytes;
    for (let index = 0; index < count; index += 1) {
      const at = places[index] ?? 0;
      if (at >= dictionary.size) throw damaged(`a value is number ${at} of a dictionary of ${dictionary.size}`);
      if (areTexts) out.copy(index, dictionary, at);
      else out.doubles[index] = dictionary.doubles[at] ?? 0;
    }
  };
}

export interface Encoded {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly encoding: number;
  readonly meaning: Meaning;
  readonly dictionary: Values | undefined;
  /** How many values are asked for at once, at most. */
  readonly batch: number;
}

const encodings: Readonly<Record<number, (page: Encoded) => Source>> = {
  0: ({ bytes, at, meaning }) => plain(bytes, at, meaning),
  2: ofDictionary,
  // Only booleans; four bytes of their length come first.
  3: ({ bytes, at, batch }) => numberSource(new Hybrid(bytes, at + 4, 1), batch),
  5: ({ bytes, at, meaning }) => deltaSource(bytes, at, meaning),
  6: ({ bytes, at, meaning }) => deltaLengths(bytes, at, meaning),
  7: ({ bytes, at, meaning }) => deltaTexts(bytes, at, meaning),
  8: ofDictionary,
  9: ({ bytes, at, meaning }) => splitSource(bytes, at, meaning),
};

function ofDictionary({ bytes, at, dictionary, batch, meaning }: Encoded): Source {
  if (!dictionary) throw damaged('a page needs a dictionary, and there is none before it');
  const width = bytes[at] ?? tooShort();
  return dictionarySource(new Hybrid(bytes, at + 1, width), dictionary, batch, meaning);
}

/** Which encodings a type may have; others would read texts as numbers. */
const encodingsOf: Readonly<Record<Physical, readonly number[]>> = {
  boolean: [0, 3],
  int32: [0, 2, 5, 8, 9],
  int64: [0, 2, 5, 8, 9],
  int96: [0, 2, 8],
  float: [0, 2, 8, 9],
  double: [0, 2, 8, 9],
  bytes: [0, 2, 6, 7, 8],
  fixedBytes: [0, 2, 7, 8, 9],
};

export function sourceOf(page: Encoded): Source {
  const { physical } = page.meaning;
  const source = encodingsOf[physical].includes(page.encoding) ? encodings[page.encoding] : undefined;
  if (!source) throw damaged(`its encoding ${page.encoding} is not read for ${physical}; write it with another`);
  return source(page);
}

/** All values of a dictionary's page, which is never packed in another way. */
export function readDictionary(bytes: Uint8Array, count: number, meaning: Meaning): Values {
  const least = meaning.width ?? 4;
  if (count * least > bytes.length) throw damaged(`a dictionary of ${count} values has ${bytes.length} bytes`);
  const values = new Values(checked('a number of values in a dictionary', count, limits.valuesOfDictionary), meaning);
  plain(bytes, 0, meaning)(values, count);
  return values;
}
