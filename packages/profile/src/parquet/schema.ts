import { checked, damaged, limits } from './limits.ts';
import { type Field, isTrue, type Thrift } from './thrift.ts';

/** The types in which values are stored, in the order of their numbers. */
export const physicalTypes = ['boolean', 'int32', 'int64', 'int96', 'float', 'double', 'bytes', 'fixedBytes'] as const;
export type Physical = (typeof physicalTypes)[number];

/** What a stored value means: the annotations that are read, in the words of today's (ConvertedType is the older way). */
export interface Logical {
  readonly type:
    | 'text'
    | 'map'
    | 'list'
    | 'decimal'
    | 'date'
    | 'time'
    | 'timestamp'
    | 'integer'
    | 'nothing'
    | 'uuid'
    | 'half';
  readonly perMs?: number;
  readonly isUnsigned?: boolean;
}

interface Element {
  name: string;
  type?: number;
  length: number;
  repetition: number;
  children: number;
  converted?: Logical;
  logical?: Logical;
  scale: number;
}

export interface Node {
  readonly name: string;
  readonly physical?: Physical;
  readonly length: number;
  readonly isOptional: boolean;
  readonly isRepeated: boolean;
  readonly logical?: Logical;
  readonly scale: number;
  readonly children: readonly Node[];
}

const perMs = { millis: 1, micros: 1000, nanos: 1_000_000 };
const unsigned: Logical = { type: 'integer', isUnsigned: true };
const signed: Logical = { type: 'integer', isUnsigned: false };

/** ConvertedType by its number (parquet.thrift). */
const converted: Readonly<Record<number, Logical>> = {
  0: { type: 'text' },
  1: { type: 'map' },
  2: { type: 'map' },
  3: { type: 'list' },
  4: { type: 'text' },
  5: { type: 'decimal' },
  6: { type: 'date' },
  7: { type: 'time', perMs: perMs.millis },
  8: { type: 'time', perMs: perMs.micros },
  9: { type: 'timestamp', perMs: perMs.millis },
  10: { type: 'timestamp', perMs: perMs.micros },
  ...Object.fromEntries([11, 12, 13, 14].map((number) => [number, unsigned])),
  ...Object.fromEntries([15, 16, 17, 18].map((number) => [number, signed])),
  19: { type: 'text' },
};

/** LogicalType by the number of its member (parquet.thrift); those with fields of their own are read by `logicalOf`. */
const plainLogical: Readonly<Record<number, Logical['type']>> = {
  1: 'text',
  2: 'map',
  3: 'list',
  4: 'text',
  5: 'decimal',
  6: 'date',
  11: 'nothing',
  12: 'text',
  14: 'uuid',
  15: 'half',
};

function unitOf(thrift: Thrift): number | undefined {
  let found: number | undefined;
  const unit =
    (value: number): Field =>
    (inner) => {
      found = value;
      inner.struct({}, 4);
    };
  thrift.struct({ 1: unit(perMs.millis), 2: unit(perMs.micros), 3: unit(perMs.nanos) }, 3);
  return found;
}

function timed(thrift: Thrift, type: 'time' | 'timestamp'): Logical {
  let unit: number | undefined;
  thrift.struct({ 2: (inner) => (unit = unitOf(inner)) }, 2);
  if (unit === undefined) throw damaged('it has a time without a unit');
  return { type, perMs: unit };
}

function logicalOf(thrift: Thrift): Logical | undefined {
  let found: Logical | undefined;
  const plain = Object.fromEntries(
    Object.entries(plainLogical).map(([number, type]): [string, Field] => [
      number,
      (inner) => {
        inner.struct({}, 2);
        found = { type };
      },
    ]),
  );
  thrift.struct(
    {
      ...plain,
      7: (inner) => (found = timed(inner, 'time')),
      8: (inner) => (found = timed(inner, 'timestamp')),
      10: (inner) => inner.struct({ 2: (_, type) => (found = isTrue(type) ? signed : unsigned) }, 2),
    },
    1,
  );
  return found;
}

const utf8 = new TextDecoder();

function elementOf(thrift: Thrift): Element {
  const element: Element = { name: '', length: 0, repetition: 0, children: 0, scale: 0 };
  thrift.struct({
    1: () => (element.type = thrift.integer()),
    2: () => (element.length = checked('a length of values', thrift.integer(), limits.pageBytes)),
    3: () => (element.repetition = checked('a repetition', thrift.integer(), 2)),
    4: () => (element.name = utf8.decode(thrift.binary())),
    5: () => (element.children = checked('a number of children', thrift.integer(), 4 * limits.columns)),
    6: () => {
      const known = converted[thrift.integer()];
      if (known) element.converted = known;
    },
    7: () => (element.scale = checked('a decimal scale', thrift.integer(), 1000)),
    10: () => {
      const known = logicalOf(thrift);
      if (known) element.logical = known;
    },
  });
  return element;
}

/** The list of elements, from which the tree is made: each element says how many of the next are its children. */
export function readSchema(thrift: Thrift): Node {
  const { count } = thrift.list();
  checked('a number of columns and groups of columns', count, 4 * limits.columns, 1);
  const elements = Array.from({ length: count }, () => elementOf(thrift));
  let next = 0;
  const grow = (depth: number): Node => {
    const element = elements[next];
    if (!element || depth > limits.depth) throw damaged('its schema has columns that are not there, or is too deep');
    next += 1;
    const children = Array.from({ length: element.children }, () => grow(depth + 1));
    return nodeOf(element, children);
  };
  const root = grow(0);
  if (next !== count) throw damaged('its schema has columns that belong to nothing');
  return root;
}

function nodeOf(element: Element, children: readonly Node[]): Node {
  const { name, length, repetition, scale } = element;
  const logical = element.logical ?? element.converted;
  const physical = children.length > 0 ? undefined : physicalTypes[element.type ?? -1];
  return {
    name,
    length,
    isOptional: repetition === 1,
    isRepeated: repetition === 2,
    scale,
    children,
    ...(logical && { logical }),
    ...(physical && { physical }),
  };
}
