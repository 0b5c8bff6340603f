import { setTimeout as pause } from 'node:timers/promises';
import type { Document } from '../client.ts';
import { type Command, clientOf, type Invocation, show } from '../invocation.ts';
import { table, textOf } from '../table.ts';
import { isDocument } from '../wait.ts';

const columns = {
  MODEL: 'model',
  CHAMPION: 'champion',
  RUN: 'run.status',
  ROLLOUT: 'rollout.status',
  CANDIDATE: 'rollout.candidate',
  ENDPOINT: 'endpoint',
  INTAKE: 'intake',
  OFFERED: 'offered',
  HOLDS: 'holds',
  FIRING: 'firing',
  AT: 'at',
};
const lookMs = 1_000;

/** With `--watch`: each state that differs from the one before, as NDJSON with `--json`. */
export const status: Command = async (invocation) => {
  const client = await clientOf(invocation);
  const { signal, options, terminal } = invocation;
  let before = await client.get('/v1/status');
  show(invocation, before, () => whole(before, invocation));
  while (options.watch === true && !signal.aborted) {
    await pause(lookMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    const now = await client.get('/v1/status');
    if (terminal.json && JSON.stringify(now) !== JSON.stringify(before)) terminal.out(`${JSON.stringify(now)}\n`);
    if (!terminal.json) terminal.out(changes(before, now));
    before = now;
  }
  return signal.aborted ? 130 : 0;
};

function whole(document: Document, { terminal }: Invocation): string {
  const models = rows(document);
  const frozen = isDocument(document.freeze)
    ? `  ${terminal.paint('yellow', `frozen: ${textOf('freeze', document.freeze)}`)}`
    : '';
  const head = [
    document.project,
    document.environment,
    document.revision === undefined ? undefined : `revision ${document.revision}`,
  ].filter((part) => part !== undefined && part !== null && part !== '');
  const body = models.length === 0 ? "no models yet; 'serin release' makes them\n" : table(models, columns, terminal);
  const notes = models.flatMap((row) =>
    ['unready', 'data', 'untold']
      .filter((name) => typeof row[name] === 'string')
      .map((name) => `${terminal.paint('yellow', `${textOf('model', row.model)}: ${textOf(name, row[name])}`)}\n`),
  );
  const more = document.next === undefined || document.next === null ? '' : "there are more: 'serin models list'\n";
  const clock = typeof document.clock === 'string' ? `${terminal.paint('yellow', `clock: ${document.clock}`)}\n` : '';
  return `${terminal.paint('bold', head.join('  '))}${frozen}\n${clock}${body}${notes.join('')}${more}`;
}

/** A line for each model that changed. */
function changes(before: Document, now: Document): string {
  const known = new Map(rows(before).map((row) => [row.model, JSON.stringify(row)]));
  return rows(now)
    .filter((row) => known.get(row.model) !== JSON.stringify(row))
    .map((row) => {
      const { at, model, ...rest } = row;
      return `${textOf('at', at)}  ${textOf('model', model)}  ${textOf('', rest)}\n`;
    })
    .join('');
}

const rows = ({ models }: Document): readonly Document[] => {
  const items = isDocument(models) ? models.items : models;
  return Array.isArray(items) ? items.filter(isDocument) : [];
};
