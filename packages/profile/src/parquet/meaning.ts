import { checked, damaged } from './limits.ts';
import type { Node, Physical } from './schema.ts';

/** Makes doubles of `count` values of a fixed width, from `at` on. */
export type Convert = (view: DataView, at: number, out: Float64Array, count: number) => void;

/** What a column's values are for a sink, and how they are made of what is stored. */
export interface Meaning {
  readonly as: 'number' | 'time' | 'boolean' | 'text' | 'nothing';
  readonly areWhole: boolean;
  readonly physical: Physical;
  /** Bytes of a value, where all have as many. */
  readonly width?: number;
  readonly convert?: Convert;
  /** Of bytes that are no text: the number that they are, or the text that is made of them. */
  readonly numberOf?: (bytes: Uint8Array) => number;
  readonly textOf?: (bytes: Uint8Array) => string;
}

const two32 = 2 ** 32;
const dayMs = 86_400_000;
const julianDayOfEpoch = 2_440_588;
const widths: Readonly<Partial<Record<Physical, number>>> = { int32: 4, int64: 8, int96: 12, float: 4, double: 8 };

/** Each loop stands by itself, so that the engine compiles it for its own type. */
const doubles: Convert = (view, at, out, count) => {
  for (let index = 0; index < count; index += 1) out[index] = view.getFloat64(at + index * 8, true);
};
const floats: Convert = (view, at, out, count) => {
  for (let index = 0; index < count; index += 1) out[index] = view.getFloat32(at + index * 4, true);
};
const int32s: Convert = (view, at, out, count) => {
  for (let index = 0; index < count; index += 1) out[index] = view.getInt32(at + index * 4, true);
};
/** Beyond 2^53 the nearest double. */
const int64s: Convert = (view, at, out, count) => {
  for (let index = 0, from = at; index < count; index += 1, from += 8)
    out[index] = view.getInt32(from + 4, true) * two32 + view.getUint32(from, true);
};

const each =
  (width: number, read: (view: DataView, at: number) => number): Convert =>
  (view, at, out, count) => {
    for (let index = 0; index < count; index += 1) out[index] = read(view, at + index * width);
  };

/** 64 bits divided by `divisor` and rounded down, without the error of a double beyond 2^53. */
function divided(view: DataView, at: number, divisor: number): number {
  const high = view.getInt32(at + 4, true);
  const low = view.getUint32(at, true);
  return high * Math.floor(two32 / divisor) + Math.floor((high * (two32 % divisor) + low) / divisor);
}

/** The nearest double of a decimal: a division of exact numbers, or else what its digits are read as. */
function decimal(unscaled: bigint, scale: number): number {
  const exact = Number(unscaled);
  return Number.isSafeInteger(exact) && scale <= 22 ? exact / 10 ** scale : Number(`${unscaled}e-${scale}`);
}

/** The highest byte first, in two's complement; no writer has decimals of more than 76 digits. */
function bigEndian(bytes: Uint8Array): bigint {
  checked('a length of a decimal', bytes.length, 64, 1);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`));
}

const int96Times = each(12, (view, at) => {
  const day = view.getInt32(at + 8, true) - julianDayOfEpoch;
  return day * dayMs + divided(view, at, 1_000_000);
});

function half(bytes: Uint8Array): number {
  const bits = (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);
  const [exponent, fraction] = [(bits >>> 10) & 31, bits & 1023];
  const sign = bits >>> 15 ? -1 : 1;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const uuidOf = (bytes: Uint8Array): string =>
  hexOf(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

type Said = Omit<Meaning, 'physical' | 'width'>;
const wholes = (convert: Convert): Said => ({ as: 'number', areWhole: true, convert });
const fractions = (convert: Convert): Said => ({ as: 'number', areWhole: false, convert });
const times = (convert: Convert): Said => ({ as: 'time', areWhole: true, convert });

function int32Meaning({ logical, scale }: Node): Said {
  if (logical?.type === 'decimal')
    return {
      ...fractions(each(4, (view, at) => decimal(BigInt(view.getInt32(at, true)), scale))),
      areWhole: scale === 0,
    };
  if (logical?.type === 'date') return times(each(4, (view, at) => view.getInt32(at, true) * dayMs));
  return wholes(logical?.isUnsigned ? each(4, (view, at) => view.getUint32(at, true)) : int32s);
}

function int64Meaning({ logical, scale }: Node): Said {
  const perMs = logical?.perMs ?? 1;
  if (logical?.type === 'decimal')
    return { ...fractions(each(8, (view, at) => decimal(view.getBigInt64(at, true), scale))), areWhole: scale === 0 };
  if (logical?.type === 'timestamp') return times(each(8, (view, at) => divided(view, at, perMs)));
  // A time of the day, in milliseconds.
  if (logical?.type === 'time') return wholes(each(8, (view, at) => divided(view, at, perMs)));
  if (logical?.isUnsigned)
    return wholes(each(8, (view, at) => view.getUint32(at + 4, true) * two32 + view.getUint32(at, true)));
  return wholes(int64s);
}

function bytesMeaning({ logical, scale }: Node): Said {
  if (logical?.type !== 'decimal') return { as: 'text', areWhole: false };
  return { as: 'number', areWhole: scale === 0, numberOf: (bytes) => decimal(bigEndian(bytes), scale) };
}

function fixedMeaning(node: Node): Said {
  const { logical, length } = node;
  if (logical?.type === 'half' && length === 2) return { as: 'number', areWhole: false, numberOf: half };
  if (logical?.type === 'decimal') return bytesMeaning(node);
  return { as: 'text', areWhole: false, textOf: logical?.type === 'uuid' && length === 16 ? uuidOf : hexOf };
}

/** By physical type. Bytes without an annotation are taken for text where their length varies, and are shown as hex where not. */
const meanings: Readonly<Record<Physical, (node: Node) => Said>> = {
  boolean: () => ({ as: 'boolean', areWhole: true }),
  int32: int32Meaning,
  int64: int64Meaning,
  int96: () => times(int96Times),
  float: () => fractions(floats),
  double: () => fractions(doubles),
  bytes: bytesMeaning,
  fixedBytes: fixedMeaning,
};

export function meaningOf(node: Node): Meaning {
  const { physical, logical, name } = node;
  if (!physical) throw damaged(`its column ${name} has no type that is known`);
  const width = physical === 'fixedBytes' ? checked('a length of values', node.length, 1 << 20, 1) : widths[physical];
  const said: Said = logical?.type === 'nothing' ? { as: 'nothing', areWhole: false } : meanings[physical](node);
  return { ...said, physical, ...(width !== undefined && { width }) };
}
