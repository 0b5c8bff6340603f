import { defined } from '@serin/core/base/objects';
import { instant } from '@serin/core/base/time';
import { labelSchema, readLabel } from '@serin/core/model/labels/label';
import type { Label, LabelAnswer } from '@serin/core/ports/telemetry';
import * as z from 'zod';
import type { Api } from '../options.ts';
import { type Route, route } from '../route.ts';
import { inModel, labelAnswer, labelTotals } from '../shapes.ts';

const maxLabels = 1000;

/** One label, or several: checked as what it is, so that what is wrong is said of the very label and field. */
const oneOrMore = z
  .unknown()
  .transform((given, context) => {
    const several = labelsIn(given);
    if (several !== undefined && (several.length === 0 || several.length > maxLabels))
      context.addIssue({ code: 'custom', path: ['labels'], message: `must have 1 to ${maxLabels} labels` });
    const labels: Label[] = [];
    for (const [index, each] of (several?.slice(0, maxLabels) ?? [given]).entries()) {
      const read = readLabel(each);
      if ('label' in read) labels.push(read.label);
      else
        for (const { path, message } of read.problems)
          context.addIssue({
            code: 'custom',
            path: [...(several === undefined ? [] : ['labels', index]), ...path],
            message,
          });
    }
    return labels;
  })
  .meta({
    anyOf: [
      labelSchema,
      {
        type: 'object',
        properties: { labels: { type: 'array', items: labelSchema, minItems: 1, maxItems: maxLabels } },
        required: ['labels'],
        additionalProperties: false,
      },
    ],
  });

/** The labels of a batch: an object with `labels` alone. */
function labelsIn(given: unknown): readonly unknown[] | undefined {
  if (typeof given !== 'object' || given === null || Object.keys(given).join() !== 'labels') return undefined;
  const { labels } = given as { readonly labels: unknown };
  return Array.isArray(labels) ? labels : [];
}

const file = z.looseObject({ file: z.string(), at: z.string(), reasons: z.array(z.string()) });

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
        description:
          'recorded, durably; for each label, in order, what became of it; on a cloud a label of any request is recorded, and waits for it',
        schema: z.object({
          results: z.array(z.object({ requestId: z.string(), status: labelAnswer })),
          totals: labelTotals,
        }),
      },
    },
    async handle({ body }) {
      const answers = await ports.labels.label(body);
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
        description:
          'labels of unknown requests belong to no model and are in the totals of all; a cloud does not count labels by model, and tells no totals; files newest first',
        schema: z.object({ model: z.string(), totals: labelTotals.optional(), files: z.array(file) }),
      },
    },
    async handle({ project, params: { model } }) {
      const { state } = await project.model(model);
      const files = Object.values(state.labels?.files ?? {}).reverse();
      const body = {
        model,
        ...defined({ totals: await ports.labels.labelTotals(model) }),
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
