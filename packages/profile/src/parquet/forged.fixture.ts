/** Of tests: Parquet files written by hand, which may say what no writer would. */
type Bytes = readonly number[];
type Field = readonly [id: number, type: number, value: Bytes];

export function varint(value: number): Bytes {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

const int = (id: number, value: number): Field => [id, 5, varint(value < 0 ? -2 * value - 1 : 2 * value)];
const text = (value: string): Bytes => [...varint(value.length), ...new TextEncoder().encode(value)];
const struct = (...fields: readonly Field[]): Bytes => [
  ...fields.flatMap(([id, type, value]) => [type, ...varint(id * 2), ...value]),
  0,
];
const list = (type: number, items: readonly Bytes[]): Bytes => [0xf0 | type, ...varint(items.length), ...items.flat()];

export interface ForgedColumn {
  readonly name: string;
  /** 1: int32. */
  readonly type?: number;
  readonly repetition?: number;
  readonly codec?: number;
  readonly values?: number;
  readonly pages?: readonly Bytes[];
  /** Children say what they are in the elements behind it. */
  readonly children?: number;
}

export interface ForgedPage {
  readonly type?: number;
  readonly values: number;
  readonly encoding?: number;
  readonly inflated?: number;
  /** How the levels say that they are packed. */
  readonly levels?: number;
  /** How many bytes of statistics make the header long. */
  readonly statistics?: number;
}

/** A page of data (0) or of a dictionary (2), not compressed unless it says that it is. */
export function page(given: ForgedPage, body: Bytes): Bytes {
  const { type = 0, values, encoding = 0, inflated = body.length, levels = 3, statistics = 0 } = given;
  const said = struct([1, 8, [...varint(statistics), ...Array<number>(statistics).fill(7)]]);
  const inner = struct(int(1, values), int(2, encoding), int(3, levels), int(4, levels), [5, 12, said]);
  return [...struct(int(1, type), int(2, inflated), int(3, body.length), [type === 2 ? 7 : 5, 12, inner]), ...body];
}

export const plain = (...values: readonly number[]): Bytes => [...new Uint8Array(Int32Array.from(values).buffer)];

function elementOf({ name, type = 1, repetition = 0, children }: ForgedColumn): Bytes {
  if (children !== undefined) return struct(int(3, repetition), [4, 8, text(name)], int(5, children));
  return struct(int(1, type), int(3, repetition), [4, 8, text(name)]);
}

/** One row group, in which the last column comes first. `elements` are the schema, if it is to be another than the columns make. */
export function forged(rows: number, columns: readonly ForgedColumn[], elements = columns): Uint8Array {
  const start: Bytes = [0x50, 0x41, 0x52, 0x31];
  const bodies = columns.map(({ pages = [] }) => pages.flat());
  const end = start.length + bodies.flat().length;
  let at = end;
  const chunks = columns.map(({ codec = 0, values = rows }, index) => {
    const length = bodies[index]?.length ?? 0;
    at -= length;
    return struct([3, 12, struct(int(4, codec), int(5, values), int(7, length), int(9, at))]);
  });
  const tops = elements === columns ? columns.length : 1;
  const schema = list(12, [elementOf({ name: 'schema', children: tops }), ...elements.map(elementOf)]);
  const group = struct([1, 9, list(12, chunks)], int(2, end), int(3, rows));
  return ended([...start, ...bodies.toReversed().flat()], struct([2, 9, schema], [4, 9, list(12, [group])]));
}

/** Bytes with a footer behind them. */
export function ended(before: Bytes, footer: Bytes, magic = 'PAR1', length = footer.length): Uint8Array {
  const tail = new Uint8Array(Uint32Array.of(length).buffer);
  return Uint8Array.from([...before, ...footer, ...tail, ...new TextEncoder().encode(magic)]);
}
