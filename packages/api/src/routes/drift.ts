import { decodeText } from '@serin/core/base/json';
import { defined } from '@serin/core/base/objects';
import { instant } from '@serin/core/base/time';
import { daysText } from '@serin/core/drift/days';
import { histogramOf } from '@serin/core/drift/histogram';
import type { ColumnCounts, Reference, ReferenceColumn, WindowCounts } from '@serin/core/drift/reference';
import { shortName } from '@serin/core/drift/report';
import { readNamed, referenceKey, windowKey } from '@serin/core/engine/stored';
import type { Drift } from '@serin/core/model/drift/drift';
import { answersText, driftText } from '@serin/core/model/drift/text';
import type { Model } from '@serin/core/model/state';
import { ownBucket } from '@serin/core/ports/bucket';
import * as z from 'zod';
import type { Api } from '../options.ts';
import { type Route, route } from '../route.ts';
import { inModel } from '../shapes.ts';
import { estimateSchema, estimateView } from './estimate.ts';
import { performanceSchema, performanceView } from './performance.ts';

const columnsShown = 30;

const shares = z.array(z.number());
const column = z.looseObject({
  name: z.string(),
  kind: z.enum(['number', 'category', 'plain']),
  size: z.number().optional(),
  evidence: z.number(),
  missing: z.tuple([z.number(), z.number()]),
  outside: z.number(),
  histogram: z
    .object({
      bounds: shares.optional(),
      values: z.array(z.string()).optional(),
      reference: shares,
      live: shares,
    })
    .optional(),
});
const drift = z.looseObject({
  model: z.string(),
  sentence: z.string(),
  status: z.enum(['off', 'collecting', 'counting', 'judging']),
  version: z.int().optional(),
  answers: z.looseObject({ sentence: z.string(), compared: z.boolean(), rows: z.int() }).optional(),
  days: z.string().optional(),
  columns: z.array(column),
  windows: z.array(
    z.object({
      from: z.string(),
      to: z.string(),
      rows: z.int(),
      evidence: z.number(),
      threshold: z.number(),
      size: z.number(),
      alarms: z.array(z.string()),
    }),
  ),
  estimate: estimateSchema.optional(),
  performance: performanceSchema.optional(),
});

export const driftRoutes = ({ ports, now }: Api): readonly Route[] => {
  const read = (key: string, maxBytes: number) => ports.bucket(ownBucket).read({ key, maxBytes });
  /** By digest; `undefined`: it is gone. */
  async function stored<Kind>(key: string): Promise<Kind | undefined> {
    const content = await readNamed(read, key);
    return content === undefined ? undefined : (JSON.parse(decodeText(content)) as Kind);
  }

  return [
    route({
      method: 'get',
      path: '/v1/models/{model}/drift',
      summary:
        'how live requests differ from the training data of the champion, and what labels say of it: windows, columns, the incidents',
      role: 'viewer',
      scope: 'models',
      params: inModel,
      answers: {
        200: {
          description:
            'the columns of the last window that changed most, with the shares of the reference and of the window; the last 60 windows, oldest first; `sentence` says all in one line, and `days` what is known of seasons; `performance`, where the config asks for it, the same of labels, with precision and recall, or mean errors, in `truths` of a window; `estimate`, where it asks for that, what is expected without labels, which is not measured. The column `(answers)` is what the model answers, against its own first answers',
          schema: drift,
        },
      },
      async handle({ project, params }) {
        const { state } = await project.model(params.model);
        const performance = performanceView(state, now());
        const known = defined({ estimate: estimateView(state), performance });
        const about = { model: state.model, sentence: driftText(state, now()), ...known };
        if (state.drift === undefined)
          return { status: 200, body: { ...about, status: 'off', columns: [], windows: [] } };
        const { answers } = state.drift;
        const [reference, counts, firstAnswers, lastAnswers] = await Promise.all([
          stored<Reference>(referenceKey(state.drift.reference)),
          state.drift.counts === undefined ? undefined : stored<WindowCounts>(windowKey(state.drift.counts)),
          answers?.reference === undefined ? undefined : stored<Reference>(referenceKey(answers.reference)),
          answers?.counts === undefined ? undefined : stored<WindowCounts>(windowKey(answers.counts)),
        ]);
        const counted = new Map([...knownOf(reference, counts), ...knownOf(firstAnswers, lastAnswers)]);
        const columns = columnsOf(state.drift, counted);
        const days = reference?.days && daysText(reference.days);
        const view = { ...driftView(state.drift), ...defined({ days }), answers: answersView(state) };
        return { status: 200, body: { ...about, ...view, columns } };
      },
    }),
  ];
};

function driftView({ status, version, from, until, incident, windows, because, uncalibrated }: Drift) {
  return {
    ...{ status, version, window: { from: instant(from), until: instant(until) }, because, uncalibrated },
    incident: incident && {
      ...incident,
      ...{ since: instant(incident.since), at: instant(incident.at), newsAt: instant(incident.newsAt) },
    },
    windows: windows.map(({ estimate: _, from, to, ...window }) => ({
      ...window,
      from: instant(from),
      to: instant(to),
    })),
  };
}

/** Whether the answers are compared, and with how many of which time. */
function answersView(state: Model) {
  const sentence = answersText(state);
  if (sentence === undefined) return undefined;
  const { since, until, rows = 0, reference } = state.drift?.answers ?? {};
  const time = since === undefined || until === undefined ? {} : { from: instant(since), until: instant(until) };
  return { sentence, compared: reference !== undefined, rows, ...time };
}

type Known = readonly [ReferenceColumn, ColumnCounts | undefined];

const knownOf = (reference: Reference | undefined, counts: WindowCounts | undefined) =>
  (reference?.columns ?? []).map((each, index): readonly [string, Known] => [
    shortName(each.name),
    [each, counts?.columns[index]],
  ]);

function columnsOf({ columns = [] }: Drift, known: ReadonlyMap<string, Known>) {
  return columns.slice(0, columnsShown).map((seen) => {
    const [before, live] = known.get(seen.name) ?? [];
    const histogram = before === undefined || live === undefined ? undefined : histogramOf(before, live);
    const outside = live === undefined || live.rows === 0 ? 0 : live.outside / live.rows;
    return { ...seen, kind: before?.kind ?? 'plain', outside, ...(histogram === undefined ? {} : { histogram }) };
  });
}
