import { Fault } from '@serin/core/base/fault';
import { checked, limits } from './limits.ts';
import { isTrue, Thrift } from './thrift.ts';
import type { Window } from './window.ts';

export const pageTypes = { data: 0, index: 1, dictionary: 2, dataV2: 3 } as const;

export interface Header {
  readonly type: number;
  readonly storedBytes: number;
  readonly inflatedBytes: number;
  readonly values: number;
  readonly encoding: number;
  readonly areLevelsHybrid: boolean;
  /** Of the second version only. */
  readonly repetitionBytes: number;
  readonly definitionBytes: number;
  readonly isCompressed: boolean;
  /** The first byte behind it. */
  readonly end: number;
}

const firstReadBytes = 1 << 14;
const hybrid = 3;

/** The header at `at`. How long it is, is known when it is read: a second reading takes as much as a header may have. */
export async function readHeader(window: Window, at: number, end: number): Promise<Header> {
  const short = await window.read(at, Math.min(firstReadBytes, end - at));
  try {
    return headerOf(short, at);
  } catch (error) {
    if (!(error instanceof Fault) || end - at <= firstReadBytes) throw error;
    return headerOf(await window.read(at, Math.min(limits.pageHeaderBytes, end - at)), at);
  }
}

function headerOf(bytes: Uint8Array, at: number): Header {
  const thrift = new Thrift(bytes);
  const said: { -readonly [key in keyof Header]: Header[key] } = {
    type: -1,
    storedBytes: -1,
    inflatedBytes: -1,
    values: 0,
    encoding: -1,
    areLevelsHybrid: true,
    repetitionBytes: 0,
    definitionBytes: 0,
    isCompressed: true,
    end: 0,
  };
  const needsHybrid = () => (said.areLevelsHybrid = thrift.integer() === hybrid && said.areLevelsHybrid);
  const values = () => (said.values = checked('a number of values in a page', thrift.integer(), limits.valuesOfPage));
  const encoding = () => (said.encoding = thrift.integer());
  thrift.struct({
    1: () => (said.type = thrift.integer()),
    2: () => (said.inflatedBytes = checked('an inflated page', thrift.integer(), limits.pageBytes)),
    3: () => (said.storedBytes = checked('a page', thrift.integer(), limits.pageBytes)),
    5: () => thrift.struct({ 1: values, 2: encoding, 3: needsHybrid, 4: needsHybrid }, 1),
    7: () => thrift.struct({ 1: values, 2: encoding }, 1),
    8: () =>
      thrift.struct(
        {
          1: values,
          4: encoding,
          5: () => (said.definitionBytes = checked('a length of levels', thrift.integer(), limits.pageBytes)),
          6: () => (said.repetitionBytes = checked('a length of levels', thrift.integer(), limits.pageBytes)),
          7: (_, type) => (said.isCompressed = isTrue(type)),
        },
        1,
      ),
  });
  checked('a page', said.storedBytes, limits.pageBytes);
  checked('an inflated page', said.inflatedBytes, limits.pageBytes);
  return { ...said, end: at + thrift.at };
}
