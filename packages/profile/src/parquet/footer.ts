import type { ObjectSource } from '@serin/core/drift/profiler';
import { checked, damaged, limits } from './limits.ts';
import { type Node, readSchema } from './schema.ts';
import { Thrift } from './thrift.ts';

export interface Group {
  readonly rows: number;
  /** As they are stored. */
  readonly bytes: number;
  /** Where the footer says the rest of it. */
  readonly at: number;
}

/** The values of one column in one row group. */
export interface Chunk {
  readonly from: number;
  readonly bytes: number;
  readonly values: number;
  readonly codec: number;
}

export interface Footer {
  readonly schema: Node;
  readonly groups: readonly Group[];
  readonly chunksOf: (group: Group) => readonly Chunk[];
}

const tailBytes = 8;
const firstReadBytes = 1 << 16;
const magic = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(-4));
const encrypted = 'it is encrypted, and what reads it here has no key; write it without encryption';

/** What the end of a file says of the whole: its columns, and where the values of each of them are. */
export async function readFooter(object: ObjectSource): Promise<Footer> {
  // It is read from until the end of the part, and whoever reads the object may use the room of its answers again.
  const bytes = new Uint8Array(await footerBytes(object));
  const thrift = new Thrift(bytes);
  let schema: Node | undefined;
  let groups: readonly Group[] = [];
  thrift.struct({
    2: () => (schema = readSchema(thrift)),
    4: () => (groups = readGroups(thrift)),
    8: () => {
      throw damaged(encrypted);
    },
  });
  if (!schema) throw damaged('its footer has no schema');
  return { schema, groups, chunksOf: ({ at }) => readChunks(new Thrift(bytes, at)) };
}

async function footerBytes(object: ObjectSource): Promise<Uint8Array> {
  if (object.bytes < tailBytes + 4) throw damaged(`it has ${object.bytes} bytes, and the shortest file has 12`);
  const from = Math.max(0, object.bytes - firstReadBytes);
  const tail = await object.read(from, object.bytes - from);
  if (tail.length < object.bytes - from) throw damaged(`the object has ${object.bytes} bytes, and fewer came`);
  if (magic(tail) === 'PARE') throw damaged(encrypted);
  if (magic(tail) !== 'PAR1')
    throw damaged('it does not end as a Parquet file does: it was cut off, or is of another format');
  const length = new DataView(tail.buffer, tail.byteOffset).getUint32(tail.length - tailBytes, true);
  checked('a footer', length, Math.min(limits.footerBytes, object.bytes - tailBytes));
  if (length + tailBytes <= tail.length) return tail.subarray(tail.length - tailBytes - length, -tailBytes);
  return await object.read(object.bytes - tailBytes - length, length);
}

function readGroups(thrift: Thrift): readonly Group[] {
  const { count } = thrift.list();
  checked('a number of row groups', count, limits.rowGroups);
  return Array.from({ length: count }, () => {
    const at = thrift.at;
    let rows: number | undefined;
    let inflated: number | undefined;
    let stored: number | undefined;
    thrift.struct({
      2: () => (inflated = thrift.integer()),
      3: () => (rows = thrift.integer()),
      6: () => (stored = thrift.integer()),
    });
    const bytes = checked('a size of a row group', stored ?? inflated, Number.MAX_SAFE_INTEGER);
    return { at, bytes, rows: checked('a number of rows in a row group', rows, Number.MAX_SAFE_INTEGER) };
  });
}

function readChunks(thrift: Thrift): readonly Chunk[] {
  let chunks: readonly Chunk[] = [];
  const chunk = (): void => {
    const { count } = thrift.list();
    checked('a number of columns', count, limits.columns);
    chunks = Array.from({ length: count }, () => readChunk(thrift));
  };
  thrift.struct({ 1: chunk });
  return chunks;
}

function readChunk(thrift: Thrift): Chunk {
  let found: Chunk | undefined;
  thrift.struct({
    1: () => {
      if (thrift.binary().length > 0) throw damaged('it keeps its columns in other files; write it as one file');
    },
    3: () => (found = readPlaceOfChunk(thrift)),
    8: () => {
      throw damaged(encrypted);
    },
  });
  if (!found) throw damaged('its footer does not say where a column is');
  return found;
}

function readPlaceOfChunk(thrift: Thrift): Chunk {
  const said = { codec: -1, values: -1, bytes: -1, data: -1, dictionary: 0 };
  thrift.struct({
    4: () => (said.codec = thrift.integer()),
    5: () => (said.values = thrift.integer()),
    7: () => (said.bytes = thrift.integer()),
    9: () => (said.data = thrift.integer()),
    11: () => (said.dictionary = thrift.integer()),
  });
  // Some writers leave the dictionary's place out, or say 0: its page is then the first at the place of the data.
  const from = said.dictionary > 0 ? Math.min(said.dictionary, said.data) : said.data;
  return {
    from: checked('a place of a column', from, Number.MAX_SAFE_INTEGER),
    bytes: checked('a size of a column', said.bytes, Number.MAX_SAFE_INTEGER),
    values: checked('a number of values in a column', said.values, Number.MAX_SAFE_INTEGER),
    codec: said.codec,
  };
}
