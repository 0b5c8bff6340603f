import type { IncomingHttpHeaders } from 'node:http';
import { unzipSync } from 'node:zlib';
import { Fault } from '@serin/core/base/fault';
import { datatypes, texts } from './datatypes.ts';
import { parseExactly } from './exact-json.ts';
import { maxValues, type Tensor, tooMany, valuesIn, valuesInBytes, valuesOf } from './tensors.ts';

/** A request of the Open Inference Protocol. */
export interface InferenceRequest {
  readonly id?: string;
  /** Without those that only say how the answer is to be written. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly inputs: readonly Tensor[];
  /** The outputs that the caller wants; absent: all. */
  readonly wanted?: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads a request, with tensors in its JSON or in bytes after it; `invalid` when they are not what they say. */
export function readRequest(body: Buffer, headers: IncomingHttpHeaders, maxBytes: number): InferenceRequest {
  const whole = unpacked(body, headers['content-encoding'], maxBytes);
  const headBytes = headLength(headers['inference-header-content-length'], whole.length);
  const head = readHead(whole.subarray(0, headBytes));
  const { id, parameters = {}, inputs, outputs } = head;
  if (id !== undefined && typeof id !== 'string') throw new Fault('invalid', 'the id must be a text');
  if (!isFields(parameters)) throw new Fault('invalid', 'the parameters must be an object');
  if (!Array.isArray(inputs) || inputs.length === 0)
    throw new Fault('invalid', 'the request has no inputs; send {"inputs":[{"name","shape","datatype","data"}]}');
  const { binary_data_output: _, ...others } = parameters;
  return {
    ...(id === undefined ? {} : { id }),
    parameters: others,
    inputs: readInputs(inputs, whole.subarray(headBytes)),
    ...(outputs === undefined ? {} : { wanted: readWanted(outputs) }),
  };
}

function unpacked(body: Buffer, encoding: string | undefined, maxOutputLength: number): Buffer {
  if (encoding === undefined || encoding === 'identity') return body;
  if (encoding !== 'gzip' && encoding !== 'deflate')
    throw new Fault('invalid', `the content-encoding '${encoding}' is not known; send gzip, deflate or none`);
  try {
    return unzipSync(body, { maxOutputLength });
  } catch {
    throw new Fault('invalid', `the body is not ${encoding}, or has more than ${maxOutputLength} bytes; send less`);
  }
}

// https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
function headLength(header: string | string[] | undefined, bodyBytes: number): number {
  if (header === undefined) return bodyBytes;
  const bytes = typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : -1;
  if (bytes >= 0 && bytes <= bodyBytes) return bytes;
  throw new Fault('invalid', `the Inference-Header-Content-Length must be at most the ${bodyBytes} bytes of the body`);
}

function readHead(json: Buffer): Fields {
  let head: unknown;
  try {
    head = parseExactly(json.toString());
  } catch {
    throw new Fault(
      'invalid',
      'the body is not JSON; send {"inputs":[...]}, or the length of the JSON before binary data',
    );
  }
  if (!isFields(head)) throw new Fault('invalid', 'the body must be a JSON object with inputs');
  return head;
}

function readInputs(inputs: readonly unknown[], tail: Buffer): readonly Tensor[] {
  const names = new Set<string>();
  let at = 0;
  let values = 0;
  const read = inputs.map((input) => {
    const { name, datatype, shape, data, parameters } = isFields(input) ? input : {};
    if (typeof name !== 'string' || name === '') throw new Fault('invalid', 'an input has no name; send one');
    if (names.has(name)) throw new Fault('invalid', `there are two inputs '${name}'; send each name once`);
    names.add(name);
    if (typeof datatype !== 'string' || (datatype !== texts && !Object.hasOwn(datatypes, datatype)))
      throw new Fault(
        'invalid',
        `input '${name}' has no known datatype; use one of ${Object.keys(datatypes).join(', ')}, ${texts}`,
      );
    values += valuesIn(name, shape);
    if (values > maxValues) throw tooMany();
    const known = shape as readonly number[]; // as was just seen
    const bytes = isFields(parameters) ? parameters.binary_data_size : undefined;
    if (bytes === undefined) return { name, datatype, shape: known, values: valuesOf(name, datatype, known, data) };
    if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 0 || at + bytes > tail.length)
      throw new Fault('invalid', `input '${name}' has fewer bytes than its binary_data_size says; send all of them`);
    at += bytes;
    return {
      name,
      datatype,
      shape: known,
      values: valuesInBytes(name, datatype, known, tail.subarray(at - bytes, at)),
    };
  });
  if (at !== tail.length)
    throw new Fault('invalid', `${tail.length - at} bytes of the body belong to no input; send each binary_data_size`);
  return read;
}

function readWanted(outputs: unknown): readonly string[] {
  const names = Array.isArray(outputs) ? outputs.map((output) => (isFields(output) ? output.name : undefined)) : [];
  if (names.length > 0 && names.every((name) => typeof name === 'string')) return names;
  throw new Fault('invalid', 'the outputs must be a list of objects, each with a name');
}
