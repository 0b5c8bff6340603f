import type { Client, Document } from '../client.ts';
import { type Command, clientOf, type Invocation, show } from '../invocation.ts';
import { table, textOf } from '../table.ts';
import { isDocument } from '../wait.ts';
import { modelsOf, statusFrame } from '../watching/status-frame.ts';
import { watched } from '../watching/watch.ts';

/** On a pipe a model is a line, with everything that a list of models has. */
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

/** With `--watch` it goes on: in place on a terminal, as lines on a pipe, as NDJSON with `--json`. */
export const status: Command = async (invocation) => {
  const client = await clientOf(invocation);
  const { terminal, options } = invocation;
  let rollouts = new Map<string, Document>();
  const look = async (): Promise<Document> => {
    const document = await client.get('/v1/status');
    if (terminal.width !== undefined && !terminal.json) rollouts = await rolloutsOf(client, document);
    return document;
  };
  const frame = (seen: Document, now: number) => statusFrame(seen, rollouts, now, terminal);
  if (options.watch !== true) {
    const document = await look();
    show(invocation, document, () =>
      terminal.width === undefined ? whole(document, invocation) : frame(document, Date.now()),
    );
    return 0;
  }
  await watched(invocation, {
    what: 'the project',
    look,
    isOver: () => false,
    frame,
    changes: (seen, before) => (before === undefined ? whole(seen, invocation) : changes(before, seen)),
    endless: true,
  });
  return 0;
};

/** The counts of so many rollouts are shown at once. */
const mostRollouts = 5;

async function rolloutsOf(client: Client, document: Document): Promise<Map<string, Document>> {
  const going = modelsOf(document).flatMap(({ rollout }) =>
    isDocument(rollout) &&
    typeof rollout.id === 'string' &&
    rollout.endedAt === undefined &&
    rollout.status !== 'promoted'
      ? [rollout.id]
      : [],
  );
  const found = await Promise.all(
    going.slice(0, mostRollouts).map(async (id) => [id, await client.get(`/v1/rollouts/${id}`)] as const),
  );
  return new Map(found);
}

function whole(document: Document, { terminal }: Invocation): string {
  const models = modelsOf(document);
  const frozen = isDocument(document.freeze) ? `  frozen: ${textOf('freeze', document.freeze)}` : '';
  const head = [
    document.project,
    document.environment,
    document.revision === undefined ? undefined : `revision ${document.revision}`,
  ].filter((part) => part !== undefined && part !== null && part !== '');
  const body = models.length === 0 ? "no models yet; 'serin release' makes them\n" : table(models, columns, terminal);
  const notes = models.flatMap((row) =>
    ['unready', 'data', 'untold']
      .filter((name) => typeof row[name] === 'string')
      .map((name) => `${textOf('model', row.model)}: ${textOf(name, row[name])}\n`),
  );
  const more = document.next === undefined || document.next === null ? '' : "there are more: 'serin models list'\n";
  const clock = typeof document.clock === 'string' ? `clock: ${document.clock}\n` : '';
  return `${head.join('  ')}${frozen}\n${clock}${body}${notes.join('')}${more}`;
}

/** A line for each model that changed. */
function changes(before: Document, now: Document): string {
  const known = new Map(modelsOf(before).map((row) => [row.model, JSON.stringify(row)]));
  return modelsOf(now)
    .filter((row) => known.get(row.model) !== JSON.stringify(row))
    .map((row) => {
      const { at, model, ...rest } = row;
      return `${textOf('at', at)}  ${textOf('model', model)}  ${textOf('', rest)}\n`;
    })
    .join('');
}
