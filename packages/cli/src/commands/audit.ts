import type { Json } from '@serin/core/json';
import { argument, type Command, clientOf, show, textOption } from '../invocation.ts';
import { table } from '../table.ts';

/** Goes through all pages of streams; exit code 1 when a chain is broken. */
export const verify: Command = async (invocation) => {
  const client = await clientOf(invocation);
  const stream = textOption(invocation, 'stream');
  const problems: Json[] = [];
  let [streams, entries] = [0, 0];
  let cursor: string | undefined;
  do {
    const page = await client.get('/v1/audit/verify', { stream, cursor });
    streams += Number(page.streams ?? 0);
    entries += Number(page.entries ?? 0);
    if (Array.isArray(page.problems)) problems.push(...page.problems);
    cursor = typeof page.next === 'string' ? page.next : undefined;
  } while (cursor !== undefined);
  const ok = problems.length === 0;
  const summary = `${entries} entries of ${streams} streams checked: ${ok ? 'whole' : `${problems.length} broken`}\n`;
  show(invocation, { ok, streams, entries, problems }, () =>
    ok ? summary : `${summary}${table(problems, { STREAM: 'stream', PROBLEM: 'problem' }, invocation.terminal)}`,
  );
  return ok ? 0 : 1;
};

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
