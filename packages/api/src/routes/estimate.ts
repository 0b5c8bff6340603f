import { instant } from '@serin/core/base/time';
import { calibrationOf, estimateText } from '@serin/core/model/drift/estimate';
import type { Model } from '@serin/core/model/state';
import { versionOf } from '@serin/core/model/version';
import * as z from 'zod';

const share = z.number();

/** What is expected of the champion without labels. Absent in a document: the config does not ask for it. */
export const estimateSchema = z.looseObject({
  sentence: z.string(),
  calibration: z.object({ error: share, rows: z.number().optional() }).optional(),
  windows: z.array(
    z.looseObject({
      from: z.string(),
      to: z.string(),
      version: z.int(),
      rows: z.int(),
      accuracy: share,
      precision: share.optional(),
      recall: share.optional(),
      error: share,
      drifted: z.boolean(),
    }),
  ),
});

/** Those of the last 60 windows of which something is estimated, oldest first; `undefined`: the config does not ask for it. */
export function estimateView(state: Model) {
  const sentence = estimateText(state);
  if (sentence === undefined) return undefined;
  const windows = (state.drift?.windows ?? []).flatMap(({ from, to, estimate }) => {
    if (estimate === undefined) return [];
    const { isDrifted, ...shares } = estimate;
    return [{ from: instant(from), to: instant(to), ...shares, drifted: isDrifted === true }];
  });
  return { sentence, calibration: calibrationOf(versionOf(state.versions, state.champion)), windows };
}
