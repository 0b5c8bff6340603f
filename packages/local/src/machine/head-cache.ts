import type { Json } from '@serin/core/base/json';
import type { Head } from '@serin/core/ports/journal';

/** The heads of streams that were read or written last, within a bound of memory. */
export interface HeadCache {
  get(stream: string): Head | undefined;
  /** Remembers a head whose state came from `ownCopy`; `characters` is the length of its JSON. */
  put(head: Head, characters: number): void;
  drop(stream: string): void;
  /**
   * A frozen copy of a value, just as its JSON would be parsed; `undefined` where that is not plain to see (a date, a
   * number that is not finite). A state shares what did not change with the one before it: parts of an own copy are not
   * copied again.
   */
  ownCopy(value: unknown): Json | undefined;
}

/** `maxCharacters` bounds the sum of the remembered states' JSON; about three times that in memory. */
export function headCache(maxCharacters: number): HeadCache {
  const kept = new Map<string, { readonly head: Head; readonly characters: number }>();
  const owned = new WeakSet<object>();
  let total = 0;

  function drop(stream: string): void {
    total -= kept.get(stream)?.characters ?? 0;
    kept.delete(stream);
  }

  function ownCopy(value: unknown): Json | undefined {
    if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : undefined; // JSON has no -0
    if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
    if (typeof value !== 'object') return undefined;
    if (owned.has(value)) return value as Json; // made by this very function
    const copy = Array.isArray(value) ? copyOfList(value) : copyOfFields(value);
    if (copy !== undefined) owned.add(Object.freeze(copy));
    return copy;
  }

  function copyOfList(list: readonly unknown[]): (object & Json) | undefined {
    const copy: Json[] = [];
    for (const item of list) {
      const own = ownCopy(item);
      if (own === undefined) return undefined;
      copy.push(own);
    }
    return copy;
  }

  function copyOfFields(fields: object): (object & Json) | undefined {
    if (Object.getPrototypeOf(fields) !== Object.prototype) return undefined;
    const copy: Record<string, Json> = {};
    for (const name of Object.keys(fields)) {
      const field: unknown = fields[name as keyof typeof fields];
      if (field === undefined) continue;
      const own = ownCopy(field);
      if (own === undefined) return undefined;
      if (name === '__proto__') Object.defineProperty(copy, name, { value: own, enumerable: true });
      else copy[name] = own;
    }
    return copy;
  }

  return {
    get: (stream) => kept.get(stream)?.head,
    put(head, characters) {
      // Of two appends in one commit the earlier one may be told last.
      if ((kept.get(head.stream)?.head.seq ?? 0) > head.seq) return;
      drop(head.stream);
      kept.set(head.stream, { head: Object.freeze(head), characters });
      total += characters;
      for (const oldest of kept.keys()) {
        if (total <= maxCharacters) break;
        drop(oldest);
      }
    },
    drop,
    ownCopy,
  };
}
