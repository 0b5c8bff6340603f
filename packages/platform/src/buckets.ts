import { Fault } from '@serin/core/base/fault';
import { encodeText } from '@serin/core/base/json';
import { type Bucket, type ObjectContent, ownBucket } from '@serin/core/ports/bucket';
import { notYet } from './faults.ts';

/** The buckets of a cloud by their real names, each made once; `ownBucket` names the project's own one, too. */
export function bucketsBy(own: string, make: (name: string) => Bucket): (name: string) => Bucket {
  const known = new Map<string, Bucket>();
  return (name) => {
    const real = name === ownBucket ? own : name;
    const bucket = known.get(real) ?? make(real);
    known.set(real, bucket);
    return bucket;
  };
}

/** `invalid` for a key that a store cannot have, or would keep as another one. */
export function checkKey(key: string, maxBytes: number): void {
  const bytes = encodeText(key).length;
  if (key.isWellFormed() && bytes > 0 && bytes <= maxBytes) return;
  const shown = JSON.stringify(key.slice(0, 100));
  throw new Fault('invalid', `${shown} cannot be a key; use 1 to ${maxBytes} bytes of valid Unicode`);
}

/** An object of which the content is not the one that the store has a checksum of; `what` names it. */
export const damaged = (what: string): Fault => notYet(`other bytes came than are stored under ${what}`);

/** Bytes of an object that are asked for. */
export interface Extent {
  readonly from: number;
  readonly limit: number;
}

export const extentOf = ({ from = 0, maxBytes }: Pick<Parameters<Bucket['read']>[0], 'from' | 'maxBytes'>): Extent => ({
  from: Math.max(0, Math.trunc(from)),
  limit: Math.max(0, Math.trunc(maxBytes)),
});

/** The header that asks for them: of one byte at least, because there is no header for none. */
export const rangeOf = ({ from, limit }: Extent): string => `bytes=${from}-${from + Math.max(1, limit) - 1}`;

/** What came of an object from `from` on, up to `limit` bytes; `unavailable` where less came than was asked for. */
export function contentUpTo(
  { from, limit }: Extent,
  { content, bytes, ...more }: Omit<ObjectContent, 'truncated'>,
  what: string,
): ObjectContent {
  if (content.length < Math.min(bytes - from, limit)) throw notYet(`only a part came of ${what}`);
  const kept = content.subarray(0, limit);
  return { ...more, bytes, content: kept, truncated: bytes > from + kept.length };
}
