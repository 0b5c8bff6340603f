import * as z from 'zod';
import type { CompiledConfig } from './config.ts';
import { type Forms, name, tenYears, text } from './forms.ts';
import { sinkPlans } from './notify.ts';
import { computeOf, type Door, programFields, projectOf } from './schema.ts';

/** The compiled forms: milliseconds, bytes, digests, the image of one platform, and a split that is a job. */
const forms = {
  duration: z.int().min(0).max(tenYears),
  size: z.int().min(0),
  code: z.strictObject({
    digest: z.string().regex(/^[0-9a-f]{64}$/, { error: 'give the SHA-256 of a code manifest, in hex' }),
  }),
  image: text,
  // Typed as the author's, so that both doors share the functions that make the fields.
} as unknown as Forms;

const split = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('manifest'), train: text, holdout: text }),
  z.strictObject({ kind: z.literal('job'), rule: text, ...programFields(forms), compute: computeOf(forms) }),
]);

const door = { ...forms, split, more: { project: name, notify: sinkPlans.optional() }, shared: {} };

/** The compiled config as it comes over HTTP; what is left out has the author's default. */
// The output differs from the author's in what this door differs, which is what `CompiledConfig` says.
export const compiledConfig = projectOf(door as unknown as Door) as unknown as z.ZodType<CompiledConfig>;
