import { rolloutVerifier } from '@serin/core/model/rollout/verify';
import * as z from 'zod';
import { partsTo } from '../audit.ts';
import { pageQuery } from '../cursor.ts';
import type { Api } from '../options.ts';
import { type Route, route } from '../route.ts';
import { because, modelName, pageOf, rolloutId, signalAnswers, signalProblems } from '../shapes.ts';
import { paged, revised, rolloutView, rowView } from '../views.ts';
import { told } from '../visible.ts';

import { given } from './models.ts';

const verification = z.looseObject({ verified: z.boolean(), problems: z.array(z.string()), readings: z.int() });
const row = z.looseObject({ id: z.string(), model: z.string(), status: z.string() });

export const rolloutRoutes = ({ ports }: Api): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/rollouts',
    summary: 'rollouts, newest first',
    role: 'viewer',
    scope: 'models',
    query: z.strictObject({ ...pageQuery, model: modelName.optional(), status: z.string().max(30).optional() }),
    answers: {
      200: {
        description: 'a page; a filter that matches little may give an empty page with a next one',
        schema: pageOf('rollouts', row),
      },
    },
    async handle(asked) {
      const { model, status } = asked.query;
      const { items, next } = await asked.project.names(
        'rollout/',
        asked.query,
        (summary) =>
          (model === undefined || summary.model === model) && (status === undefined || summary.status === status),
      );
      return paged(asked, { body: { rollouts: items.map(({ summary }) => rowView(Object(summary))) }, next });
    },
  }),
  route({
    method: 'get',
    path: '/v1/rollouts/{id}',
    summary: 'one rollout: its steps, its evidence, its story',
    role: 'viewer',
    scope: 'models',
    params: z.object({ id: rolloutId }),
    answers: { 200: { description: 'the rollout; its ETag moves with its status', schema: row } },
    async handle(asked) {
      const { value, model, revision } = await asked.project.rollout(asked.params.id);
      // Its evidence grows between two revisions, so an unchanged ETag is no reason to answer 304.
      return revised({ header: () => undefined }, revision, rolloutView(value, model));
    },
  }),
  route({
    method: 'get',
    path: '/v1/rollouts/{id}/verification',
    summary: 'judges the rollout again from the ticks in its journal, and compares every count and certificate',
    role: 'viewer',
    scope: 'models',
    params: z.object({ id: rolloutId }),
    answers: { 200: { description: 'where record and recomputation part, if they do', schema: verification } },
    async handle({ project, params }) {
      const { model, value } = await project.rollout(params.id);
      const verifier = rolloutVerifier(value.id);
      const head = await ports.journal.head(`model/${model}`);
      if (head !== undefined) for await (const part of partsTo(head, ports.journal)) verifier.take(part);
      return { status: 200, body: verifier.outcome() };
    },
  }),
  request('pause', 'pauseRequested', 'holds the weight where it is'),
  request('resume', 'resumeRequested', 'bakes the step again'),
  request('promote', 'promoteRequested', 'gives the candidate all traffic now'),
  request('abort', 'abortRequested', 'takes all traffic back from the candidate'),
];

function request(
  verb: string,
  type: 'pauseRequested' | 'resumeRequested' | 'promoteRequested' | 'abortRequested',
  summary: string,
): Route {
  return route({
    method: 'post',
    path: `/v1/rollouts/{id}/${verb}`,
    summary,
    role: 'operator',
    scope: 'models',
    params: z.object({ id: rolloutId }),
    body: z.strictObject({ because: because.optional() }),
    answers: signalAnswers,
    problems: signalProblems,
    async handle(asked) {
      const { value, model } = await asked.project.rollout(asked.params.id);
      const signal = { type, rollout: value.id, ...given(asked.body) } as const;
      return told(
        await asked.project.tell(model, signal, asked.id, { ...asked, record: `rollout/${value.id}` }),
        `/v1/rollouts/${value.id}`,
      );
    },
  });
}
