import type * as z from 'zod';

export interface ConfigProblem {
  /** `models.fraud.data.settle.quiet` */
  readonly path: string;
  /** The same, key by key: a key may have a dot in it. Absent: what `path` says between its dots. */
  readonly keys?: readonly PropertyKey[];
  readonly message: string;
  readonly value?: unknown;
}

/** The problems that one issue of the schema means, in words for a person. */
export function problemsOf(issue: z.core.$ZodIssue, input: unknown): ConfigProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      ...placed([...issue.path, key]),
      message: 'is not a known field (names are exact; see `serin config schema`)',
    }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const nearest = [...issue.errors].sort((a, b) => depth(b) - depth(a))[0] ?? [];
    return nearest.flatMap((inner) =>
      problemsOf({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue, input),
    );
  }
  // The name of a model or a variable: the key is wrong, not the value under it.
  if (issue.code === 'invalid_key' || issue.code === 'invalid_element')
    return [
      {
        ...placed(issue.path),
        message: `is not a name that can be used; rename it: ${issue.issues[0]?.message ?? ''}`,
      },
    ];
  const value = valueAt(input, issue.path);
  if (issue.code === 'invalid_type' && value === undefined)
    return [{ ...placed(issue.path), message: `is missing; give it a value of the type ${issue.expected}` }];
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input'))
    return [{ ...placed(issue.path), message: typeText(issue.expected, value), value }];
  return [{ ...placed(issue.path), message: issue.message, ...(value === undefined ? {} : { value }) }];
}

function typeText(expected: string, value: unknown): string {
  const quotes = expected === 'string' && ['number', 'boolean'].includes(typeof value) ? '; put it in quotes' : '';
  return `must be of the type ${expected === 'record' ? 'object' : expected}${quotes}`;
}

const depth = (issues: readonly z.core.$ZodIssue[]): number => Math.max(0, ...issues.map((issue) => issue.path.length));
const placed = (keys: readonly PropertyKey[]) => ({ path: keys.map(String).join('.') || '(the config)', keys });

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    input,
  );
}
