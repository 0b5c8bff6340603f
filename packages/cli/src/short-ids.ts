/** `run_` and 32 digits, of which the first 12 are its time. */
const isLong = (id: string): boolean => /^[a-z]+_[0-9a-f]{32}$/.test(id);

const leastDigits = 8;
/** To the millisecond of its time: enough where an id stands by itself. */
const digitsByItself = 12;

const shortened = (id: string, digits: number): string => id.slice(0, id.indexOf('_') + 1 + digits);

/** An id that stands by itself. */
export const shortId = (id: string): string => (isLong(id) ? shortened(id, digitsByItself) : id);

/** Each id of a list by as much of it as no other of the list has. */
export function shortIds(ids: readonly string[]): (id: string) => string {
  const whole = [...new Set(ids)].filter(isLong).sort();
  return (id) => {
    if (!isLong(id)) return id;
    const at = whole.indexOf(id);
    const shared = [whole[at - 1], whole[at + 1]].map((other) => (other === undefined ? 0 : sharedLength(id, other)));
    return shortened(id, Math.max(leastDigits, Math.max(...shared) - id.indexOf('_')));
  };
}

function sharedLength(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return length;
}
