import { isLongId, shortenedId } from '@serin/core/base/ids';

const leastDigits = 8;

/** Each id of a list by as much of it as no other of the list has. */
export function shortIds(ids: readonly string[]): (id: string) => string {
  const whole = [...new Set(ids)].filter(isLongId).sort();
  return (id) => {
    if (!isLongId(id)) return id;
    const at = whole.indexOf(id);
    const shared = [whole[at - 1], whole[at + 1]].map((other) => (other === undefined ? 0 : sharedLength(id, other)));
    return shortenedId(id, Math.max(leastDigits, Math.max(...shared) - id.indexOf('_')));
  };
}

function sharedLength(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return length;
}
