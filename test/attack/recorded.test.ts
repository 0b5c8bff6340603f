import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { seriesReader } from '../../packages/core/src/model/rollout/series.ts';
import { verifyRollout } from '../../packages/core/src/model/rollout/verify.ts';
import type { Entry } from '../../packages/core/src/ports/journal.ts';

interface Recorded {
  readonly id: string;
  readonly entries: readonly Entry[];
}

/** Journals as the code wrote them under edition 2 of the judge's rules. */
const recorded: Readonly<Record<string, Recorded>> = JSON.parse(
  gunzipSync(readFileSync(new URL('recorded/edition-2.json.gz', import.meta.url))).toString(),
);

test.each(['slow', 'mirrored', 'promoted', 'sticky', 'off'])(
  'a rollout that was judged by older rules is not judged again, and the verification says so: %s',
  (name) => {
    const { id, entries } = recorded[name] ?? { id: '', entries: [] };
    const reader = seriesReader(id);
    reader.take(entries);

    expect(verifyRollout(entries, id).problems).toEqual([
      `${id} began under older rules (edition 2), which this version does not judge again`,
    ]);
    expect(reader.series()).toBeUndefined();
  },
);
