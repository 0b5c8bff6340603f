const heights = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/**
 * A row of at most `most` bars; neighbours are taken together. Each row has a scale of its own: shapes are compared, and
 * sizes are numbers. `undefined`: there is nothing to show.
 */
export function barsOf(shares: readonly number[] = [], most: number): string | undefined {
  const highest = Math.max(0, ...shares);
  if (highest === 0) return undefined;
  const each = Math.ceil(shares.length / most);
  const bars = Array.from({ length: Math.ceil(shares.length / each) }, (_, index) =>
    Math.max(...shares.slice(index * each, (index + 1) * each)),
  );
  return `|${bars.map((share) => heights[share > 0 ? Math.max(1, Math.round((share / highest) * 8)) : 0]).join('')}|`;
}
