/** One value of a tensor. */
export type Value = number | bigint | boolean | string;

interface Datatype {
  /** Of one value in a binary tensor. */
  readonly bytes: number;
  readonly read: (data: DataView, at: number) => Value;
  /** The value that JSON says; `undefined`: it is not of this datatype. */
  readonly of: (value: unknown) => Value | undefined;
}

const integer = (bytes: number, isSigned: boolean, read: Datatype['read']): Datatype => {
  const bits = BigInt(bytes * 8);
  const [least, most] = isSigned ? [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n] : [0n, 2n ** bits - 1n];
  return {
    bytes,
    read,
    of(value) {
      if (typeof value !== 'bigint' && !Number.isInteger(value)) return undefined;
      const found = value as number | bigint; // as was just asked
      return found >= least && found <= most ? found : undefined;
    },
  };
};

const float = (bytes: number, read: Datatype['read']): Datatype => ({
  bytes,
  read,
  of(value) {
    if (typeof value === 'bigint') return Number(value);
    return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
  },
});

/**
 * The datatypes of the Open Inference Protocol, all little endian, and BF16, which clients of Triton send as well.
 *
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md#tensor-data-types
 */
export const datatypes: Readonly<Record<string, Datatype>> = {
  BOOL: {
    bytes: 1,
    read: (data, at) => data.getUint8(at) !== 0,
    of: (value) => (typeof value === 'boolean' ? value : undefined),
  },
  UINT8: integer(1, false, (data, at) => data.getUint8(at)),
  UINT16: integer(2, false, (data, at) => data.getUint16(at, true)),
  UINT32: integer(4, false, (data, at) => data.getUint32(at, true)),
  UINT64: integer(8, false, (data, at) => data.getBigUint64(at, true)),
  INT8: integer(1, true, (data, at) => data.getInt8(at)),
  INT16: integer(2, true, (data, at) => data.getInt16(at, true)),
  INT32: integer(4, true, (data, at) => data.getInt32(at, true)),
  INT64: integer(8, true, (data, at) => data.getBigInt64(at, true)),
  FP16: float(2, (data, at) => half(data.getUint16(at, true))),
  BF16: float(2, (data, at) => upperHalf(data.getUint16(at, true))),
  FP32: float(4, (data, at) => data.getFloat32(at, true)),
  FP64: float(8, (data, at) => data.getFloat64(at, true)),
};

/** Texts. In a binary tensor each has its length, of four bytes, before it. */
export const texts = 'BYTES';

// https://en.wikipedia.org/wiki/Half-precision_floating-point_format
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const scratch = new DataView(new ArrayBuffer(4));

/** A BF16 is the upper half of an FP32. */
function upperHalf(bits: number): number {
  scratch.setUint32(0, bits * 0x10000);
  return scratch.getFloat32(0);
}
