import type { JobDescription } from '../ports/jobs.ts';

/** Of a file of metrics. */
export const maxMetricsBytes = 1024 * 1024;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isWord = (value: unknown): value is string => typeof value === 'string' && value.startsWith('\0');

/** What a job measured. */
export interface Measured {
  readonly metrics: Readonly<Record<string, number>>;
  /** Why a metric, or a whole file of them, was not taken: by name, the first ten. */
  readonly unread: Readonly<Record<string, string>>;
}
export const nothingMeasured: Measured = { metrics: {}, unread: {} };
const keptReasons = 10;

/** Of a file of metrics that is too large to be read. */
export const tooLarge = (file: string): Measured => ({
  ...{ metrics: {}, unread: { [file]: `it is larger than ${maxMetricsBytes} bytes` } },
});

/** The part of a description that says what was measured. */
export const describedBy = ({ metrics, unread }: Measured): Pick<JobDescription, 'metrics' | 'unread'> => ({
  metrics,
  ...(Object.keys(unread).length === 0 ? {} : { unread }),
});

/** If both sources have a metric the first wins. */
export function measuredBy(first: Measured, second: Measured): Measured {
  const unread = Object.entries({ ...second.unread, ...first.unread }).filter(([name]) => !(name in first.metrics));
  return {
    metrics: { ...second.metrics, ...first.metrics },
    unread: Object.fromEntries(unread.slice(0, keptReasons)),
  };
}

/**
 * Names and values as numbers; text may be a number. A metric that no gate names never fails a job that was paid for.
 */
export function measured(values: Iterable<readonly [string, unknown]>, where: string): Measured {
  const metrics = new Map<string, number>();
  const unread = new Map<string, string>();
  for (const [name, value] of values) {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number === 'number' && Number.isFinite(number)) metrics.set(name, number);
    else if (unread.size < keptReasons) unread.set(name, `it is ${saidOf(value)} in ${where}`);
  }
  return { metrics: Object.fromEntries(metrics), unread: Object.fromEntries(unread) };
}

function saidOf(value: unknown): string {
  if (isWord(value)) return value.slice(1);
  return typeof value === 'string' ? `the text ${JSON.stringify(value.slice(0, 40))}` : String(value);
}

/**
 * The metrics of a file, flat or nested in SageMaker's form. A file that cannot be read is in `unread`, by its name.
 */
export function metricsIn(file: string, text: string): Measured {
  const values = parsed(text);
  if (typeof values === 'string') return { metrics: {}, unread: { [file]: values } };
  return measured(
    Object.entries(values).flatMap(([name, value]): (readonly [string, unknown])[] => {
      if (!isObject(value)) return [[name, value]];
      // SageMaker's evaluation.json: {"regression_metrics": {"mse": {"value": 4.9, "standard_deviation": 2.2}}}
      return Object.entries(value).flatMap(([metric, detail]) =>
        isObject(detail) && 'value' in detail ? [[metric, detail.value] as const] : [],
      );
    }),
    file,
  );
}

/** JSON as Python writes it, with the words NaN and Infinity, which are marked so that an error can name them. */
function parsed(text: string): object | string {
  const words = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g;
  const marked = text.replace(words, (part) => (part.startsWith('"') ? part : `"\\u0000${part}"`));
  let value: unknown;
  try {
    value = JSON.parse(marked);
  } catch (error) {
    return `it is not JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
  return isObject(value) && !Array.isArray(value) ? value : 'it is not an object of names and numbers';
}
