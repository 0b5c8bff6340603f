/** One line of the table: what was promised, what was measured, and beside what. */
export interface Measure {
  readonly what: string;
  readonly goal: string;
  readonly got: string;
  /** The same machine, in the same run: what the figure is to be read against. */
  readonly beside: string;
  readonly met: boolean;
}

/** Smallest value that `share` of the values do not exceed; 0 of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);

/** How long a piece of work takes, `times` times over, in milliseconds. */
export async function timed(times: number, work: (index: number) => unknown): Promise<readonly number[]> {
  const taken: number[] = [];
  for (let index = 0; index < times; index += 1) {
    const begun = performance.now();
    await work(index);
    taken.push(performance.now() - begun);
  }
  return taken;
}

export const ms = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;
export const count = (value: number): string => Math.round(value).toLocaleString('en-GB');
