import { Fault } from '@serin/core/base/fault';
import { datatypes, texts, type Value } from './datatypes.ts';

/** Values in row-major order; as many as the product of the shape. */
export interface Tensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly values: readonly Value[];
}

/**
 * Of all tensors of a request or an answer: while they are translated, other requests wait, a tenth of a second for as
 * many as these. A model server that speaks the protocol itself takes more.
 */
export const maxValues = 2 ** 18;
export const maxDimensions = 8;

export const shapeText = (shape: readonly number[]): string => `[${shape.join(',')}]`;

/** How many values a shape has; `invalid` when they are none or too many, or when it nests too many lists. */
export function valuesIn(name: string, shape: unknown): number {
  if (!Array.isArray(shape) || !shape.every((length) => Number.isSafeInteger(length) && length >= 0))
    throw new Fault('invalid', `input '${name}' has no shape; send a list of whole numbers`);
  if (shape.length > maxDimensions)
    throw new Fault('invalid', `input '${name}' has ${shape.length} dimensions; send at most ${maxDimensions}`);
  if (shape.includes(0))
    throw new Fault('invalid', `input '${name}' of shape ${shapeText(shape)} has no values; send at least 1`);
  let product = 1;
  let lists = 0;
  for (const length of shape) {
    lists += product;
    product *= length;
    if (product > maxValues || lists > maxValues) throw tooMany();
  }
  return product;
}

export const tooMany = (): Fault =>
  new Fault(
    'invalid',
    `the tensors have more than ${maxValues} values; send fewer at once, or serve with a server that speaks v2 itself`,
  );

/** The values of a tensor whose `data` JSON says: flat or nested, in row-major order. */
export function valuesOf(name: string, datatype: string, shape: readonly number[], data: unknown): readonly Value[] {
  if (!Array.isArray(data)) throw new Fault('invalid', `input '${name}' has no data; send a list of values`);
  const flat = Array.isArray(data[0]) ? flattened(name, shape, data) : data;
  const count = valuesIn(name, shape);
  if (flat.length !== count)
    throw new Fault(
      'invalid',
      `input '${name}' of shape ${shapeText(shape)} must have ${count} values, and has ${flat.length}`,
    );
  const of = datatypes[datatype]?.of ?? ((value: unknown) => (typeof value === 'string' ? value : undefined));
  return flat.map((value) => {
    const found = of(value);
    if (found === undefined)
      throw new Fault(
        'invalid',
        `input '${name}' has a value that is not of ${datatype}; send others, or its datatype`,
      );
    return found;
  });
}

function flattened(name: string, shape: readonly number[], data: readonly unknown[]): readonly unknown[] {
  let level: readonly unknown[] = [data];
  for (const length of shape) {
    const next: unknown[] = [];
    for (const list of level) {
      if (!Array.isArray(list) || list.length !== length)
        throw new Fault('invalid', `input '${name}' must have nested lists of its shape ${shapeText(shape)}`);
      for (const item of list) next.push(item);
    }
    level = next;
  }
  return level;
}

/** The values of a binary tensor: little endian; each of `BYTES` has its length, of four bytes, before it. */
export function valuesInBytes(
  name: string,
  datatype: string,
  shape: readonly number[],
  data: Buffer,
): readonly Value[] {
  const count = valuesIn(name, shape);
  const values = datatype === texts ? textsIn(name, data) : numbersIn(datatype, data);
  if (values?.length !== count)
    throw new Fault(
      'invalid',
      `input '${name}' of ${datatype} and shape ${shapeText(shape)} must have ${count} values, and has ${data.length} bytes`,
    );
  if (values.some((value) => typeof value === 'number' && !Number.isFinite(value)))
    throw new Fault('invalid', `input '${name}' has a NaN or an infinity, which JSON cannot say; send other values`);
  return values;
}

function numbersIn(datatype: string, data: Buffer): readonly Value[] | undefined {
  const kind = datatypes[datatype];
  if (kind === undefined || data.length % kind.bytes !== 0) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  return Array.from({ length: data.length / kind.bytes }, (_, index) => kind.read(view, index * kind.bytes));
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textsIn(name: string, data: Buffer): readonly string[] | undefined {
  const found: string[] = [];
  let at = 0;
  while (at + 4 <= data.length) {
    const end = at + 4 + data.readUInt32LE(at);
    if (end > data.length) return undefined;
    try {
      found.push(utf8.decode(data.subarray(at + 4, end)));
    } catch {
      throw new Fault('invalid', `input '${name}' has bytes that are not UTF-8; send texts, such as base64`);
    }
    at = end;
  }
  return at === data.length ? found : undefined;
}
