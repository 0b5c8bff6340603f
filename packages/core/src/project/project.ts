import { defined, lastOf, without } from '../base/objects.ts';
import { refuse, step, type Table } from '../base/table.ts';
import type { Decision } from '../model/decide.ts';
import {
  answerPending,
  type Dispatcher,
  isStale,
  type PendingEffects,
  reconcile,
  retrySlowly,
} from '../model/leases.ts';
import type { Effect, Stamp } from '../model/protocol.ts';
import type { Freeze, Message, Spread } from '../model/streams.ts';

/** What all models of a project share: releases of the config, freezes, slots. The state of the stream `project`. */
interface Base {
  readonly schema: 3;
  readonly at: number;
  /** Counts releases and freezes. */
  readonly revision: number;
  readonly config?: {
    readonly digest: string;
    readonly project: string;
    readonly concurrentRuns: number;
    readonly at: number;
    readonly by: string;
  };
  readonly freeze?: Freeze;
  /** Reserved by run; a reservation expires with the run's own deadline. */
  readonly slots: Readonly<Record<string, { readonly model: string; readonly until: number }>>;
  /** In the order in which they asked. */
  readonly waiting: Readonly<Record<string, { readonly model: string; readonly until: number }>>;
  /** Granted, and the model has not been told yet. */
  readonly grants: Readonly<Record<string, string>>;
  readonly seen: Readonly<Record<string, string>>;
  readonly debts: PendingEffects;
}

export type Project =
  | (Base & { readonly status: 'settled' })
  /** A release or a freeze is being told to the models. */
  | (Base & { readonly status: 'spreading'; readonly spread: Omit<Spread, 'kind'> });

export type ProjectStreamSignal = Stamp &
  (
    | {
        readonly type: 'releaseRequested';
        readonly digest: string;
        readonly project: string;
        readonly concurrentRuns: number;
      }
    | { readonly type: 'freezeRequested'; readonly freeze: Freeze }
    | { readonly type: 'thawRequested' }
    | Message
    | { readonly type: 'clockTicked' }
    | ({ readonly key: string; readonly taken: number } & (
        | { readonly type: 'spreadAdvanced'; readonly cursor?: string }
        | { readonly type: 'told' }
        | { readonly type: 'effectFailed'; readonly because: string }
        | { readonly type: 'effectRefused'; readonly because: string }
      ))
  );

type SignalOf<Type extends ProjectStreamSignal['type']> = Extract<ProjectStreamSignal, { type: Type }>;

export const projectStart = (at: number): Project => ({
  schema: 3,
  status: 'settled',
  at,
  revision: 0,
  slots: {},
  waiting: {},
  grants: {},
  seen: {},
  debts: {},
});

/** Intermediate configs a spread remembers: more releases than this within one spread tell every model. */
const rememberedReleases = 10;

const always = {
  releaseRequested: (project: Project, signal: SignalOf<'releaseRequested'>): Project => {
    const { digest, project: name, concurrentRuns, at, actor } = signal;
    if (project.config?.digest === digest) return project;
    const config = { digest, project: name, concurrentRuns, at, by: actor.subject };
    return startSpread({ ...project, config }, project.config?.digest, false, actor.subject);
  },
  freezeRequested: (project: Project, { freeze }: SignalOf<'freezeRequested'>): Project =>
    startSpread({ ...project, freeze }, project.config?.digest, true),
  thawRequested: (project: Project): Project =>
    project.freeze === undefined
      ? project
      : startSpread(without(project, 'freeze') as Project, project.config?.digest, true),
  slotRequested: (project: Project, { run, model, until }: SignalOf<'slotRequested'>): Project => {
    // Asked again: the grant may have been lost on the way.
    if (project.slots[run] !== undefined) return { ...project, grants: { ...project.grants, [run]: model } };
    return project.waiting[run] === undefined
      ? { ...project, waiting: { ...project.waiting, [run]: { model, until } } }
      : project;
  },
  slotReleased: (project: Project, { run }: SignalOf<'slotReleased'>): Project => {
    const { [run]: slot, ...slots } = project.slots;
    const { [run]: asked, ...waiting } = project.waiting;
    const { [run]: _, ...grants } = project.grants;
    return slot === undefined && asked === undefined ? project : { ...project, slots, waiting, grants };
  },
  slotGranted: 'ignore',
  clockTicked: (project: Project, { at }: SignalOf<'clockTicked'>): Project => {
    const live = (record: Base['slots']) =>
      Object.fromEntries(Object.entries(record).filter(([, { until }]) => until > at));
    const [slots, waiting] = [live(project.slots), live(project.waiting)];
    const same =
      Object.keys(slots).length === Object.keys(project.slots).length &&
      Object.keys(waiting).length === Object.keys(project.waiting).length;
    const kept = same ? project : { ...project, slots, waiting };
    return kept.freeze?.until !== undefined && at >= kept.freeze.until ? (without(kept, 'freeze') as Project) : kept;
  },
  told: (project: Project, { key }: SignalOf<'told'>): Project => {
    const { [key.slice('grant/'.length)]: _, ...grants } = project.grants;
    return { ...project, grants };
  },
  effectFailed: (project: Project): Project => ({ ...project }),
  effectRefused: (project: Project, { key, at, because }: SignalOf<'effectRefused'>): Project => {
    const run = key.slice('grant/'.length);
    if (!key.startsWith('grant/'))
      return { ...project, debts: { ...project.debts, [key]: retrySlowly(key, at, because) } };
    // The model is not there to be told: its slot is free again.
    const { [run]: _, ...grants } = project.grants;
    const { [run]: __, ...slots } = project.slots;
    return { ...project, grants, slots };
  },
} as const;

/** What moves the project. */
export const projectTable: Table<Project, ProjectStreamSignal, undefined> = {
  settled: { ...always, spreadAdvanced: 'ignore' },
  spreading: {
    ...always,
    spreadAdvanced: (project, { cursor }) => {
      const { spread, ...rest } = project;
      return cursor === undefined ? { ...rest, status: 'settled' } : { ...project, spread: { ...spread, cursor } };
    },
  },
};

const recorded: ReadonlySet<string> = new Set(['releaseRequested', 'freezeRequested', 'thawRequested']);

/** Decides one signal of the project's stream; the same promises as `decideModel`. */
export function decideProject(
  state: Project | undefined,
  signal: ProjectStreamSignal,
  { seq }: { readonly seq: number },
  dispatcher: Dispatcher,
): Decision<Project> {
  const begun = state ?? projectStart(signal.at);
  const seen = recorded.has(signal.type) ? begun.seen[signal.id] : undefined;
  if (seen !== undefined) return { repeated: seen };
  const at = Math.max(begun.at, signal.at);
  const stamped = { ...signal, at };
  const debts = 'taken' in stamped ? answerPending(begun.debts, stamped) : begun.debts;
  if (isStale(debts)) return debts;
  const own = step(projectTable, debts === begun.debts ? begun : { ...begun, debts }, stamped, undefined);
  if ('refused' in own) return refuse(own.refused);
  const moved = 'moved' in own ? own.moved : begun;
  const granted = grant(passTime(moved, { id: signal.id, actor: signal.actor, at }));
  const because = 'ignored' in own ? own.ignored : undefined;
  const noted: Project = recorded.has(signal.type)
    ? { ...granted, seen: lastOf({ ...granted.seen, [signal.id]: because ?? 'done' }, 200) }
    : granted;
  const owed = reconcile(noted.debts, projectOwes(noted), at, seq, dispatcher);
  const next: Project = owed.debts === noted.debts ? noted : { ...noted, debts: owed.debts };
  if (next === begun && state !== undefined) return { ignored: because ?? 'nothing changed' };
  return { moved: { ...next, at }, events: [], taken: owed.taken, ...(because === undefined ? {} : { because }) };
}

export function projectOwes(project: Project): readonly Effect[] {
  return [
    ...Object.entries(project.grants).map(
      ([run, model]): Effect => ({
        key: `grant/${run}`,
        kind: 'tell',
        stream: `model/${model}`,
        id: `${run}/grant`,
        signal: { type: 'slotGranted', run },
      }),
    ),
    ...(project.status === 'spreading'
      ? [
          {
            key: `spread/${project.spread.revision}/${project.spread.cursor ?? ''}`,
            kind: 'spread',
            ...project.spread,
          } as const,
        ]
      : []),
  ];
}

export function projectWakesAt(project: Project): number | undefined {
  const untils = [...Object.values(project.slots), ...Object.values(project.waiting)].map(({ until }) => until);
  const times = [...untils, project.freeze?.until].filter((time) => time !== undefined && time > project.at);
  const next = Math.min(...(times as number[]), ...Object.values(project.debts).map(({ until }) => until));
  return Number.isFinite(next) ? next : undefined;
}

function passTime(project: Project, stamp: Stamp): Project {
  const time = step(projectTable, project, { ...stamp, type: 'clockTicked' }, undefined);
  return 'moved' in time ? time.moved : project;
}

/** Free slots go to those who have waited longest. */
function grant(project: Project): Project {
  const free = (project.config?.concurrentRuns ?? 1) - Object.keys(project.slots).length;
  const next = Object.entries(project.waiting).slice(0, Math.max(0, free));
  if (next.length === 0) return project;
  const chosen = Object.fromEntries(next);
  const waiting = Object.fromEntries(Object.entries(project.waiting).filter(([run]) => chosen[run] === undefined));
  const grants = Object.fromEntries(next.map(([run, { model }]) => [run, model]));
  return { ...project, waiting, slots: { ...project.slots, ...chosen }, grants: { ...project.grants, ...grants } };
}

/** Starts to tell the models. A spread under way is folded in: what it had not told yet is still compared. */
function startSpread(project: Project, from: string | undefined, everyone: boolean, by?: string): Project {
  const revision = project.revision + 1;
  if (project.config === undefined) return { ...project, revision };
  const earlier = project.status === 'spreading' ? project.spread : undefined;
  const known = [...new Set([...(earlier?.from ?? []), ...(from === undefined ? [] : [from])])];
  const spread = {
    revision,
    from: known.slice(-rememberedReleases),
    to: project.config.digest,
    everyone: everyone || (earlier?.everyone ?? false) || known.length > rememberedReleases,
    by: [...new Set([...(earlier?.by ?? []), ...(by === undefined ? [] : [by])])],
    ...defined({ freeze: project.freeze }),
  };
  return {
    ...without(project as Extract<Project, { status: 'spreading' }>, 'spread'),
    status: 'spreading',
    revision,
    spread,
  };
}
