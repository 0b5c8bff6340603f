export interface Timed {
  readonly at: number;
  readonly order: number;
}

/** A queue by time; of equal times, first in first out. */
export function heap<Item extends Timed>() {
  const items: Item[] = [];
  const before = (a: Item, b: Item): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);
  const swap = (a: number, b: number): void => {
    const [x, y] = [items[a], items[b]];
    if (x === undefined || y === undefined) return;
    items[a] = y;
    items[b] = x;
  };
  const precedes = (a: number, b: number): boolean => {
    const [x, y] = [items[a], items[b]];
    return x !== undefined && y !== undefined && before(x, y);
  };
  return {
    get size() {
      return items.length;
    },
    peek: (): Item | undefined => items[0],
    push(item: Item): void {
      items.push(item);
      for (let at = items.length - 1, up = (at - 1) >> 1; at > 0 && precedes(at, up); at = up, up = (at - 1) >> 1)
        swap(at, up);
    },
    pop(): Item | undefined {
      const top = items[0];
      const last = items.pop();
      if (last === undefined || items.length === 0) return top;
      items[0] = last;
      for (let at = 0; ; ) {
        let least = at;
        for (const child of [2 * at + 1, 2 * at + 2]) if (precedes(child, least)) least = child;
        if (least === at) return top;
        swap(at, least);
        at = least;
      }
    },
  };
}
