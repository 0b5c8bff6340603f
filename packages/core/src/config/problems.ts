import type * as z from 'zod';

export interface ConfigProblem {
  /** `models.fraud.data.settle.quiet` */
  readonly path: string;
  readonly message: string;
  readonly value?: unknown;
}

/** The problems that one issue of the schema means, in words for a person. */
export function problemsOf(issue: z.core.$ZodIssue, input: unknown): ConfigProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: pathText([...issue.path, key]),
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
        path: pathText(issue.path),
        message: `is not a name that can be used; rename it: ${issue.issues[0]?.message ?? ''}`,
      },
    ];
  const value = valueAt(input, issue.path);
  if (issue.code === 'invalid_type' && value === undefined)
    return [{ path: pathText(issue.path), message: `is missing; give it a value of the type ${issue.expected}` }];
  return [{ path: pathText(issue.path), message: issue.message, ...(value === undefined ? {} : { value }) }];
}

const depth = (issues: readonly z.core.$ZodIssue[]): number => Math.max(0, ...issues.map((issue) => issue.path.length));
const pathText = (path: readonly PropertyKey[]): string => path.map(String).join('.') || '(the config)';

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    input,
  );
}
