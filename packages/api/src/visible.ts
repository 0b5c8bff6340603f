import { Fault } from '@serin/core/base/fault';
import type { Engine } from '@serin/core/engine/engine';
import { findModel } from '@serin/core/engine/find';
import type { Outcome } from '@serin/core/engine/outcome';
import type { OutsideSignal } from '@serin/core/model/protocol';
import type { Rollout } from '@serin/core/model/rollout/state';
import type { Run } from '@serin/core/model/run/state';
import type { Model } from '@serin/core/model/state';
import { upgrade, upgradeRecord } from '@serin/core/model/upgrade';
import type { Head, Journal, NameRow } from '@serin/core/ports/journal';
import type { ProjectStreamSignal } from '@serin/core/project/project';
import { type IdKind, idsBeginning, type Named } from './beginnings.ts';
import { listPage } from './cursor.ts';
import { Problem } from './problem.ts';
import { type Caller, seesModel } from './roles.ts';
import { type Conditional, onlyIf } from './views.ts';

/** A model's state and the revision that it has. */
export interface SeenModel {
  readonly seq: number;
  readonly state: Model;
}

/** A run or a rollout, live or from its record. `revision` moves whenever its status does. */
export interface SeenRecord<Value> {
  readonly model: string;
  readonly revision: number;
  readonly value: Value;
}

/**
 * The project as one caller may see and move it. What a token is not scoped to is `notFound`, as if it did not exist;
 * what concerns the whole project is forbidden to a scoped token.
 */
export interface Visible {
  sees(model: string): boolean;
  model(name: string): Promise<SeenModel>;
  /** By its id, or by a beginning of it that no other of the caller's has. Several: a problem that names them. */
  run(id: string): Promise<SeenRecord<Run>>;
  rollout(id: string): Promise<SeenRecord<Rollout>>;
  /** What the beginning of an id means, among ids of these kinds; nothing begins so: `undefined`. */
  identify(begin: string, of: readonly IdKind[]): Promise<Named | undefined>;
  /** Rows of the journal whose names start with `prefix`, that concern models of the caller and pass the filter. */
  names(
    prefix: string,
    page: { readonly cursor?: string | undefined; readonly limit?: number | undefined },
    keep?: (summary: Readonly<Record<string, unknown>>, row: NameRow) => boolean,
  ): Promise<{ readonly items: readonly NameRow[]; readonly next?: string }>;
  /** Commits a signal to a model; durable when it resolves. */
  tell(model: string, signal: OutsideSignal, id: string, decidedOn?: DecidedOn): Promise<Outcome>;
  tellProject(signal: Unstamped<ProjectStreamSignal>, id: string, decidedOn?: DecidedOn): Promise<Outcome>;
  /** Refuses a token that is scoped to models. */
  whole(): void;
}

/** What the sender had seen: nothing is committed when it has moved on (412). */
export interface DecidedOn extends Conditional {
  /** The run or rollout that the `ETag` was of; absent: the model, or the project, itself. */
  readonly record?: string;
}

type Unstamped<Signal> = Signal extends unknown ? Omit<Signal, 'id' | 'at' | 'actor'> : never;

interface Around {
  readonly engine: Engine;
  readonly journal: Journal;
  readonly now: () => number;
  readonly nudge: (stream: string) => void;
}

export function visibleTo(caller: Caller | undefined, { engine, journal, now, nudge }: Around): Visible {
  const sees = (model: string) => caller !== undefined && seesModel(caller, model);
  const gone = (what: string) =>
    new Fault('notFound', `there is no ${what}; look in the list of what this token may see`);

  async function model(name: string): Promise<SeenModel> {
    const head = sees(name) ? await journal.head(`model/${name}`) : undefined;
    if (head === undefined) throw gone(`model '${name}'`);
    return { seq: head.seq, state: upgrade(head.state) as Model }; // written by the engine
  }

  const names: Visible['names'] = (prefix, { cursor, limit }, keep = () => true) =>
    listPage<NameRow>({
      list: prefix,
      cursor,
      limit: limit ?? 50,
      fetch: (page) => journal.names(prefix, page),
      keyOf: ({ key }) => key,
      keep: (row) => {
        const summary = row.summary as Readonly<Record<string, unknown>>; // each writer of a name writes an object
        const owner = ownerOf(row.stream, summary);
        return (owner === undefined ? caller?.models === undefined : sees(owner)) && keep(summary, row);
      },
    });
  const identify = idsBeginning({ journal, sees, names });

  async function find<Kind extends IdKind>(kind: Kind, begin: string) {
    const id = (await identify(begin, [kind]))?.id ?? begin;
    const head = await journal.head(`${kind}/${id}`);
    const record = upgradeRecord(kind, head?.state) as (NonNullable<Model[Kind]> & Recorded) | undefined; // by the engine
    // One whose record was not written yet is known only to its model.
    const name = record?.model ?? (await findModel(journal, { [kind]: id }, 10));
    if (name === undefined || !sees(name)) throw gone(`${kind} '${id}'`);
    const { state } = await model(name);
    const stream = `${kind}/${id}`;
    const current = state[kind];
    const value = (current?.id === id ? current : (state.past[stream] ?? record)) as
      | NonNullable<Model[Kind]>
      | undefined;
    if (value === undefined) throw gone(`${kind} '${id}'`);
    return { model: name, value, revision: state.records[stream] ?? record?.revision ?? 0 };
  }

  /** Looks at the head that the signal is decided on: one that moves meanwhile is looked at again. */
  const unmoved =
    (decidedOn: DecidedOn) =>
    async (head: Head | undefined): Promise<void> => {
      const { records, revision } = (head?.state ?? {}) as {
        readonly records?: Model['records'];
        readonly revision?: number;
      };
      const { record } = decidedOn;
      if (record === undefined)
        return onlyIf(decidedOn, head?.stream === 'project' ? (revision ?? 0) : (head?.seq ?? 0));
      const written =
        records?.[record] ?? ((await journal.head(record))?.state as Partial<Recorded> | undefined)?.revision;
      onlyIf(decidedOn, written ?? 0);
    };

  async function receive(
    stream: string,
    signal: Unstamped<ProjectStreamSignal> | OutsideSignal,
    id: string,
    decidedOn?: DecidedOn,
  ) {
    if (caller === undefined)
      throw new Problem('unauthenticated', 'the request has no signature; sign it, or send a token');
    // A signal of the body's own type, with the stamp that its receiver gives.
    const stamped = { ...signal, id, at: now(), actor: caller.actor } as Parameters<Engine['receive']>[1];
    const outcome = await engine.receive(stream, stamped, decidedOn === undefined ? undefined : unmoved(decidedOn));
    if (outcome.kind === 'moved' || outcome.kind === 'repeated') nudge(stream);
    return outcome;
  }

  function whole(): void {
    if (caller === undefined || caller.models !== undefined)
      throw new Problem(
        'forbidden',
        'the request concerns the whole project; use a token that is not scoped to models',
      );
  }

  return {
    sees,
    model,
    run: (id) => find('run', id),
    rollout: (id) => find('rollout', id),
    identify,
    names,
    async tell(name, signal, id, decidedOn) {
      if (!sees(name)) throw gone(`model '${name}'`);
      return receive(`model/${name}`, signal, id, decidedOn);
    },
    async tellProject(signal, id, decidedOn) {
      whole();
      return receive('project', signal, id, decidedOn);
    },
    whole,
  };
}

interface Recorded {
  readonly model: string;
  readonly revision: number;
}

/** The model that a stream's row concerns. */
export function ownerOf(stream: string, summary: Readonly<Record<string, unknown>>): string | undefined {
  if (stream.startsWith('model/')) return stream.slice('model/'.length);
  if (typeof summary.model === 'string') return summary.model;
  return typeof summary.stream === 'string' && summary.stream.startsWith('model/')
    ? summary.stream.slice('model/'.length)
    : undefined;
}

/** What a committed signal is answered with. A refusal is a 409 that says why; nothing was changed then. */
export function told(
  outcome: Outcome,
  location: string,
): { status: number; body: unknown; headers: Record<string, string> } {
  if (outcome.kind === 'refused') throw new Problem('refused', outcome.because);
  const done = outcome.kind === 'moved' && outcome.because === undefined;
  const kind = done ? 'accepted' : outcome.kind === 'repeated' ? 'repeated' : 'ignored';
  return {
    status: done ? 202 : 200,
    headers: { location },
    body: {
      outcome: kind,
      ...(outcome.because === undefined ? {} : { because: outcome.because }),
      ...(outcome.kind === 'moved' ? { seq: outcome.seq } : {}),
    },
  };
}
