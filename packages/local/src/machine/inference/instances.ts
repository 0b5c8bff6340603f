import { Fault } from '@serin/core/base/fault';
import type { Value } from './datatypes.ts';
import { writable } from './exact-json.ts';
import type { InferenceRequest } from './request.ts';
import type { Tensor } from './tensors.ts';

/** Of the names of all columns in all rows. */
const maxNamesLength = 16 * 1024 * 1024;

/**
 * The body of `POST /invocations` for tensors: `{"instances": [...], "parameters": {...}}`, one instance for each row.
 *
 * Only one tensor, of two dimensions or more: an instance is its row. Otherwise an instance is an object by the names of
 * the tensors; a tensor of shape `[n]` is a column and gives it a value, and so does one of `[n,1]` beside others.
 */
export function invocationOf({ inputs, parameters }: InferenceRequest): string {
  const named = parameters === undefined || Object.keys(parameters).length === 0 ? {} : { parameters };
  return JSON.stringify({ instances: instancesOf(inputs), ...named });
}

function instancesOf(inputs: readonly Tensor[]): readonly unknown[] {
  const [first, ...others] = inputs;
  if (first === undefined) return [];
  if (others.length === 0 && first.shape.length > 1) return rowsOf(first);
  const rows = first.shape[0] ?? 1;
  const unequal = others.find(({ shape }) => (shape[0] ?? 1) !== rows);
  if (unequal !== undefined)
    throw new Fault(
      'invalid',
      `input '${unequal.name}' must have as many rows as '${first.name}', ${rows}: the first number of its shape`,
    );
  const namesLength = inputs.reduce((sum, { name }) => sum + JSON.stringify(name).length, 0);
  if (rows * namesLength > maxNamesLength)
    throw new Fault(
      'invalid',
      `the names of the inputs come again in each of the ${rows} rows and are too long for that; send fewer rows, or shorter names`,
    );
  const columns = inputs.map((input) => ({
    name: input.name,
    values: isColumn(input) ? valuesOf(input) : rowsOf(input),
  }));
  return Array.from({ length: rows }, (_, row) =>
    // `Object.fromEntries` defines fields: a name may be anything.
    Object.fromEntries(columns.map(({ name, values }) => [name, values[row]])),
  );
}

const isColumn = ({ shape }: Tensor): boolean => shape.length < 2 || (shape.length === 2 && shape[1] === 1);

const valuesOf = ({ values }: Tensor): readonly unknown[] => values.map(writable);

function rowsOf({ values, shape }: Tensor): readonly unknown[] {
  const inner = shape.slice(1);
  return nested(values, shape[0] ?? 1, inner, 0);
}

/** `length` items from a place on, each of the shape `inner`. */
function nested(values: readonly Value[], length: number, inner: readonly number[], from: number): readonly unknown[] {
  const [next, ...rest] = inner;
  if (next === undefined) return values.slice(from, from + length).map(writable);
  const size = inner.reduce((product, each) => product * each, 1);
  return Array.from({ length }, (_, index) => nested(values, next, rest, from + index * size));
}
