import { createHash } from 'node:crypto';
import { Fault } from '@serin/core/base/fault';
import type { Bucket, ObjectInfo } from '@serin/core/ports/bucket';
import { pageOf } from './pages.ts';
import type { Sync } from './sync.ts';

/** A bucket in memory; versions are digests of the content, and only the newest is kept. */
export function memoryBucket(): Sync<Bucket> {
  const objects = new Map<string, ObjectInfo & { readonly content: Buffer }>();
  let writes = 0;

  return {
    list(prefix, cursor) {
      const rows = [...objects.values()]
        .filter(({ key }) => key.startsWith(prefix))
        .map(({ content: _, ...info }) => info);
      return pageOf(rows, cursor, 1000);
    },
    read({ key, version, from = 0, maxBytes }) {
      checkKey(key);
      const object = objects.get(key);
      if (object === undefined || (version !== undefined && version !== object.version)) return undefined;
      const content = Buffer.from(object.content.subarray(from, from + maxBytes));
      return { ...object, content, truncated: object.bytes > from + content.length };
    },
    write(key, given, condition) {
      checkKey(key);
      if (condition?.ifAbsent && objects.has(key)) return 'exists';
      const content = Buffer.from(given);
      const version = createHash('sha256').update(content).digest('hex');
      writes += 1;
      objects.set(key, { key, version, bytes: content.length, written: String(writes), content });
      return 'written';
    },
  };
}

/** A name that was never created: every method says so. */
export function absentBucket(name: string): Sync<Bucket> {
  const refuse = (): never => {
    throw new Fault('notFound', `there is no bucket '${name}'`);
  };
  return { list: refuse, read: refuse, write: refuse };
}

function checkKey(key: string): void {
  if (key === '' || Buffer.byteLength(key) > 1024 || !key.isWellFormed())
    throw new Fault('invalid', 'a key is 1 to 1,024 bytes of well-formed text');
}
