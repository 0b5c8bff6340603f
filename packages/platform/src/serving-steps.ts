import { decodeText, encodeText } from '@serin/core/base/json';
import type { Bucket } from '@serin/core/ports/bucket';

/** Where the last step that was begun for an endpoint is kept: in the own bucket. */
export interface StepNotes<Step> {
  last(endpoint: string): Promise<Step | undefined>;
  note(endpoint: string, step: Step): Promise<void>;
  forget(endpoint: string): Promise<void>;
}

/** Notes of steps, for a platform that finds an operation by its name only. */
export function stepNotes<Step extends { readonly kind: string }>(bucket: Bucket): StepNotes<Step> {
  const keyOf = (endpoint: string): string => `serving/${endpoint}.json`;
  const write = async (endpoint: string, said: Step | Record<never, never>): Promise<void> => {
    await bucket.write(keyOf(endpoint), encodeText(JSON.stringify(said)));
  };

  return {
    async last(endpoint) {
      const found = await bucket.read({ key: keyOf(endpoint), maxBytes: 10_000 });
      const said = JSON.parse(found === undefined ? '{}' : decodeText(found.content)) as Partial<Step>; // as written above
      return said.kind === undefined ? undefined : (said as Step);
    },

    note: write,
    forget: (endpoint) => write(endpoint, {}),
  };
}
