import { Fault } from '@serin/core/base/fault';
import { texts } from './datatypes.ts';
import { Decimal, hasDecimals, parseExactly, writable } from './exact-json.ts';
import type { InferenceRequest } from './request.ts';
import { maxDimensions, maxValues, shapeText } from './tensors.ts';

interface Output {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: readonly unknown[];
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Decimal);

/**
 * The answer of `POST /invocations` as one of the Open Inference Protocol; a `Fault` when it cannot be said by tensors.
 *
 * Outputs are what `predictions`, `prediction` or else the whole answer holds: one output of that name (`predictions` for
 * a list), or one for each field when it is an object, or a list of objects with the same fields. Booleans are BOOL, whole
 * numbers that are written without a point INT64, numbers FP64, texts BYTES. `outputs` that are tensors stay as they are.
 */
export function inferenceOf(
  body: string,
  { id, wanted }: Pick<InferenceRequest, 'id' | 'wanted'>,
  model: { readonly name: string; readonly version: string },
): string {
  const said = outputsIn(parsed(body, false));
  // This takes ten times as long, and is needed only for numbers that look like integers.
  const isUnsure = hasDecimals(body) && said.some(({ datatype }) => datatype === 'INT64');
  const outputs = isUnsure ? outputsIn(parsed(body, true)) : said;
  const names = outputs.map(({ name }) => name);
  const missing = wanted?.find((name) => !names.includes(name));
  if (missing !== undefined)
    throw new Fault('notFound', `there is no output '${missing}'; ask for ${names.join(', ') || 'none'}`);
  return JSON.stringify({
    model_name: model.name,
    model_version: model.version,
    ...(id === undefined ? {} : { id }),
    outputs: wanted === undefined ? outputs : outputs.filter(({ name }) => wanted.includes(name)),
  });
}

function parsed(body: string, decimals: boolean): unknown {
  try {
    return parseExactly(body, { decimals });
  } catch {
    throw new Fault('invalid', 'the model answered what is not JSON; ask for it at /invocations');
  }
}

function outputsIn(answer: unknown): readonly Output[] {
  if (!isFields(answer)) return ofValue('predictions', answer);
  const { outputs, predictions, prediction } = answer;
  if (Array.isArray(outputs) && outputs.length > 0 && outputs.every(isOutput))
    return outputs.map(({ name, data, datatype, shape }) => ({ name, datatype, shape, data: plain(data) }));
  if (predictions !== undefined) return ofValue('predictions', predictions);
  return prediction === undefined ? ofRows([answer]) : ofValue('prediction', prediction);
}

const isOutput = (value: unknown): value is Output =>
  isFields(value) &&
  typeof value.name === 'string' &&
  typeof value.datatype === 'string' &&
  Array.isArray(value.shape) &&
  Array.isArray(value.data);

/** Numbers as `JSON.stringify` writes them, at any depth that an answer has. */
function plain(data: readonly unknown[], depth = 0): readonly unknown[] {
  if (depth > maxDimensions) throw unsayable('outputs', `it nests more than ${maxDimensions} lists`);
  return data.map((value) => {
    if (Array.isArray(value)) return plain(value, depth + 1);
    return value instanceof Decimal ? value.value : writable(value);
  });
}

function ofValue(name: string, value: unknown): readonly Output[] {
  if (isFields(value)) return ofRows([value]);
  if (!Array.isArray(value)) return [outputOf(name, [value])];
  return value.length > 0 && value.every(isFields) ? ofRows(value) : [outputOf(name, value)];
}

/** One output for each field of the rows. */
function ofRows(rows: readonly Fields[]): readonly Output[] {
  const names = Object.keys(rows[0] ?? {});
  const isUneven = (row: Fields) =>
    Object.keys(row).length !== names.length || names.some((name) => !Object.hasOwn(row, name));
  if (names.length === 0 || rows.some(isUneven)) throw unsayable('predictions', 'its objects differ in their fields');
  return names.map((name) =>
    outputOf(
      name,
      rows.map((row) => row[name]),
    ),
  );
}

function outputOf(name: string, list: readonly unknown[]): Output {
  let level = list;
  const shape = [level.length];
  if (level.length > maxValues) throw unsayable(name, 'it is too large');
  while (Array.isArray(level[0])) {
    const { length } = level[0];
    if (shape.length === maxDimensions || level.length * length > maxValues) throw unsayable(name, 'it is too large');
    if (!level.every((item): item is unknown[] => Array.isArray(item) && item.length === length))
      throw unsayable(name, `its lists differ in their lengths, at ${shapeText(shape)}`);
    level = level.flat();
    shape.push(length);
  }
  const datatype = datatypeOf(level);
  if (datatype === undefined) throw unsayable(name, 'its values are not all numbers, all texts or all booleans');
  return { name, datatype, shape, data: plain(level) };
}

function datatypeOf(values: readonly unknown[]): string | undefined {
  const every = (is: (value: unknown) => boolean) => values.every(is);
  if (every((value) => typeof value === 'bigint' || Number.isInteger(value))) return 'INT64';
  if (every((value) => typeof value === 'number' || typeof value === 'bigint' || value instanceof Decimal))
    return 'FP64';
  if (every((value) => typeof value === 'string')) return texts;
  return every((value) => typeof value === 'boolean') ? 'BOOL' : undefined;
}

const unsayable = (name: string, why: string): Fault =>
  new Fault('invalid', `the model's '${name}' cannot be said as a tensor, for ${why}; ask for it at /invocations`);
