import { gunzip, gzip } from 'node:zlib';
import { decodeText } from '@serin/core/base/json';
import { damaged, invalidAppend } from './journal-rows.ts';

const over = (work: typeof gzip | typeof gunzip, input: string | Uint8Array): Promise<Uint8Array> =>
  new Promise((resolve, reject) => work(input, (error, bytes) => (error === null ? resolve(bytes) : reject(error))));

/** How many bytes a store keeps in one of its items, documents or entities. */
export interface PackedLimit {
  readonly bytes: number;
  /** What the limit is of, with its article. */
  readonly of: string;
}

/** An entry or a state, gzipped; `invalid` when it does not fit. */
export async function packed(text: string, stream: string, what: string, limit: PackedLimit): Promise<Uint8Array> {
  const bytes = await over(gzip, text);
  if (bytes.length > limit.bytes)
    throw invalidAppend(
      stream,
      `its ${what} has ${bytes.length} bytes gzipped, more than the ${limit.bytes} of ${limit.of}`,
    );
  return bytes;
}

/** What `packed` was given, parsed; damage is named. */
export async function unpacked(bytes: Uint8Array | undefined, what: () => string): Promise<unknown> {
  try {
    return JSON.parse(decodeText(await over(gunzip, bytes ?? new Uint8Array())));
  } catch (error) {
    throw damaged(`${what()} in the journal is damaged: it cannot be unpacked`, error);
  }
}
