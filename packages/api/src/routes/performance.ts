import { instant } from '@serin/core/base/time';
import { classMeasures, errorMeasures, lossOf } from '@serin/core/drift/outcomes';
import { type LossWindow, limitOf, type Performance } from '@serin/core/model/performance/performance';
import { performanceText } from '@serin/core/model/performance/text';
import type { Model } from '@serin/core/model/state';
import * as z from 'zod';

const share = z.number();
/** With the limits between which the true value is in 95 % of all cases. */
const measured = z.object({ value: share, low: share, high: share });

/** What labels say of the champion. Absent in a document: the config does not ask for it. */
export const performanceSchema = z.looseObject({
  sentence: z.string(),
  status: z.enum(['off', 'maturing', 'counting']),
  version: z.int().optional(),
  positive: z.string().optional(),
  limit: share.optional(),
  windows: z.array(
    z.looseObject({
      from: z.string(),
      to: z.string(),
      version: z.int(),
      predictions: z.int(),
      labels: z.int(),
      losses: z.int(),
      loss: share,
      low: share,
      high: share,
      limit: share.optional(),
      evidence: z.number().optional(),
      truths: z
        .looseObject({
          lacks: z.enum(['labels', 'coverage', 'positives']).optional(),
          precision: measured.optional(),
          recall: measured.optional(),
          mae: measured.optional(),
          rmse: measured.optional(),
        })
        .optional(),
      alarm: z.boolean(),
    }),
  ),
});

/** The open window and the last 60 that were judged, oldest first; `undefined`: the config does not ask for it. */
export function performanceView(state: Model, now: number) {
  const { performance, plan } = state;
  if (plan.monitor.performance === undefined) return undefined;
  const sentence = performanceText(state, now);
  if (performance === undefined) return { sentence, status: 'off' as const, windows: [] };
  const { positive } = plan.monitor.performance;
  return { sentence, positive, limit: limitOf(performance, plan), ...stateView(performance) };
}

function stateView({ status, version, from, until, outcomes, incident, because, windows }: Performance) {
  return {
    ...{ status, version, because, window: { from: instant(from), until: instant(until), ...outcomes } },
    incident: incident && {
      ...incident,
      ...{ since: instant(incident.since), at: instant(incident.at), newsAt: instant(incident.newsAt) },
    },
    windows: windows.map(windowView),
  };
}

function windowView({ from, to, lost, isAlarm, ...window }: LossWindow) {
  const { value, low, high } = lossOf({ ...window, lost });
  const truths = classMeasures({ ...window, lost }) ?? errorMeasures({ ...window, lost });
  return { ...window, from: instant(from), to: instant(to), loss: value, low, high, truths, alarm: isAlarm === true };
}
