import { instant } from '@serin/core/base/time';
import { lossOf } from '@serin/core/drift/outcomes';
import { type LossWindow, limitOf, type Performance } from '@serin/core/model/performance/performance';
import { performanceText } from '@serin/core/model/performance/text';
import { lastTruths, truthMeasures } from '@serin/core/model/performance/truths';
import type { Model } from '@serin/core/model/state';
import * as z from 'zod';

const share = z.number();
/** With the limits between which the true value is in 95 % of all cases. */
const measured = z.object({ value: share, low: share, high: share });

/** Of one class, or of numbers; `lacks`: what is missing before anything is said. */
const truths = z.looseObject({
  lacks: z.enum(['labels', 'coverage', 'positives']).optional(),
  precision: measured.optional(),
  recall: measured.optional(),
  mae: measured.optional(),
  rmse: measured.optional(),
});

/** What labels say of the champion. Absent in a document: the config does not ask for it. */
export const performanceSchema = z.looseObject({
  sentence: z.string(),
  status: z.enum(['off', 'maturing', 'counting']),
  version: z.int().optional(),
  positive: z.string().optional(),
  limit: share.optional(),
  /** Of the last windows together, as few as say something. */
  truths: truths.extend({ windows: z.int() }).optional(),
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
      truths: truths.optional(),
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
  return {
    sentence,
    positive,
    limit: limitOf(performance, plan),
    ...stateView(performance),
    ...truthsView(performance),
  };
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

/** What the last windows say together of a class or of numbers. */
function truthsView(performance: Performance) {
  const last = lastTruths(performance);
  return last && { truths: { windows: last.windows, ...last.measures } };
}

function windowView({ from, to, lost, isAlarm, ...window }: LossWindow) {
  const { value, low, high } = lossOf({ ...window, lost });
  const truths = truthMeasures({ ...window, lost });
  return { ...window, from: instant(from), to: instant(to), loss: value, low, high, truths, alarm: isAlarm === true };
}
