import { Fault } from '@serin/core/base/fault';
import { instant } from '@serin/core/base/time';
import type { OutsideSignal } from '@serin/core/model/protocol';
import { deploymentName, type Version, versionOf } from '@serin/core/model/version';
import * as z from 'zod';
import { pageQuery } from '../cursor.ts';
import type { Api } from '../options.ts';
import { Problem } from '../problem.ts';
import { type Answer, type Asked, type Route, route } from '../route.ts';
import {
  because,
  countText,
  inModel,
  instantText,
  inVersion,
  numberText,
  pageOf,
  signalAnswers,
  signalProblems,
  versionNumber,
} from '../shapes.ts';
import { modelView, paged, revised, rowView, shown, versionView } from '../views.ts';
import { type SeenModel, told } from '../visible.ts';

// Typed as the other, so that both have one handler.
const onlyNote: z.ZodType<{ note?: string | undefined; override?: string | undefined }> = z.strictObject({
  note: because.optional(),
});
const logBytes = 256_000;
const modelRow = z.looseObject({ model: z.string(), champion: z.int().optional() });
const served = z.object({ at: z.string(), version: z.int().optional(), because: z.string() });

export const modelRoutes = ({ ports, now, serverLogs, serverLogsCommand }: Api): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/models',
    summary: 'models, by name',
    role: 'viewer',
    scope: 'models',
    query: z.strictObject(pageQuery),
    answers: { 200: { description: 'a page', schema: pageOf('models', modelRow) } },
    async handle(asked) {
      const { items, next } = await asked.project.names('model/', asked.query);
      return paged(asked, { body: { models: items.map(({ summary }) => rowView(Object(summary))) }, next });
    },
  }),
  route({
    method: 'get',
    path: '/v1/models/{model}',
    summary: 'one model: what serves, what is under way, its plan',
    role: 'viewer',
    scope: 'models',
    params: inModel,
    answers: {
      200: {
        description: 'the model; its revision as ETag',
        schema: z.looseObject({ model: z.string(), seq: z.int() }),
      },
      304: { description: 'not newer than If-None-Match' },
    },
    async handle(asked) {
      const { seq, state } = await asked.project.model(asked.params.model);
      return revised(asked, seq, modelView(state, seq, now()));
    },
  }),
  route({
    method: 'get',
    path: '/v1/models/{model}/history',
    summary: 'what served when; with `at` the one version that served then',
    role: 'viewer',
    scope: 'models',
    params: inModel,
    query: z.strictObject({ at: instantText.optional() }),
    answers: {
      200: { description: 'newest first, the last 50 changes', schema: z.object({ served: z.array(served) }) },
    },
    async handle({ project, params, query }) {
      const { state } = await project.model(params.model);
      const changes = state.served.map(({ at, ...rest }) => ({ at: instant(at), ...rest })).reverse();
      if (query.at === undefined) return { status: 200, body: { served: changes } };
      const then = Date.parse(query.at);
      const found = changes.find(({ at }) => Date.parse(at) <= then);
      if (found === undefined)
        throw new Fault(
          'notFound',
          `it is not known what served '${params.model}' at ${query.at}; choose a later time`,
        );
      return { status: 200, body: { served: [found] } };
    },
  }),
  route({
    method: 'get',
    path: '/v1/models/{model}/entries',
    summary: 'the journal of a model, newest first',
    role: 'viewer',
    scope: 'models',
    params: inModel,
    query: z.strictObject({ before: numberText.optional(), limit: pageQuery.limit }),
    answers: {
      200: { description: 'a page', schema: pageOf('entries', z.looseObject({ seq: z.int(), hash: z.string() })) },
    },
    async handle(asked) {
      const { model } = asked.params;
      await asked.project.model(model);
      const { before, limit = 50 } = asked.query;
      const entries = await ports.journal.history(`model/${model}`, before, limit);
      const last = entries.at(-1)?.seq ?? 1;
      const next = last > 1 ? String(last) : undefined;
      const rows = entries.map((entry) => ({ ...entry, at: instant(entry.at) }));
      return paged(asked, { body: { entries: shown(rows) }, next }, 'before');
    },
  }),
  route({
    method: 'get',
    path: '/v1/models/{model}/logs',
    summary: 'what the server of a model wrote: from a byte on, or its last bytes',
    role: 'viewer',
    scope: 'models',
    params: inModel,
    query: z.strictObject({
      version: numberText.optional(),
      instance: countText.optional(),
      from: countText.optional(),
      tail: countText.optional(),
    }),
    answers: {
      200: {
        description: 'text, and the byte to go on from; of the champion, or else of the candidate',
        schema: z.object({ version: z.int(), instance: z.int(), text: z.string(), next: z.int() }),
      },
    },
    problems: [501],
    async handle({ project, params: { model }, query: { version: asked, instance = 0, from, tail } }) {
      const { state } = await project.model(model);
      const version = asked ?? state.champion ?? state.rollout?.candidate;
      if (version === undefined)
        throw new Fault(
          'notFound',
          `nothing of '${model}' is served yet; see with 'serin why ${model}' what it waits for`,
        );
      const deployment = deploymentName(version);
      if (serverLogs === undefined)
        throw new Problem(
          'notImplemented',
          'this installation does not keep the logs of its model servers; read them with the tools of its cloud',
          { errors: commandOf(serverLogsCommand?.(model, deployment)) },
        );
      const start =
        from !== undefined ? { from } : tail !== undefined ? { tail: Math.min(tail, logBytes) } : { from: 0 };
      const log = await serverLogs({ model, deployment, instance }, start, logBytes);
      if (log === undefined)
        throw new Fault(
          'notFound',
          `v${version} of ${model} has no server ${instance} here; name a version that 'serin endpoints get ${model}' lists`,
        );
      return { status: 200, body: { version, instance, ...log } };
    },
  }),
  route({
    method: 'post',
    path: '/v1/models/{model}/rollback',
    summary: 'takes an active rollout back, or goes back to an earlier champion',
    role: 'operator',
    scope: 'models',
    params: inModel,
    body: z.strictObject({ to: versionNumber.optional(), because: because.optional() }),
    answers: signalAnswers,
    problems: signalProblems,
    async handle(asked) {
      const { project, params, body, id } = asked;
      await project.model(params.model);
      const signal = { type: 'rollbackRequested', ...given(body) } as const;
      return told(await project.tell(params.model, signal, id, asked), `/v1/models/${params.model}`);
    },
  }),
  route({
    method: 'get',
    path: '/v1/models/{model}/versions',
    summary: 'versions that are kept: the newest twenty, and those in use',
    role: 'viewer',
    scope: 'models',
    params: inModel,
    answers: {
      200: { description: 'newest first', schema: z.object({ versions: z.array(z.looseObject({ number: z.int() })) }) },
    },
    async handle({ project, params }) {
      const { state } = await project.model(params.model);
      const versions = Object.values(state.versions).sort((a, b) => b.number - a.number);
      return { status: 200, body: { versions: versions.map((version) => versionView(version, state)) } };
    },
  }),
  route({
    method: 'get',
    path: '/v1/models/{model}/versions/{number}',
    summary: 'one version: metrics, verdict, approval, lineage',
    role: 'viewer',
    scope: 'models',
    params: inVersion,
    answers: {
      200: {
        description: 'the version; the revision of its model as ETag',
        schema: z.looseObject({ number: z.int() }),
      },
      304: { description: 'not newer than If-None-Match' },
    },
    async handle(asked) {
      const seen = await asked.project.model(asked.params.model);
      return revised(asked, seen.seq, versionView(known(seen, asked.params.number), seen.state));
    },
  }),
  decision('approve', 'says yes to an offered version; with `override`, although alerts fire'),
  decision('reject', 'says no to an offered version'),
  route({
    method: 'post',
    path: '/v1/models/{model}/versions/{number}/restore',
    summary: 'lifts the quarantine of a version, if it has one, and offers it again',
    role: 'approver',
    scope: 'models',
    params: inVersion,
    body: z.strictObject({ because }),
    answers: signalAnswers,
    problems: signalProblems,
    handle: (asked) => tellOf(asked, { type: 'restoreRequested', version: asked.params.number, ...asked.body }),
  }),
];

function decision(verb: 'approve' | 'reject', summary: string): Route {
  return route({
    method: 'post',
    path: `/v1/models/{model}/versions/{number}/${verb}`,
    summary,
    role: 'approver',
    scope: 'models',
    params: inVersion,
    body: verb === 'approve' ? z.strictObject({ note: because.optional(), override: because.optional() }) : onlyNote,
    answers: signalAnswers,
    problems: signalProblems,
    handle(asked) {
      const { number: version } = asked.params;
      const approved = verb === 'approve';
      return tellOf(asked, { type: 'approvalGiven', version, approved, ...given(asked.body) });
    },
  });
}

/** A command of other tools that does what this API does not. */
const commandOf = (command: string | undefined) =>
  command === undefined ? [] : [{ pointer: 'command', detail: command }];

/** Tells a model what somebody decided about one of its versions. */
async function tellOf(
  asked: Asked<z.output<typeof inVersion>, unknown, unknown>,
  signal: OutsideSignal,
): Promise<Answer> {
  const { model, number } = asked.params;
  known(await asked.project.model(model), number);
  return told(await asked.project.tell(model, signal, asked.id, asked), `/v1/models/${model}/versions/${number}`);
}

function known({ state }: SeenModel, number: number): Version {
  const version = versionOf(state.versions, number);
  if (version === undefined)
    throw new Fault(
      'notFound',
      `there is no version ${number} of ${state.model} any more; name one of 'serin versions list ${state.model}'`,
    );
  return version;
}

/** The fields that were given: a signal holds no `undefined`. */
export function given<Body extends object>(body: Body): { [Name in keyof Body]: Exclude<Body[Name], undefined> } {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined)) as never;
}
