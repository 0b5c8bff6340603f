import { type ColumnSalt, ValueHash } from '../hash.ts';
import type { ColumnSink } from '../sink.ts';
import type { Leaf } from './leaves.ts';
import { damaged } from './limits.ts';
import type { Meaning } from './meaning.ts';
import { inside, type RowHashes } from './row-hashes.ts';
import { says, type Values } from './values.ts';

/** Some levels of a leaf and the values that belong to them, in the order of the rows. */
export interface Piece {
  readonly count: number;
  /** Absent: each level has a value. */
  readonly definitions?: Uint32Array;
  readonly repetitions?: Uint32Array;
  readonly values: Values;
}

export interface Receiver {
  readonly sink: ColumnSink;
  readonly hashes: RowHashes;
  readonly rows: number;
}

/** Takes the pieces of a leaf one after the other; `end` says how many rows they were. */
export interface Giver {
  readonly give: (piece: Piece) => void;
  readonly rowsGiven: () => number;
}

type Add = (row: number, salt: ColumnSalt, values: Values, at: number) => void;

/** Adds a value to the hash of its row, as its meaning asks. No value, an empty text and NaN add nothing. */
function adderOf(as: Meaning['as'], hashes: RowHashes): Add {
  const hash = new ValueHash();
  if (as === 'nothing') return () => {};
  if (as === 'text')
    return (row, salt, { from, to, doubles, high, low }, at) => {
      if (from[at] === to[at] || Number.isNaN(doubles[at] ?? 0)) return;
      hashes.addWords(row, salt, high[at] ?? 0, low[at] ?? 0);
    };
  const take = {
    number: (value: number) => hash.number(value),
    time: (value: number) => hash.time(value),
    boolean: (value: number) => hash.boolean(value === 1),
  }[as];
  return (row, salt, { doubles }, at) => {
    const value = doubles[at] ?? 0;
    if (Number.isNaN(value)) return;
    take(value);
    hashes.add(row, salt, hash);
  };
}

/** As `adderOf`, in one loop: most values are numbers, and a call for each takes longer than its hash. */
function addNumbers(
  hashes: RowHashes,
  row: number,
  { salt, maxDefinition }: Leaf,
  { count, definitions, values }: Piece,
): void {
  const hash = new ValueHash();
  const { doubles } = values;
  for (let index = 0, at = 0; index < count; index += 1) {
    if (definitions && definitions[index] !== maxDefinition) continue;
    const value = doubles[at] ?? 0;
    at += 1;
    if (Number.isNaN(value)) continue;
    hash.number(value);
    hashes.add(row + index, salt, hash);
  }
}

/** One value a row, or none. */
export function flatGiver(leaf: Leaf, { sink, hashes, rows }: Receiver): Giver {
  const { meaning, maxDefinition, salt } = leaf;
  const add = adderOf(meaning.as, hashes);
  let row = 0;
  return {
    rowsGiven: () => row,
    give: (piece) => {
      const { count, definitions, values } = piece;
      if (row + count > rows) throw damaged(`a column has more values than its row group has rows (${rows})`);
      if (meaning.as === 'number') addNumbers(hashes, row, leaf, piece);
      else
        for (let index = 0, at = 0; index < count; index += 1)
          if (!definitions || definitions[index] === maxDefinition) {
            add(row + index, salt, values, at);
            at += 1;
          }
      row += count;
      if (meaning.as === 'number') giveNumbers(sink, meaning.areWhole, maxDefinition, piece);
      else giveOthers(sink, meaning.as, maxDefinition, piece);
    },
  };
}

/** Finite numbers that follow each other are given at once. */
function giveNumbers(
  sink: ColumnSink,
  areWhole: boolean,
  present: number,
  { count, definitions, values }: Piece,
): void {
  const { doubles } = values;
  let [from, at] = [0, 0];
  for (let index = 0; index < count; index += 1) {
    const isThere = !definitions || definitions[index] === present;
    const value = isThere ? (doubles[at] ?? 0) : 0;
    if (isThere) at += 1;
    if (isThere && Number.isFinite(value)) continue;
    giveRun(sink, doubles, from, isThere ? at - 1 : at, areWhole);
    from = at;
    if (isThere) sink.number(value, areWhole);
    else sink.missing();
  }
  giveRun(sink, doubles, from, at, areWhole);
}

function giveRun(sink: ColumnSink, doubles: Float64Array, from: number, to: number, areWhole: boolean): void {
  if (to - from > 3) sink.numbers(doubles.subarray(from, to), to - from, areWhole);
  else for (let at = from; at < to; at += 1) sink.number(doubles[at] ?? 0, areWhole);
}

function giveOthers(
  sink: ColumnSink,
  as: Exclude<Meaning['as'], 'number'>,
  present: number,
  { count, definitions, values }: Piece,
): void {
  const { doubles, from, to } = values;
  for (let index = 0, at = 0; index < count; index += 1) {
    if ((definitions && definitions[index] !== present) || as === 'nothing') {
      sink.missing();
      continue;
    }
    const said = as === 'text' ? values.says[at] : says[as];
    if (said === says.text) sink.text(values.bytes, from[at] ?? 0, to[at] ?? 0);
    else if (said === says.time) sink.time(doubles[at] ?? 0);
    else if (said === says.boolean) sink.boolean(doubles[at] === 1);
    else sink.number(doubles[at] ?? 0, said === says.whole);
    at += 1;
  }
}

/**
 * The scalars of lists and records. The first leaf of a column says for each row whether there is something; all of them add
 * their values to the hash of the row, each under a salt of its own.
 */
export function nestedGiver(leaf: Leaf, { sink, hashes, rows }: Receiver): Giver {
  const add = adderOf(leaf.meaning.as, hashes);
  const places = new Array<number>(leaf.maxRepetition).fill(0);
  let row = -1;
  const beginRow = (isThere: boolean): void => {
    row += 1;
    if (row >= rows) throw damaged(`a column has more rows than its row group (${rows})`);
    places.fill(0);
    if (leaf.isFirst && isThere) sink.nested();
    else if (leaf.isFirst) sink.missing();
  };
  const again = (level: number): void => {
    if (row < 0 || level > places.length) throw damaged('a list goes on before it begins');
    places[level - 1] = (places[level - 1] ?? 0) + 1;
    places.fill(0, level);
  };
  return {
    rowsGiven: () => row + 1,
    give: ({ count, definitions, repetitions, values }) => {
      for (let index = 0, at = 0; index < count; index += 1) {
        const definition = definitions?.[index] ?? leaf.maxDefinition;
        const repetition = repetitions?.[index] ?? 0;
        if (repetition === 0) beginRow(!leaf.isColumnOptional || definition > 0);
        else again(repetition);
        if (definition !== leaf.maxDefinition) continue;
        add(row, saltAt(leaf, places), values, at);
        at += 1;
      }
    },
  };
}

function saltAt({ salt, steps }: Leaf, places: readonly number[]): ColumnSalt {
  let lists = 0;
  return steps.reduce<ColumnSalt>((above, step) => inside(above, step ?? places[lists++] ?? 0), salt);
}
