import { setTimeout as pause } from 'node:timers/promises';
import type { Query } from '../client.ts';
import { argument, type Command, clientOf, type Invocation, numberOption, path } from '../invocation.ts';
import { harmless } from '../terminal.ts';
import { logs as runLogs } from './runs.ts';

const lookMs = 1_000;
/** What a person sees first of a server that has run for days. */
const tailBytes = 16_000;

/** What a job of a run wrote, or the server of a model: `run_…`, a beginning of it, `fraud` or `fraud@5`. */
export const logs: Command = async (invocation) =>
  /^(?:run_|\d)/.test(argument(invocation, 0)) ? runLogs(invocation) : serverLogs(invocation);

async function serverLogs(invocation: Invocation): Promise<number> {
  const { terminal, options, signal } = invocation;
  const [model = '', version] = argument(invocation, 0).split('@');
  const client = await clientOf(invocation);
  const from = numberOption(invocation, 'from');
  let which: Query = { version: version?.replace(/^v/, ''), instance: numberOption(invocation, 'instance') };
  let place: Query = from === undefined ? { tail: tailBytes } : { from };
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    const part = await client.get(path`/v1/models/${model}/logs`, { ...which, ...place });
    const text = String(part.text ?? '');
    if (isFirst && !terminal.json) terminal.say(`${model} v${part.version}, instance ${part.instance}\n`);
    if (text !== '' || isFirst)
      terminal.out(terminal.json ? `${JSON.stringify(part)}\n` : shownOn(text, terminal.width));
    // A later look is at the same server, also when another version has become the champion.
    which = { version: Number(part.version), instance: Number(part.instance) };
    place = { from: Number(part.next) };
    if (text !== '') continue;
    if (options.follow !== true) return 0;
    await pause(lookMs, undefined, { signal }).catch(() => undefined);
  }
  return 130;
}

/** A log may colour, but must not move the cursor of whoever reads it. */
const shownOn = (text: string, width: number | undefined): string => (width === undefined ? text : harmless(text));
