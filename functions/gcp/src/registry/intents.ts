import { decodeText, encodeText } from '@serin/core/base/json';
import { minute } from '@serin/core/base/time';
import type { Bucket } from '@serin/core/ports/bucket';
import { notYet } from '@serin/platform/faults';
import type { Google } from '../calls/google.ts';
import { progressOf } from '../calls/operations.ts';
import { gcpFault } from '../faults.ts';

/** What was begun under a key. */
interface Intent {
  /** 0: nothing is under way. */
  readonly at: number;
  readonly operation?: string;
}

/** So long after a call that was not answered, what it began may still show. */
const unknownMs = 10 * minute;

/**
 * One upload at a time under a key, for Vertex AI takes no key of ours for a second version. An intent is kept in the own
 * bucket before the call; until what became of it is known, `claim` throws `unavailable`.
 */
export function uploadIntents({ google, bucket, now }: { google: Google; bucket: Bucket; now: () => number }) {
  const text = (intent: Intent) => encodeText(JSON.stringify(intent));

  async function known(key: string): Promise<Intent> {
    const found = await bucket.read({ key, maxBytes: 10_000 });
    return found === undefined ? { at: 0 } : (JSON.parse(decodeText(found.content)) as Intent); // as written below
  }

  const set = async (key: string, intent: Intent): Promise<void> => {
    await bucket.write(key, text(intent));
  };

  return {
    /** Claims the key for one upload. Throws why an earlier one came to nothing; after that it can be claimed again. */
    async claim(key: string, doing: string): Promise<void> {
      if ((await bucket.write(key, text({ at: now() }), { ifAbsent: true })) === 'written') return;
      const { at, operation } = await known(key);
      const progress = operation === undefined ? undefined : await progressOf(google, operation);
      if (progress?.is === 'failed') {
        await set(key, { at: 0 });
        throw gcpFault(progress.error, `${doing} (${operation})`);
      }
      if (progress?.is === 'running' || now() < at + unknownMs)
        throw notYet(`${doing} is under way, or was not answered`);
      await set(key, { at: now() });
    },

    begun: (key: string, operation: string): Promise<void> => set(key, { at: now(), operation }),
    /** Nothing was begun. */
    release: (key: string): Promise<void> => set(key, { at: 0 }),
  };
}
