import type { Chunk } from './footer.ts';
import { flatGiver, nestedGiver, type Piece, type Receiver } from './give.ts';
import { Hybrid } from './hybrid.ts';
import { inflatePage, type RoomOf } from './inflate.ts';
import type { Leaf } from './leaves.ts';
import { checked, damaged } from './limits.ts';
import { type Header, pageTypes, readHeader } from './page-header.ts';
import { readDictionary, sourceOf } from './sources.ts';
import { type Source, Values } from './values.ts';
import type { Window } from './window.ts';

const batchRows = 8192;

/** What is used again for each page of a column. */
interface Room {
  readonly leaf: Leaf;
  readonly codec: number;
  readonly roomOf: RoomOf;
  readonly values: Values;
  readonly definitions: Uint32Array;
  readonly repetitions: Uint32Array;
  dictionary?: Values;
}

/** A page whose levels are open, and whose values come when the first of them is asked for. */
interface Page {
  readonly values: number;
  readonly definitions: Hybrid | undefined;
  readonly repetitions: Hybrid | undefined;
  readonly next: Source;
}

/** Gives the values of one column of a row group, page by page. */
export async function readColumn(window: Window, chunk: Chunk, leaf: Leaf, receiver: Receiver): Promise<void> {
  const room = beginRoom(leaf, chunk.codec, window.roomOf);
  const giver = leaf.isNested ? nestedGiver(leaf, receiver) : flatGiver(leaf, receiver);
  const end = chunk.from + chunk.bytes;
  let given = 0;
  for (let at = chunk.from; given < chunk.values; ) {
    if (at >= end) throw damaged(`it says ${chunk.values} values, and its pages have ${given}`);
    const header = await readHeader(window, at, end);
    const body = await window.read(header.end, header.storedBytes);
    at = header.end + header.storedBytes;
    if (header.type === pageTypes.dictionary) room.dictionary = dictionaryOf(header, body, room);
    if (header.type !== pageTypes.data && header.type !== pageTypes.dataV2) continue;
    given += header.values;
    if (given > chunk.values) throw damaged(`it says ${chunk.values} values, and its pages have more`);
    const page = header.type === pageTypes.data ? openPage(header, body, room) : openPageV2(header, body, room);
    for (let left = page.values; left > 0; left -= batchRows)
      giver.give(nextPiece(page, Math.min(left, batchRows), room));
  }
  if (giver.rowsGiven() !== receiver.rows)
    throw damaged(`it has ${giver.rowsGiven()} rows, and its row group ${receiver.rows}`);
}

function beginRoom(leaf: Leaf, codec: number, roomOf: RoomOf): Room {
  return {
    leaf,
    codec,
    roomOf,
    values: new Values(batchRows, leaf.meaning),
    definitions: new Uint32Array(leaf.maxDefinition > 0 ? batchRows : 0),
    repetitions: new Uint32Array(leaf.maxRepetition > 0 ? batchRows : 0),
  };
}

function dictionaryOf(header: Header, body: Uint8Array, { leaf, codec }: Room): Values {
  const page = inflatePage(body, codec, header.inflatedBytes, (size) => new Uint8Array(size));
  // What was not inflated is the window's, and gone when it moves on.
  return readDictionary(page === body ? new Uint8Array(page) : page, header.values, leaf.meaning);
}

const widthOf = (level: number): number => 32 - Math.clz32(level);

/** Everything is compressed together; each kind of levels begins with its length. */
function openPage(header: Header, body: Uint8Array, room: Room): Page {
  const bytes = inflatePage(body, room.codec, header.inflatedBytes, room.roomOf);
  let at = 0;
  const levels = (most: number): Hybrid | undefined => {
    if (most === 0) return undefined;
    if (!header.areLevelsHybrid) throw damaged('its levels are packed in a way that is out of use; write it anew');
    if (at + 4 > bytes.length) throw damaged('a page ends before its levels');
    const from = at + 4;
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
    at = from + checked('a length of levels', length, bytes.length - from);
    return new Hybrid(bytes.subarray(from, at), 0, widthOf(most));
  };
  const repetitions = levels(room.leaf.maxRepetition);
  const definitions = levels(room.leaf.maxDefinition);
  return { values: header.values, repetitions, definitions, next: opened(() => sourceIn(bytes, at, header, room)) };
}

/** Levels stand before the compressed part, and the header has their lengths. */
function openPageV2(header: Header, body: Uint8Array, room: Room): Page {
  const { repetitionBytes, definitionBytes, inflatedBytes } = header;
  const levelBytes = repetitionBytes + definitionBytes;
  if (levelBytes > Math.min(body.length, inflatedBytes)) throw damaged('the levels of a page are longer than the page');
  const hybrid = (most: number, from: number, to: number) =>
    most === 0 ? undefined : new Hybrid(body.subarray(from, to), 0, widthOf(most));
  return {
    values: header.values,
    repetitions: hybrid(room.leaf.maxRepetition, 0, repetitionBytes),
    definitions: hybrid(room.leaf.maxDefinition, repetitionBytes, levelBytes),
    next: opened(() => {
      const codec = header.isCompressed ? room.codec : 0;
      return sourceIn(
        inflatePage(body.subarray(levelBytes), codec, inflatedBytes - levelBytes, room.roomOf),
        0,
        header,
        room,
      );
    }),
  };
}

const sourceIn = (bytes: Uint8Array, at: number, { encoding }: Header, { leaf, dictionary }: Room): Source =>
  sourceOf({ bytes, at, encoding, meaning: leaf.meaning, dictionary, batch: batchRows });

/** The next levels of a page, with as many values as there are. */
function nextPiece(page: Page, count: number, { leaf, values, definitions, repetitions }: Room): Piece {
  page.repetitions?.fill(repetitions, count);
  page.definitions?.fill(definitions, count);
  const present = page.definitions ? countOf(definitions, count, leaf.maxDefinition) : count;
  if (present > 0) page.next(values, present);
  return {
    count,
    values,
    ...(present < count && { definitions }),
    ...(page.repetitions && { repetitions }),
  };
}

function countOf(levels: Uint32Array, count: number, level: number): number {
  let found = 0;
  for (let index = 0; index < count; index += 1) if (levels[index] === level) found += 1;
  return found;
}

/** A page without values may have nothing where they would be: it is opened when the first is needed. */
function opened(open: () => Source): Source {
  let source: Source | undefined;
  return (out, count) => {
    source ??= open();
    source(out, count);
  };
}
