import { chainProblem } from '@serin/core/entry';
import { Fault } from '@serin/core/fault';
import type { Entry, Journal } from '@serin/core/ports';
import * as z from 'zod';
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
  problems: z.array(z.object({ stream: z.string(), problem: z.string() })),
  next: z.string().optional(),
});

const written = z.object({ entries: z.array(z.looseObject({ seq: z.int() })), next: z.string().optional() });

/** Streams that no index lists. */
const unlisted = ['project', 'access'];

export const auditRoutes = ({ ports }: Api): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/audit/verify',
    summary: 'checks that no entry of the journal was changed, taken out or put in',
    role: 'viewer',
    scope: 'models',
    query: z.strictObject({ cursor: pageQuery.cursor, stream: z.string().min(1).max(1024).optional() }),
    answers: { 200: { description: 'what was checked, up to 200 streams; go on with `next`', schema: report } },
    async handle(asked) {
      const { stream, cursor } = asked.query;
      const { streams, next } =
        stream === undefined
          ? await streamsOf(asked.project, cursor, asked.caller.models === undefined)
          : { streams: [await one(ports.journal, asked.project, stream)] };
      const checked = await Promise.all(
        streams.map(async (name) => ({ stream: name, ...(await verify(ports.journal, name)) })),
      );
      const problems = checked.flatMap(({ stream: name, problem }) =>
        problem === undefined ? [] : [{ stream: name, problem }],
      );
      const entries = checked.reduce((sum, { count }) => sum + count, 0);
      return paged(asked, { body: { ok: problems.length === 0, streams: streams.length, entries, problems }, next });
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
  throw new Problem('malformed', `'${cursor}' is no cursor of this list: use the one of its last page`);
}

/** A stream from its first entry on. */
export async function wholeStream(journal: Journal, stream: string): Promise<readonly Entry[]> {
  const pages: (readonly Entry[])[] = [];
  for (let before: number | undefined; before === undefined || before > 1; ) {
    const page = await journal.history(stream, before, entriesPerRead);
    pages.push(page);
    const oldest = page.at(-1);
    if (oldest === undefined) break;
    before = oldest.seq;
  }
  return pages.flat().reverse();
}

async function streamsOf(project: Visible, cursor: string | undefined, whole: boolean) {
  const { items, next } = await project.names('', { cursor, limit: 200 });
  const listed = items.map(({ stream }) => stream);
  return { streams: whole && cursor === undefined ? [...unlisted, ...listed] : listed, next };
}

/** A stream that the caller may see; of a run or rollout its model decides. */
async function one(journal: Journal, project: Visible, stream: string): Promise<string> {
  const head = await journal.head(stream);
  const owner = head === undefined ? undefined : ownerOf(stream, Object(head.state));
  if (owner === undefined) project.whole();
  if (head === undefined || (owner !== undefined && !project.sees(owner)))
    throw new Fault('notFound', `there is no stream '${stream}'`);
  return stream;
}

const entriesPerRead = 500;

/** From the head back to the first entry, a page at a time. */
async function verify(
  journal: Journal,
  stream: string,
): Promise<{ readonly count: number; readonly problem?: string }> {
  const head = await journal.head(stream);
  if (head === undefined) return { count: 0 };
  let [expected, before, count] = [head.hash, head.seq + 1, 0];
  while (before > 1) {
    const page: readonly Entry[] = (await journal.history(stream, before, entriesPerRead)).toReversed();
    const [first, last] = [page[0], page.at(-1)];
    if (first === undefined || last?.seq !== before - 1)
      return { count, problem: `${stream}: entry ${before - 1} is missing` };
    if (last.hash !== expected)
      return { count, problem: `${stream}: entry ${last.seq} is not the one that follows it chains to` };
    const problem = chainProblem(page, first.previousHash, first.seq - 1);
    if (problem !== undefined) return { count, problem };
    [expected, before, count] = [first.previousHash, first.seq, count + page.length];
  }
  return expected === '' ? { count } : { count, problem: `${stream}: its first entry chains to one that is missing` };
}
