import * as z from 'zod';
import { day, durationForm, parseDuration, parseSize, sizeForm } from '../base/time.ts';
import { platforms } from './platforms.ts';

/** A refinement of a field, from a function that says what is wrong with its value; `undefined`: nothing. */
export const refusing =
  <Value>(problemOf: (value: Value) => string | undefined) =>
  (value: Value, context: z.RefinementCtx<Value>): void => {
    const problem = problemOf(value);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  };

/** Text that a program can be given, as an argument or in a variable. */
export const given = z.string().refine((value) => !value.includes('\0'), {
  error: 'has a NUL character, which a program cannot be given: remove it',
});
export const text = given.min(1).max(4096);
export const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, {
  error: 'use lower-case letters, digits and hyphens, a letter first, at most 63 characters',
});
export const tenYears = 10 * 366 * day;

const durationError = "write a duration such as '30s', '10m', '4h' or '7d'";
const sizeError = "write a size such as '512MB' or '2GB'";

/** The author's: durations and sizes as text, code as folders. */
export const authorsForms = {
  duration: z
    .string({ error: durationError })
    .meta({ pattern: durationForm.source })
    .refine((given) => parseDuration(given) !== undefined, { error: durationError })
    .transform((given) => parseDuration(given) ?? 0)
    .refine((ms) => ms <= tenYears, { error: 'use at most 3660d' }),
  size: z
    .string({ error: sizeError })
    .meta({ pattern: sizeForm.source })
    .refine((given) => parseSize(given) !== undefined, { error: sizeError })
    .transform((given) => parseSize(given) ?? 0),
  code: text.describe('a folder beside the config, hashed and stored at release'),
  image: z.union([text, z.partialRecord(z.enum(platforms), text)]),
};
export type Forms = typeof authorsForms;
