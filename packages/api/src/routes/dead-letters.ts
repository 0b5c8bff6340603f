import { asFault, Fault } from '@serin/core/base/fault';
import { instant } from '@serin/core/base/time';
import { closeDeadLetter, type DeadLetter, findDeadLetter, queueStream } from '@serin/core/engine/dead-letters';
import type { Signal } from '@serin/core/engine/outcome';
import type { Journal } from '@serin/core/ports/journal';
import * as z from 'zod';
import { onlyOne } from '../beginnings.ts';
import { pageQuery } from '../cursor.ts';
import type { Api } from '../options.ts';
import { Problem } from '../problem.ts';
import { type Answer, type Route, route } from '../route.ts';
import { outcome, pageOf, signalProblems } from '../shapes.ts';
import { paged, rowView, shown } from '../views.ts';
import { told, type Visible } from '../visible.ts';

const row = z.looseObject({ id: z.string(), stream: z.string(), status: z.string() });
const letterId = z.object({ id: z.string().min(1).max(500) });

export const deadLetterRoutes = (api: Api): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/dead-letters',
    summary: 'signals that nobody could use, by id',
    role: 'operator',
    scope: 'models',
    query: z.strictObject({ ...pageQuery, status: z.enum(['waiting', 'replayed', 'discarded']).optional() }),
    answers: { 200: { description: 'a page', schema: pageOf('deadLetters', row) } },
    async handle(asked) {
      const { status } = asked.query;
      const { items, next } = await asked.project.names(
        'dead/',
        asked.query,
        (summary) => status === undefined || summary.status === status,
      );
      return paged(asked, { body: { deadLetters: items.map(({ summary }) => rowView(Object(summary))) }, next });
    },
  }),
  route({
    method: 'get',
    path: '/v1/dead-letters/{id}',
    summary: 'one signal that nobody could use, with all that it says',
    role: 'operator',
    scope: 'models',
    params: letterId,
    answers: { 200: { description: 'the dead letter; `signal` as it was sent', schema: row } },
    async handle({ project, params }) {
      const { at, schema: _, ...letter } = await find(api, project, params.id);
      return { status: 200, body: shown({ ...letter, at: instant(at) }) };
    },
  }),
  route({
    method: 'post',
    path: '/v1/dead-letters/{id}/replay',
    summary: 'sends the signal again, as its first sender',
    role: 'operator',
    scope: 'models',
    params: letterId,
    body: z.strictObject({}),
    answers: {
      200: { description: 'taken, and it changed nothing', schema: outcome },
      202: { description: 'taken', schema: outcome },
    },
    problems: signalProblems,
    async handle({ project, params, caller }) {
      const letter = await find(api, project, params.id);
      if (letter.status !== 'waiting')
        throw new Fault(
          'conflict',
          `the dead letter '${letter.id}' is already ${letter.status}; leave it, or choose another one`,
        );
      const answer = await replay(api, letter);
      // Closed after it was taken: should this fail, the core knows the signal when it is replayed again.
      await closeDeadLetter(api.ports.journal, letter.id, 'replayed', api.now(), caller.actor);
      if (letter.stream !== queueStream) api.nudge(letter.stream);
      return answer;
    },
  }),
  route({
    method: 'post',
    path: '/v1/dead-letters/{id}/discard',
    summary: 'gives the signal up; its record is kept',
    role: 'operator',
    scope: 'models',
    params: letterId,
    body: z.strictObject({}),
    answers: { 200: { description: 'discarded', schema: z.object({ id: z.string(), status: z.string() }) } },
    problems: signalProblems,
    async handle({ project, params, caller }) {
      const letter = await find(api, project, params.id);
      await closeDeadLetter(api.ports.journal, letter.id, 'discarded', api.now(), caller.actor);
      return { status: 200, body: { id: letter.id, status: 'discarded' } };
    },
  }),
];

async function replay({ engine, now, redeliver }: Api, { stream, signal }: DeadLetter): Promise<Answer> {
  if (stream === queueStream && redeliver !== undefined) {
    await redeliver(String(Object(signal).body));
    return told({ kind: 'moved', seq: 0 }, '/v1/dead-letters');
  }
  const again = { ...Object(signal), at: now() } as Signal; // buried as a signal
  return told(await engine.receive(stream, again).catch(stillDead), '/v1/dead-letters');
}

async function find({ ports }: Api, project: Visible, id: string): Promise<DeadLetter> {
  const letter = (await findDeadLetter(ports.journal, id)) ?? (await beginningSo(ports.journal, project, id));
  const model = letter?.stream.startsWith('model/') ? letter.stream.slice('model/'.length) : undefined;
  if (letter === undefined || (model !== undefined && !project.sees(model)))
    throw new Fault('notFound', `there is no dead letter '${id}'; 'serin dead-letters list' shows what there is`);
  if (model === undefined) project.whole();
  return letter;
}

/** The letter whose id begins so, if it is the only one of the caller's; fewer than four characters are a slip. */
async function beginningSo(journal: Journal, project: Visible, begin: string): Promise<DeadLetter | undefined> {
  if (begin.length < 4) return undefined;
  const { items, next } = await project.names(`dead/${begin}`, { limit: 6 });
  const ids = items.map(({ summary }) => String(Object(summary).id));
  const id = onlyOne(begin, ids, (one) => one, next !== undefined);
  return id === undefined ? undefined : findDeadLetter(journal, id);
}

/** What made it a dead letter may well do so again: that is an answer, not a defect of this request. */
function stillDead(error: unknown): never {
  const fault = asFault(error);
  throw fault.retry === 'never'
    ? new Problem('refused', `the dead letter still cannot be used; mend this first, or discard it: ${fault.message}`)
    : fault;
}
