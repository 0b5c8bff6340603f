import { Fault } from '@serin/core/base/fault';
import { derivedId } from '@serin/core/base/ids';
import { type StepName, stepNames, stepPlan } from '@serin/core/config/parts';
import type { Run } from '@serin/core/model/run/state';
import type { Journal } from '@serin/core/ports/journal';
import * as z from 'zod';
import { pageQuery } from '../cursor.ts';
import type { Api } from '../options.ts';
import { Problem } from '../problem.ts';
import { type Answer, type Route, route } from '../route.ts';
import {
  because,
  choices,
  countText,
  modelName,
  numberText,
  outcome,
  pageOf,
  runId,
  signalAnswers,
  signalProblems,
} from '../shapes.ts';
import { paged, revised, rowView, runView } from '../views.ts';
import { told } from '../visible.ts';
import { given } from './models.ts';

const row = z.looseObject({ id: z.string(), model: z.string(), status: z.string() });
const logBytes = 256_000;

export const runRoutes = (api: Api): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/runs',
    summary: 'runs, newest first',
    role: 'viewer',
    scope: 'models',
    query: z.strictObject({ ...pageQuery, model: modelName.optional(), status: z.string().max(30).optional() }),
    answers: {
      200: {
        description: 'a page; a filter that matches little may give an empty page with a next one',
        schema: pageOf('runs', row),
      },
    },
    async handle(asked) {
      const { model, status } = asked.query;
      const { items, next } = await asked.project.names(
        'run/',
        asked.query,
        (summary) =>
          (model === undefined || summary.model === model) && (status === undefined || summary.status === status),
      );
      return paged(asked, { body: { runs: items.map(({ summary }) => rowView(Object(summary))) }, next });
    },
  }),
  route({
    method: 'get',
    path: '/v1/runs/{id}',
    summary: 'one run',
    role: 'viewer',
    scope: 'models',
    params: z.object({ id: runId }),
    answers: { 200: { description: 'the run', schema: row }, 304: { description: 'not newer than If-None-Match' } },
    async handle(asked) {
      const { value, model, revision } = await asked.project.run(asked.params.id);
      return revised(asked, revision, runView(value, model));
    },
  }),
  route({
    method: 'get',
    path: '/v1/runs/{id}/logs',
    summary: 'the log of one of its jobs, from a byte on',
    role: 'viewer',
    scope: 'models',
    params: z.object({ id: runId }),
    query: z.strictObject({
      job: z.enum(stepNames).optional(),
      attempt: numberText.optional(),
      from: countText.optional(),
    }),
    answers: {
      200: {
        description: 'text, and the byte to go on from',
        schema: z.object({
          job: z.string(),
          attempt: z.int(),
          text: z.string(),
          next: z.int(),
          ended: z.boolean().optional(),
        }),
      },
    },
    problems: [501],
    async handle({ project, params, query }) {
      const { value: run } = await project.run(params.id);
      const track = 'job' in run ? run.job : undefined;
      const job = query.job ?? track?.part ?? endedIn(run) ?? 'train';
      const attempt = query.attempt ?? (track?.part === job ? track.attempt : 1);
      if (api.logs === undefined)
        throw new Problem(
          'notImplemented',
          'this installation does not keep the logs of its jobs; read them with the tools of its cloud',
        );
      const key = `${run.id}/${job}/${attempt}`;
      const current =
        track?.part === job && track.attempt === attempt && track.id !== undefined ? { id: track.id } : {};
      const { kind } = stepPlan(job);
      const log = await api.logs({ project: run.plan.project, key, kind, ...current }, query.from ?? 0, logBytes);
      if (log === undefined)
        throw new Fault('notFound', `the job ${key} has no log here; look at its run, it may not have started yet`);
      return { status: 200, body: { job, attempt, ...log } };
    },
  }),
  route({
    method: 'post',
    path: '/v1/runs',
    summary: 'asks for a run on the newest dataset version',
    role: 'operator',
    scope: 'models',
    body: z.strictObject({
      model: modelName,
      ...choices,
      because: because.optional(),
    }),
    answers: {
      200: { description: 'nothing to do, and why', schema: outcome },
      202: {
        description: 'begun (`run`, and its Location), or waiting behind the active run (`queued`)',
        schema: outcome.extend({ run: z.string().optional(), queued: z.boolean().optional() }),
      },
    },
    problems: signalProblems,
    async handle(asked) {
      const { project, body, id } = asked;
      const { model, because: reason, ...trigger } = body;
      await project.model(model);
      // The reason is for the journal alone, which keeps the signal as it came.
      const signal = {
        type: 'runRequested',
        trigger: { kind: 'manual', ...given(trigger) },
        ...given({ because: reason }),
      } as const;
      const answer = told(await project.tell(model, signal, id, asked), `/v1/models/${model}`);
      return answer.status === 202 ? withRun(api.ports.journal, model, answer) : answer;
    },
  }),
  route({
    method: 'post',
    path: '/v1/runs/{id}/cancel',
    summary: 'stops a run and its job',
    role: 'operator',
    scope: 'models',
    params: z.object({ id: runId }),
    body: z.strictObject({}),
    answers: signalAnswers,
    problems: signalProblems,
    async handle(asked) {
      const { model, value } = await asked.project.run(asked.params.id);
      const signal = { type: 'cancelRequested', run: value.id } as const;
      return told(
        await asked.project.tell(model, signal, asked.id, { ...asked, record: `run/${value.id}` }),
        `/v1/runs/${value.id}`,
      );
    },
  }),
];

/** The job that a run failed in: there is the reason. */
function endedIn(run: Run): StepName | undefined {
  if (run.status !== 'failed' && run.status !== 'cancelled') return undefined;
  const began = Object.entries(run.began ?? {}).sort(([, one], [, other]) => one - other);
  return began.at(-1)?.[0] as StepName | undefined; // the keys of `began`
}

/** Reads off the entry what the request came to: a run, a place in the queue, or a run with equal inputs. */
async function withRun(journal: Journal, model: string, answer: Answer): Promise<Answer> {
  const { seq } = answer.body as { readonly seq: number }; // of `told`
  const [entry] = await journal.history(`model/${model}`, seq + 1, 1);
  const patch = entry?.patch as
    | { readonly run?: { readonly id?: string } | null; readonly skipped?: { readonly because?: string } }
    | undefined;
  const id = derivedId('run', entry?.at ?? 0, model, seq);
  if (patch?.run?.id === id)
    return { ...answer, headers: { location: `/v1/runs/${id}` }, body: { ...Object(answer.body), run: id } };
  if (patch?.skipped?.because !== undefined)
    return {
      ...answer,
      status: 200,
      body: { ...Object(answer.body), outcome: 'ignored', because: patch.skipped.because },
    };
  return { ...answer, body: { ...Object(answer.body), queued: true } };
}
