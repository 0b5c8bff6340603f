import { labelShape } from '@serin/core/label-file';
import type { LabelAnswer } from '@serin/core/ports';
import { instant } from '@serin/core/time';
import { z } from 'zod';
import type { Api } from '../options.ts';
import { type Route, route } from '../route.ts';
import { inModel, labelAnswer, labelTotals } from '../shapes.ts';

const batch = z.strictObject({ labels: z.array(labelShape).min(1).max(1000) });
/** One label, or several: checked as what it is, so that what is wrong is said of the very label and field. */
const oneOrMore = z
  .unknown()
  .transform((given, context) => {
    const isBatch = typeof given === 'object' && given !== null && 'labels' in given;
    const read = isBatch ? batch.safeParse(given) : labelShape.safeParse(given);
    if (read.success) return 'labels' in read.data ? read.data.labels : [read.data];
    for (const { path, message } of read.error.issues) context.addIssue({ code: 'custom', path, message });
    return z.NEVER;
  })
  .meta(described());

const file = z.looseObject({ file: z.string(), at: z.string(), reasons: z.array(z.string()) });

/** What the document says of a body whose schema alone does not say it. */
function described(): Readonly<Record<string, unknown>> {
  const { $schema: _, ...rest } = z.toJSONSchema(z.union([labelShape, batch]), { io: 'input' });
  return rest;
}

/**
 * Outcomes of requests. A label names a request, and a request belongs to any model, so a token that is scoped to models
 * may send none: what it may not see it must not decide.
 */
export const labelRoutes = ({ ports }: Api): readonly Route[] => [
  route({
    method: 'post',
    path: '/v1/labels',
    summary: 'outcomes of requests that an endpoint answered: one label, or up to 1,000; twice is once',
    role: 'operator',
    scope: 'project',
    body: oneOrMore,
    maxBytes: 4_000_000,
    answers: {
      200: {
        description: 'recorded, durably; for each label, in order, what became of it',
        schema: z.object({
          results: z.array(z.object({ requestId: z.string(), status: labelAnswer })),
          totals: labelTotals,
        }),
      },
    },
    async handle({ body }) {
      const answers = await ports.telemetry.label(body);
      const results = body.map(({ requestId }, index) => ({ requestId, status: answers[index] }));
      return { status: 200, body: { results, totals: totalsOf(answers) } };
    },
  }),
  route({
    method: 'get',
    path: '/v1/models/{model}/labels',
    summary: 'how many labels of a model came to what, and its last files of labels',
    role: 'viewer',
    scope: 'models',
    params: inModel,
    answers: {
      200: {
        description: 'labels of unknown requests belong to no model and are in the totals of all; files newest first',
        schema: z.object({ model: z.string(), totals: labelTotals, files: z.array(file) }),
      },
    },
    async handle({ project, params: { model } }) {
      const { state } = await project.model(model);
      const files = Object.values(state.labels?.files ?? {}).reverse();
      const body = {
        model,
        totals: await ports.telemetry.labelTotals(model),
        files: files.map(({ at, ...rest }) => ({ ...rest, at: instant(at) })),
      };
      return { status: 200, body };
    },
  }),
];

function totalsOf(answers: readonly LabelAnswer[]): Record<LabelAnswer, number> {
  const totals = { recorded: 0, duplicate: 0, conflict: 0, unknown: 0, late: 0 };
  for (const answer of answers) totals[answer] += 1;
  return totals;
}
