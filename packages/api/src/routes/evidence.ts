import { instant } from '@serin/core/base/time';
import { type EvidenceSeries, type SeriesReader, seriesReader } from '@serin/core/model/rollout/series';
import { rolloutEnded } from '@serin/core/model/rollout/state';
import type { Journal } from '@serin/core/ports/journal';
import * as z from 'zod';
import { partsTo } from '../audit.ts';
import type { Api } from '../options.ts';
import { type Route, route } from '../route.ts';
import { rolloutId } from '../shapes.ts';

const arm = z.object({ requests: z.int(), errors: z.int() });
const point = z.looseObject({
  at: z.string(),
  weight: z.number(),
  candidate: arm,
  stable: arm,
  logE: z.number(),
  guardrails: z.record(z.string(), z.number()),
  streams: z.record(z.string(), z.looseObject({ logSafe: z.number().optional() })),
});
const series = z.looseObject({
  rollout: z.string(),
  model: z.string(),
  alpha: z.number().optional(),
  beta: z.number().optional(),
  weights: z.array(z.object({ at: z.string(), weight: z.number() })),
  points: z.array(point),
});

export const evidenceRoutes = ({ ports }: Api): readonly Route[] => {
  const read = evidenceReader(ports.journal);
  return [
    route({
      method: 'get',
      path: '/v1/rollouts/{id}/evidence',
      summary: 'how a rollout was judged, tick by tick: weights, counts, evidence of harm and of safety, ratios',
      role: 'viewer',
      scope: 'models',
      params: z.object({ id: rolloutId }),
      answers: {
        200: {
          description:
            'oldest first, at most 500 points; counts since it began, natural logarithms; empty for one under rules that are not judged any more',
          schema: series,
        },
      },
      async handle({ project, params }) {
        const { model, value } = await project.rollout(params.id);
        const found = await read(model, value.id, rolloutEnded(value));
        return { status: 200, body: { rollout: value.id, model, ...evidenceView(found) } };
      },
    }),
  ];
};

function evidenceView(found: EvidenceSeries | undefined) {
  if (found === undefined) return { weights: [], points: [] };
  const { weights, points, ...rules } = found;
  return {
    ...rules,
    weights: weights.map(({ at, weight }) => ({ at: instant(at), weight })),
    points: points.map(({ at, ...rest }) => ({ at: instant(at), ...rest })),
  };
}

interface Known {
  readonly reader: SeriesReader;
  /** The entry of its model up to which it was read. */
  read: number;
  /** It was read after its end: nothing more comes. */
  isWhole: boolean;
  /** What was asked last: nobody reads the same entries twice. */
  last: Promise<EvidenceSeries | undefined>;
}

/** Somebody who looks at a rollout asks again and again. */
const rolloutsKept = 8;

/** Reads the evidence of rollouts. If one was read before, only its new entries are read. */
function evidenceReader(journal: Journal) {
  const known = new Map<string, Known>();

  async function readOn(model: string, own: Known, ended: boolean): Promise<EvidenceSeries | undefined> {
    const head = own.isWhole ? undefined : await journal.head(`model/${model}`);
    if (head !== undefined)
      for await (const part of partsTo(head, journal, own.read)) {
        own.reader.take(part);
        own.read = part.at(-1)?.seq ?? own.read;
      }
    own.isWhole ||= ended;
    return own.reader.series();
  }

  return (model: string, id: string, ended: boolean): Promise<EvidenceSeries | undefined> => {
    const own = known.get(id) ?? {
      reader: seriesReader(id),
      read: 0,
      isWhole: false,
      last: Promise.resolve(undefined),
    };
    known.delete(id);
    known.set(id, own);
    for (const oldest of known.keys()) if (known.size > rolloutsKept) known.delete(oldest);
    own.last = own.last.then(() => readOn(model, own, ended));
    own.last.catch(() => known.delete(id));
    return own.last;
  };
}
