import { asFault, Fault } from '../base/fault.ts';
import { defined } from '../base/objects.ts';
import type { Profiler } from '../drift/profiler.ts';
import { type Decision, decideModel } from '../model/decide.ts';
import { type Dispatcher, leaseMs, type PendingEffects } from '../model/leases.ts';
import { modelWakesAt } from '../model/owed.ts';
import type { Effect, ModelSignal, Stamp } from '../model/protocol.ts';
import type { Model } from '../model/state.ts';
import { modelSummary } from '../model/summary.ts';
import { upgrade } from '../model/upgrade.ts';
import { engineActor } from '../ports/actors.ts';
import type { Append, Entry, Head } from '../ports/journal.ts';
import type { Ports } from '../ports/ports.ts';
import { decideProject, type Project, type ProjectStreamSignal, projectWakesAt } from '../project/project.ts';
import type { Outcome, Signal } from './outcome.ts';
import { type AnswerBody, perform } from './perform.ts';
import { type Next, rewrite } from './rewrite.ts';

export interface EngineOptions {
  readonly ports: Ports;
  /** Asked for when the first dataset is read: whoever reads none need not load it. */
  readonly profiler: () => Promise<Profiler>;
  /** The only clock there is: milliseconds since the epoch. */
  readonly now: () => number;
  /** Names this engine in the leases it takes; unique among those that run. */
  readonly self: string;
  /** The only engine there is (one machine, under its lock): what a predecessor took is free. */
  readonly alone: boolean;
  /** When this process ends, where it is known: no call is begun in its last 30 s. */
  readonly endsAt?: () => number;
  /** `source` of the published CloudEvents. */
  readonly source: string;
  /** Told after each durable append, for those who watch. */
  readonly onAppend?: (entry: Entry, due: number | undefined) => void;
}

export interface Engine {
  /**
   * Decides a signal and commits it; leaves what is then owed to the next dispatch. Throws `conflict` when others keep
   * winning. `only` looks at the very head that is decided on, and throws when it must not be.
   */
  receive(stream: string, signal: Signal, only?: Only): Promise<Outcome>;
  /** Decides a signal, commits it, and performs what is owed until nothing is, or the rest waits for time. */
  handle(stream: string, signal: Signal): Promise<Outcome>;
  /** Performs what is owed and free now. */
  dispatch(stream: string): Promise<void>;
}

export type Only = (head: Head | undefined) => void | Promise<void>;

interface Committed {
  readonly outcome: Outcome;
  readonly taken: readonly Effect[];
  readonly seq: number;
  /** When the leases of what was taken end. */
  readonly until: number;
}

const nothing: Committed = { outcome: { kind: 'ignored', because: '' }, taken: [], seq: 0, until: 0 };
const triesOnConflict = 8;
/** Reasons are kept in the state, which is bounded. */
const longestReason = 2000;
/** A call starts only with this much of its lease, and of its process, left; an adapter cuts it off after 20 s. */
const neededLeaseMs = 30_000;

/** Load the head, decide, append, perform what is owed and taken, feed the answer back as a signal. */
export function createEngine(options: EngineOptions): Engine {
  const { ports, now, self, alone, onAppend } = options;

  const turns = new Map<string, Promise<unknown>>();

  /** Commits of one stream take turns: of two that decide on the same head only one could be appended. */
  function commit(stream: string, signal: Signal, dispatches: boolean, only?: Only): Promise<Committed> {
    const turn = (turns.get(stream) ?? Promise.resolve()).then(() => decideAndAppend(stream, signal, dispatches, only));
    const ended = turn.then(leave, leave);
    function leave(): void {
      if (turns.get(stream) === ended) turns.delete(stream);
    }
    turns.set(stream, ended);
    return turn;
  }

  async function decideAndAppend(stream: string, signal: Signal, dispatches: boolean, only?: Only): Promise<Committed> {
    let committed = nothing;
    const decideOn = async (_: unknown, head: Head | undefined): Promise<Next | undefined> => {
      await only?.(head);
      const { decision, ...rows } = decide(stream, head, signal, { self, dispatches, alone });
      committed = committedBy(decision, head?.seq ?? 0);
      if (!('moved' in decision)) return undefined;
      const { moved, events } = decision;
      // A state is plain JSON by construction; a test folds every history to prove it.
      return { at: moved.at, actor: signal.actor, signal, state: moved, events, ...rows };
    };
    const written = await rewrite(ports.journal, stream, decideOn, { tries: triesOnConflict });
    if (written !== undefined) onAppend?.(written.entry, written.due);
    return committed;
  }

  /** Performs what was taken; each answer may take more. */
  async function dispatch(stream: string, { taken, seq, until }: Committed): Promise<void> {
    await Promise.all(taken.map((effect) => dispatchOne(stream, effect, { seq, until })));
  }

  async function dispatchOne(
    stream: string,
    effect: Effect,
    { seq, until }: Pick<Committed, 'seq' | 'until'>,
  ): Promise<void> {
    // A process that slept through its lease leaves the effect to whoever takes it next.
    const last = Math.min(until, options.endsAt?.() ?? until);
    if (now() + neededLeaseMs > last || (isRising(effect) && !(await stillOwed(stream, effect, seq)))) return;
    const body = await answerOf(effect, stream);
    const answer = { ...body, key: effect.key, taken: seq, ...stamp(`${stream}#${seq}/${effect.key}`) } as Signal;
    await dispatch(stream, await commit(stream, answer, true));
  }

  async function answerOf(effect: Effect, stream: string): Promise<AnswerBody> {
    try {
      return await perform(effect, {
        ports,
        profiler: options.profiler,
        now,
        stream,
        source: options.source,
        tell: (to, signal) => tell(to, signal),
      });
    } catch (error) {
      const fault = asFault(error);
      const because = fault.message.slice(0, longestReason);
      if (fault.retry === 'never') return { type: 'effectRefused', because };
      const { retryAfterMs } = fault;
      return { type: 'effectFailed', because, ...defined({ retryAfterMs }) };
    }
  }

  /** Says something to another stream and dispatches what that stream then owes. */
  async function tell(stream: string, signal: Record<string, unknown> & { readonly id: string }): Promise<Outcome> {
    const said = { ...stamp(signal.id), ...signal } as unknown as Signal;
    const committed = await commit(stream, said, true);
    await dispatch(stream, committed);
    return committed.outcome;
  }

  /** The head is read again before a weight rises: an abort may have come meanwhile. */
  async function stillOwed(stream: string, effect: Effect, seq: number): Promise<boolean> {
    const head = await ports.journal.head(stream);
    const pending = (head?.state as { readonly debts?: PendingEffects } | undefined)?.debts?.[effect.key];
    return pending?.taken === seq && now() + neededLeaseMs <= pending.until;
  }

  const stamp = (id: string): Stamp => ({ id, at: now(), actor: engineActor });

  return {
    async receive(stream, signal, only) {
      return (await commit(stream, signal, false, only)).outcome;
    },
    async handle(stream, signal) {
      const committed = await commit(stream, signal, true);
      await dispatch(stream, committed);
      return committed.outcome;
    },
    async dispatch(stream) {
      await dispatch(stream, await commit(stream, { ...stamp(`${stream}/tick`), type: 'clockTicked' }, true));
    },
  };
}

const isRising = (effect: Effect): boolean =>
  effect.kind === 'change' && effect.operation.kind === 'weigh' && !effect.falling;

interface Decided {
  readonly decision: Decision<{ readonly at: number }>;
  readonly due?: number;
  readonly name?: Append['name'];
}

function decide(stream: string, head: Head | undefined, signal: Signal, dispatcher: Dispatcher): Decided {
  const seq = (head?.seq ?? 0) + 1;
  const state = head === undefined ? undefined : upgrade(head.state);
  if (stream === 'project') {
    const decision = decideProject(state as Project | undefined, signal as ProjectStreamSignal, { seq }, dispatcher);
    return { decision, ...('moved' in decision ? dueOf(projectWakesAt(decision.moved)) : {}) };
  }
  if (!stream.startsWith('model/'))
    throw new Fault('defect', `the stream '${stream}' belongs to no machine; this is a defect of Serin, report it`);
  const model = stream.slice('model/'.length);
  const decision = decideModel(state as Model | undefined, signal as ModelSignal, { model, seq }, dispatcher);
  if (!('moved' in decision)) return { decision };
  return {
    decision,
    ...dueOf(modelWakesAt(decision.moved)),
    name: { key: stream, summary: modelSummary(decision.moved) },
  };
}

const dueOf = (due: number | undefined): { readonly due?: number } => (due === undefined ? {} : { due });

/** What a decision on the head `seq` comes to, once it is written. */
function committedBy(decision: Decision<{ readonly at: number }>, seq: number): Committed {
  if (!('moved' in decision)) return { outcome: outcomeOf(decision), taken: [], seq, until: 0 };
  const { moved, taken, because } = decision;
  const outcome = { kind: 'moved', seq: seq + 1, ...(because === undefined ? {} : { because }) } as const;
  return { outcome, taken, seq: seq + 1, until: moved.at + leaseMs };
}

function outcomeOf(decision: Exclude<Decision<unknown>, { moved: unknown }>): Outcome {
  if ('ignored' in decision) return { kind: 'ignored', because: decision.ignored };
  if ('repeated' in decision) return { kind: 'repeated', because: decision.repeated };
  return { kind: 'refused', because: decision.refused };
}
