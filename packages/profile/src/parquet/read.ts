import { Fault } from '@serin/core/base/fault';
import type { ObjectSource, Place } from '@serin/core/drift/profiler';
import type { RowSink } from '../sink.ts';
import { readColumn } from './column.ts';
import { type Chunk, type Footer, type Group, readFooter } from './footer.ts';
import { type Leaf, leavesOf } from './leaves.ts';
import { damaged, limits } from './limits.ts';
import { RowHashes } from './row-hashes.ts';
import { Window } from './window.ts';

/** A part of small row groups is bounded by what reading them takes, not only by how small they are stored. */
const valuesOfPart = 32 << 20;

/**
 * Reads a part of a Parquet file into a sink: one or more whole row groups, and one more only where all of them have at most
 * `atMostBytes` as they are stored. A row group that is larger is a part of its own.
 *
 * Columns come one after the other, each with a value or a `missing` for each row, in the order of the rows. At any time one
 * page is held, and two hashes of 32 bits for each row of the row group. Timestamps are cut to milliseconds. Decimals are the
 * nearest doubles, as are whole numbers beyond 2^53. Of lists and records only their being there is given, and the hashes of
 * the rows hold what is in them.
 *
 * Whatever the bytes are: the end is a part or a `Fault`, in bounded memory (limits.ts).
 */
export async function readParquet(
  object: ObjectSource,
  { from, atMostBytes }: { readonly from?: Place | undefined; readonly atMostBytes: number },
  sink: RowSink,
): Promise<{ readonly next?: Place }> {
  const footer = await named(`${object.key}`, () => readFooter(object));
  const leaves = await named(`${object.key}`, () => leavesOf(footer.schema));
  const first = from ? Number(from.rowGroup) : 0;
  if (from && !footer.groups[first]) throw changed(object);
  for (const { name } of leaves) sink.column(name);
  let at = first;
  for (let [bytes, values] = [0, 0]; at < footer.groups.length; at += 1) {
    const group = footer.groups[at];
    if (!group) break;
    bytes += group.bytes;
    values += group.rows * leaves.length;
    if (at > first && (bytes > atMostBytes || values > valuesOfPart)) break;
    await readGroup({ object, footer, group, leaves, at }, sink);
  }
  return at < footer.groups.length ? { next: { rowGroup: at } } : {};
}

const changed = ({ key }: ObjectSource): Fault =>
  new Fault('invalid', `${key} has fewer row groups than when its reading began: read it again from its beginning`);

interface GroupToRead {
  readonly object: ObjectSource;
  readonly footer: Footer;
  readonly group: Group;
  readonly leaves: readonly Leaf[];
  readonly at: number;
}

async function readGroup(given: GroupToRead, sink: RowSink): Promise<void> {
  const { object, group, leaves, at } = given;
  const where = `${object.key}, row group ${at}`;
  const chunks = await named(where, () => chunksOf(given));
  const hashes = new RowHashes(group.rows);
  const window = new Window(object);
  sink.rowsBegin?.(group.rows);
  for (const [index, leaf] of ordered(leaves, sink.first)) {
    const chunk = chunks[index];
    if (!chunk || group.rows === 0) continue;
    const receiver = { sink: sink.column(leaf.name), hashes, rows: group.rows };
    await named(`${where}, column ${leaf.name}`, () => readColumn(window, chunk, leaf, receiver));
  }
  hashes.end();
  sink.rowsEnded(hashes.high, hashes.low, group.rows);
}

/** Each leaf with its place, those of the columns that are asked for first before the others. */
function ordered(leaves: readonly Leaf[], first: readonly string[] = []): readonly (readonly [number, Leaf])[] {
  const all = [...leaves.entries()];
  return [
    ...all.filter(([, { name }]) => first.includes(name)),
    ...all.filter(([, { name }]) => !first.includes(name)),
  ];
}

/** Before anything is held for as many rows as the footer says, each column has to have as many values. */
function chunksOf({ footer, group, leaves }: GroupToRead): readonly Chunk[] {
  const chunks = footer.chunksOf(group);
  if (chunks.length !== leaves.length)
    throw damaged(`it has ${chunks.length} columns, and the schema says ${leaves.length}`);
  const values = chunks.reduce((sum, chunk) => sum + chunk.values, 0);
  if (group.rows > limits.rowsOfGroup || values > limits.valuesOfGroup)
    throw damaged(
      `it has ${group.rows} rows with ${values} values, and at most ${limits.rowsOfGroup} with ${limits.valuesOfGroup} are read: write smaller row groups`,
    );
  for (const [index, { name, isNested }] of leaves.entries()) {
    const said = chunks[index]?.values ?? 0;
    if (isNested ? said < group.rows : said !== group.rows)
      throw damaged(`its column ${name} has ${said} values, and there are ${group.rows} rows`);
  }
  return chunks;
}

/** Says in an error of the reader which object it is of, and what to do. Errors of others go through as they are. */
async function named<Result>(where: string, read: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'invalid') throw error;
    const what = `${where} cannot be read: ${error.message}. Write the object again, or leave it out of the dataset`;
    throw new Fault('invalid', what, { cause: error });
  }
}
