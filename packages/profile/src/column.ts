import type { ColumnProfile, NumberProfile } from '@serin/core/drift/profile';
import { type ColumnSalt, type RowHash, saltOf, ValueHash } from './hash.ts';
import type { ColumnSink } from './sink.ts';
import type { Input, Output } from './sketch/bytes.ts';
import { Frequent } from './sketch/frequent.ts';
import { Moments } from './sketch/moments.ts';
import { Quantiles } from './sketch/quantiles.ts';
import { isContinuation } from './utf8.ts';

const largestBatch = 256;
const hash = new ValueHash();

/** What is known of a column: the sink of its values, and their sketches. */
export class Column implements ColumnSink {
  readonly name: string;
  /** Rows of the objects that have a fixed set of columns, this one among them. */
  fixedRows = 0;
  /** An object whose rows have the keys they like has this column: all rows of such objects are its own. */
  isLoose = false;

  private booleans = 0;
  private integers = 0;
  private decimals = 0;
  private texts = 0;
  private nesteds = 0;
  private timestamps = 0;
  private nans = 0;
  private plusInfinities = 0;
  private minusInfinities = 0;
  private empties = 0;
  private shortest = Number.POSITIVE_INFINITY;
  private longest = 0;
  private characters = 0;
  private first = Number.POSITIVE_INFINITY;
  private last = Number.NEGATIVE_INFINITY;
  private frequent = new Frequent();
  private moments = new Moments();
  private quantiles: Quantiles | undefined;
  private batch: Float64Array | undefined;
  private batched = 0;

  private readonly salt: ColumnSalt;
  private readonly row: RowHash;

  constructor(name: string, row: RowHash) {
    this.name = name;
    this.salt = saltOf(name);
    this.row = row;
  }

  missing(): void {
    // What has no value is what remains of the rows.
  }

  number(value: number, isWhole: boolean): void {
    if (isWhole) this.integers += 1;
    else this.decimals += 1;
    if (Number.isNaN(value)) {
      this.nans += 1;
      return;
    }
    if (Number.isFinite(value)) this.put(value);
    else this.flush();
    hash.number(value);
    this.row.add(this.salt, hash);
    if (Number.isFinite(value)) return;
    if (value > 0) this.plusInfinities += 1;
    else this.minusInfinities += 1;
    this.frequent.number(value, hash);
  }

  numbers(values: Float64Array, count: number, areWhole: boolean): void {
    if (areWhole) this.integers += count;
    else this.decimals += count;
    this.flush();
    this.count(values, count);
  }

  private count(values: Float64Array, count: number): void {
    for (let at = 0; at < count; at += 1) {
      const value = values[at] ?? 0;
      hash.number(value);
      this.frequent.number(value + 0, hash);
    }
    this.moments.add(values, count);
    this.ranks().add(values, count);
  }

  private put(value: number): void {
    this.batch ??= new Float64Array(16);
    this.batch[this.batched] = value + 0;
    this.batched += 1;
    if (this.batched < this.batch.length) return;
    this.flush();
    if (this.batch.length < largestBatch) this.batch = new Float64Array(2 * this.batch.length);
  }

  /**
   * Values come to the sketches in the order of the rows, however many at once. Many, because the sketches of a thousand
   * columns are more than a cache holds, and a reader of rows goes through all of them for each row.
   */
  private flush(): void {
    if (this.batch === undefined || this.batched === 0) return;
    this.count(this.batch, this.batched);
    this.batched = 0;
  }

  private ranks(): Quantiles {
    this.quantiles ??= new Quantiles(this.salt.high);
    return this.quantiles;
  }

  boolean(value: boolean): void {
    this.booleans += 1;
    this.flush();
    hash.boolean(value);
    this.frequent.boolean(value, hash);
    this.row.add(this.salt, hash);
  }

  time(ms: number): void {
    this.timestamps += 1;
    this.first = Math.min(this.first, ms);
    this.last = Math.max(this.last, ms);
    this.flush();
    hash.time(ms);
    this.frequent.time(ms, hash);
    this.row.add(this.salt, hash);
  }

  text(bytes: Uint8Array, from: number, to: number): void {
    this.texts += 1;
    if (from === to) {
      this.empties += 1;
      return;
    }
    let characters = 0;
    for (let at = from; at < to; at += 1) if (!isContinuation(bytes[at] ?? 0)) characters += 1;
    this.shortest = Math.min(this.shortest, characters);
    this.longest = Math.max(this.longest, characters);
    this.characters += characters;
    this.flush();
    hash.text(bytes, from, to);
    this.frequent.text(bytes, from, to, hash);
    this.row.add(this.salt, hash);
  }

  nested(json?: string): void {
    this.nesteds += 1;
    hash.nested(json);
    this.row.add(this.salt, hash);
  }

  private get values(): number {
    return this.booleans + this.integers + this.decimals + this.texts + this.nesteds + this.timestamps;
  }

  merge(other: Column): void {
    this.flush();
    other.flush();
    for (const sum of sums) this[sum] += other[sum];
    this.isLoose ||= other.isLoose;
    this.shortest = Math.min(this.shortest, other.shortest);
    this.longest = Math.max(this.longest, other.longest);
    this.first = Math.min(this.first, other.first);
    this.last = Math.max(this.last, other.last);
    this.frequent.merge(other.frequent);
    this.moments.merge(other.moments);
    if (other.quantiles !== undefined) this.ranks().merge(other.quantiles);
  }

  /** About what it takes of memory. */
  get bytes(): number {
    return 1000 + this.frequent.bytes + (this.quantiles?.bytes ?? 0) + (this.batch?.byteLength ?? 0);
  }

  profile(looseRows: number): ColumnProfile {
    this.flush();
    const rows = this.fixedRows + (this.isLoose ? looseRows : 0);
    const texts = this.texts - this.empties;
    const { moments } = this;
    return {
      name: this.name,
      rows,
      missing: rows - this.values,
      empty: this.empties,
      nan: this.nans,
      plusInfinity: this.plusInfinities,
      minusInfinity: this.minusInfinities,
      types: {
        boolean: this.booleans,
        integer: this.integers,
        decimal: this.decimals,
        timestamp: this.timestamps,
        text: this.texts,
        nested: this.nesteds,
      },
      ...(moments.count > 0 && { numbers: numbersOf(moments, this.ranks()) }),
      ...(texts > 0 && {
        lengths: { shortest: this.shortest, longest: this.longest, mean: this.characters / texts },
      }),
      ...(this.timestamps > 0 && { times: { first: this.first, last: this.last } }),
      // An estimate of them can be above the number of all values, of which they are a part.
      distinct: Math.min(this.frequent.size, this.values - this.nans - this.empties - this.nesteds),
      distinctIsExact: this.frequent.distinct === undefined,
      ...(this.frequent.distinct === undefined && { singletons: this.frequent.singletons }),
      frequent: this.frequent.most(128),
      frequentAbout: this.frequent.error,
    };
  }

  /** After it was written: it cannot be used again. */
  release(): void {
    this.frequent.release();
    this.quantiles?.release();
  }

  write(to: Output): void {
    this.flush();
    to.text(this.name);
    to.whole(this.isLoose ? 1 : 0);
    for (const sum of sums) to.whole(this[sum]);
    to.doubles([this.shortest, this.longest, this.first, this.last]);
    this.frequent.write(to);
    this.moments.write(to);
    if (this.moments.count > 0) this.ranks().write(to);
  }

  static read(from: Input, row: RowHash): Column {
    const column = new Column(from.text(), row);
    column.isLoose = from.whole() === 1;
    for (const sum of sums) column[sum] = from.whole();
    const [shortest = 0, longest = 0, first = 0, last = 0] = from.doubles();
    Object.assign(column, { shortest, longest, first, last });
    column.frequent = Frequent.read(from);
    column.moments = Moments.read(from);
    if (column.moments.count > 0) column.quantiles = Quantiles.read(from);
    return column;
  }
}

/** What is added when two are merged. */
const sums = [
  'fixedRows',
  'booleans',
  'integers',
  'decimals',
  'texts',
  'nesteds',
  'timestamps',
  'nans',
  'plusInfinities',
  'minusInfinities',
  'empties',
  'characters',
] as const;

function numbersOf({ count, min, max, mean, squares }: Moments, ranks: Quantiles): NumberProfile {
  // Numbers near the largest double have a spread beyond it.
  const deviation = Math.min(Math.sqrt(squares / count), Number.MAX_VALUE);
  return { count, min, max, mean, deviation, quantiles: [min, ...ranks.inner(256), max] };
}
