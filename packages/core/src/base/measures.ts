/**
 * What makes a request bad, by name: `errors`, `slower than 120 ms`. A guardrail asks for its measures. A platform
 * answers with those of them that it counts, and never with another one in their place.
 */

/** The request failed, and its caller is not to blame. Every platform counts this measure. */
export const errors = 'errors';

export const slowerThan = (ms: number): string => `slower than ${ms} ms`;

/** The threshold of a `slowerThan`, in milliseconds; `undefined` for every other measure. */
export function thresholdOf(measure: string): number | undefined {
  const ms = /^slower than (\S+) ms$/.exec(measure)?.[1];
  return ms === undefined ? undefined : Number(ms);
}

/** The values of the measures that have one. */
export function byMeasure<Value>(
  measures: readonly string[],
  read: (measure: string) => Value | undefined,
): Readonly<Record<string, Value>> {
  const found: Record<string, Value> = {};
  for (const measure of measures) {
    const value = read(measure);
    if (value !== undefined) found[measure] = value;
  }
  return found;
}
