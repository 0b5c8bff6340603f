import { asFault, Fault } from '@serin/core/base/fault';
import type { Journal } from '@serin/core/ports/journal';
import * as z from 'zod';
import { type AuditedStream, auditStream, unlistedStreams } from '../audit.ts';
import { pageQuery } from '../cursor.ts';
import type { Api } from '../options.ts';
import { Problem } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { paged } from '../views.ts';
import { ownerOf, type Visible } from '../visible.ts';

const report = z.object({
  ok: z.boolean(),
  streams: z.int(),
  entries: z.int(),
  /** Of each stream without a problem: its name, the number of its newest entry, and that entry's hash. */
  heads: z.array(z.tuple([z.string(), z.int(), z.string()])),
  problems: z.array(z.object({ stream: z.string(), problem: z.string() })),
  next: z.string().optional(),
});

const written = z.object({ entries: z.array(z.looseObject({ seq: z.int() })), next: z.string().optional() });

export const auditRoutes = ({ ports }: Api): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/audit/verify',
    summary:
      'checks that no entry was changed, taken out or put in, and that the states that act are what entries come to',
    // It reads everything there is: not for whoever may only look.
    role: 'operator',
    scope: 'models',
    query: z.strictObject({ cursor: pageQuery.cursor, stream: z.string().min(1).max(1024).optional() }),
    answers: { 200: { description: 'what was checked, up to 200 streams; go on with `next`', schema: report } },
    async handle(asked) {
      const { stream, cursor } = asked.query;
      const whole = asked.caller.models === undefined;
      const { streams, next, problem } =
        stream === undefined
          ? await streamsOf(asked.project, cursor, whole)
          : { streams: [whole ? stream : await one(ports.journal, asked.project, stream)] };
      const verified: AuditedStream[] = [];
      for (const name of streams) verified.push(await auditStream(ports.journal, name));
      if (stream !== undefined && verified.every(({ entries, problem }) => entries === 0 && problem === undefined))
        throw new Fault('notFound', `there is no stream '${stream}'; 'serin audit verify' lists what there is`);
      const problems = verified.flatMap((each) =>
        each.problem === undefined ? [] : [{ stream: each.stream, problem: each.problem }],
      );
      if (problem !== undefined) problems.push({ stream: 'names', problem });
      const heads = verified.flatMap(({ head }) => (head === undefined ? [] : [head]));
      const entries = verified.reduce((sum, each) => sum + each.entries, 0);
      const body = { ok: problems.length === 0, streams: streams.length, entries, heads, problems };
      return paged(asked, { body, next });
    },
  }),
  route({
    method: 'get',
    path: '/v1/audit/entries',
    summary: 'entries of one stream as they were written, oldest first; configs in them show their environments',
    role: 'admin',
    scope: 'models',
    query: z.strictObject({ cursor: pageQuery.cursor, stream: z.string().min(1).max(1024) }),
    answers: { 200: { description: 'up to 500 entries; go on with `next`', schema: written } },
    problems: [400],
    async handle(asked) {
      const stream = await one(ports.journal, asked.project, asked.query.stream);
      const after = seqOf(asked.query.cursor);
      const read = await ports.journal.history(stream, after + entriesPerRead + 1, entriesPerRead);
      // At the end of the stream the newest that there are come again.
      const entries = read.filter(({ seq }) => seq > after).reverse();
      const last = entries.at(-1)?.seq ?? 0;
      return paged(asked, { body: { entries }, next: entries.length < entriesPerRead ? undefined : String(last) });
    },
  }),
];

function seqOf(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw new Problem('malformed', `the cursor '${cursor}' does not belong to this list; use the one of its last page`);
}

async function streamsOf(
  project: Visible,
  cursor: string | undefined,
  whole: boolean,
): Promise<{ readonly streams: readonly string[]; readonly next?: string; readonly problem?: string }> {
  const first = whole && cursor === undefined ? unlistedStreams : [];
  try {
    const { items, ...next } = await project.names('', { cursor, limit: 200 });
    return { streams: [...first, ...items.map(({ stream }) => stream)], ...next };
  } catch (error) {
    // A row of the index that cannot be read: what it lists is not known, but it is known that it is damaged.
    const { code, message } = asFault(error);
    if (code !== 'defect') throw error;
    return { streams: first, problem: message };
  }
}

/** A stream that the caller may see; of a run or rollout its model decides. */
async function one(journal: Journal, project: Visible, stream: string): Promise<string> {
  const head = await journal.head(stream);
  const owner = head === undefined ? undefined : ownerOf(stream, Object(head.state));
  if (owner === undefined) project.whole();
  if (head === undefined || (owner !== undefined && !project.sees(owner)))
    throw new Fault('notFound', `there is no stream '${stream}'; 'serin audit verify' lists what there is`);
  return stream;
}

const entriesPerRead = 500;
