import { Fault } from '@serin/core/base/fault';
import type { Outcome } from '@serin/core/engine/outcome';
import { publish } from '@serin/core/engine/published';
import { modelIn } from '@serin/core/inbound/fact';
import { withKnownEnds } from '@serin/core/model/monitor/monitor';
import * as z from 'zod';
import { cloudEventMedia, readCloudEvents } from '../cloud-events.ts';
import { pageQuery } from '../cursor.ts';
import { dataSchemas, signalsOfEvent } from '../incoming.ts';
import type { Api, EventLog } from '../options.ts';
import { Problem } from '../problem.ts';
import { type Answer, type Route, route } from '../route.ts';
import { tokenOf } from '../session.ts';
import { countText } from '../shapes.ts';
import { eventStream } from '../sse.ts';
import { paged } from '../views.ts';

const result = z.object({ id: z.string(), model: z.string(), outcome: z.string(), because: z.string().optional() });
export const results = z.object({ results: z.array(result) });
/** What one request publishes again. */
const maxReplayed = 1000;

export const eventRoutes = (api: Api): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/events',
    summary: 'what Serin announces: server-sent events, or a page of them with Accept: application/json',
    role: 'viewer',
    scope: 'models',
    query: z.strictObject({
      after: countText.optional(),
      before: z.union([z.literal('now'), countText]).optional(),
      limit: pageQuery.limit,
    }),
    answers: {
      200: {
        description:
          'from Last-Event-ID or `after` on; without either: new ones. As a page with `before` (a position, or `now`): the newest first',
        media: 'text/event-stream',
      },
    },
    problems: [501],
    handle(asked) {
      if (api.events === undefined)
        throw new Problem(
          'notImplemented',
          'this installation does not keep its events; read them from the bus of its cloud',
        );
      const last = asked.header('last-event-id');
      if (last !== undefined && !/^\d{1,15}$/.test(last))
        throw new Problem('malformed', 'the Last-Event-ID is not a position of this stream; begin without it');
      const { after, before, limit = 50 } = asked.query;
      const sees = ({ data }: { readonly data: unknown }) => asked.project.sees(String(Object(data).model));
      if (asked.header('accept')?.includes('application/json')) {
        if (before !== undefined) return newestFirst(api.events, { before, limit, sees }, asked);
        const found = api.events.read(after ?? 0, limit);
        const next = found.length < limit ? undefined : String(found.at(-1)?.position);
        return paged(asked, { body: { events: found.filter(({ event }) => sees(event)) }, next }, 'after');
      }
      const from = last === undefined ? (after ?? api.events.last()) : Number(last);
      return {
        status: 200,
        body: eventStream(api.events, from, sees, api.heartbeatMs ?? 15_000, async () => {
          const token = tokenOf(asked.header);
          return token !== undefined && (await api.access.callerOf(token)) !== undefined;
        }),
        headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' },
      };
    },
  }),
  route({
    method: 'post',
    path: '/v1/events',
    summary: `takes CloudEvents: ${Object.keys(dataSchemas).join(', ')}, and the alarms of other tools that a model lists in alerts.types`,
    role: 'operator',
    scope: 'models',
    media: [cloudEventMedia.structured, cloudEventMedia.batch, 'application/json'],
    answers: {
      200: { description: 'nothing to do: each was ignored or repeated', schema: results },
      202: { description: 'committed; of a batch each event by itself', schema: results },
    },
    problems: [409, 415],
    handle: (asked) => takeEvents(api, asked),
  }),
  route({
    method: 'post',
    path: '/v1/events/replay',
    summary: 'publishes the recorded events of a stream again, under their own ids',
    role: 'operator',
    scope: 'models',
    body: z.strictObject({
      stream: z.string().regex(/^model\/[a-z][a-z0-9-]{0,62}$/),
      from: z.int().min(1),
      to: z.int().min(1).optional(),
    }),
    answers: { 200: { description: 'published', schema: z.object({ from: z.int(), to: z.int() }) } },
    async handle({ project, body }) {
      const { seq } = await project.model(body.stream.slice('model/'.length));
      const to = Math.min(body.to ?? seq, seq);
      if (body.from > to)
        throw new Fault(
          'invalid',
          `the stream ${body.stream} has no entry from ${body.from} to ${to}; name a range that it has`,
        );
      if (to - body.from >= maxReplayed)
        throw new Fault('invalid', `more than ${maxReplayed} entries cannot be replayed at once; set \`to\``);
      const { ports, source } = api;
      await publish(body.from - 1, to, { ports, source, stream: body.stream });
      return { status: 200, body: { from: body.from, to } };
    },
  }),
];

/** Events before a position, the newest first. Positions may have gaps, so a page may hold less than its limit. */
function newestFirst(
  log: EventLog,
  given: {
    readonly before: number | 'now';
    readonly limit: number;
    readonly sees: (event: { readonly data: unknown }) => boolean;
  },
  asked: Parameters<typeof paged>[0],
): Answer {
  const { before, limit, sees } = given;
  const end = before === 'now' ? log.last() + 1 : Math.min(before, log.last() + 1);
  const start = Math.max(0, end - 1 - limit);
  const found = log.read(start, limit).filter(({ position, event }) => position < end && sees(event));
  return paged(asked, { body: { events: found.reverse() }, next: start > 0 ? String(start + 1) : undefined }, 'before');
}

type Results = z.infer<typeof results>['results'];

/** All events are read and routed before the first is committed: a batch that is not understood changes nothing. */
async function takeEvents(api: Api, asked: Parameters<Route['handle']>[0]): Promise<Answer> {
  const events = readCloudEvents(asked.header, asked.raw);
  const config = await api.config();
  if (config === undefined) throw new Problem('refused', 'the project has no config yet; release one first');
  const { project } = asked;
  const each = [];
  for (const event of events) {
    const found = await signalsOfEvent(event, config, api.now(), project.sees);
    const visible = found.filter(({ stream }) => project.sees(modelIn(stream)));
    if (visible.length === 0)
      throw new Fault(
        'notFound',
        `the event '${event.id}' is for no model that this token may see; use a token of its model, or correct the event`,
      );
    each.push(...visible.map((addressed) => ({ event: event.id, ...addressed })));
  }
  const rows: Results = [];
  for (const { event, stream, signal, id = event } of withKnownEnds(each, ({ stream }) => stream))
    rows.push(resultOf(event, modelIn(stream), await project.tell(modelIn(stream), signal, id)));
  return answerOf(rows);
}

/** What the rows of one request are answered with; when each was refused, that is the answer. */
export function answerOf(rows: Results): Answer {
  const refused = rows.find(({ outcome }) => outcome === 'refused');
  if (refused !== undefined && rows.every(({ outcome }) => outcome === 'refused'))
    throw new Problem('refused', refused.because ?? 'refused');
  return { status: rows.some(({ outcome }) => outcome === 'accepted') ? 202 : 200, body: { results: rows } };
}

/** What one signal came to, as a row. */
export function resultOf(id: string, model: string, outcome: Outcome): Results[number] {
  const kind = outcome.kind !== 'moved' ? outcome.kind : outcome.because === undefined ? 'accepted' : 'ignored';
  return { id, model, outcome: kind, ...(outcome.because === undefined ? {} : { because: outcome.because }) };
}
