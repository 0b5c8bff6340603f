import { Fault } from '@serin/core/base/fault';
import { encodeText } from '@serin/core/base/json';
import { type Bucket, ownBucket } from '@serin/core/ports/bucket';

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
