import { readFileSync } from 'node:fs';
import type { Json } from '@serin/core/base/json';
import { checkOn, rootOf, uncheckedStream } from '@serin/core/ports/entry';
import type { Entry } from '@serin/core/ports/journal';
import type { Client } from '../client.ts';
import { Failure } from '../failure.ts';
import { argument, type Command, clientOf, type Invocation, show, textOption } from '../invocation.ts';
import { linesOf } from '../ndjson.ts';
import { table } from '../table.ts';

/** The name of a stream, the number of its newest entry, and that entry's hash. */
type StreamHead = readonly [string, number, string];

interface Report {
  readonly streams: number;
  readonly entries: number;
  readonly heads: readonly StreamHead[];
  readonly problems: readonly Json[];
}

/**
 * Checks all streams by the server, or exported ones by themselves; exit code 1 when something was changed.
 *
 * It prints one root hash over all of them. What `--json` wrote once can be held `--against` a later journal: each of
 * its streams must still be there, and go on from where it was.
 */
export const verify: Command = async (invocation) => {
  const found = await reportOf(invocation);
  const ok = found.problems.length === 0;
  const root = rootOf(found.heads);
  const summary = `${found.entries} entries of ${found.streams} streams checked: ${ok ? `whole\nroot ${root}` : `${found.problems.length} broken`}\n`;
  show(invocation, { ok, ...found, root }, () =>
    ok ? summary : `${summary}${table(found.problems, { STREAM: 'stream', PROBLEM: 'problem' }, invocation.terminal)}`,
  );
  return ok ? 0 : 1;
};

async function reportOf(invocation: Invocation): Promise<Report> {
  const [file, against] = [textOption(invocation, 'file'), textOption(invocation, 'against')];
  if (file !== undefined) return exported(file);
  const client = await clientOf(invocation);
  const found = await byServer(client, textOption(invocation, 'stream'));
  if (against === undefined) return found;
  return { ...found, problems: [...found.problems, ...(await sinceThen(client, headsIn(against), found.heads))] };
}

async function byServer(client: Client, stream: string | undefined): Promise<Report> {
  const problems: Json[] = [];
  const heads: StreamHead[] = [];
  let [streams, entries] = [0, 0];
  let cursor: string | undefined;
  do {
    const page = await client.get('/v1/audit/verify', { stream, cursor });
    streams += Number(page.streams ?? 0);
    entries += Number(page.entries ?? 0);
    if (Array.isArray(page.problems)) problems.push(...page.problems);
    if (Array.isArray(page.heads)) heads.push(...(page.heads as unknown as StreamHead[])); // the server's own schema
    cursor = typeof page.next === 'string' ? page.next : undefined;
  } while (cursor !== undefined);
  return { streams, entries, heads, problems };
}

/** Streams of an export, each from its first entry on. */
function exported(file: string): Report {
  const streams = new Map<string, Entry[]>();
  for (const entry of linesOf(file, 'serin audit export <stream>') as readonly Entry[])
    streams.set(entry.stream, [...(streams.get(entry.stream) ?? []), entry]);
  const heads: StreamHead[] = [];
  const problems: Json[] = [];
  let entries = 0;
  for (const [stream, written] of streams) {
    const checked = checkOn(uncheckedStream, written);
    entries += written.length;
    if ('problem' in checked) problems.push({ stream, problem: checked.problem });
    else heads.push([stream, checked.seq, checked.hash]);
  }
  return { streams: streams.size, entries, heads, problems };
}

function headsIn(file: string): readonly StreamHead[] {
  try {
    const { heads } = JSON.parse(readFileSync(file, 'utf8')) as { readonly heads?: unknown };
    if (Array.isArray(heads)) return heads as readonly StreamHead[];
  } catch (error) {
    throw notARoot(file, error);
  }
  throw notARoot(file);
}

const notARoot = (file: string, cause?: unknown): Failure =>
  new Failure(2, `${file} is not a record of 'serin audit verify'`, {
    why: cause instanceof Error ? cause.message : 'it lists no streams',
    mend: 'name a file that `serin audit verify --json > file` wrote, or the backup.json of a backup',
    cause,
  });

/** Streams that are gone, end earlier, or are another one up to where they were. */
async function sinceThen(client: Client, then: readonly StreamHead[], now: readonly StreamHead[]): Promise<Json[]> {
  const heads = new Map(now.map((head) => [head[0], head]));
  const problems: Json[] = [];
  for (const [stream, seq, hash] of then) {
    const problem = await changeOf(client, [stream, seq, hash], heads.get(stream));
    if (problem !== undefined) problems.push({ stream, problem });
  }
  return problems;
}

async function changeOf(
  client: Client,
  [stream, seq, hash]: StreamHead,
  now: StreamHead | undefined,
): Promise<string | undefined> {
  if (now === undefined) return 'it was there before, and is not there whole now';
  if (now[1] < seq) return `it had ${seq} entries before, and has ${now[1]} now`;
  const found = now[1] === seq ? now[2] : await hashAt(client, stream, seq);
  return found === hash ? undefined : `entry ${seq} is not the one that was there before: its history was rewritten`;
}

async function hashAt(client: Client, stream: string, seq: number): Promise<unknown> {
  const { entries } = await client.get('/v1/audit/entries', { stream, cursor: String(seq - 1) });
  return (entries as readonly { readonly hash?: unknown }[])[0]?.hash;
}

/** Entries as they were written, oldest first: what `rollouts verify --file` reads. */
export const exportStream: Command = async (invocation) => {
  const client = await clientOf(invocation);
  const stream = argument(invocation, 0);
  let cursor: string | undefined;
  do {
    const page = await client.get('/v1/audit/entries', { stream, cursor });
    for (const entry of Array.isArray(page.entries) ? page.entries : [])
      invocation.terminal.out(`${JSON.stringify(entry)}\n`);
    cursor = typeof page.next === 'string' ? page.next : undefined;
  } while (cursor !== undefined);
  return 0;
};
