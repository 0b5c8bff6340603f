/** So many of so many. */
export interface Share {
  readonly count: number;
  readonly of: number;
}

export const shareOf = ({ count, of }: Share): number => (of === 0 ? 0 : count / of);

/**
 * At most how probable it is that rows of one distribution fall so: as many as `now`, and as few as `before`.
 *
 * Given how many there are together, the count of one side is hypergeometric, and exp(-n KL) bounds its tail for any
 * sizes (Hoeffding 1963, theorem 1 and section 6). Both sides say the same event, so the smaller bound holds.
 */
export function chanceOfMore(now: Share, before: Share): number {
  const [p, q] = [shareOf(before), shareOf(now)];
  if (now.of === 0 || before.of === 0 || q <= p) return 1;
  const pooled = (now.count + before.count) / (now.of + before.of);
  return Math.exp(-Math.max(now.of * divergence(q, pooled), before.of * divergence(p, pooled)));
}

/**
 * At most how probable it is that so many of new rows lie outside the range of the rows before: they are then the `j`
 * largest and the `count - j` smallest of all, for some `j`.
 */
export function chanceOutside({ count, of }: Share, before: number): number {
  return count === 0 ? 1 : Math.min(1, (count + 1) * (of / (of + before)) ** count);
}

/** Kullback-Leibler divergence of two coins; 0 ln 0 is 0. */
function divergence(a: number, b: number): number {
  const part = (x: number, y: number): number => (x <= 0 ? 0 : x * Math.log(x / y));
  return Math.max(0, part(a, b) + part(1 - a, 1 - b));
}
