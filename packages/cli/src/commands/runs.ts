import { setTimeout as pause } from 'node:timers/promises';
import { instant } from '@serin/core/base/time';
import type { Client, Document } from '../client.ts';
import { Failure } from '../failure.ts';
import {
  argument,
  type Command,
  change,
  clientOf,
  type Invocation,
  numberOption,
  outcomeText,
  path,
  plainChange,
  show,
  textOption,
} from '../invocation.ts';
import { textOf } from '../table.ts';
import { isDocument, newestOf, reasonOf, waitFor, waitForEnd } from '../wait.ts';
import { type RunDocument, runFrame } from '../watching/run-frame.ts';
import { watched } from '../watching/watch.ts';

export const start: Command = async (invocation) => {
  const model = argument(invocation, 0);
  const client = await clientOf(invocation);
  const because = textOption(invocation, 'because');
  const hyperparameters = given(invocation.options.set);
  const body = {
    model,
    ...(invocation.options.force === true ? { force: true } : {}),
    ...(Object.keys(hyperparameters).length === 0 ? {} : { hyperparameters }),
    ...(because === undefined ? {} : { because }),
  };
  const waits = invocation.options.wait === true && invocation.options.dryRun !== true;
  const before = waits ? await client.get(path`/v1/models/${model}`) : undefined;
  const does = `start a run of ${model}`;
  const answer = await change(invocation, client, { method: 'POST', path: '/v1/runs', body, does });
  if (answer === undefined) return 0;
  if (before !== undefined && answer.body.outcome === 'accepted')
    return waited(invocation, client, model, before, answer.body.run);
  show(invocation, answer.body, () => outcomeText(does, answer.body, invocation.terminal));
  return 0;
};

function given(set: unknown): Readonly<Record<string, string>> {
  const pairs = Array.isArray(set) ? set.map(String) : [];
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new Failure(2, `--set is '${pair}'; write it as name=value`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

/** The run that waited behind the active one, once it begins. */
const queuedRun = (invocation: Invocation, client: Client, model: string, before: Document): Promise<string> =>
  waitFor(invocation, `the start of a run of ${model}`, async () => {
    const { run, skipped } = await client.get(path`/v1/models/${model}`);
    if (isDocument(skipped) && JSON.stringify(skipped) !== JSON.stringify(before.skipped))
      throw new Failure(4, `no run of ${model} was started`, {
        why: reasonOf(skipped),
        mend: 'give --force to start it anyway',
      });
    return isDocument(run) && run.id !== (isDocument(before.run) ? before.run.id : undefined)
      ? String(run.id)
      : undefined;
  });

/** Waits for the end of the run that the request began. */
async function waited(
  invocation: Invocation,
  client: Client,
  model: string,
  before: Document,
  named: unknown,
): Promise<number> {
  const id = typeof named === 'string' ? named : await queuedRun(invocation, client, model, before);
  const run = await waitForEnd(invocation, client, 'runs', id);
  const succeeded = run.status === 'succeeded';
  show(
    invocation,
    run,
    () => `${invocation.terminal.paint(succeeded ? 'green' : 'red', String(run.status))}  ${id}: ${reasonOf(run)}\n`,
  );
  if (succeeded) return 0;
  return run.status === 'cancelled' ? 7 : 1;
}

export const cancel: Command = async (invocation) => {
  const id = argument(invocation, 0);
  return plainChange(invocation, {
    method: 'POST',
    path: path`/v1/runs/${id}/cancel`,
    body: {},
    does: `cancel ${id}`,
    asks: true,
  });
};

const lookMs = 1_000;

/** Prints a job's log from where it is asked for; with `--follow` until its run has ended. */
export const logs: Command = async (invocation) => {
  const id = argument(invocation, 0);
  const client = await clientOf(invocation);
  const { terminal, options, signal } = invocation;
  const which = { job: textOption(invocation, 'job'), attempt: numberOption(invocation, 'attempt') };
  for (let from = numberOption(invocation, 'from') ?? 0; !signal.aborted; ) {
    const over = options.follow !== true || (await client.get(path`/v1/runs/${id}`)).endedAt !== undefined;
    const part = await client.get(path`/v1/runs/${id}/logs`, { ...which, from });
    const next = typeof part.next === 'number' ? part.next : from;
    terminal.out(terminal.json ? `${JSON.stringify(part)}\n` : String(part.text ?? ''));
    if (next > from) from = next;
    else if (over) return 0;
    else await pause(lookMs, undefined, { signal }).catch(() => undefined);
  }
  return 130;
};

/** Follows a run, or the newest one of a model, to its end: 0 when it succeeded, 7 when it was cancelled. */
export const watch: Command = async (invocation) => {
  const client = await clientOf(invocation);
  const { terminal, options } = invocation;
  const id = await newestOf(client, 'runs', argument(invocation, 0));
  const tail = logTail(client, id);
  const run = await watched<RunDocument>(invocation, {
    what: `run ${id}`,
    look: async () => {
      if (terminal.width !== undefined && !terminal.json) await tail.read();
      return (await client.get(path`/v1/runs/${id}`)) as RunDocument; // as the API answers it
    },
    isOver: ({ endedAt }) => endedAt !== undefined,
    frame: (seen, now) => runFrame(seen, tail.text(), now, terminal),
    changes: (seen, before) => newStatus(seen, before, terminal),
  });
  const exit = run.status === 'succeeded' ? 0 : run.status === 'cancelled' ? 7 : 1;
  if (terminal.json && options.watch !== true) terminal.out(`${JSON.stringify(run)}\n`);
  return exit;
};

/** The end of the log of the job that a run is at; empty where there is none, or the platform keeps none. */
function logTail(client: Client, id: string) {
  const kept = 4_000;
  let [job, from, text] = ['', 0, ''];
  return {
    text: () => text,
    async read() {
      const part = await client.get(path`/v1/runs/${id}/logs`, { from }).catch(() => undefined);
      if (part === undefined) return;
      const of = `${part.job}/${part.attempt}`;
      const [before, isWhole] = [of === job ? text : '', of === job || from === 0];
      // Another job has begun, so this part is not its beginning. The next look reads that.
      text = isWhole ? (before + String(part.text ?? '')).slice(-kept) : '';
      from = isWhole && typeof part.next === 'number' ? part.next : 0;
      job = of;
    },
  };
}

function newStatus(run: Document, before: Document | undefined, terminal: Invocation['terminal']): string {
  const stateOf = ({ status, job }: Document) =>
    `${status}${isDocument(job) ? ` (${job.part}, attempt ${job.attempt})` : ''}`;
  if (before !== undefined && stateOf(before) === stateOf(run)) return '';
  const reason = reasonOf(run);
  return `${terminal.paint('dim', instant(Date.now()))}  ${stateOf(run)}${reason === '' ? '' : `: ${textOf('', reason)}`}\n`;
}
