/**
 * What makes a request bad, by name: `errors`, `slower than 120 ms`. A guardrail asks for its measures, a platform answers
 * with those that it counts, and nobody takes one for another.
 */

/** The request failed, and not by its caller's fault: the one measure that every platform counts. */
export const errors = 'errors';

export const slowerThan = (ms: number): string => `slower than ${ms} ms`;

/** The threshold of a `slowerThan`, in milliseconds; `undefined` for every other measure. */
export function thresholdOf(measure: string): number | undefined {
  const ms = /^slower than (\S+) ms$/.exec(measure)?.[1];
  return ms === undefined ? undefined : Number(ms);
}

/** A value for each measure; one without a value is not there. */
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
